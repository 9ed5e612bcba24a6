//! The stdio bridge: the official client and a bare one come through it, in both eras, whatever happens to the app.

use serde_json::{Value, json};
use std::process::Command;

use crate::support::{
    Place, Shop,
    bridge::{Lines, arguments, bare, hello, keep, modern, official, structured},
    hostile_seller::{offer, required},
    mcp::{request, with},
    service::program,
    shop::{LIMITS, id},
};

const TOOLS: [&str; 6] = ["fetch", "pay", "get_payment", "list_payments", "cancel_payment", "get_budget"];
const URL: &str = "https://api.example/x";

fn place(agents: &[&str]) -> Place {
    let (place, _) = Place::with_wallet("");
    place.policy(LIMITS);
    for agent in agents {
        place.ok(&["agent", "add", agent, "--bridge", "--json"]);
    }
    place
}

fn purchase(key: &str) -> Value {
    json!({"rail": "x402", "url": URL, "challenge": required(URL, vec![offer()]), "idempotency_key": key})
}

fn dear(key: &str) -> Value {
    let asks = required(URL, vec![with(&offer(), "amount", json!("4200000"))]);
    with(&purchase(key), "challenge", asks)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_over_the_bridge_pays_waits_and_outlives_the_app() {
    let mut shop = Shop::open("terminal", "");
    keep(shop.place.path(), "researcher", &shop.token);
    let mut client = official(&shop.place, "researcher");
    assert_eq!(client.asks(&json!({"tools": true}))["tools"], json!(TOOLS));

    let first = json!({"url": shop.page("/cheap"), "idempotency_key": "cheap"});
    let cheap = client.call("fetch", &first);
    assert_eq!(cheap["status"], "completed", "{cheap}");

    let pending =
        client.call("fetch", &json!({"url": shop.page("/report"), "idempotency_key": "report", "wait_seconds": 0}));
    assert_eq!(pending["status"], "pending_approval", "{pending}");
    let question = shop.service.event("question");
    assert_eq!(question["payment_id"], id(&pending));
    let program = question["program"].as_str().expect("a sentence");
    let node = program.strip_prefix("verified program: ").and_then(|rest| rest.split(", started by ").next());
    assert!(node.is_some_and(|path| path.starts_with('/') && path.ends_with("/node")), "{program}");
    shop.service.answer(true, &id(&pending));
    let paid = client.call("get_payment", &json!({"payment_id": id(&pending)}));
    assert_eq!(paid["status"], "completed", "{paid}");

    let Shop { world, place, service, .. } = shop;
    service.kill();
    client.says(&json!({"call": "fetch", "arguments": first}));
    let service = place.serve("deny");
    assert_eq!(structured(&client.hears())["payment"]["id"], cheap["payment"]["id"]);
    let list = client.call("list_payments", &json!({}));
    assert_eq!(list["payments"].as_array().map(Vec::len), Some(2), "{list}");
    client.ends();
    service.stop();

    let why = place.ok(&["policy", "explain", &id(&paid), "--json"]);
    assert!(why["facts"]["program"]["path"].as_str().is_some_and(|path| path.ends_with("/node")), "{why}");
    assert_eq!(why["facts"]["agent_verified"], true, "it is the program the agent was first seen in: {why}");
    drop(world);
}

/// A bridge that another program than this one starts.
fn in_a_shell(place: &Place, agent: &str) -> Lines {
    Lines::start(Command::new("sh").args(["-c", "\"$0\" \"$@\"; exit $?"]).arg(program()).args(arguments(place, agent)))
}

#[test]
fn a_different_program_with_the_same_token_asks_and_a_revoked_agent_is_refused_in_the_middle_of_its_call() {
    let place = place(&["researcher"]);
    let mut service = place.serve("terminal");
    let mut first = bare(&place, "researcher");
    assert_eq!(first.tool("pay", &purchase("own"))["status"], "authorized");
    let bound = place.ok(&["agent", "list", "--json"])["agents"][0]["program"].as_str().unwrap().to_owned();
    assert_eq!(bound, std::env::current_exe().unwrap().to_str().unwrap());

    let mut second = in_a_shell(&place, "researcher");
    let other = with(&purchase("other"), "wait_seconds", json!(0));
    let pending = second.tool("pay", &other);
    assert_eq!(pending["status"], "pending_approval", "{pending}");
    let question = service.event("question");
    assert_eq!(question["why"], "another program is using this agent's token", "{question}");
    assert!(question["program"].as_str().is_some_and(|text| text.starts_with("another program: /")), "{question}");
    let why = place.ok(&["policy", "explain", &id(&pending), "--json"]);
    assert_eq!((&why["facts"]["bound"], &why["facts"]["agent_verified"]), (&json!(bound), &json!(false)), "{why}");

    let waits = with(&purchase("waits"), "url", json!("https://api.example/y"));
    let waits = with(&waits, "challenge", required("https://api.example/y", vec![offer()]));
    second.says(&request("tools/call", &json!({"name": "pay", "arguments": waits})));
    service.event("question");
    place.ok(&["agent", "revoke", "researcher", "--json"]);
    let refused = second.hears().to_string();
    assert!(!refused.contains("authorized") && !refused.contains("pending_approval"), "{refused}");
    assert!(first.asks(&request("tools/list", &json!({})))["error"].is_object(), "a revoked agent is nobody");
    service.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn a_rule_for_one_run_of_a_program_pays_for_that_process_alone_and_not_after_a_restart() {
    let place = place(&["researcher"]);
    let mut service = place.serve("terminal");
    let mut first = in_a_shell(&place, "researcher");
    let ask = |lines: &mut Lines, key: &str| lines.tool("pay", &with(&dear(key), "wait_seconds", json!(0)));
    let pending = ask(&mut first, "one");
    assert_eq!(pending["status"], "pending_approval", "{pending}");
    service.event("question");
    service.answer(false, &id(&pending));
    let why = place.ok(&["policy", "explain", &id(&pending), "--json"]);
    let process = why["facts"]["program"]["process"].as_str().unwrap_or_else(|| panic!("{why}"));

    let run = format!(
        "rule = [{{ id = \"run\", effect = \"except\", expires = 2099-01-01T00:00:00Z, when = {{ process = {process:?} }} }},"
    );
    let file = place.path().join("run.toml");
    std::fs::write(&file, LIMITS.replace("rule = [", &run)).unwrap();
    let setting = place.begin(&["policy", "set", file.to_str().unwrap()]);
    let change = service.event("change");
    service.answer(true, change["change_id"].as_str().unwrap());
    assert!(setting.wait_with_output().unwrap().status.success());

    assert_eq!(ask(&mut first, "two")["status"], "authorized");
    let mut second = in_a_shell(&place, "researcher");
    let asked = ask(&mut second, "three");
    assert_eq!(asked["status"], "pending_approval", "the same program, started again: {asked}");
    second.ends();
    service.stop();
    let service = place.serve("terminal");
    let asked = ask(&mut first, "four");
    assert_eq!(asked["status"], "pending_approval", "the same process, seen by another run of Countersign: {asked}");
    first.ends();
    service.stop();
}

#[test]
fn a_budget_of_one_session_is_shared_by_every_connection_of_the_agent() {
    let place = place(&["researcher"]);
    let per_session = "budget = [{ id = \"session\", scope = [\"session\"], window = \"session\", max_count = 3, on_exceed = \"ask\" }, {";
    place.policy(&LIMITS.replace("budget = [{", per_session));
    let mut service = place.serve("terminal");
    let pay = |key: &str| {
        let url = format!("https://api.example/{key}");
        json!({"rail": "x402", "url": url, "challenge": required(&url, vec![offer()]), "idempotency_key": key, "wait_seconds": 0})
    };
    for key in ["one", "two", "three"] {
        let mut client = bare(&place, "researcher");
        client.asks(&hello());
        assert_eq!(client.tool("pay", &pay(key))["status"], "authorized", "{key}");
        client.ends();
    }
    let mut client = bare(&place, "researcher");
    client.asks(&hello());
    assert_eq!(client.tool("pay", &pay("four"))["status"], "pending_approval");
    let question = service.event("question");
    assert!(question["why"].as_str().is_some_and(|why| why.contains("budget session")), "{question}");
    client.ends();
    service.stop();
}

#[test]
fn a_new_token_takes_the_old_ones_place_in_its_file_after_a_person_compared_the_code() {
    let place = place(&["researcher"]);
    let mut service = place.serve("terminal");
    let mut client = bare(&place, "researcher");
    assert_eq!(client.tool("get_budget", &json!({}))["currency"], "USD");
    let file = place.path().join("tokens/researcher");
    let old = std::fs::read_to_string(&file).unwrap();

    let rotating = place.begin(&["agent", "rotate", "researcher"]);
    let change = service.event("change");
    // Another program's request does not stand beside it, and so cannot be taken for it.
    let (status, error) = place.exit(&["agent", "add", "somebody"]);
    assert!(status == 3 && error["error"].as_str().is_some_and(|why| why.contains("at this moment")), "{error}");
    service.answer(true, change["change_id"].as_str().unwrap());
    let output = rotating.wait_with_output().unwrap();
    let (said, shown) = (String::from_utf8(output.stderr).unwrap(), change["lines"][0].as_str().unwrap());
    let code = said.trim().rsplit(' ').next().unwrap();
    assert!(code.len() == 9 && shown.contains(&format!("the code {code};")), "{said} against {shown}");
    let new = std::fs::read_to_string(&file).unwrap();
    assert!(!String::from_utf8(output.stdout).unwrap().contains("cs1_") && new != old);

    assert_eq!(client.tool("get_budget", &json!({}))["currency"], "USD", "the bridge reads its file each time");
    for token in [&old, &new] {
        let get = format!(
            "GET /v1/budget HTTP/1.1\r\nHost: countersign\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        assert_eq!(crate::support::raw::exchange_at(&place.path().join("agents.sock"), get.as_bytes()).status, 200);
    }
    client.ends();
    service.stop();
}

#[test]
fn two_clients_at_once_each_see_their_own() {
    let place = place(&["one", "two"]);
    let service = place.serve("deny");
    let mut clients = [bare(&place, "one"), bare(&place, "two")];
    const CALLS: u32 = 10;
    for n in 0..CALLS {
        for client in &mut clients {
            let call = request("tools/call", &json!({"name": "pay", "arguments": purchase(&format!("k{n}"))}));
            client.says(&with(&call, "id", json!(n)));
        }
    }
    for client in &mut clients {
        let mut answers: Vec<Value> = (0..CALLS).map(|_| client.hears()).collect();
        answers.sort_by_key(|answer| answer["id"].as_u64());
        for (n, answer) in answers.iter().enumerate() {
            assert_eq!(
                (answer["id"].as_u64(), structured(answer)["status"].as_str()),
                (Some(n as u64), Some("authorized"))
            );
        }
        let mut own: Vec<String> = answers.iter().map(|answer| id(&structured(answer))).collect();
        let list = client.tool("list_payments", &json!({}));
        let mut listed: Vec<String> =
            list["payments"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        own.sort();
        listed.sort();
        assert_eq!(own, listed);
    }
    service.stop();
}

#[test]
fn without_an_app_or_a_screen_every_request_is_told_how_to_start_it() {
    let place = place(&["researcher"]);
    let outside = tempfile::tempdir().unwrap();
    let said = outside.path().join("stderr");
    // The shell stands between, so that no screen of whoever runs the tests is found.
    let mut client = Lines::start(
        Command::new("sh")
            .args(["-c", "\"$0\" \"$@\"; exit $?"])
            .arg(program())
            .args(arguments(&place, "researcher"))
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .stderr(std::fs::File::create(&said).unwrap()),
    );
    let how = format!("countersign serve --data-dir {}", place.path().display());
    for message in [hello(), request("tools/list", &json!({})), modern(1, "server/discover", &json!({}))] {
        let answer = client.asks(&message);
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32603)), "{answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains(&how)), "{answer}");
    }
    assert!(std::fs::read_to_string(&said).unwrap().contains(&how));

    let service = place.serve("deny");
    assert_eq!(client.asks(&hello())["result"]["serverInfo"]["name"], "countersign");
    service.stop();
    // It was there: it is waited for, and then the same sentence.
    let gone = client.asks(&request("tools/list", &json!({})));
    assert!(gone["error"]["message"].as_str().is_some_and(|text| text.contains(&how)), "{gone}");
    let service = place.serve("deny");
    assert_eq!(client.tool("get_budget", &json!({}))["currency"], "USD");
    client.ends();
    service.stop();
}

#[test]
fn the_newer_era_passes_too_and_withdrawing_ends_the_waiting_only() {
    let place = place(&["researcher"]);
    let mut service = place.serve("terminal");
    let mut client = bare(&place, "researcher");
    let found = client.asks(&modern(1, "server/discover", &json!({})));
    assert!(
        found["result"]["supportedVersions"].as_array().is_some_and(|all| all.contains(&json!("2026-07-28"))),
        "{found}"
    );
    let budget = client.asks(&modern(2, "tools/call", &json!({"name": "get_budget", "arguments": {}})));
    assert_eq!((&budget["id"], structured(&budget)["currency"].as_str()), (&json!(2), Some("USD")));
    let unknown = client.asks(&modern(3, "tools/call", &json!({"name": "größe", "arguments": {}})));
    assert_eq!((&unknown["id"], &unknown["error"]["code"]), (&json!(3), &json!(-32602)), "{unknown}");
    let no_such = client.asks(&modern(4, "no/such/method", &json!({})));
    assert_eq!((&no_such["id"], &no_such["error"]["code"]), (&json!(4), &json!(-32601)), "{no_such}");

    client.says(&modern(5, "tools/call", &json!({"name": "pay", "arguments": dear("report")})));
    let question = service.event("question");
    client.says(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}}));
    let arguments = json!({"payment_id": question["payment_id"], "wait_seconds": 0});
    let look = client.asks(&modern(6, "tools/call", &json!({"name": "get_payment", "arguments": arguments})));
    assert_eq!((&look["id"], structured(&look)["status"].as_str()), (&json!(6), Some("pending_approval")), "{look}");
    assert_eq!(client.ends(), Vec::<Value>::new(), "nobody waits for the answer of a withdrawn request");
    service.close_stdin();
    service.stop();
}

