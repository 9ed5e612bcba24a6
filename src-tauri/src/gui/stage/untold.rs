//! Answers that were not remembered, until the person was told so.

use std::collections::VecDeque;

use crate::gui::view::{ApprovalFrame, Unkept, UnkeptView};

/// Answers of which it is known whom they were about. Whether one was remembered is known a moment after it.
const MOST: usize = 20;

/// See the module.
#[derive(Debug, Default)]
pub struct Untold {
    answered: VecDeque<(String, String)>,
    owed: Vec<UnkeptView>,
}

impl Untold {
    /// A payment to this payee was answered.
    pub fn answered(&mut self, payment: &str, payee: &str) {
        self.answered.push_back((payment.to_owned(), payee.to_owned()));
        if self.answered.len() > MOST {
            self.answered.pop_front();
        }
    }

    /// The answer to this payment was not remembered. False if there was none.
    pub fn add(&mut self, payment: &str, why: Unkept) -> bool {
        let Some(at) = self.answered.iter().position(|(id, _)| id == payment) else { return false };
        let Some((_, payee)) = self.answered.remove(at) else { return false };
        self.owed.push(UnkeptView { payee, why });
        true
    }

    /// Whether there is something to tell.
    pub const fn any(&self) -> bool {
        !self.owed.is_empty()
    }

    /// All of it.
    pub fn frame(&self) -> ApprovalFrame {
        ApprovalFrame::Unkept { answers: self.owed.clone() }
    }

    /// The person closed what told it.
    pub fn told(&mut self) {
        self.owed.clear();
    }
}
