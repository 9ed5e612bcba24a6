//! The official MPP server is paid by method `tempo` on a real Tempo chain, once, whatever it answers; hostile ones are not.

use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use super::BY_ANY_METHOD;
use crate::support::{
    Behaves, Client, HostileMpp, NodeDouble, Place, Service, Tempo, Till, hostile_mpp::carried, shop::id,
    tempo::NETWORK, till::up_to, until,
};

/// What `tempo/charge` needs to be paid: to be named.
const ON: &str = "[rails]\nmpp = [\"evm/charge\", \"tempo/charge\"]\n";

/// Everything up to a dollar goes through silently, except what a ceiling stops; above 20 is refused.
const EASY: &str = r#"
format = 1
name = "easy"
reference = "USD"
timezone = "UTC"
mode = "enforce"
known = []
rule = [
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "20.00" } } },
  { id = "small", effect = "allow", when = { exposure = { le = "1.00" } } },
]
"#;

struct Scene {
    service: Service,
    client: Client,
    place: Place,
    wallet: String,
}

fn scene(approver: &str, config: &str) -> Scene {
    let (place, wallet) = Place::with_wallet(&format!("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n{config}"));
    place.policy(EASY);
    let token = place.agent("researcher");
    let service = place.serve(approver);
    let client = Client::new(&service.url, &token);
    Scene { service, client, place, wallet }
}

impl Scene {
    fn close(self) {
        self.service.stop();
        let report = self.place.ok(&["verify", "--json"]);
        assert_eq!(report["faults"], json!([]), "{report}");
    }

