//! Faults of every kind, each in a module of its own. Here, disks that fail: every write and sync and many reads of a busy ledger,
//! one after the other. Nothing that was handed out is lost, and nothing is handed out without its row.
#![cfg(feature = "faults")]
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "the other test binary uses the rest")]
mod support;

mod child;
mod history;
mod model;
mod outside;
mod points;
mod power;

use countersign_vault::{Admitted, Confirm, Fail, Faults, Health, Open, Vault, VaultError};
use std::{collections::BTreeMap, sync::Arc};
use support::{Home, Shop, budget_policy, wait};

const PAYMENTS: usize = 6;

struct Run {
    home: Home,
    faults: Arc<Faults>,
}

impl Run {
    fn new() -> Self {
        Self { home: Home::with(budget_policy("0.40", "calendar:day")), faults: Arc::default() }
    }

    fn shop(&self, agents: &[&str]) -> Shop {
        let open = Open { faults: Some(self.faults.clone()), ..self.home.settings() };
        self.home.shop(Vault::open(open).unwrap(), agents)
    }

    /// Pays, each key tried up to twice; answers what was handed out, by key, and how many errors came up.
    fn pay(&self, shop: &Shop, out: &mut BTreeMap<String, Vec<u8>>) -> usize {
        let mut errors = 0;
        for n in 0..PAYMENTS {
            let key = format!("k{n}");
            for _ in 0..2 {
                let signed = match wait(shop.vault.admit(shop.request("a", &key, "50000"))) {
                    Ok(Admitted::Reserved(r)) => Some(shop.vault.sign(*r).unwrap()),
                    Ok(Admitted::Same(r)) => wait(shop.vault.sign_again(&r.id)).ok().flatten(),
                    Ok(Admitted::Refused(_)) => None,
                    Ok(Admitted::Waiting(_)) => None,
                    Ok(other) => panic!("{other:?}"),
                    Err(VaultError::Storage(_)) => {
                        errors += 1;
                        continue;
                    }
                    Err(other) => panic!("{other:?}"),
                };
                if let Some(signed) = signed {
                    let bytes = signed.forms()[0].1.clone();
                    let before = out.insert(key.clone(), bytes.clone());
                    assert!(before.is_none_or(|b| b == bytes), "two signatures for {key}");
                    shop.vault.mark_delivered(&signed.record().id);
                }
                break;
            }
        }
        errors
    }

    /// Opens again without faults: every signature handed out has its row, counted, and derives again.
    fn audit(&self, out: &BTreeMap<String, Vec<u8>>) {
        let shop = self.home.shop(self.home.open(), &[]);
        assert_eq!(shop.faults(), Vec::<String>::new());
        let mut used = 0;
        for payment in wait(shop.vault.payments(Default::default())).unwrap().payments {
            used += if payment.status.holds() { 50_000 } else { 0 };
            let handed = out.get(payment.key.as_str());
            assert!(
                handed.is_none() || payment.status.holds(),
                "{} was handed out and is {:?}",
                payment.key,
                payment.status
            );
        }
        assert!(used <= 400_000, "over the cap: {used}");
        for (key, bytes) in out {
            let Admitted::Same(record) = shop.admit("a", key, "50000") else {
                panic!("{key} was handed out and is gone")
            };
            let again = wait(shop.vault.sign_again(&record.id)).unwrap().unwrap();
            assert_eq!(&again.forms()[0].1, bytes, "another signature for {key}");
        }
    }
}

fn sweep(fail: Fail, all_later: bool) -> (u64, usize) {
    let (mut fired, mut errors) = (0, 0);
    // There are many reads, most of the same pages: a sample of them.
    let step = if fail == Fail::Read { 23 } else { 1 };
    for nth in (1..).step_by(step) {
        let run = Run::new();
        if fail == Fail::Read {
            // With next to no cache, what a transaction looks at has to be read.
            run.faults.settings("", "PRAGMA cache_size = 1");
        }
        let shop = run.shop(&["a"]);
        let mut out = BTreeMap::new();
        run.faults.fail(fail, nth, all_later);
        errors += run.pay(&shop, &mut out);
        let hit = run.faults.fired();
        run.faults.heal();
        if hit > 0 {
            // The disk is well again: so is the ledger, without a restart.
            run.pay(&shop, &mut out);
            assert_eq!(shop.vault.health(), Health::Ok, "{fail:?} {nth}");
        }
        drop(shop);
        run.audit(&out);
        fired += hit;
        if hit == 0 {
            break;
        }
    }
    (fired, errors)
}

