//! A ledger in a temporary directory, with a clock and a key store the test can move and break.

use countersign_core::{
    Millis,
    approval::{Answer, Yes},
    asset::{AssetId, Eip712, Network},
    money::{Amount, Micro, Money},
    payment::{AgentName, Caller, Digest, IdempotencyKey, Op, Payee, PaymentId, Quote, Resource, SessionId},
    policy::Policy,
    rail::Quoted,
    registry::Registry,
    signable::{Eip3009, Signable},
};
use countersign_vault::{
    Admit, Admitted, ManualClock, Open, OpenError, Record, Reservation, SetBy, Vault, Waiting,
    keys::{Keys, memory::MemoryStore},
};
use std::{
    collections::BTreeSet,
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
    time::Duration,
};
use tempfile::TempDir;

pub const NOON: Millis = Millis(1_795_000_000_000);
pub const USDC: &str = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913";
pub const SELLER: &str = "0x2222222222222222222222222222222222222222";

/// Allows up to 0.10; 1.00 a day in all, never more; 0.50 in ten minutes per agent, then asks; denies above 50.
pub const POLICY: &str = r#"
format = 1
name = "test"
reference = "USD"
timezone = "UTC"
mode = "enforce"
rule = [
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "50.00" } } },
  { id = "micro", effect = "allow", when = { exposure = { le = "0.10" } } },
]
budget = [
  { id = "day", scope = [], window = "calendar:day", max_amount = "1.00", on_exceed = "deny" },
  { id = "burst", scope = ["agent"], window = "rolling:10m", max_amount = "0.50", on_exceed = "ask" },
]
"#;

/// Nothing but an allow and one budget over everything.
pub fn budget_policy(max: &str, window: &str) -> Policy {
    policy(&format!(
        r#"
format = 1
name = "one"
reference = "USD"
timezone = "UTC"
mode = "enforce"
rule = [{{ id = "micro", effect = "allow", when = {{ exposure = {{ le = "0.10" }} }} }}]
budget = [{{ id = "one", scope = [], window = "{window}", max_amount = "{max}", on_exceed = "deny" }}]
"#
    ))
}

pub fn policy(toml: &str) -> Policy {
    Policy::parse(toml, "USD").unwrap()
}

pub struct Home {
    pub dir: TempDir,
    pub store: MemoryStore,
    pub clock: Arc<ManualClock>,
    pub policy: Policy,
}

static COUNT: AtomicU64 = AtomicU64::new(1);

pub fn random() -> [u8; 32] {
    let n = COUNT.fetch_add(1, Ordering::SeqCst);
    Digest::of(&[b"test random", &n.to_be_bytes(), &std::process::id().to_be_bytes()]).0
}

/// Opens a vault. A test beside this one may be starting a program: until it is one, it holds a copy of every open file
/// of this process, and with it the lock of a vault that is closed already.
pub fn open_when_free(settings: impl Fn() -> Open) -> Result<Vault, OpenError> {
    for _ in 0..200 {
        match Vault::open(settings()) {
            Err(OpenError::InUse(_)) => std::thread::sleep(Duration::from_millis(50)),
            opened => return opened,
        }
    }
    Vault::open(settings())
}

impl Home {
    pub fn new() -> Self {
        Self::with(policy(POLICY))
    }

    pub fn with(policy: Policy) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            store: MemoryStore::new(),
            clock: Arc::new(ManualClock::new(NOON)),
            policy,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn file(&self) -> PathBuf {
        self.path().join("ledger.sqlite")
    }

    pub fn settings(&self) -> Open {
        let keys = Keys::start(Box::new(self.store.clone()));
        let open =
            Open::new(self.path(), self.clock.clone(), keys, Arc::new(Registry::builtin("USD")), self.policy.clone());
        Open { min_free_bytes: 0, ..open }
    }

    pub fn try_open(&self) -> Result<Vault, OpenError> {
        Vault::open(self.settings())
    }

    pub fn open(&self) -> Vault {
        open_when_free(|| self.settings()).unwrap()
    }

    /// Opens, makes a wallet and pairs the agents.
    pub fn open_for(&self, agents: &[&str]) -> Shop {
        self.shop(self.open(), agents)
    }

    pub fn shop(&self, vault: Vault, agents: &[&str]) -> Shop {
        let wallet = match vault.wallets().first() {
            Some(wallet) => wallet.address.clone(),
            None => wait(vault.create_wallet("main")).unwrap().address,
        };
        for agent in agents {
            wait(vault.add_agent(&agent.parse().unwrap(), false, SetBy::Person)).unwrap();
        }
        Shop { vault, wallet, clock: self.clock.clone() }
    }

    /// The raw database, past every guard of ours but the triggers.
    pub fn sql(&self) -> rusqlite::Connection {
        let conn = rusqlite::Connection::open(self.file()).unwrap();
        conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;").unwrap();
        conn
    }

    /// Takes every trigger out of the database; the SQL that brings them back.
    pub fn drop_triggers(&self) -> String {
        let conn = self.sql();
        let (names, sql): (Vec<String>, Vec<String>) = conn
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)? + ";")))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        names.iter().for_each(|name| conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap());
        sql.concat()
    }

    /// Takes the rule that a key means one payment out of a database without payments.
    pub fn let_keys_repeat(&self) {
        let conn = self.sql();
        let parts: Vec<String> = conn
            .prepare(
                "SELECT sql || ';' FROM sqlite_schema WHERE tbl_name = 'payment' AND sql IS NOT NULL ORDER BY rowid",
            )
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let (sound, rule) = (parts.concat(), ",\n  UNIQUE (agent, idem)");
        assert!(sound.contains(rule));
        conn.execute_batch(&format!("DROP TABLE payment; {}", sound.replace(rule, ""))).unwrap();
    }
}

