//! The stable problem codes: each is met in some story, and the ones that no other story tells are met here.

use countersign_desk::problem::Code;
use serde_json::{Value, json};
use std::{
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use crate::support::{
    Client, Place, Service,
    client::pay_body,
    hostile_seller::{HostileSeller, offer, required},
};

/// The codes of this story, with the status each travels with.
const HERE: &[(&str, u16)] = &[
    ("no_wallet", 503),
    ("paused", 503),
    ("locked", 503),
    ("view_only", 503),
    ("storage_unavailable", 503),
    ("over_max", 422),
    ("redirect_refused", 422),
    ("duplicate_purchase", 409),
    ("insufficient_balance", 422),
    ("seller_unreachable", 502),
    ("settlement_unknown", 200),
];

/// The stories of the other codes.
const ELSEWHERE: &[&str] = &[
    include_str!("http.rs"),
    include_str!("hostile.rs"),
    include_str!("pay.rs"),
    include_str!("mcp.rs"),
    include_str!("mpp/asked.rs"),
    include_str!("mpp/hostile.rs"),
    include_str!("crowd.rs"),
];

/// An odd clock asks, under the rule `builtin:clock-suspect`; nothing answers with the code.
const NEVER: &[&str] = &["clock_suspect"];

const URL: &str = "https://api.example/thing";
const LOCAL: &str = "[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n";
const SMALL: &str = "format = 1\nname = \"codes\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
    rule = [{ id = \"small\", effect = \"allow\", when = { exposure = { le = \"0.10\" } } }]\n";

#[test]
fn every_stable_code_is_met_in_some_story() {
    for code in Code::ALL {
        let quoted = format!("\"{}\"", code.as_str());
        let here = HERE.iter().any(|(word, _)| *word == code.as_str());
        let elsewhere = ELSEWHERE.iter().any(|story| story.contains(&quoted));
        assert_ne!(here || elsewhere, NEVER.contains(&code.as_str()), "{quoted}");
    }
}

/// The codes met so far, each checked for its status, sentence and next step.
#[derive(Default)]
struct Met(Vec<&'static str>);

impl Met {
    fn with(&mut self, (status, body): (u16, Value), code: &'static str) -> Value {
        let wanted = HERE.iter().find(|(word, _)| *word == code).map(|(_, status)| *status);
        assert_eq!((Some(status), body["code"].as_str()), (wanted, Some(code)), "{body}");
        assert!(body["next"].as_str().is_some_and(|next| !next.is_empty()), "{code} does not say what to do: {body}");
        if status != 200 {
            assert_eq!(body["status"], status, "{body}");
            assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{code} says nothing: {body}");
        }
        self.0.push(code);
        body
    }
}

/// Lets a cent go through by itself; the token of an agent.
fn agent_of(place: &Place) -> String {
    place.policy(SMALL);
    place.agent("researcher")
}

async fn pay(client: &Client, key: &str) -> (u16, Value) {
    client.pay(URL, &required(URL, vec![offer()]), key).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_codes_no_other_story_tells_come_with_their_status_and_say_what_to_do() {
    let mut met = Met::default();
    of_the_wallet(&mut met).await;
    of_the_seller(&mut met).await;
    of_the_ledger(&mut met).await;
    of_the_disk(&mut met).await;
    met.0.sort_unstable();
    let mut all: Vec<&str> = HERE.iter().map(|(code, _)| *code).collect();
    all.sort_unstable();
    assert_eq!(met.0, all);
}

/// No wallet at all, and one with nothing in it.
async fn of_the_wallet(met: &mut Met) {
    let place = Place::new("");
    let token = agent_of(&place);
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    met.with(pay(&client, "one").await, "no_wallet");
    service.stop();

    let node = Node::start().await;
    let (place, _) = Place::with_wallet(&format!("[chains.\"eip155:84532\"]\nrpc = [\"{}\"]\n", node.0));
    let token = agent_of(&place);
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    met.with(pay(&client, "one").await, "insufficient_balance");
    let (_, list) = client.get("/v1/payments").await;
    assert_eq!(list["payments"], json!([]), "a 422 leaves no payment");
    service.stop();
}

/// A chain's node that knows of no money anywhere.
struct Node(String);

impl Node {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let zero = json!({"jsonrpc": "2.0", "id": 1, "result": format!("0x{}", "0".repeat(64))});
        let answer = axum::routing::post(async move || axum::Json(zero.clone()));
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/", answer)).await });
        Self(url)
    }
}

/// Too dear, sent elsewhere, not there; paid without an answer, and what follows from that.
async fn of_the_seller(met: &mut Met) {
    let (place, payer) = Place::with_wallet(LOCAL);
    let seller = HostileSeller::start(&payer).await;
    let token = agent_of(&place);
    let mut service = place.serve("terminal");
    let client = Client::new(&service.url, &token);
    let fetch = async |body: Value| client.post("/v1/fetch", &body).await;
    let dear =
        json!({"url": seller.case("honest"), "idempotency_key": "dear", "max": {"amount": "0.009", "currency": "USD"}});
    met.with(fetch(dear).await, "over_max");
    let sent_on =
        json!({"url": seller.case("redirected"), "method": "POST", "body": "x", "idempotency_key": "sent-on"});
    met.with(fetch(sent_on).await, "redirect_refused");
    assert_eq!(seller.requests("always-402"), 0, "a POST was sent to {}", seller.elsewhere());
    met.with(client.fetch("http://127.0.0.1:1/", "nobody").await, "seller_unreachable");

    let drops = seller.case("drops");
    let unknown = met.with(client.fetch(&drops, "lost").await, "settlement_unknown");
    assert_eq!(unknown["status"], "unknown", "{unknown}");
    let asking = tokio::spawn({
        let client = client.clone();
        async move { client.fetch_waiting(&drops, "again", 60).await }
    });
    service.answer_next(false);
    let denied = met.with(asking.await.unwrap(), "duplicate_purchase");
    assert_eq!(denied["outcome"]["status"], "denied", "{denied}");
    assert_eq!(seller.credentials("drops").len(), 1, "it was paid again");
    service.stop();
}

/// Paused by the person, with a key store that cannot be reached, and with a ledger others could read.
async fn of_the_ledger(met: &mut Met) {
    let (place, _) = Place::with_wallet("");
    let token = agent_of(&place);
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    place.ok(&["pause", "--json"]);
    met.with(pay(&client, "one").await, "paused");
    assert_eq!(client.get("/healthz").await.1["status"], "paused");
    service.stop();
    place.ok(&["resume", "--json"]);

    let usual = std::fs::read_to_string(place.path().join("config.toml")).unwrap();
    std::fs::write(place.path().join("config.toml"), "[keys]\nstore = \"os\"\n").unwrap();
    let service = place.serve_with("deny", &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")]);
    let client = client.at(&service.url);
    met.with(pay(&client, "one").await, "locked");
    assert_eq!(client.get("/healthz").await.1["status"], "locked");
    service.stop();
    std::fs::write(place.path().join("config.toml"), usual).unwrap();

    let ledger = place.path().join("ledger.sqlite");
    std::fs::set_permissions(&ledger, std::fs::Permissions::from_mode(0o644)).unwrap();
    let service = place.serve("deny");
    let client = client.at(&service.url);
    met.with(pay(&client, "one").await, "view_only");
    assert_eq!(client.get("/healthz").await.1["status"], "view_only");
    service.stop();
    std::fs::set_permissions(&ledger, std::fs::Permissions::from_mode(0o600)).unwrap();

    let service = place.serve("deny");
    assert_eq!(pay(&client.at(&service.url), "one").await.0, 200, "none of them used the key up");
    service.stop();
}

/// No file may grow any more, as on a full disk.
async fn of_the_disk(met: &mut Met) {
    let (place, _) = Place::with_wallet("");
    let token = agent_of(&place);
    let plain = place.command(&["--json", "serve", "--port", "0", "--approver", "deny"]);
    let blocks = std::fs::metadata(place.path().join("ledger.sqlite")).unwrap().len() / 512 + 128;
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    limited.arg(plain.get_program()).args(plain.get_args()).env_remove("COUNTERSIGN_DATA_DIR").stderr(Stdio::null());
    let service = Service::start(limited);
    let client = Client::new(&service.url, &token);
    let challenge = required(URL, vec![offer()]);
    let mut paid = 0;
    let refused = loop {
        let answer = client.post("/v1/payments", &pay_body(URL, &challenge, &format!("k{paid}"))).await;
        if answer.0 != 200 {
            break answer;
        }
        paid += 1;
        assert!(paid < 500, "the limit was never met");
    };
    met.with(refused, "storage_unavailable");
    service.kill();
    let service = place.serve("deny");
    let client = client.at(&service.url);
    assert_eq!(pay(&client, &format!("k{paid}")).await.0, 200, "the key that met the limit is not used up");
    let (_, list) = client.get("/v1/payments?limit=500").await;
    assert_eq!(list["payments"].as_array().map(Vec::len), Some(paid + 1));
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["faults"], json!([]));
}
