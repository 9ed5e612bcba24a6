//! Every call of eight threads is written down with its start, its end and its answer. The order the ledger gives them must be an order
//! in which they could have happened one after the other: each answer is the one of a ledger without threads.

use countersign_vault::{Admitted, Fail, Faults, Open, Vault, VaultError};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    power::Dice,
    support::{Home, Shop, budget_policy, wait},
};

/// 1.00, in atomic units.
const CAP: u64 = 1_000_000;
const AGENTS: [&str; 2] = ["a", "b"];
const PRICES: [u64; 3] = [7_000, 20_000, 45_000];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Reserved(String),
    Refused(String),
    Same(String),
    Conflict,
    Failed,
}

/// One call: what was asked, when, and what came back.
#[derive(Debug, Clone)]
struct Call {
    start: u64,
    end: u64,
    agent: &'static str,
    key: String,
    units: u64,
    answer: Answer,
}

/// One entry of the ledger: which payment it is of, and what that became.
struct Entry {
    id: String,
    n: i64,
    to: String,
    agent: String,
    key: String,
    units: u64,
}

/// Eight threads, two agents, keys that collide, and now and then a reservation that is dropped.
fn calls(shop: &Shop, each: u64, clock: &AtomicU64, seed: u64) -> Vec<Call> {
    let log = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 1..9_u64 {
            let log = &log;
            scope.spawn(move || {
                let mut dice = Dice(seed.wrapping_add(thread.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
                for _ in 0..each {
                    let (agent, key) = (AGENTS[dice.roll(2) as usize], format!("k{}", dice.roll(180)));
                    let units = PRICES[dice.roll(3) as usize];
                    let request = shop.request(agent, &key, &units.to_string());
                    let start = clock.fetch_add(1, Ordering::SeqCst);
                    let admitted = wait(shop.vault.admit(request));
                    let end = clock.fetch_add(1, Ordering::SeqCst);
                    let answer = match admitted {
                        Ok(Admitted::Reserved(reservation)) => {
                            let id = reservation.record().id.to_string();
                            if dice.roll(4) > 0 {
                                // An error drops the reservation like no signature at all.
                                drop(shop.vault.sign(*reservation));
                            }
                            Answer::Reserved(id)
                        }
                        Ok(Admitted::Refused(record)) => Answer::Refused(record.id.to_string()),
                        Ok(Admitted::Same(record)) => Answer::Same(record.id.to_string()),
                        Ok(Admitted::Conflict) => Answer::Conflict,
                        Err(VaultError::Storage(_)) => Answer::Failed,
                        other => panic!("{other:?}"),
                    };
                    log.lock().unwrap().push(Call { start, end, agent, key, units, answer });
                }
            });
        }
    });
    log.into_inner().unwrap()
}

