//! A person with money, an agent with limits, and real shops: what most stories begin with.

use serde_json::Value;

use super::{Client, Place, Service, World};

/// Small prices go through, larger ones ask, the largest are refused; who is paid does not matter.
pub const LIMITS: &str = r#"
format = 1
name = "shopping"
reference = "USD"
timezone = "UTC"
mode = "enforce"
known = []
rule = [
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "50.00" } } },
  { id = "ask-above", effect = "ask", when = { exposure = { gt = "0.10" } } },
  { id = "micro", effect = "allow", when = { exposure = { le = "0.10" } } },
]
budget = [{ id = "micro-day", scope = ["rule:micro", "agent"], window = "calendar:day", max_amount = "5.00", on_exceed = "ask" }]
"#;

/// Everything a shopping trip needs.
pub struct Shop {
    /// Chain and sellers.
    pub world: World,
    /// The data directory.
    pub place: Place,
    /// The funded wallet.
    pub wallet: String,
    /// The running program.
    pub service: Service,
    /// The agent `researcher`.
    pub client: Client,
    /// Its token.
    pub token: String,
    /// Another agent of the same person.
    pub other: Client,
    /// The other agent's token.
    pub foreign: String,
}

impl Shop {
    /// Opens it with 100 tokens in the wallet; `config` is added to what the world needs.
    pub fn open(approver: &str, config: &str) -> Self {
        let mut world = World::start();
        let (place, wallet) = Place::with_wallet(&format!("{}{config}", world.config()));
        world.mint(&wallet, "100");
        place.policy(LIMITS);
        let token = place.agent("researcher");
        let foreign = place.agent("other");
        let service = place.serve(approver);
        let client = Client::new(&service.url, &token);
        let other = Client::new(&service.url, &foreign);
        Self { world, place, wallet, service, client, token, other, foreign }
    }

    /// The address of a page of the v2 seller.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.world.at("seller"))
    }

    /// Asks about a payment until the chain has been looked at.
    pub async fn verified(&self, id: &str) -> Value {
        super::until(&format!("{id} is verified"), async || {
            let (status, outcome) = self.client.get(&format!("/v1/payments/{id}")).await;
            assert_eq!(status, 200, "{outcome}");
            (outcome["payment"]["settlement"] == "verified").then_some(outcome)
        })
        .await
    }

    /// Ends the service and holds the ledger against itself.
    pub fn close(self) -> (World, Place) {
        self.service.stop();
        let report = self.place.ok(&["verify", "--json"]);
        assert_eq!(report["faults"], serde_json::json!([]), "{report}");
        (self.world, self.place)
    }
}

/// The id in an outcome.
pub fn id(outcome: &Value) -> String {
    outcome["payment"]["id"].as_str().unwrap_or_else(|| panic!("no payment in {outcome}")).to_owned()
}
