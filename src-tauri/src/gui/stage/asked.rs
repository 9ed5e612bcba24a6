//! What is put to the person, and the one who waits for the answer.

use countersign_core::{
    Millis,
    approval::{Answer, Gone, Yes},
    payment::Digest,
};
use countersign_desk::approver::{Change, Showing};
use tokio::sync::oneshot;

use crate::gui::{
    environment::UI_AUTOMATION,
    view::{ApprovalFrame, ApprovalView},
};

/// Who waits for an answer.
pub enum Asked {
    /// A payment's question.
    Question(Box<Showing>, oneshot::Sender<Answer>),
    /// A change that loosens.
    Change(Change, Digest, oneshot::Sender<bool>),
}

/// It, under the ticket of its asking.
pub struct Item {
    pub ticket: u64,
    pub asked: Asked,
}

impl Item {
    /// Its name on the wire.
    pub fn id(&self) -> String {
        match &self.asked {
            Asked::Question(showing, _) => showing.question.payment_id.to_string(),
            Asked::Change(change, ..) => change.id.clone(),
        }
    }
}

impl Asked {
    /// What an answer must name to be about what is shown.
    pub fn hash(&self) -> Digest {
        match self {
            Self::Question(showing, _) => showing.display_hash(),
            Self::Change(_, hash, _) => *hash,
        }
    }

    /// When it is over unanswered.
    pub fn expires(&self) -> Option<Millis> {
        match self {
            Self::Question(showing, _) => Some(showing.question.expires_at),
            Self::Change(..) => None,
        }
    }

    /// As the page is told.
    pub fn frame(&self, wall: Millis) -> ApprovalFrame {
        let display_hash = self.hash().to_string();
        match self {
            Self::Question(showing, _) => ApprovalFrame::Question {
                view: Box::new(ApprovalView::of(showing.question.clone(), display_hash, wall.0, UI_AUTOMATION)),
            },
            Self::Change(Change { id, title, lines }, ..) => ApprovalFrame::Change {
                id: id.clone(),
                display_hash,
                title: title.clone(),
                lines: lines.clone(),
                red_band: UI_AUTOMATION,
            },
        }
    }

    /// Hands on a yes.
    pub fn yes(self) {
        match self {
            Self::Question(showing, answer) => {
                let yes = Yes {
                    payment: showing.question.payment_id.clone(),
                    display_hash: showing.display_hash(),
                    through: "window".to_owned(),
                };
                drop(answer.send(Answer::Yes(yes)));
            }
            Self::Change(_, _, answer) => drop(answer.send(true)),
        }
    }

    /// Hands on that nobody answered.
    pub fn gone(self, why: Gone) {
        match self {
            Self::Question(_, answer) => drop(answer.send(Answer::Gone(why))),
            Self::Change(_, _, answer) => drop(answer.send(false)),
        }
    }

    /// Hands on a no.
    pub fn no(self) {
        match self {
            Self::Question(_, answer) => drop(answer.send(Answer::No)),
            Self::Change(_, _, answer) => drop(answer.send(false)),
        }
    }
}
