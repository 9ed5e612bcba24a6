//! Power loss: everything the ledger does to the disk is recorded, and at every step the power goes. What was not synced by then is
//! lost, kept or torn; names that were made or removed last until a sync of their directory, or not. Each disk that can be left is
//! opened and held against what had been handed out.
//!
//! `COUNTERSIGN_IMAGES` says how many disks a directory model gets, `COUNTERSIGN_SEED` repeats a run.

mod audit;
mod image;

use countersign_vault::{Admitted, DiskStep, Faults, Open, Reserved, keys::KeyStore as _, sign};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::support::{Home, Shop, budget_policy, open_when_free, wait, yes};
use audit::{Audit, Tally};
pub use image::Dice;
use image::{Model, Names};

/// The settings that durability rests on, as they are and as they must not be: before the write-ahead log is on, and after.
const EXTRA: (&str, &str) = ("", "");
const NORMAL: (&str, &str) = ("PRAGMA synchronous = NORMAL;", "PRAGMA synchronous = NORMAL;");
const OFF: (&str, &str) = ("PRAGMA synchronous = OFF;", "PRAGMA synchronous = OFF;");

/// The cap: 1.00, reached in the third life.
const CAP: u128 = 1_000_000;

/// What a workload left behind.
struct Recorded {
    home: Home,
    steps: Vec<DiskStep>,
    handed: usize,
}

/// Three lives of a ledger: payments one after the other and four at once, a question, a release. The log is copied into the file every
/// few commits, so that this happens under way too.
fn record(settings: (&str, &str)) -> Recorded {
    let home = Home::with(budget_policy("1.00", "calendar:day"));
    let faults = Arc::new(Faults::default());
    faults.settings(settings.0, &format!("{} PRAGMA wal_autocheckpoint = 60;", settings.1));
    faults.record();
    let handed = AtomicUsize::new(0);
    for number in 0..3 {
        let vault = open_when_free(|| Open { faults: Some(faults.clone()), ..home.settings() }).unwrap();
        let shop = home.shop(vault, if number == 0 { &["a"] } else { &[] });
        let life = Life { home: &home, shop: &shop, faults: &faults, handed: &handed };
        life.pay(&format!("{number}-asked"), "110000");
        for n in 0..4 {
            life.pay(&format!("{number}-{n}"), "30000");
        }
        drop(wait(shop.vault.admit(shop.purchase("a", &format!("{number}-dropped"), "1000"))).unwrap());
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let life = &life;
                scope.spawn(move || {
                    for n in 0..2 {
                        life.pay(&format!("{number}-{thread}-{n}"), "30000");
                    }
                });
            }
        });
        wait(shop.vault.shutdown());
    }
    let steps = faults.record().steps();
    Recorded { home, steps, handed: handed.into_inner() }
}

struct Life<'a> {
    home: &'a Home,
    shop: &'a Shop,
    faults: &'a Faults,
    handed: &'a AtomicUsize,
}

impl Life<'_> {
    /// Pays so much, with a person's yes if it asks, and notes in the record what was handed out as soon as it was.
    fn pay(&self, key: &str, units: &str) {
        let reservation = match wait(self.shop.vault.admit(self.shop.purchase("a", key, units))).unwrap() {
            Admitted::Reserved(reservation) => *reservation,
            Admitted::Waiting(waiting) => {
                let forms = self.shop.forms(&waiting.record.quote);
                match wait(self.shop.vault.reserve(yes(*waiting), forms)).unwrap() {
                    Reserved::Reservation(reservation) => *reservation,
                    other => panic!("{other:?}"),
                }
            }
            Admitted::Refused(_) => return,
            other => panic!("{other:?}"),
        };
        let signed = self.shop.vault.sign(reservation).unwrap();
        let (form, signature) = &signed.forms()[0];
        let what = audit::Handed {
            key: key.to_owned(),
            units: units.to_owned(),
            digest: sign::digest(form).to_vec(),
            signature: signature.clone(),
            anchor: self.anchor(),
        };
        self.faults.record().handed(&serde_json::to_string(&what).unwrap());
        self.handed.fetch_add(1, Ordering::SeqCst);
        self.shop.vault.mark_delivered(&signed.record().id);
    }

    /// The anchor as the key store has it.
    fn anchor(&self) -> Vec<u8> {
        let name = self.home.store.names().into_iter().find(|name| name.starts_with("anchor:"));
        let anchor = name.and_then(|name| self.home.store.get(&name).unwrap());
        anchor.map(|anchor| anchor.expose().to_vec()).unwrap_or_default()
    }
}

/// Takes the power away `images` times, spread over all steps, and looks at what is left each time.
fn lose_power(recorded: &Recorded, names: Names, images: usize, whole_every: usize) -> Tally {
    let seed = std::env::var("COUNTERSIGN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x5EED_1E55);
    println!("{images} disks, {names:?}, {} steps, seed {seed} (set COUNTERSIGN_SEED to repeat)", recorded.steps.len());
    let mut dice = Dice(seed);
    let mut model = Model::default();
    let mut audit = Audit::new(&recorded.home, CAP);
    let mut made = 0;
    for (at, step) in recorded.steps.iter().enumerate() {
        match step {
            DiskStep::Handed(what) => audit.handed(what),
            other => model.follow(other),
        }
        let due = images * (at + 1) / recorded.steps.len();
        while made < due {
            made += 1;
            let image = model.image(names, &mut dice);
            audit.look(&image, made % whole_every == 0);
        }
    }
    println!("{names:?}: {:?}", audit.tally);
    audit.tally
}

fn images(usual: usize) -> usize {
    std::env::var("COUNTERSIGN_IMAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_power_loss_at_any_moment_loses_nothing_that_was_handed_out() {
    let recorded = record(EXTRA);
    assert!(recorded.handed >= 10, "only {} payments were handed out", recorded.handed);
    for names in [Names::Soon, Names::OnlyWhenSynced] {
        let images = images(1500);
        let tally = lose_power(&recorded, names, images, 50);
        assert_eq!(tally.images, images);
        assert!(tally.unsynced * 3 > images, "only {} disks lacked anything", tally.unsynced);
        assert!(tally.opened >= images / 50 && tally.rederived > 0);
        assert_eq!((tally.lost, tally.damaged, tally.over), (0, 0, 0), "{names:?}: {:?}", tally.first);
    }
}

#[test]
fn a_power_loss_while_the_ledger_is_made_leaves_one_that_starts() {
    let mut recorded = record(EXTRA);
    recorded.steps.truncate(recorded.steps.iter().position(|step| matches!(step, DiskStep::Handed(_))).unwrap());
    let tally = lose_power(&recorded, Names::Soon, 60, 1);
    assert!(tally.unsynced > 10, "only {} disks lacked anything", tally.unsynced);
    assert_eq!((tally.opened, tally.damaged), (60, 0), "{:?}", tally.first);
}

/// Must fail: with weaker settings, or where no sync of a directory ever works, payments are lost, and the same eyes see it.
#[test]
fn weaker_settings_lose_payments_and_are_caught() {
    for (name, settings, names) in
        [("OFF", OFF, Names::Soon), ("NORMAL", NORMAL, Names::Soon), ("EXTRA without directories", EXTRA, Names::Never)]
    {
        let tally = lose_power(&record(settings), names, 300, usize::MAX);
        println!("{name}: {} payments lost, {} disks damaged", tally.lost, tally.damaged);
        assert!(tally.lost + tally.damaged > 0, "{name} must be caught");
    }
}
