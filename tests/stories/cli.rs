//! The command line: what each verb prints and how it exits, on a free data directory and through a running service.

use serde_json::{Value, json};
use std::process::Output;

use crate::support::{
    Client, Place, Service,
    client::pay_body,
    ended,
    hostile_seller::{HostileSeller, offer, required},
};

const LOCAL: &str = "[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n";

/// Up to `small` goes through, above 50 is refused, the rest asks.
fn policy(small: &str, more: &str) -> String {
    format!(
        "format = 1\nname = \"cli\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
         rule = [{{ id = \"small\", effect = \"allow\", when = {{ exposure = {{ le = \"{small}\" }} }} }},\n\
                 {{ id = \"limit\", effect = \"deny\", when = {{ exposure = {{ gt = \"50.00\" }} }} }}]\n{more}"
    )
}

/// A data directory with one payment in it, and a person who says yes where one is asked.
struct Desk {
    place: Place,
    seller: HostileSeller,
    service: Option<Service>,
    client: Client,
    token: String,
}

impl Desk {
    async fn open(config: &str, policy: &str) -> Self {
        let (place, payer) = Place::with_wallet(&format!("{LOCAL}{config}"));
        place.policy(policy);
        let token = place.agent("researcher");
        let seller = HostileSeller::start(&payer).await;
        let service = place.serve("terminal");
        let client = Client::new(&service.url, &token);
        Self { place, seller, service: Some(service), client, token }
    }

    /// A verb that must work.
    fn ok(&self, args: &[&str]) -> Value {
        self.place.ok(&[args, &["--json"]].concat())
    }

    /// A verb that must work and loosens something: while the service runs, the person is asked and says yes.
    fn loosen(&mut self, args: &[&str]) -> Value {
        let Some(service) = &mut self.service else { return self.ok(args) };
        let verb = self.place.begin(args);
        let change = service.event("change");
        service.answer(true, change["change_id"].as_str().unwrap());
        let output = verb.wait_with_output().unwrap();
        let (status, value) = ended(&output);
        assert_eq!(status, 0, "{args:?}: {output:?}");
        value
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// The names in an object, in order.
fn names(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        value.as_object().unwrap_or_else(|| panic!("{value}")).keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_has_the_same_shape_directly_and_through_a_running_service() {
    for runs in [true, false] {
        let mut desk = Desk::open("", &policy("0.10", "")).await;
        let url = desk.seller.case("no-receipt");
        let paid = desk.ok(&["fetch", &url, "--key", "one", "--agent", "researcher"]);
        assert_eq!(names(&paid), ["payment", "response", "status"], "{paid}");
        assert_eq!(
            (paid["status"].as_str(), paid["response"]["body"].as_str()),
            (Some("completed"), Some("delivered"))
        );
        let id = paid["payment"]["id"].as_str().unwrap().to_owned();
        if !runs {
            desk.service.take().unwrap().stop();
        }
        wallets_and_agents(&mut desk, runs);
        policies(&mut desk, runs, &id);
        payments(&mut desk, runs, &id);
    }
}

fn wallets_and_agents(desk: &mut Desk, runs: bool) {
    let wallet = ["address", "created_at", "default", "kind", "label"];
    let made = desk.loosen(&["wallet", "create", "--label", "second"]);
    assert_eq!((names(&made), &made["label"], &made["default"]), (wallet.to_vec(), &json!("second"), &json!(false)));
    let key = desk.file("key", &format!("0x{}\n", "7".repeat(64)));
    let imported = desk.loosen(&["wallet", "import", "--label", "third", "--key-file", &key]);
    let signer: alloy::signers::local::PrivateKeySigner = "7".repeat(64).parse().unwrap();
    assert_eq!(imported["address"], signer.address().to_string());
    let list = desk.ok(&["wallet", "list"]);
    assert_eq!((names(&list), list["wallets"].as_array().map(Vec::len)), (vec!["wallets"], Some(3)), "{list}");
    let of_second = desk.ok(&["wallet", "address", "--label", "second"]);
    assert_eq!(of_second, json!({"address": made["address"]}));

    let added = desk.loosen(&["agent", "add", "helper"]);
    assert_eq!(names(&added), ["agent", "token"]);
    assert_eq!((added["agent"].as_str(), added["token"].as_str().unwrap().get(..4)), (Some("helper"), Some("cs1_")));
    let assigned = desk.loosen(&["wallet", "assign", "second", "--agent", "helper"]);
    assert_eq!(assigned, json!({"agent": "helper", "address": made["address"], "label": "second"}));
    let paused = desk.ok(&["pause", "--agent", "helper"]);
    assert_eq!(paused, json!({"paused": true, "agent": "helper"}));
    let listed = desk.ok(&["agent", "list"]);
    let helper = &listed["agents"][0];
    let all = [
        "ask_everything",
        "confirmed",
        "created_at",
        "expires_at",
        "expires_soon",
        "name",
        "paused_until",
        "program",
        "revoked_at",
        "used_at",
        "wallet",
    ];
    assert_eq!(names(helper), all, "{listed}");
    assert_eq!((&helper["name"], &helper["wallet"]), (&json!("helper"), &made["address"]));
    assert_eq!((helper["paused_until"].is_null(), &helper["confirmed"]), (false, &json!(runs)), "{helper}");
    assert_eq!(listed["agents"][1]["paused_until"], Value::Null, "another agent is paused: {listed}");
    assert!(text(&desk.place.run(&["agent", "list"])).contains("helper  paused, pays from 0x"));
    assert_eq!(desk.loosen(&["resume", "--agent", "helper"]), json!({"paused": false, "agent": "helper"}));
    assert_eq!(desk.ok(&["agent", "revoke", "helper"]), json!({"agent": "helper", "revoked": true}));

    assert_eq!(desk.ok(&["pause"]), json!({"paused": true, "agent": null}));
    assert_eq!(desk.loosen(&["resume"]), json!({"paused": false, "agent": null}));
}

fn policies(desk: &mut Desk, runs: bool, id: &str) {
    let looser = desk.file("looser.toml", &policy("0.20", ""));
    let broken = desk.file("broken.toml", "format = 1\n");
    let shown = desk.ok(&["policy", "show"]);
    assert_eq!(names(&shown), ["doubts", "toml", "warnings"]);
    assert_eq!(names(&shown["doubts"]), ["clock", "history", "policy"]);
    let checked = desk.ok(&["policy", "check", &looser]);
    assert_eq!((names(&checked), &checked["valid"]), (vec!["valid", "warnings"], &json!(true)));
    for verb in ["check", "set"] {
        let (status, error) = desk.place.exit(&["policy", verb, &broken]);
        assert_eq!((status, names(&error)), (1, vec!["error"]), "{error}");
    }
    let set = desk.loosen(&["policy", "set", &looser]);
    assert_eq!(names(&set), ["policy", "reasons", "warnings"]);
    assert_eq!(set["policy"], if runs { "in_force" } else { "unconfirmed" }, "{set}");
    assert_eq!(desk.ok(&["policy", "set", &looser])["policy"], "same");
    let confirmed = desk.place.exit(&["confirm", "policy"]);
    if runs {
        assert_eq!((confirmed.0, names(&confirmed.1)), (1, vec!["error"]), "{confirmed:?}");
    } else {
        assert_eq!(confirmed, (0, json!({"confirmed": "policy"})));
    }
    let explained = desk.ok(&["policy", "explain", id]);
    assert_eq!(names(&explained), ["facts", "record", "steps"]);
    assert_eq!(explained["record"]["decision"]["rule"], "small");
    assert!(text(&desk.place.run(&["policy", "explain", id])).contains("allow by small"));
}

fn payments(desk: &mut Desk, runs: bool, id: &str) {
    let history = desk.ok(&["history"]);
    assert_eq!(names(&history), ["next_cursor", "payments"]);
    let row = &history["payments"][0];
    for name in ["id", "agent", "amount", "payee", "decision", "state", "settlement", "status", "created_at"] {
        assert!(!row[name].is_null(), "{name}: {row}");
    }
    let ids =
        |list: &Value| list["payments"].as_array().unwrap().iter().map(|p| p["id"].to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&history), [json!(id).to_string()]);
    assert_eq!(ids(&desk.ok(&["history", "--agent", "researcher", "--since", "2020-01-01T00:00:00Z"])), ids(&history));
    assert_eq!(ids(&desk.ok(&["history", "--agent", "helper"])), [""; 0]);
    assert_eq!(ids(&desk.ok(&["history", "--since", "2099-01-01T00:00:00Z"])), [""; 0]);
    assert_eq!(desk.place.exit(&["history", "--since", "yesterday"]).0, 1);

    let one = desk.ok(&["payment", id]);
    assert_eq!((&one["id"], &one["approved_by"]), (&json!(id), &json!("policy")));
    assert!(one["resource"]["path"].as_str().unwrap().ends_with("/no-receipt"), "{one}");
    assert!(text(&desk.place.run(&["payment", id])).contains("approved by: your rules"));
    assert_eq!(desk.place.exit(&["payment", &format!("pay_{}", "0".repeat(32))]).0, 1);
    let report = desk.ok(&["verify"]);
    assert_eq!((names(&report), &report["faults"]), (vec!["entries", "faults", "head", "payments"], &json!([])));
    assert_eq!(report["payments"], 1);
    if !runs {
        let (status, error) = desk.place.exit(&["fetch", "https://api.example/"]);
        assert_eq!((status, names(&error)), (5, vec!["error"]), "nothing runs that could pay: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_says_how_it_ended() {
    let mut desk = Desk::open("[approval]\ntimeout_seconds = 30\n", &policy("0.10", "")).await;
    let unanswered = desk.place.begin(&["wallet", "create", "--label", "silent"]);
    desk.service.as_mut().unwrap().event("change");
    let exit = |desk: &Desk, args: &[&str]| desk.place.exit(args);

    assert_eq!(exit(&desk, &["fetch", &desk.seller.case("no-receipt")]).0, 0);
    let (status, problem) = exit(&desk, &["fetch", "http://127.0.0.1:1/"]);
    assert_eq!((status, problem["code"].as_str()), (1, Some("seller_unreachable")), "{problem}");
    for wrong in
        [&["history", "--limit", "0"][..], &["wallet", "assign", "main"], &["dance"], &["confirm", "everything"]]
    {
        assert_eq!(exit(&desk, wrong).0, 2, "{wrong:?}");
    }
    let (status, problem) = exit(&desk, &["fetch", &desk.seller.case("price-75")]);
    assert_eq!((status, problem["code"].as_str()), (3, Some("denied_by_rule")), "{problem}");
    let (status, outcome) = exit(&desk, &["fetch", &desk.seller.case("price-25"), "--wait", "0"]);
    assert_eq!((status, outcome["status"].as_str()), (4, Some("pending_approval")), "{outcome}");
    let waiting = outcome["payment"]["id"].as_str().unwrap().to_owned();

    // What looked like a second payment for the same thing, and a person who said no to it.
    let url = desk.seller.case("drops");
    assert_eq!(exit(&desk, &["fetch", &url]).0, 1, "the outcome is not known");
    let service = desk.service.as_mut().unwrap();
    let again = desk.place.begin(&["fetch", &url]);
    let question = loop {
        let question = service.event("question");
        if question["payment_id"] != waiting.as_str() {
            break question;
        }
    };
    service.answer(false, question["payment_id"].as_str().unwrap());
    let (status, problem) = ended(&again.wait_with_output().unwrap());
    assert_eq!((status, problem["code"].as_str()), (3, Some("duplicate_purchase")), "{problem}");

    for (answer, status, agents) in [(true, 0, 2), (false, 3, 2)] {
        let adding = desk.place.begin(&["agent", "add", if answer { "wanted" } else { "unwanted" }]);
        let change = service.event("change");
        assert_eq!(names(&change), ["change_id", "event", "lines", "title"]);
        service.answer(answer, change["change_id"].as_str().unwrap());
        let output = adding.wait_with_output().unwrap();
        assert_eq!(ended(&output).0, status, "{output:?}");
        assert_eq!(desk.place.ok(&["agent", "list", "--json"])["agents"].as_array().map(Vec::len), Some(agents));
    }

    let (status, error) = ended(&unanswered.wait_with_output().unwrap());
    assert_eq!((status, names(&error)), (4, vec!["error"]), "{error}");
    // Whoever could have answered goes away while asked, and is not there for the next question.
    let left_alone = desk.place.begin(&["resume"]);
    service.event("change");
    service.close_stdin();
    assert_eq!(ended(&left_alone.wait_with_output().unwrap()).0, 4);
    assert_eq!(desk.place.exit(&["resume"]).0, 3);
    assert_eq!(desk.place.exit(&["pause"]).0, 0, "tightening needs nobody");
    assert_eq!(
        desk.place.ok(&["agent", "list", "--json"])["agents"].as_array().map(Vec::len),
        Some(2),
        "silence added one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agents_payments_stop_and_go_on_by_themselves() {
    let mut desk = Desk::open("", &policy("0.10", "")).await;
    let other = desk.loosen(&["agent", "add", "other"])["token"].as_str().unwrap().to_owned();
    let other = Client::new(&desk.service.as_ref().unwrap().url, &other);
    let url = desk.seller.case("no-receipt");
    desk.ok(&["pause", "--agent", "researcher"]);
    let (status, problem) = desk.client.fetch(&url, "stopped").await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("paused")), "{problem}");
    assert_eq!(other.fetch(&url, "goes-on").await.0, 200);
    assert_eq!(desk.client.get("/healthz").await.1["status"], "ok");
    // Everybody's pause and its end leave the agent's own alone.
    desk.ok(&["pause"]);
    desk.loosen(&["resume"]);
    assert_eq!(desk.client.fetch(&url, "still-stopped").await.0, 503);
    desk.loosen(&["resume", "--agent", "researcher"]);
    let (status, outcome) = desk.client.fetch(&url, "again").await;
    assert_eq!((status, outcome["status"].as_str()), (200, Some("completed")), "{outcome}");
    for verb in ["pause", "resume"] {
        assert_eq!(desk.place.exit(&[verb, "--agent", "nobody"]).0, 1, "{verb}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_pays_from_the_wallet_assigned_to_it() {
    let mut desk = Desk::open("", &policy("0.10", "")).await;
    let second = desk.loosen(&["wallet", "create", "--label", "second"])["address"].clone();
    let first = desk.ok(&["wallet", "address"])["address"].clone();
    let url = "https://api.example/thing";
    let challenge = required(url, vec![offer()]);
    let client = desk.client.clone();
    let payer = async |key: &str| {
        let (status, outcome) = client.pay(url, &challenge, key).await;
        assert_eq!(status, 200, "{outcome}");
        crate::support::client::authorization(&outcome).unwrap()["authorization"]["from"].clone()
    };
    let same = |a: &Value, b: &Value| a.as_str().unwrap().eq_ignore_ascii_case(b.as_str().unwrap());
    assert!(same(&payer("before").await, &first));
    desk.loosen(&["wallet", "assign", second.as_str().unwrap(), "--agent", "researcher"]);
    assert!(same(&payer("after").await, &second));
    assert!(same(&payer("before").await, &first), "a payment that was made keeps its payer");

    // Neither a wallet nor an agent that is not there, nor a name two wallets have.
    desk.loosen(&["wallet", "create", "--label", "second"]);
    for (wallet, agent) in [("third", "researcher"), ("main", "nobody"), ("second", "researcher")] {
        let (status, error) = desk.place.exit(&["wallet", "assign", wallet, "--agent", agent]);
        assert_eq!(status, 1, "{wallet} {agent}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maximum_without_a_currency_is_in_the_reference_currency() {
    let limits = policy("0.10", "").replace("\"USD\"", "\"EUR\"");
    let desk = Desk::open("[currency]\nreference = \"EUR\"\nrates = { USD = \"0.90\" }\n", &limits).await;
    let url = desk.seller.case("no-receipt");
    for (max, status, code) in
        [("0.0089", 1, "over_max"), ("0.0099 USD", 1, "bad_request"), ("0.0099 USDC", 1, "over_max")]
    {
        let (exit, problem) = desk.place.exit(&["fetch", &url, "--max", max]);
        assert_eq!((exit, problem["code"].as_str()), (status, Some(code)), "{max}: {problem}");
    }
    let (exit, outcome) = desk.place.exit(&["fetch", &url, "--max", "0.0090"]);
    assert_eq!((exit, outcome["payment"]["amount"]["reference"]["currency"].as_str()), (0, Some("EUR")), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_from_the_command_line_is_in_the_agents_session_and_proves_no_program() {
    let once = "budget = [{ id = \"session\", scope = [\"session\"], window = \"session\", max_amount = \"0.01\", on_exceed = \"deny\" }]\n";
    let checked = policy("0.10", once)
        .replace("rule = [", "rule = [{ id = \"checked\", effect = \"deny\", when = { agent_verified = true } },\n");
    let desk = Desk::open("", &checked).await;
    let (status, outcome) = desk.place.exit(&["fetch", &desk.seller.case("no-receipt")]);
    assert_eq!(status, 0, "{outcome}");
    let (status, problem) = desk.client.fetch(&desk.seller.case("no-receipt"), "second").await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("over_budget")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_longer_than_a_page_is_listed_to_its_end() {
    const PAYMENTS: usize = 505;
    let mut desk = Desk::open("[limits]\nrequests_per_second = 100000\nburst = 100000\n", &policy("0.10", "")).await;
    let url = "https://api.example/thing";
    let mut paying = tokio::task::JoinSet::new();
    for agent in 0..5 {
        let client = desk.client.clone();
        paying.spawn(async move {
            let challenge = required(url, vec![offer()]);
            for n in 0..PAYMENTS / 5 {
                let (status, outcome) =
                    client.post("/v1/payments", &pay_body(url, &challenge, &format!("{agent}-{n}"))).await;
                assert_eq!(status, 200, "{outcome}");
            }
        });
    }
    paying.join_all().await;
    for runs in [true, false] {
        let csv = text(&desk.place.run(&["history", "--csv"]));
        let rows: std::collections::BTreeSet<&str> = csv.lines().skip(1).collect();
        assert!(csv.starts_with("created_at,id,agent,status,"), "{csv}");
        assert_eq!((rows.len(), csv.lines().count()), (PAYMENTS, PAYMENTS + 1));
        let page = desk.ok(&["history", "--limit", "500"]);
        let rest = desk.ok(&["history", "--limit", "500", "--cursor", page["next_cursor"].as_str().unwrap()]);
        let count = |list: &Value| list["payments"].as_array().unwrap().len();
        assert_eq!((count(&page), count(&rest), &rest["next_cursor"]), (500, PAYMENTS - 500, &Value::Null));
        if runs {
            desk.service.take().unwrap().stop();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_prints_its_address_as_json_with_or_without_json_and_warns_who_approves() {
    let desk = Desk::open("", &policy("0.001", "")).await;
    let (place, token, url) = (&desk.place, &desk.token, desk.seller.case("no-receipt"));
    drop(desk.service);
    let said = place.path().join("said");
    let mut command = place.command(&["serve", "--port", "0", "--approver", "terminal"]);
    command.stderr(std::fs::File::create(&said).unwrap());
    let mut service = Service::start(command);
    let warned = std::fs::read_to_string(&said).unwrap();
    assert_eq!(warned.matches("standard input").count(), 1, "{warned}");
    let client = Client::new(&service.url, token);
    let asked = tokio::spawn(async move { client.fetch(&url, "asked").await });
    // The question in words ends with how to answer it; an answer typed at once is heard.
    let id = loop {
        let line = service.event("text");
        let line = line["text"].as_str().unwrap();
        if let Some(rest) = line.trim().strip_prefix("y pay_") {
            break format!("pay_{}", rest.split(' ').next().unwrap());
        }
    };
    service.answer(true, &id);
    let (status, outcome) = asked.await.unwrap();
    assert_eq!((status, outcome["status"].as_str()), (200, Some("completed")), "{outcome}");
    service.stop();

    let mut command = place.command(&["serve", "--port", "0", "--approver", "deny"]);
    command.stderr(std::fs::File::create(&said).unwrap());
    Service::start(command).stop();
    let quiet = std::fs::read_to_string(&said).unwrap();
    assert!(!quiet.contains("standard input"), "nobody approves: {quiet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_written_while_it_runs_and_restored_only_while_nothing_does() {
    let mut desk = Desk::open("", &policy("0.10", "")).await;
    let url = desk.seller.case("no-receipt");
    desk.ok(&["fetch", &url, "--key", "one"]);
    let file = desk.place.path().join("copy.sqlite").to_str().unwrap().to_owned();
    assert_eq!(desk.ok(&["backup", &file])["file"], file.as_str());
    assert_eq!(desk.place.exit(&["backup", &file]).0, 1, "never over a file that is there");
    desk.ok(&["fetch", &url, "--key", "two"]);
    assert_eq!(desk.place.exit(&["restore", &file, "--yes"]).0, 5);
    desk.service.take().unwrap().stop();
    assert_eq!(desk.place.exit(&["restore", &file]).0, 1, "there is nobody to ask");
    assert_eq!(names(&desk.ok(&["restore", &file, "--yes"])), ["before", "made", "notes", "told"]);
    assert_eq!(desk.ok(&["history"])["payments"].as_array().map(Vec::len), Some(1));
    assert!(desk.ok(&["policy", "show"])["doubts"]["history"].is_string());
    let service = desk.place.serve("terminal");
    assert_eq!(
        Client::new(&service.url, &desk.token).fetch(&url, "three").await.0,
        401,
        "its token may be a revoked one"
    );
}
