//! The owner check of a loosening: what is to be typed, and how long to wait, decided and kept here; the page only shows it.
//!
//! There is no passphrase and no sheet of the system's yet, so the person types what is loosened and waits ten seconds. After that
//! the window that asks takes the yes, with its own guards. One loosening at a time; a new one takes the place of the old.

use countersign_core::{payment::Digest, policy::Policy};
use countersign_vault::{Clock, PayeeKey};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::LimitsError;

/// How long a person waits before it can be confirmed.
pub const WAIT_MS: i64 = 10_000;
/// How long it can be confirmed after that.
const OPEN_MS: i64 = 300_000;
/// So many wrong texts end it.
const TRIES: u32 = 5;

/// What is done after the check.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Puts a policy in the place of another, if that one is still in force.
    Policy {
        /// The new one.
        new: Box<Policy>,
        /// Hash of the one it was made from.
        base: Digest,
    },
    /// Forgets a payee.
    Forget(PayeeKey),
}

/// What waits, under a name of its own.
#[derive(Debug)]
struct Pending<A> {
    id: String,
    act: A,
    words: String,
    begun: i64,
    tries: u32,
}

/// The check, before acts of one kind.
pub struct OwnerCheck<A> {
    clock: Arc<dyn Clock>,
    pending: Mutex<Option<Pending<A>>>,
}

impl<A> OwnerCheck<A> {
    /// Nothing waits.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, pending: Mutex::new(None) }
    }

    /// Lets something wait under this name until its words are typed.
    pub fn begin(&self, id: &str, act: A, words: &str) {
        let begun = self.clock.boot_ms();
        *self.lock() = Some(Pending { id: id.to_owned(), act, words: words.to_owned(), begun, tries: 0 });
    }

    /// What may be done, once: the right words, not before the wait is over and not long after.
    pub fn answer(&self, id: &str, typed: &str) -> Result<A, LimitsError> {
        let mut slot = self.lock();
        let Some(pending) = slot.as_mut().filter(|p| p.id == id) else { return Err(LimitsError::Over) };
        let waited = self.clock.boot_ms().saturating_sub(pending.begun);
        if waited > WAIT_MS.saturating_add(OPEN_MS) {
            *slot = None;
            return Err(LimitsError::Over);
        }
        if waited < WAIT_MS {
            let left = WAIT_MS.saturating_sub(waited).saturating_add(999).div_euclid(1000);
            return Err(LimitsError::TooEarly { seconds: u32::try_from(left).unwrap_or(u32::MAX) });
        }
        if typed.trim() != pending.words {
            pending.tries = pending.tries.saturating_add(1);
            if pending.tries >= TRIES {
                *slot = None;
            }
            return Err(LimitsError::NotTyped);
        }
        slot.take().map(|p| p.act).ok_or(LimitsError::Over)
    }

    /// Nothing waits any more.
    pub fn cancel(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pending<A>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::Millis;
    use countersign_vault::ManualClock;

    fn check() -> (OwnerCheck<Act>, Arc<ManualClock>, Act) {
        let clock = Arc::new(ManualClock::new(Millis(1_795_000_000_000)));
        let policy = Policy::preset("careful", "USD").unwrap();
        let base = policy.hash("");
        (OwnerCheck::new(clock.clone()), clock, Act::Policy { new: Box::new(policy), base })
    }

    #[test]
    fn only_the_right_words_after_the_wait_give_the_act_and_only_once() {
        let (check, clock, act) = check();
        check.begin("a", act.clone(), "60.00");
        assert_eq!(check.answer("a", "60.00"), Err(LimitsError::TooEarly { seconds: 10 }));
        clock.advance_ms(WAIT_MS - 1);
        assert_eq!(check.answer("a", "60.00"), Err(LimitsError::TooEarly { seconds: 1 }));
        clock.advance_ms(1);
        assert_eq!(check.answer("a", "60"), Err(LimitsError::NotTyped));
        assert_eq!(check.answer("b", "60.00"), Err(LimitsError::Over));
        assert_eq!(check.answer("a", " 60.00 "), Ok(act));
        assert_eq!(check.answer("a", "60.00"), Err(LimitsError::Over));
    }

    #[test]
    fn guesses_run_out_and_so_does_the_time() {
        let (check, clock, act) = check();
        check.begin("a", act.clone(), "60.00");
        clock.advance_ms(WAIT_MS);
        for _ in 0..TRIES {
            assert_eq!(check.answer("a", "no"), Err(LimitsError::NotTyped));
        }
        assert_eq!(check.answer("a", "60.00"), Err(LimitsError::Over));
        check.begin("b", act.clone(), "60.00");
        clock.advance_ms(WAIT_MS + OPEN_MS + 1);
        assert_eq!(check.answer("b", "60.00"), Err(LimitsError::Over));
        check.begin("c", act.clone(), "60.00");
        check.begin("d", act, "1.00");
        clock.advance_ms(WAIT_MS);
        assert_eq!(check.answer("c", "60.00"), Err(LimitsError::Over), "a new one takes the place of the old");
        check.cancel();
        assert_eq!(check.answer("d", "1.00"), Err(LimitsError::Over));
    }
}