    async fn verified(&self, payment: &str) -> Value {
        until(&format!("{payment} is verified"), async || {
            let (_, outcome) = self.client.get(&format!("/v1/payments/{payment}")).await;
            (outcome["payment"]["settlement"] == "verified").then_some(outcome)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_tempo_server_is_paid_once_whatever_it_answers() {
    let tempo = Tempo::start();
    let at = tempo.place().await;
    let mut scene = scene("terminal", &format!("{ON}[chains.\"{NETWORK}\"]\nrpc = [\"{}\"]\n", at.rpc));
    tempo.fund(&scene.wallet).await;
    in_silence(&scene, &tempo, &at.pay_to).await;
    shared(&mut scene, &tempo).await;
    that_asks_again(&scene, &tempo, &at.pay_to).await;
    proof(&mut scene, &tempo).await;
    refused(&scene, &tempo).await;
    scene.close();
}

/// Pulled, and sponsored: the money moves once, and only who pays the fee loses more than the price.
async fn in_silence(scene: &Scene, tempo: &Tempo, seller: &str) {
    let before = tempo.balance(&scene.wallet).await;
    let (status, first) = scene.client.fetch(&tempo.page("/cheap"), "cheap").await;
    assert_eq!((status, first["status"].as_str()), (200, Some("completed")), "{first}");
    let payment = &first["payment"];
    assert_eq!((payment["rail"].as_str(), payment["scheme"].as_str()), (Some("mpp"), Some("tempo/charge")));
    assert_eq!(
        (payment["amount"]["amount"].as_str(), payment["decision"]["rule"].as_str()),
        (Some("0.01"), Some("small"))
    );
    let (_, again) = scene.client.fetch(&tempo.page("/cheap"), "cheap").await;
    assert_eq!(again["payment"]["id"], payment["id"]);
    assert_eq!(scene.verified(&id(&first)).await["payment"]["state"], "settled");
    let spent = before - tempo.balance(&scene.wallet).await;
    assert!((10_001..=30_000).contains(&spent), "the price and a fee under its cap: {spent}");

    let before = tempo.balance(&scene.wallet).await;
    let (_, sponsored) = scene.client.fetch(&tempo.page("/sponsored"), "sponsored").await;
    assert_eq!(sponsored["status"], "completed", "{sponsored}");
    scene.verified(&id(&sponsored)).await;
    assert_eq!(before - tempo.balance(&scene.wallet).await, 10_000, "the server pays the fee");
    assert_eq!(tempo.balance(seller).await, 20_000);
    assert_eq!([tempo.sent("/cheap").await, tempo.sent("/sponsored").await], [1, 1]);
}

/// A price that others share is asked about whatever the rules say, with every account and what it gets.
async fn shared(scene: &mut Scene, tempo: &Tempo) {
    let others = ["0x1111111111111111111111111111111111111111", "0x2222222222222222222222222222222222222222"];
    let (client, page) = (scene.client.clone(), tempo.page("/split"));
    let asked = tokio::spawn(async move { client.fetch_waiting(&page, "split", 120).await });
    let question = scene.service.answer_next(true);
    let text = question.to_string();
    assert!(others.iter().all(|other| text.contains(other)), "{question}");
    for part in ["0.007 pathUSD", "0.002 pathUSD", "0.001 pathUSD", "0.035 pathUSD of it is the network's fee"] {
        assert!(text.contains(part), "{part} is not in {question}");
    }
    let (_, outcome) = asked.await.expect("an answer");
    assert_eq!(outcome["status"], "completed", "{outcome}");
    assert_eq!(outcome["payment"]["decision"]["rule"], "builtin:shared");
    scene.verified(&id(&outcome)).await;
    assert_eq!([tempo.balance(others[0]).await, tempo.balance(others[1]).await], [2_000, 1_000]);
}

/// A server that settles and asks again gets one credential, and its money once: the chain tells, by the memo alone.
async fn that_asks_again(scene: &Scene, tempo: &Tempo, seller: &str) {
    let before = tempo.balance(seller).await;
    let (_, outcome) = scene.client.fetch(&tempo.page("/forever"), "forever").await;
    assert_eq!(
        (outcome["status"].as_str(), outcome["payment"]["settlement"].as_str()),
        (Some("unknown"), Some("none"))
    );
    assert_eq!(scene.verified(&id(&outcome)).await["status"], "completed");
    let (_, repeat) = scene.client.fetch(&tempo.page("/forever"), "forever").await;
    assert_eq!((repeat["status"].as_str(), &repeat["payment"]["id"]), (Some("completed"), &outcome["payment"]["id"]));
    assert_eq!((tempo.sent("/forever").await, tempo.balance(seller).await - before), (1, 10_000));
}

/// A charge of nothing is answered by a proof once a person said yes, whatever the rules say, and no money moves.
async fn proof(scene: &mut Scene, tempo: &Tempo) {
    let before = tempo.balance(&scene.wallet).await;
    let (client, page) = (scene.client.clone(), tempo.page("/proof"));
    let asked = tokio::spawn(async move { client.fetch_waiting(&page, "proof", 120).await });
    let question = scene.service.answer_next(true);
    assert!(question["why"].as_str().is_some_and(|why| why.contains("a login")), "{question}");
    let (_, proved) = asked.await.expect("an answer");
    let exposure = &proved["payment"]["exposure"]["amount"];
    assert_eq!((proved["status"].as_str(), exposure.as_str()), (Some("completed"), Some("0")), "{proved}");
    assert_eq!((tempo.sent("/proof").await, tempo.balance(&scene.wallet).await), (1, before));
}

/// What is not paid is named.
async fn refused(scene: &Scene, tempo: &Tempo) {
    for (page, code, named) in
        [("/push", "unsupported_offer", "without the mode pull"), ("/expired", "offer_expired", "expired")]
    {
        let (status, refused) = scene.client.fetch(&tempo.page(page), page).await;
        assert_eq!((status, refused["code"].as_str()), (422, Some(code)), "{page}: {refused}");
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains(named)), "{page}: {refused}");
        assert_eq!(tempo.sent(page).await, 0, "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_nobody_sent_frees_its_hold_once_a_final_block_is_past_its_window_and_not_before() {
    let tempo = Tempo::start();
    let at = tempo.place().await;
    let node = NodeDouble::start(&at.rpc, Behaves::Honestly).await;
    let mut till = Till::open(&up_to("0.05"), NETWORK, vec![node.own()]).await;
    tempo.fund(&till.wallet).await;
    let never = till.fetch(&tempo.page("/never"), "never").await;
    assert_eq!(
        (never["status"].as_str(), never["payment"]["state"].as_str()),
        (Some("unknown"), Some("signed")),
        "{never}"
    );
    assert_eq!(till.fetch(&tempo.page("/cheap"), "second").await["code"], "over_budget", "its fee is held too");
    // The same key sends the same bytes while they can be used.
    till.fetch(&tempo.page("/never"), "never").await;
    assert_eq!(tempo.sent("/never").await, 2);

    node.behave(Behaves::Lagging);
    till.wait(60);
    tempo.mine(5, 60).await;
    till.settles(&id(&never), "unknown", "none").await;
    assert_eq!(till.fetch(&tempo.page("/cheap"), "third").await["code"], "over_budget", "no final block is past it");
    node.behave(Behaves::Honestly);
    let released = till.settles(&id(&never), "released", "failed").await;
    assert_eq!(released["status"], "failed", "{released}");
    let last = till.fetch(&tempo.page("/cheap"), "fourth").await;
    assert_eq!(last["status"], "completed", "the budget is free again: {last}");
    // What the network did not take of its fee is free once the own node has seen the payment.
    till.settles(&id(&last), "settled", "verified").await;
    let fifth = till.fetch(&tempo.page("/cheap"), "fifth").await;
    assert_eq!(fifth["status"], "completed", "the fee was far below its cap: {fifth}");
    assert_eq!(till.fetch(&tempo.page("/cheap"), "sixth").await["code"], "over_budget");
    // A stranger's node shows the payment too, and frees nothing of it.
    let mut other = Till::open(&up_to("0.05"), NETWORK, vec![node.at("stranger.example")]).await;
    other.wait(60);
    tempo.fund(&other.wallet).await;
    let seen = other.fetch(&tempo.page("/cheap"), "seen").await;
    other.settles(&id(&seen), "settled", "verified").await;
    assert_eq!(other.fetch(&tempo.page("/cheap"), "next").await["code"], "over_budget", "its fee's cap stays counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hostile_challenge_by_tempo_gets_a_silent_signature() {
    let scene = scene("deny", ON);
    let seller = HostileMpp::tempo(&scene.wallet).await;
    let own = [
        ("nothing", 403, "no_approver"),
        ("nothing-elsewhere", 422, "malformed_offer"),
        ("token-of-evm", 422, "unknown_asset"),
        ("mach", 422, "unknown_asset"),
        ("split-above", 422, "malformed_offer"),
        ("split-all", 422, "malformed_offer"),
        ("split-nothing", 422, "malformed_offer"),
        ("split-many", 422, "malformed_offer"),
        ("split-memo", 422, "malformed_offer"),
        ("split-nobody", 422, "bad_payee"),
        ("split-token", 422, "bad_payee"),
        ("split-us", 422, "bad_payee"),
        ("split-stranger", 403, "no_approver"),
        ("pays-dex", 422, "bad_payee"),
        ("pays-token", 422, "bad_payee"),
        ("only-push", 422, "unsupported_offer"),
        ("no-modes", 422, "malformed_offer"),
        ("sponsored-by-word", 422, "malformed_offer"),
        ("sponsored-late", 422, "offer_expired"),
    ];
    for (case, status, code) in BY_ANY_METHOD.into_iter().chain(own) {
        let (got, body) = scene.client.fetch(&seller.case(case), case).await;
        assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{case}: {body}");
        let rule = match case {
            "split-stranger" => "builtin:shared",
            "nothing" => "builtin:proof",
            "other-realm" => "builtin:other-resource",
            "redirected" => "builtin:redirected",
            _ => continue,
        };
        assert_eq!(body["outcome"]["payment"]["decision"]["rule"], rule, "{case}: {body}");
    }
    assert_eq!(seller.all(), 0, "something was signed");
    for (case, status) in
        [("forever", "unknown"), ("server-error", "unknown"), ("drops", "unknown"), ("spaced", "completed")]
    {
        let (_, body) = scene.client.fetch(&seller.case(case), case).await;
        assert_eq!(body["status"], status, "{case}: {body}");
        let sent = seller.credentials(case);
        assert_eq!(sent.len(), 1, "{case} got more than one credential");
        assert_eq!(carried(&sent[0].1)["payload"]["type"], "transaction");
    }
    scene.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_made_after_the_yes_and_its_price_taken_anew_once_if_it_expired() {
    let (till, seconds) = super::asked::slow(super::asked::ASK).await;
    let seller = HostileMpp::tempo_at(&till.wallet, till.clock.clone(), 40).await;
    for (case, takes, challenge) in [("quick", 20, "quick-1"), ("late", 60, "late-2")] {
        seconds.store(takes, Ordering::SeqCst);
        let paid = till.fetch(&seller.case(case), case).await;
        assert_eq!(paid["status"], "completed", "{case}: {paid}");
        let sent = seller.credentials(case);
        let credential = carried(&sent[0].1);
        assert_eq!((sent.len(), credential["challenge"]["id"].as_str()), (1, Some(challenge)));
        let signed = credential["payload"]["signature"].as_str().expect("hex");
        let left = if takes == 20 { 20 } else { 25 };
        let end = format!("84{:08x}", till.clock_seconds() + left);
        assert!(signed.contains(&end), "{case} ends {left} s after the yes: {signed}");
    }
    for case in ["grows", "moves", "other-host", "turns-free"] {
        let changed = till.fetch(&seller.case(case), case).await;
        assert_eq!((changed["code"].as_str(), seller.credentials(case).len()), (Some("offer_expired"), 0), "{changed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_tried_with_real_money_is_turned_on_by_its_owner_only() {
    let scene = scene("deny", "");
    let seller = HostileMpp::tempo(&scene.wallet).await;
    let (status, refused) = scene.client.fetch(&seller.case("honest"), "honest").await;
    assert_eq!((status, refused["code"].as_str()), (422, Some("unsupported_offer")), "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|d| d.contains("tempo/charge is turned off")), "{refused}");
    assert_eq!(seller.all(), 0);
    scene.close();
}
