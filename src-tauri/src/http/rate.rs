//! How fast one token may call: a bucket of requests that fills again by the second.

use countersign_core::{Millis, payment::AgentName};
use countersign_desk::problem::{Code, Problem};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// One bucket an agent.
#[derive(Debug)]
pub struct Rates {
    per_second: i64,
    burst: i64,
    buckets: Mutex<HashMap<AgentName, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// Thousandths of a request.
    left: i64,
    at: Millis,
}

/// Whether a request came within its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    wait_seconds: u64,
}

impl Pace {
    /// Refuses a request that came too fast.
    pub fn check(self) -> Result<(), Problem> {
        if self.wait_seconds == 0 {
            return Ok(());
        }
        let mut problem = Problem::new(Code::RateLimited, "too many requests with this token");
        problem.retry_after = Some(self.wait_seconds);
        Err(problem)
    }
}

impl Rates {
    /// So many a second, so many at once.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: per_second.into(), burst: i64::from(burst).saturating_mul(1000), buckets: Mutex::default() }
    }

    /// Takes one request out of the agent's bucket.
    pub fn take(&self, agent: &AgentName, now: Millis) -> Pace {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(agent.clone()).or_insert(Bucket { left: self.burst, at: now });
        let elapsed = now.0.saturating_sub(bucket.at.0).max(0);
        bucket.left = bucket.left.saturating_add(elapsed.saturating_mul(self.per_second)).min(self.burst);
        bucket.at = now;
        if bucket.left >= 1000 {
            bucket.left = bucket.left.saturating_sub(1000);
            Pace { wait_seconds: 0 }
        } else {
            Pace { wait_seconds: 1 }
        }
    }

    /// Puts one request back: it was a repeat of a known key.
    pub fn give_back(&self, agent: &AgentName) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(agent) {
            bucket.left = bucket.left.saturating_add(1000).min(self.burst);
        }
    }
}

/// Failed logins of the last minute; past ten each further one is slowed.
#[derive(Debug, Default)]
pub struct Failures(Mutex<VecDeque<Millis>>);

impl Failures {
    /// Notes a failure; true if the answer should be slowed. Says so loudly at the fiftieth.
    pub fn note(&self, now: Millis) -> bool {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|at| now.0.saturating_sub(at.0) > 60_000) || recent.len() >= 64 {
            recent.pop_front();
        }
        recent.push_back(now);
        if recent.len() == 50 {
            tracing::error!(
                failures = 50,
                "fifty calls with a wrong token within a minute: some program is trying tokens"
            );
        }
        recent.len() > 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rates = Rates::new(10, 3);
        let agent: AgentName = "a".parse().unwrap();
        let other: AgentName = "b".parse().unwrap();
        for _ in 0..3 {
            assert!(rates.take(&agent, Millis(0)).check().is_ok());
        }
        assert_eq!(rates.take(&agent, Millis(0)).check().unwrap_err().retry_after, Some(1));
        assert!(rates.take(&other, Millis(0)).check().is_ok());
        assert!(rates.take(&agent, Millis(100)).check().is_ok());
        assert!(rates.take(&agent, Millis(100)).check().is_err());
        rates.give_back(&agent);
        assert!(rates.take(&agent, Millis(100)).check().is_ok());
    }

    #[test]
    fn the_eleventh_failure_in_a_minute_is_slowed() {
        let failures = Failures::default();
        let slowed: Vec<bool> = (0..12).map(|i| failures.note(Millis(i))).collect();
        assert_eq!(slowed.iter().filter(|s| **s).count(), 2);
        assert!(!failures.note(Millis(70_000)));
    }
}