#[test]
fn a_bridges_token_is_in_its_file_and_nowhere_else() {
    let (place, _) = Place::with_wallet("[server]\nenabled = false\n");
    place.policy(LIMITS);
    let mut said = Vec::new();
    for words in [["agent", "add", "quiet", "--bridge", "--json"].as_slice(), &["agent", "add", "loud", "--bridge"]] {
        let output = place.run(words);
        assert!(output.status.success(), "{output:?}");
        said.extend([output.stdout, output.stderr].concat());
    }
    let again = place.run(&["agent", "add", "quiet", "--bridge"]);
    assert!(!again.status.success(), "an agent that exists gets no second token");
    let file = place.path().join("tokens/quiet");
    let tokens = ["quiet", "loud"].map(|name| std::fs::read_to_string(place.path().join("tokens").join(name)).unwrap());

    let outside = tempfile::tempdir().unwrap();
    let (log, err) = (outside.path().join("log"), outside.path().join("err"));
    let service = place.serve_logged("deny", &log);
    assert_eq!(service.url, "", "the port is closed, the door is not");
    let mut client = Lines::start(
        Command::new(program())
            .args(arguments(&place, "quiet"))
            .env("COUNTERSIGN_LOG", "trace")
            .stderr(std::fs::File::create(&err).unwrap()),
    );
    for message in [hello(), request("tools/call", &json!({"name": "pay", "arguments": purchase("k")}))] {
        said.extend(client.asks(&message).to_string().into_bytes());
    }
    place.ok(&["agent", "revoke", "quiet", "--json"]);
    assert!(!file.exists(), "a dead token is not kept");
    let refused = client.asks(&request("tools/list", &json!({})));
    let sentence = refused["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("agent add quiet --bridge"), "{refused}");
    keep(place.path(), "quiet", &tokens[0]);
    let dead = client.asks(&request("tools/list", &json!({})));
    assert!(dead["error"]["message"].as_str().unwrap().contains("does not know the token"), "{dead}");
    said.extend([refused.to_string(), dead.to_string()].concat().into_bytes());
    client.ends();
    service.stop();

    said.extend(std::fs::read(&log).unwrap());
    said.extend(std::fs::read(&err).unwrap());
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("TRACE") || said.contains("DEBUG"), "the log is not at TRACE");
    for token in &tokens {
        assert!(token.starts_with("cs1_") && !said.contains(token.rsplit('_').next().unwrap()), "a token was said");
    }
}
