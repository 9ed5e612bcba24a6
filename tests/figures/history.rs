//! Most of a year of payments, written through the vault itself on a clock that runs ahead: each admitted, signed and settled.

use countersign_core::{
    Millis,
    payment::{Caller, Digest, PaymentId, Resource},
    policy::Policy,
    rail::{Challenge, QuoteContext, Quoted, Rail},
    registry::Registry,
    status::{Event, Settlement},
};
use countersign_vault::{
    Admit, Admitted, Clock, ManualClock, Open, SetBy, SystemClock, Vault,
    keys::{Keys, Secret, file::FileStore},
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Instant};

use crate::{
    payments::{URL, policy},
    support::{
        Place,
        hostile_seller::{offer, required},
        service::PASSPHRASE,
    },
};

/// Who made all the payments.
pub const AGENT: &str = "researcher";
/// Payments written side by side before the clock moves on.
const AT_ONCE: usize = 128;
/// The time over which the payments are spread.
pub const SPAN_MS: i64 = 300 * 24 * 3_600_000;
const HOUR_MS: i64 = 3_600_000;

struct Writer {
    vault: Vault,
    clock: Arc<ManualClock>,
    rail: Box<dyn Rail>,
    quoted: Quoted,
}

/// How many payments the full ledger holds.
pub fn rows() -> u64 {
    std::env::var("COUNTERSIGN_ROWS").ok().and_then(|r| r.parse().ok()).unwrap_or(1_000_000)
}

/// The vault of a place, on a clock.
pub fn open(place: &Place, clock: Arc<dyn Clock>) -> Vault {
    let store = FileStore::open(place.path(), &Secret::copy_of(PASSPHRASE.as_bytes())).expect("the key file");
    let policy = Policy::parse(&policy(), "USD").expect("a policy");
    let (keys, registry) = (Keys::start(Box::new(store)), Arc::new(Registry::builtin("USD")));
    Vault::open(Open::new(place.path().to_owned(), clock, keys, registry, policy)).expect("a ledger")
}

/// Fills the ledger of a place that has none yet; its last payment is an hour old. A person then accepts the configuration. Gives a
/// fresh token of the agent that paid: its first one has expired.
pub async fn write(place: &Place, payments: u64) -> String {
    let began = Instant::now();
    let start = SystemClock.wall().0 - SPAN_MS - HOUR_MS;
    let clock = Arc::new(ManualClock::new(Millis(start)));
    let registry = Registry::builtin("USD");
    let vault = open(place, clock.clone());
    let wallet = vault.create_wallet("main").await.expect("a wallet").address;
    vault.add_agent(&AGENT.parse().expect("a name"), false, SetBy::Person).await.expect("an agent");
    let rail =
        countersign_rails::all(countersign_rails::mpp::Ways::default(), countersign_rails::alipay::Alipay::default())
            .remove(0);
    let quoted = priced(rail.as_ref(), &registry, wallet);
    let writer = Arc::new(Writer { vault, clock, rail, quoted });
    for n in (0..payments).step_by(AT_ONCE) {
        let round = n..payments.min(n + AT_ONCE as u64);
        writer.clock.advance_ms(SPAN_MS / payments.div_ceil(AT_ONCE as u64) as i64);
        let tasks: Vec<_> = round
            .map(|n| {
                tokio::spawn({
                    let writer = writer.clone();
                    async move { writer.pay(n).await }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("every payment works");
        }
    }
    Arc::into_inner(writer).expect("no task is left").vault.shutdown().await;
    place.ok(&["confirm", "policy", "--json"]);
    eprintln!("{payments} payments written in {:.0} s", began.elapsed().as_secs_f64());
    place.ok(&["agent", "revoke", AGENT, "--json"]);
    place.agent(AGENT)
}

fn priced(rail: &dyn Rail, registry: &Registry, wallet: String) -> Quoted {
    let challenge = serde_json::value::to_raw_value(&required(URL, vec![offer()])).expect("JSON");
    let origin = "https://api.example".parse().expect("an origin");
    let resource = Resource { method: "GET".into(), path: URL.into(), request: Digest::of(&[b"GET", URL.as_bytes()]) };
    let wallets = BTreeMap::from([("*".to_owned(), wallet)]);
    let context = QuoteContext {
        registry,
        wallets: &wallets,
        now: SystemClock.wall(),
        origin: &origin,
        claimed: true,
        resource: &resource,
    };
    rail.quote(Challenge::Json(&challenge), context).expect("a price")
}

impl Writer {
    /// One payment, from its price to the evidence that it was used.
    async fn pay(&self, n: u64) {
        let random = Digest::of(&[b"a figure's random", &n.to_be_bytes()]).0;
        let id = PaymentId::from_random(random[..16].try_into().expect("16 bytes"));
        let signables =
            self.rail.signables(&self.quoted.quote, &self.quoted.offer, self.clock.wall(), random).expect("a form");
        let admit = Admit {
            payment: id.clone(),
            caller: Caller {
                agent: AGENT.parse().expect("a name"),
                session: "session-1".parse().expect("a session"),
                program: None,
            },
            key: format!("history-{n}").parse().expect("a key"),
            request: Digest(random),
            signables,
            quoted: self.quoted.clone(),
            reason: None,
            url: URL.into(),
        };
        let Admitted::Reserved(reservation) = self.vault.admit(admit).await.expect("a ledger") else {
            panic!("payment {n} was not let through");
        };
        self.vault.sign(*reservation).expect("a signature");
        self.vault.mark_delivered(&id);
        let evidence = json!({"transaction": format!("0x{n:064x}")});
        self.vault.advance(&id, Event::Settled, Settlement::Verified, evidence).await.expect("an end");
    }
}
