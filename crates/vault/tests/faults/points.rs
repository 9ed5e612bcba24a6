//! Twelve places between the first byte of a ledger and the last of a payment: the process dies at each of them, again and again.
//!
//! `COUNTERSIGN_POINT_KILLS` says how often at each.

use std::env::current_exe;

use crate::child::{Stand, paid_as_told};

/// The place, and how often one child passes it at most.
const POINTS: [(&str, usize); 12] = [
    ("migrate.written", 1),
    ("start.key_kept", 1),
    ("start.written", 8),
    ("anchor.due", 8),
    ("reserve.judged", 40),
    ("reserve.held", 40),
    ("writer.written", 60),
    ("writer.durable", 60),
    ("sign.reserved", 30),
    ("sign.signed", 30),
    ("marks.written", 8),
    ("stop.flushed", 8),
];

/// Kills one child on its `nth` arrival, after a moment in which its other threads go on; what it handed out and what is wrong.
fn kill(point: &str, nth: usize, early: bool) -> Result<usize, String> {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::at(dir.path(), false);
    let mut command = stand.command(&[], &current_exe().unwrap());
    command.env("COUNTERSIGN_KILL_AT", format!("{point}:{nth}:2"));
    if early {
        command.env("COUNTERSIGN_CHILD_ANSWERS_EARLY", "1");
    }
    let said = stand.run(&mut command);
    assert_eq!(said.killed, Some(9), "{point}:{nth} was not reached: {said:?}");
    stand.audit(&said)
}

fn kills() -> usize {
    std::env::var("COUNTERSIGN_POINT_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(6)
}

#[test]
fn killed_at_each_of_twelve_places_nothing_is_lost_or_doubled() {
    if paid_as_told() {
        return;
    }
    let (mut killed, mut handed) = (0, 0);
    for (point, most) in POINTS {
        for n in 0..kills() {
            // Spread over all arrivals: 1, then further and further on.
            let nth = 1 + n * (most - 1) / kills().max(2);
            handed += kill(point, nth, false).unwrap_or_else(|why| panic!("{point}:{nth}: {why}"));
            killed += 1;
        }
    }
    println!("{killed} kills at {} places, {handed} signatures handed out before and derived again", POINTS.len());
    assert_eq!(killed, POINTS.len() * kills());
    assert!(handed > killed, "the children were idle: {handed}");
}

/// Must fail: a writer that answers before its commit, killed between the two.
#[test]
fn killed_between_an_early_answer_and_its_commit_a_payment_is_lost_and_caught() {
    let caught = (0..6).filter(|n| kill("writer.written", 6 + n, true).is_err()).count();
    println!("{caught} of 6 kills of the wrong order were caught");
    assert!(caught > 0);
}