/// An open vault with somebody to pay.
#[derive(Clone)]
pub struct Shop {
    pub vault: Vault,
    pub wallet: String,
    pub clock: Arc<ManualClock>,
}

impl Shop {
    pub fn caller(&self, agent: &str) -> Caller {
        Caller { agent: agent.parse().unwrap(), session: "session-1".parse::<SessionId>().unwrap(), program: None }
    }

    pub fn quote(&self, units: &str, path: &str) -> Quote {
        let network = Network::eip155(8453);
        let asset = AssetId::erc20(&network, USDC.parse().unwrap());
        let money = Money { asset, amount: Amount::parse_atomic(units).unwrap() };
        let value = Some(Micro(units.parse().unwrap()));
        Quote {
            rail: "x402".into(),
            version: 2,
            scheme: "exact".into(),
            op: Op::Pay,
            payee: Payee { origin: "https://api.example".parse().unwrap(), account: SELLER.into(), claimed: false },
            network: Some(network),
            testnet: false,
            wallet: self.wallet.clone(),
            money: money.clone(),
            shares: Vec::new(),
            exposure: money,
            symbol: "USDC".into(),
            decimals: 6,
            domain: Some(Eip712 { name: "USD Coin".into(), version: "2".into() }),
            amount_value: value,
            exposure_value: value,
            resource: Resource {
                method: "GET".into(),
                path: format!("https://api.example{path}"),
                request: Digest::of(&[b"GET", path.as_bytes()]),
            },
            lifetime_seconds: 60,
            reversible: false,
            risks: BTreeSet::new(),
        }
    }

    pub fn forms(&self, quote: &Quote) -> Vec<Signable> {
        use countersign_vault::Clock as _;
        let domain = quote.domain.as_ref().unwrap();
        let (network, token) = quote.exposure.asset.as_str().split_once("/erc20:").unwrap();
        vec![Signable::Eip3009(Eip3009 {
            chain_id: network.trim_start_matches("eip155:").parse().unwrap(),
            token: token.parse().unwrap(),
            name: domain.name.clone(),
            version: domain.version.clone(),
            from: quote.wallet.parse().unwrap(),
            to: quote.payee.account.parse().unwrap(),
            value: quote.exposure.amount,
            valid_after: 0,
            valid_before: quote.valid_before(self.clock.wall()),
            nonce: random().into(),
        })]
    }

    pub fn request(&self, agent: &str, key: &str, units: &str) -> Admit {
        self.request_for(agent, key, self.quote(units, "/thing"))
    }

    pub fn request_for(&self, agent: &str, key: &str, quote: Quote) -> Admit {
        let half = random();
        let mut id = [0; 16];
        id.copy_from_slice(&half[..16]);
        Admit {
            payment: PaymentId::from_random(id),
            caller: self.caller(agent),
            key: key.parse::<IdempotencyKey>().unwrap(),
            request: Digest::of(&[b"request", quote.resource.path.as_bytes(), &quote.exposure.amount.to_be_bytes()]),
            signables: self.forms(&quote),
            quoted: Quoted { quote, offer: "{\"offer\":1}".into(), seller_says: Some("buy this".into()) },
            reason: Some("I need it".into()),
            url: "https://api.example/thing?secret=1".into(),
        }
    }

    /// A purchase of its own for each key: never a duplicate of another.
    pub fn purchase(&self, agent: &str, key: &str, units: &str) -> Admit {
        self.request_for(agent, key, self.quote(units, &format!("/{key}")))
    }

    pub fn admit(&self, agent: &str, key: &str, units: &str) -> Admitted {
        wait(self.vault.admit(self.request(agent, key, units))).unwrap()
    }

    pub fn reserved(&self, agent: &str, key: &str, units: &str) -> Reservation {
        match self.admit(agent, key, units) {
            Admitted::Reserved(r) => *r,
            other => panic!("expected a reservation, got {other:?}"),
        }
    }

    /// Reserved, signed, delivered and claimed by the seller.
    pub fn paid(&self, agent: &str, key: &str, units: &str) -> PaymentId {
        let id = self.vault.sign(self.reserved(agent, key, units)).unwrap().record().id.clone();
        self.vault.mark_delivered(&id);
        let settlement = Some(countersign_core::status::Settlement::Claimed);
        let outcome = Some(countersign_vault::Outcome::Completed);
        wait(self.vault.note(&id, countersign_vault::Note { settlement, outcome, ..Default::default() })).unwrap();
        id
    }

    pub fn waiting(&self, agent: &str, key: &str, units: &str, path: &str) -> Waiting {
        match wait(self.vault.admit(self.request_for(agent, key, self.quote(units, path)))).unwrap() {
            Admitted::Waiting(w) => *w,
            other => panic!("expected a question, got {other:?}"),
        }
    }

    pub fn record(&self, id: &PaymentId) -> Record {
        wait(self.vault.payment(id)).unwrap().unwrap()
    }

    pub fn name(&self, agent: &str) -> AgentName {
        agent.parse().unwrap()
    }

    /// Faults of the full check; empty = sound.
    pub fn faults(&self) -> Vec<String> {
        wait(self.vault.verify()).unwrap().faults
    }
}

/// A person's yes.
pub fn yes(waiting: Waiting) -> countersign_core::policy::Approved {
    let payment = waiting.needs.payment().clone();
    let yes = Yes { payment, display_hash: Digest([7; 32]), through: "scripted".into() };
    waiting.needs.answer(Answer::Yes(yes)).unwrap()
}

/// Waits for a future on this thread.
pub fn wait<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(out) => return out,
            Poll::Pending => std::thread::park(),
        }
    }
}