fn entries(home: &Home) -> Vec<Entry> {
    home.sql()
        .prepare("SELECT p.id, e.n, e.to_state, p.agent, p.idem, p.exposure FROM entry e JOIN payment p ON p.n = e.payment ORDER BY e.seq")
        .unwrap()
        .query_map([], |row| {
            let exposure: Vec<u8> = row.get(5)?;
            let units = u64::from_be_bytes(exposure[24..].try_into().unwrap());
            Ok(Entry { id: row.get(0)?, n: row.get(1)?, to: row.get(2)?, agent: row.get(3)?, key: row.get(4)?, units })
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

/// The first thing that could not have happened one after the other.
fn check(calls: &[Call], entries: &[Entry]) -> Result<(), String> {
    let mut makers = BTreeMap::new();
    for call in calls {
        if let Answer::Reserved(id) | Answer::Refused(id) = &call.answer
            && makers.insert(id.as_str(), call).is_some()
        {
            return Err(format!("{id} was made twice"));
        }
    }
    if let Some(id) = makers.keys().find(|id| entries.iter().all(|entry| entry.id != **id)) {
        return Err(format!("{id} was handed out and the ledger does not know it"));
    }
    // In the ledger's order: a call that had ended is not behind one that had not begun, and each verdict is the one for what was
    // held by then. What a call made that was told it failed counts until it is released.
    let (mut used, mut latest, mut made) = (0, 0, BTreeMap::new());
    for entry in entries {
        if entry.n > 1 {
            used -= if entry.to == "released" { entry.units } else { 0 };
            continue;
        }
        let maker = makers.get(entry.id.as_str()).copied();
        let fits = used + entry.units <= CAP;
        if fits != (entry.to == "reserved") || maker.is_some_and(|m| fits != matches!(m.answer, Answer::Reserved(_))) {
            return Err(format!("{used} held and {} wanted: {} for {maker:?}", entry.units, entry.to));
        }
        if let Some(maker) = maker {
            if maker.end < latest {
                return Err(format!("{maker:?} is behind something that had not begun"));
            }
            latest = latest.max(maker.start);
        }
        used += if fits { entry.units } else { 0 };
        if made.insert((entry.agent.as_str(), entry.key.as_str()), (entry, maker)).is_some() {
            return Err(format!("two payments for {} {}", entry.agent, entry.key));
        }
    }
    for call in calls {
        let first = made.get(&(call.agent, call.key.as_str()));
        let ahead = first.filter(|(_, maker)| maker.is_none_or(|maker| maker.start < call.end));
        let right = match &call.answer {
            Answer::Same(id) => ahead.is_some_and(|(entry, _)| entry.id == *id && entry.units == call.units),
            Answer::Conflict => ahead.is_some_and(|(entry, _)| entry.units != call.units),
            Answer::Reserved(id) | Answer::Refused(id) => first.is_some_and(|(entry, _)| entry.id == *id),
            Answer::Failed => true,
        };
        if !right {
            return Err(format!("{call:?} after {:?}", first.map(|(_, maker)| maker)));
        }
    }
    Ok(())
}

#[test]
fn what_eight_threads_saw_could_have_happened_one_after_the_other() {
    let home = Home::with(budget_policy("1.00", "lifetime"));
    let shop = home.open_for(&AGENTS);
    let calls = calls(&shop, 60, &AtomicU64::new(1), 1);
    wait(shop.vault.flush());
    assert_eq!(shop.faults(), Vec::<String>::new());
    let count = |is: fn(&Answer) -> bool| calls.iter().filter(|call| is(&call.answer)).count();
    let seen = [
        count(|a| matches!(a, Answer::Reserved(_))),
        count(|a| matches!(a, Answer::Refused(_))),
        count(|a| matches!(a, Answer::Same(_))),
        count(|a| *a == Answer::Conflict),
    ];
    println!("{} calls: {seen:?} reserved, refused, same, conflict", calls.len());
    assert_eq!(calls.len(), 480);
    assert!(seen.iter().all(|n| *n > 5), "{seen:?}");
    assert_eq!(check(&calls, &entries(&home)), Ok(()));
}

/// Rounds of calls on a disk whose syncs fail now and then; what the checker says, and how many calls were told so.
fn on_a_failing_disk(early: bool) -> (Result<(), String>, usize) {
    let home = Home::with(budget_policy("1.00", "lifetime"));
    let faults = Arc::new(Faults::default());
    let vault = Vault::open(Open { faults: Some(faults.clone()), ..home.settings() }).unwrap();
    let shop = home.shop(vault, &AGENTS);
    if early {
        faults.answer_before_commit();
    }
    let clock = AtomicU64::new(1);
    let mut all = Vec::new();
    for round in 1..16 {
        faults.fail(Fail::Sync, round % 5 + 1, false);
        all.extend(calls(&shop, 4, &clock, round));
        faults.heal();
    }
    wait(shop.vault.flush());
    let failed = all.iter().filter(|call| call.answer == Answer::Failed).count();
    (check(&all, &entries(&home)), failed)
}

#[test]
fn what_they_saw_on_a_failing_disk_could_have_happened_too() {
    let (checked, failed) = on_a_failing_disk(false);
    println!("{failed} calls were told that the disk failed");
    assert_eq!(checked, Ok(()));
    assert!(failed > 5, "{failed}");
}

/// Must fail: the same with a writer that answers before its commit.
#[test]
fn a_history_of_early_answers_is_impossible_and_is_caught() {
    let (checked, _) = on_a_failing_disk(true);
    println!("{checked:?}");
    assert!(checked.is_err());
}

/// What happens when the writer looks no key up, and nothing but the database's own rule keeps a key to one payment; what the checker
/// says, and what the full check does.
fn with_keys_not_looked_up(rule: bool) -> (Result<(), String>, Vec<String>) {
    let home = Home::with(budget_policy("1.00", "lifetime"));
    drop(home.open());
    if !rule {
        home.let_keys_repeat();
    }
    let faults = Arc::new(Faults::default());
    faults.look_no_key_up();
    let shop = home.shop(Vault::open(Open { faults: Some(faults), ..home.settings() }).unwrap(), &AGENTS);
    let calls = calls(&shop, 30, &AtomicU64::new(1), 1);
    wait(shop.vault.flush());
    (check(&calls, &entries(&home)), shop.faults())
}

#[test]
fn a_key_that_is_not_looked_up_still_means_one_payment() {
    assert_eq!(with_keys_not_looked_up(true), (Ok(()), Vec::new()));
}

/// Must fail: the same without the rule.
#[test]
fn a_key_with_two_payments_is_caught() {
    let (checked, faults) = with_keys_not_looked_up(false);
    println!("{checked:?}, {faults:?}");
    assert!(checked.is_err_and(|why| why.starts_with("two payments for")));
    assert!(faults.iter().any(|fault| fault.contains("keys with two payments")), "{faults:?}");
}
