//! Handing out a credential: one question at a time, three a minute, each with a short code.
//!
//! The code is on the person's screen and on the command line that asked. Another program's request has another code, so the
//! person can tell it from their own.

use countersign_core::Millis;
use std::sync::{Mutex, MutexGuard, PoisonError};

const MINUTE_MS: i64 = 60_000;
const PER_MINUTE: usize = 3;
/// Thirty-two signs, none of which is easily taken for another.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The question that is open, and those of the last minute.
#[derive(Debug, Default)]
pub struct Pairing(Mutex<Asked>);

#[derive(Debug, Default)]
struct Asked {
    open: bool,
    recent: Vec<Millis>,
}

/// The one open question; closed when dropped.
#[derive(Debug)]
pub struct Open<'a>(&'a Pairing);

impl Pairing {
    /// Opens a question, or says why there can be none.
    pub fn open(&self, now: Millis) -> Result<Open<'_>, &'static str> {
        let mut asked = self.lock();
        asked.recent.retain(|at| now.0.saturating_sub(at.0) < MINUTE_MS);
        if asked.open {
            return Err("a person is being asked about an agent at this moment; that question comes first");
        }
        if asked.recent.len() >= PER_MINUTE {
            return Err("a person was asked about agents three times within a minute; try again later");
        }
        asked.open = true;
        asked.recent.push(now);
        Ok(Open(self))
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.lock().open = false;
    }
}

/// Forty random bits as `XXXX-XXXX`.
pub fn code() -> anyhow::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let sign = |byte: &u8| SIGNS.get(usize::from(byte % 32)).map_or('0', |sign| char::from(*sign));
    let mut code: String = random.iter().map(sign).collect();
    code.insert(4, '-');
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_is_open_at_a_time_and_three_a_minute_are_asked() {
        let pairing = Pairing::default();
        let first = pairing.open(Millis(0)).unwrap();
        assert!(pairing.open(Millis(1)).unwrap_err().contains("at this moment"));
        drop(first);
        drop(pairing.open(Millis(2)).unwrap());
        drop(pairing.open(Millis(3)).unwrap());
        assert!(pairing.open(Millis(MINUTE_MS - 1)).unwrap_err().contains("three times"));
        drop(pairing.open(Millis(MINUTE_MS)).unwrap());
    }

    #[test]
    fn a_code_is_eight_signs_that_nobody_mistakes() {
        let (one, other) = (code().unwrap(), code().unwrap());
        assert_ne!(one, other);
        let (left, right) = one.split_once('-').unwrap();
        assert_eq!((left.len(), right.len()), (4, 4));
        assert!(one.bytes().all(|b| b == b'-' || SIGNS.contains(&b)) && !one.contains(['O', 'I', 'L', 'U']));
    }
}
