//! The port to the person. A window, a terminal or a script stands behind it; the desk does not know which.

use async_trait::async_trait;
use countersign_core::{
    approval::{Answer, Question, Said},
    payment::{Digest, PaymentId},
};

/// One question, put once. Shown again, it is another showing with another nonce.
#[derive(Debug, Clone)]
pub struct Showing {
    /// What is on screen, frozen.
    pub question: Question,
    /// Fresh random bytes.
    pub nonce: [u8; 16],
}

impl Showing {
    /// What an answer must name.
    pub fn display_hash(&self) -> Digest {
        self.question.display_hash(self.nonce)
    }
}

/// A change that loosens something and therefore needs the person.
#[derive(Debug, Clone)]
pub struct Change {
    /// `chg_` and random hex digits.
    pub id: String,
    /// What is asked for, in one sentence.
    pub title: Said,
    /// What it comes to, line by line.
    pub lines: Vec<Said>,
}

/// Asks a person. Whatever goes wrong is not a yes.
#[async_trait]
pub trait Approver: Send + Sync {
    /// Whether there is anybody to ask at all; if not, a question is refused at once with `no_approver`.
    fn reachable(&self) -> bool;

    /// Puts one question and waits for its answer, at the longest until `question.expires_at`.
    ///
    /// Dropping the future withdraws the question: a later answer to it counts for nothing.
    async fn ask(&self, showing: Showing) -> Answer;

    /// Asks whether a change may be made. Dropping the future withdraws the question.
    async fn confirm(&self, change: Change) -> bool;

    /// Tells whoever answered how it ended: `signed`, `settled`, `unknown`, `failed` with a sentence.
    fn outcome(&self, payment: &PaymentId, state: &str, detail: Option<Said>);

    /// Brings what it asks in to the front, on a page of its own naming; false where there is nothing to bring.
    fn raise(&self, _page: Option<String>) -> bool {
        false
    }
}
