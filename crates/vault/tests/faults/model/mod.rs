//! The ledger against a model of it: random lives of random payments, step by step, on real SQLite files. After every step both must
//! agree on what became of each payment and on what is left of every budget.
//!
//! `COUNTERSIGN_CASES` says how many lives, `COUNTERSIGN_SEED` repeats a run.

mod reference;
mod run;

use countersign_vault::Fail;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap};

use reference::Model;
use run::Run;

/// What may happen next. `usize` picks one of the payments there are.
#[derive(Debug, Clone)]
pub enum Step {
    /// An agent wants something at one of [`reference::PRICES`]; the disk may fail under it.
    Request { agent: usize, price: usize, fault: Option<(Fail, u64)> },
    /// The same key again, with the same request or another one.
    Repeat { which: usize, changed: bool },
    /// A reservation is signed.
    Sign { which: usize },
    /// A reservation is dropped unsigned.
    Release { which: usize },
    /// A person says yes.
    Yes { which: usize },
    /// A person says no, or quits.
    No { which: usize, person: bool },
    /// The question's time is said to be over.
    Expire { which: usize },
    /// Evidence that the money moved, all of it or half.
    Settle { which: usize, half: bool },
    /// The window is said to be over.
    WindowOver { which: usize },
    /// Proof of non-use.
    Dead { which: usize },
    /// Time passes, in seconds.
    Clock { seconds: i64 },
    /// Somebody turns the clock back.
    ClockBack,
    /// A person trusts the clock.
    TrustClock,
    /// Another policy, by a person or by a command.
    Policy { which: usize, person: bool },
    /// A person confirms it.
    ConfirmPolicy,
    /// The service ends in order and starts again.
    Restart,
    /// It is killed and starts again.
    Crash,
    /// A person sets another policy, and it is killed before the key store hears of it.
    Untold { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let fail = prop_oneof![Just(Fail::Write), Just(Fail::Full), Just(Fail::Sync)];
    let fault = proptest::option::weighted(0.15, (fail, 1_u64..6));
    let which = any::<usize>;
    prop_oneof![
        12 => (0_usize..2, 0_usize..reference::PRICES.len(), fault)
            .prop_map(|(agent, price, fault)| Step::Request { agent, price, fault }),
        4 => (which(), proptest::bool::weighted(0.2)).prop_map(|(which, changed)| Step::Repeat { which, changed }),
        8 => which().prop_map(|which| Step::Sign { which }),
        2 => which().prop_map(|which| Step::Release { which }),
        5 => which().prop_map(|which| Step::Yes { which }),
        2 => (which(), any::<bool>()).prop_map(|(which, person)| Step::No { which, person }),
        1 => which().prop_map(|which| Step::Expire { which }),
        3 => (which(), any::<bool>()).prop_map(|(which, half)| Step::Settle { which, half }),
        2 => which().prop_map(|which| Step::WindowOver { which }),
        2 => which().prop_map(|which| Step::Dead { which }),
        3 => prop_oneof![Just(1_i64), Just(30), Just(61), Just(601), Just(40_000)].prop_map(|seconds| Step::Clock { seconds }),
        1 => Just(Step::ClockBack),
        1 => Just(Step::TrustClock),
        2 => (0_usize..reference::POLICIES, any::<bool>()).prop_map(|(which, person)| Step::Policy { which, person }),
        1 => Just(Step::ConfirmPolicy),
        1 => Just(Step::Restart),
        2 => Just(Step::Crash),
        1 => (0_usize..reference::POLICIES).prop_map(|which| Step::Untold { which }),
    ]
}

/// How often each thing happened.
pub type Tally = BTreeMap<&'static str, usize>;

/// Random lives of `steps` steps; what happened in them, or the shortest life in which ledger and model disagree.
fn lives(cases: u32, steps: usize, model: &Model, shrink: u32) -> (Tally, Result<(), String>) {
    let seed = std::env::var("COUNTERSIGN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x5EED_u64);
    println!("{cases} lives of {steps} steps, seed {seed} (set COUNTERSIGN_SEED to repeat)");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
    let bytes: Vec<u8> = (0..32).map(|at| (seed >> (at % 8 * 8)) as u8 ^ at as u8).collect();
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let tally = RefCell::new(Tally::new());
    let result = runner.run(&proptest::collection::vec(step(), steps), |life| {
        let mut run = Run::new(model.clone());
        let result = run.live(&life).map_err(TestCaseError::fail);
        for (what, n) in run.tally {
            *tally.borrow_mut().entry(what).or_default() += n;
        }
        result
    });
    let result = result.map_err(|error| match error {
        TestError::Fail(why, life) => format!("{why}\nin {life:#?}"),
        TestError::Abort(why) => why.to_string(),
    });
    (tally.into_inner(), result)
}

/// A life with what chance seldom brings.
fn rare() -> Vec<Step> {
    let (which, request) = (0, |price| Step::Request { agent: 0, price, fault: None });
    vec![
        request(3),
        Step::Policy { which: 2, person: true },
        request(2),
        // More than is left of the day by now.
        Step::Yes { which },
        Step::Policy { which: 0, person: false },
        Step::Sign { which },
        request(0),
        Step::ClockBack,
        // A reason that was not on screen, and then it was.
        Step::Yes { which },
        Step::Yes { which },
        Step::Sign { which },
        Step::Clock { seconds: 61 },
        Step::WindowOver { which: 2 },
        // Back to the one that is confirmed.
        Step::Policy { which: 2, person: false },
    ]
}

#[test]
fn the_ledger_does_what_a_model_of_it_says() {
    let mut run = Run::new(Model::new());
    assert_eq!(run.live(&rare()), Ok(()));
    for what in ["denied after all", "not signed in doubt", "again", "yes", "signed", "window over"] {
        assert_eq!(run.tally.get(what), Some(&1), "{what}: {:?}", run.tally);
    }
    let cases = std::env::var("COUNTERSIGN_CASES").ok().and_then(|c| c.parse().ok()).unwrap_or(24);
    let (tally, result) = lives(cases, 60, &Model::new(), 12);
    println!("{tally:?}");
    assert_eq!(result, Ok(()));
    for what in [
        "allowed",
        "asked",
        "refused",
        "yes",
        "expired",
        "no",
        "same",
        "conflict",
        "signed again",
        "not signed again",
        "signed",
        "too late to sign",
        "released",
        "settled",
        "settled for half",
        "dead",
        "illegal",
        "clock in doubt",
        "clock trusted",
        "policy",
        "policy in doubt",
        "policy confirmed",
        "restart",
        "crash",
        "untold",
        "disk fault",
    ] {
        assert!(tally.get(what).copied().unwrap_or(0) > 0, "never happened: {what}");
    }
}

#[test]
fn a_payment_whose_commit_failed_may_be_back_after_a_crash_and_is_held_then() {
    let request = |fault| Step::Request { agent: 0, price: 0, fault };
    let which = 0;
    // The first payment is settled: nothing of it is left to write. Looking at it opens the file for reading, which keeps the log.
    let before = vec![request(None), Step::Sign { which }, Step::Settle { which, half: false }];
    // A later commit is written over it, and an orderly end empties the log.
    let gone = [vec![request(None)], vec![Step::Restart]];
    for (after, back) in [(vec![], Some(&1)), (gone[0].clone(), None), (gone[1].clone(), None)] {
        let steps = [before.clone(), vec![request(Some((Fail::Sync, 1)))], after, vec![Step::Crash]].concat();
        let mut run = Run::new(Model::new());
        assert_eq!(run.live(&steps), Ok(()));
        assert_eq!((run.tally.get("disk fault"), run.tally.get("came back")), (Some(&1), back), "{steps:?}");
    }
}

/// Must fail: a model that forgets what is held lets everything through, and the ledger does not.
#[test]
fn a_model_without_holds_is_caught() {
    let (_, result) = lives(20, 60, &Model { counts_holds: false, ..Model::new() }, 0);
    let why = result.expect_err("a ledger that never counts would pass unseen");
    println!("{}", why.lines().next().unwrap_or_default());
}
