//! A whole desk in this process, with a clock the story moves and nodes it chooses; sellers and chain are as real as elsewhere.

use countersign_core::{
    asset::Network,
    payment::{Caller, PaymentId},
    policy::Policy,
    registry::Registry,
};
use countersign_desk::{
    Desk, DeskParts, Habits, Told,
    approver::{Approver, Change, Showing},
    provider::Provider,
    request::{Call, FetchBody, PayBody, Request},
    settle::Node,
    view::ListQuery,
    wire::{Wire, WireLimits},
};
use countersign_rails::{alipay::Alipay, mpp::Ways};
use countersign_vault::{
    Clock as _, ManualClock, Open, SetBy, SystemClock, Vault,
    keys::{Keys, memory::MemoryStore},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A policy under which everything up to a dollar goes through, until so much is held or spent in a week.
pub fn up_to(most: &str) -> String {
    format!(
        r#"
format = 1
name = "up to"
reference = "USD"
timezone = "UTC"
mode = "enforce"
known = []
rule = [{{ id = "small", effect = "allow", when = {{ exposure = {{ le = "1.00" }} }} }}]
budget = [{{ id = "week", scope = [], window = "rolling:7d", max_amount = "{most}", on_exceed = "deny" }}]
"#
    )
}

/// The agent of every till.
const AGENT: &str = "researcher";

/// A running desk.
pub struct Till {
    /// Both clocks of the desk; they stand until moved.
    pub clock: Arc<ManualClock>,
    /// The desk.
    pub desk: Arc<Desk>,
    /// The paying account.
    pub wallet: String,
    settling: Option<tokio::task::JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

impl Drop for Till {
    fn drop(&mut self) {
        if let Some(settling) = self.settling.take() {
            settling.abort();
        }
    }
}

/// All that can be paid by MPP.
fn every_way() -> Ways {
    Ways::parse(&["evm/charge", "tempo/charge"].map(str::to_owned)).expect("ways of MPP")
}

/// Nobody is there.
struct Nobody;

#[async_trait::async_trait]
impl Approver for Nobody {
    fn reachable(&self) -> bool {
        false
    }

    async fn ask(&self, _: Showing) -> countersign_core::approval::Answer {
        countersign_core::approval::Answer::Silence
    }

    async fn confirm(&self, _: Change) -> bool {
        false
    }

    fn outcome(&self, _: &PaymentId, _: &str, _: Option<countersign_core::approval::Said>) {}
}

impl Till {
    /// Opens it at the present moment, for sellers on 127.0.0.1; bodies are kept an hour.
    pub async fn open(policy: &str, network: &str, nodes: Vec<Node>) -> Self {
        Self::asking(policy, network, nodes, |_| Arc::new(Nobody)).await
    }

    /// The same without nodes, where a provider says how payments by x402 ended.
    pub async fn provided(policy: &str, provider: Arc<dyn Provider>) -> Self {
        let mut till = Self::open(policy, "eip155:84532", Vec::new()).await;
        let providers = BTreeMap::from([("x402", provider)]);
        till.desk = Self::desk(till.desk.vault().clone(), &till.clock, Arc::new(Nobody), BTreeMap::new(), providers);
        till
    }

    /// The same with somebody who is asked, and may move the clock.
    pub async fn asking(
        policy: &str,
        network: &str,
        nodes: Vec<Node>,
        whom: impl FnOnce(Arc<ManualClock>) -> Arc<dyn Approver>,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(ManualClock::new(SystemClock.wall()));
        let registry = Arc::new(Registry::builtin("USD"));
        let policy = Policy::parse(policy, "USD").expect("a policy");
        let keys = Keys::start(Box::new(MemoryStore::new()));
        let open = Open::new(dir.path().join("data"), clock.clone(), keys, registry.clone(), policy);
        let vault = Vault::open(open).expect("a ledger");
        let wallet = vault.create_wallet("main").await.expect("a wallet").address;
        vault.add_agent(&AGENT.parse().expect("a name"), false, SetBy::Person).await.expect("an agent");
        let nodes = [(network.parse().expect("a network"), nodes)].into_iter().filter(|(_, n)| !n.is_empty()).collect();
        let desk = Self::desk(vault, &clock, whom(clock.clone()), nodes, BTreeMap::new());
        Self { clock, desk, wallet, settling: None, _dir: dir }
    }

    fn desk(
        vault: Vault,
        clock: &Arc<ManualClock>,
        approver: Arc<dyn Approver>,
        nodes: BTreeMap<Network, Vec<Node>>,
        providers: BTreeMap<&'static str, Arc<dyn Provider>>,
    ) -> Arc<Desk> {
        let limits = WireLimits { max_response_bytes: 10 * 1024 * 1024, timeout: Duration::from_secs(20) };
        Desk::new(DeskParts {
            vault,
            rails: countersign_rails::all(every_way(), Alipay::default()),
            registry: Arc::new(Registry::builtin("USD")),
            wire: Wire::new(["127.0.0.1".to_owned()], limits).expect("a client"),
            approver,
            clock: clock.clone(),
            nodes,
            providers,
            buyers: BTreeMap::new(),
            issuer: None,
            habits: Habits::new(1, 0),
            approval_seconds: 120,
        })
    }

    fn caller() -> Caller {
        Caller { agent: AGENT.parse().expect("a name"), session: "till".parse().expect("a session"), program: None }
    }

    /// Fetches a page: the outcome, or the problem with its outcome beside it.
    pub async fn fetch(&self, url: &str, key: &str) -> Value {
        self.fetch_with(url, key, json!({})).await
    }

    /// The same with more about the request.
    pub async fn fetch_with(&self, url: &str, key: &str, more: Value) -> Value {
        let mut body = json!({"url": url, "idempotency_key": key});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let body: FetchBody = serde_json::from_value(body).expect("a request");
        self.pay(Request::fetch(body).expect("a request")).await
    }

    /// Asks for a credential to send by oneself.
    pub async fn credential(&self, url: &str, challenge: &Value, key: &str) -> Value {
        self.credential_by("x402", url, challenge, key).await
    }

    /// The same by this protocol.
    pub async fn credential_by(&self, rail: &str, url: &str, challenge: &Value, key: &str) -> Value {
        let mut body = super::client::pay_body(url, challenge, key);
        body["rail"] = json!(rail);
        body["wait_seconds"] = json!(60);
        let body: PayBody = serde_json::from_str(&body.to_string()).expect("a request");
        self.pay(Request::pay(body).expect("a request")).await
    }

    /// Makes a call through us that was answered with a price.
    pub async fn call(&self, call: Call<'_>) -> Value {
        self.pay(Request::call(call)).await
    }

    async fn pay(&self, request: Request) -> Value {
        let Told { result, .. } = self.desk.pay(Self::caller(), request).await;
        match result {
            Ok(outcome) => json!(outcome),
            Err(problem) => {
                json!({"code": problem.code.as_str(), "detail": problem.detail, "outcome": problem.outcome})
            }
        }
    }

    /// Hands in a seller's answer to a credential.
    pub async fn receipt(&self, id: &str, header: &str) -> Value {
        let id: PaymentId = id.parse().expect("an id");
        json!(self.desk.receipt(&Self::caller(), &id, header).await.expect("an outcome"))
    }

    /// A payment as it stands.
    pub async fn payment(&self, id: &str) -> Value {
        let id: PaymentId = id.parse().expect("an id");
        json!(self.desk.payment(&Self::caller(), &id, 0).await.expect("a payment"))
    }

    /// Every payment, newest first.
    pub async fn payments(&self) -> Value {
        self.desk.payments(&Self::caller(), ListQuery::default()).await.expect("payments")
    }

    /// The time on the desk's clock, Unix seconds.
    pub fn clock_seconds(&self) -> u64 {
        self.clock.wall().seconds()
    }

    /// Looks for evidence, as after a start, until the payment has this state and settlement.
    pub async fn settles(&mut self, id: &str, state: &str, settlement: &str) -> Value {
        self.look().await;
        super::until(&format!("{id} is {state} and {settlement}"), async || {
            let outcome = self.payment(id).await;
            let payment = &outcome["payment"];
            (payment["state"] == state && payment["settlement"] == settlement).then_some(outcome)
        })
        .await
    }

    /// Looks for evidence anew, as after a start.
    pub async fn look(&mut self) {
        self.rest().await;
        self.settling = Some(tokio::spawn(self.desk.clone().settle()));
    }

    /// Looks no more. One that is only on its way out could still take what is due from the next one.
    pub async fn rest(&mut self) {
        if let Some(settling) = self.settling.take() {
            settling.abort();
            settling.await.ok();
        }
    }

    /// So many seconds pass.
    pub fn wait(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1_000);
    }
}