#[test]
fn every_failing_write_surfaces_and_loses_nothing() {
    let (fired, errors) = sweep(Fail::Write, false);
    println!("write: {fired} faults, {errors} errors");
    assert!(fired > 20 && errors > 0);
}

#[test]
fn failing_reads_surface_and_lose_nothing() {
    for all_later in [false, true] {
        let (fired, errors) = sweep(Fail::Read, all_later);
        println!("read: {fired} faults, {errors} errors");
        assert!(fired > 20 && errors > 0);
    }
}

#[test]
fn every_full_disk_surfaces_and_loses_nothing() {
    let (fired, errors) = sweep(Fail::Full, true);
    println!("full: {fired} faults, {errors} errors");
    assert!(fired > 20 && errors > 0);
}

#[test]
fn every_failing_sync_surfaces_and_loses_nothing() {
    for all_later in [false, true] {
        let (fired, errors) = sweep(Fail::Sync, all_later);
        println!("sync: {fired} faults, {errors} errors");
        assert!(fired >= PAYMENTS as u64 && errors > 0);
    }
}

#[test]
fn a_clock_a_person_trusted_stays_trusted_when_the_disk_fails() {
    let run = Run::new();
    let shop = run.shop(&["a"]);
    run.home.clock.set_wall(countersign_core::Millis(support::NOON.0 - 150_000));
    wait(shop.vault.flush());
    assert!(shop.vault.doubts().clock.is_some());
    wait(shop.vault.confirm(Confirm::Clock)).unwrap();
    run.faults.fail(Fail::Sync, 1, false);
    assert!(wait(shop.vault.admit(shop.request("a", "k1", "50000"))).is_err());
    run.faults.heal();
    wait(shop.vault.flush());
    assert_eq!((shop.vault.health(), shop.vault.doubts().clock), (Health::Ok, None));
}

#[test]
fn a_ledger_that_cannot_be_made_is_an_error_and_not_a_crash() {
    for fail in [Fail::Write, Fail::Sync] {
        for nth in 1..60 {
            let run = Run::new();
            run.faults.fail(fail, nth, true);
            let open = Open { faults: Some(run.faults.clone()), ..run.home.settings() };
            match Vault::open(open) {
                Ok(vault) if run.faults.fired() > 0 => {
                    assert_ne!(vault.health(), Health::Ok, "{fail:?} {nth}");
                    run.faults.heal();
                    drop(vault);
                }
                _ => {}
            }
            run.faults.heal();
            assert_eq!(run.home.open().health(), Health::Ok, "{fail:?} {nth}");
        }
    }
}

/// Must fail: a writer that answers before its commit hands out signatures without a row.
#[test]
fn answering_before_the_commit_loses_payments() {
    let run = Run::new();
    let shop = run.shop(&["a"]);
    run.faults.answer_before_commit();
    let mut lost = 0;
    for n in 0..200 {
        run.faults.heal();
        run.faults.fail(Fail::Sync, 1, false);
        if let Ok(Admitted::Reserved(r)) = wait(shop.vault.admit(shop.request("a", &format!("k{n}"), "1000"))) {
            let Ok(signed) = shop.vault.sign(*r) else { continue };
            wait(shop.vault.note(&signed.record().id, Default::default())).ok();
            run.faults.heal();
            wait(shop.vault.unlock()).ok();
            match wait(shop.vault.payment(&signed.record().id)) {
                Ok(Some(record)) if record.status.holds() => {}
                _ => lost += 1,
            }
        }
        run.faults.heal();
    }
    println!("{lost} payments handed out without a row");
    assert!(lost > 0, "the wrong order must be caught by this test");
}
