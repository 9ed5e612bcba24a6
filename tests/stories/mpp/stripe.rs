//! The official MPP server is paid by method `stripe`, by one token that its seller alone can charge, once and after a yes; whatever it
//! answers, and wherever the service is cut off.

use serde_json::{Value, json};
use std::time::Duration;

use crate::support::{Client, Place, Service, StripeShop, shop::id, stripe::ON, until};

/// Everything up to 20 dollars goes through silently, except what a ceiling stops; more is refused.
const EASY: &str = "format = 1\nname = \"easy\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
                    rule = [{ id = \"all\", effect = \"allow\", when = { exposure = { le = \"20.00\" } } }]\n\
                    budget = [{ id = \"day\", scope = [], window = \"rolling:24h\", max_amount = \"2.00\", on_exceed = \"deny\" }]\n";

struct Scene {
    shop: StripeShop,
    place: Place,
    service: Service,
    client: Client,
}

fn scene(config: &str, policy: &str) -> Scene {
    let (shop, place) = (StripeShop::start(), Place::new(config));
    shop.set_up(&place);
    place.policy(policy);
    let token = place.agent("researcher");
    let service = place.serve("terminal");
    let client = Client::new(&service.url, &token);
    Scene { shop, place, service, client }
}

fn wide() -> String {
    EASY.replace("2.00", "100.00")
}

impl Scene {
    /// Fetches a page and answers the question about it.
    async fn asked(&mut self, page: &str, key: &str, yes: bool) -> (Value, Value) {
        let (client, url, key) = (self.client.clone(), self.shop.page(page), key.to_owned());
        let call = tokio::spawn(async move { client.fetch_waiting(&url, &key, 120).await.1 });
        let question = self.service.answer_next(yes);
        (question, call.await.expect("an answer"))
    }

    async fn becomes(&self, payment: &str, state: &str) -> Value {
        until(&format!("{payment} is {state}"), async || {
            let (_, outcome) = self.client.get(&format!("/v1/payments/{payment}")).await;
            (outcome["payment"]["state"] == state).then_some(outcome)
        })
        .await
    }

    fn close(self) {
        self.service.stop();
        let report = self.place.ok(&["verify", "--json"]);
        assert_eq!(report["faults"], json!([]), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_stripe_server_is_paid_once_by_a_token_worth_the_price_to_it_alone() {
    let mut scene = scene(ON, &wide());
    let log = scene.place.path().join("everything-logged");
    scene.service.stop();
    scene.service = scene.place.serve_logged("terminal", &log);
    scene.client = scene.client.at(&scene.service.url);
    let (_, refused) = scene.asked("/other-report", "no", false).await;
    assert_eq!(
        (refused["code"].as_str(), scene.shop.counts().await),
        (Some("denied_by_human"), [0, 0, 0]),
        "{refused}"
    );

    let (question, paid) = scene.asked("/report", "yes", true).await;
    let text = question.to_string();
    for part in ["1.50 USD", "profile_test_shop", "Stripe · you can dispute it with your bank", "before it delivers"] {
        assert!(text.contains(part), "{part} is not in {question}");
    }
    let payment = &paid["payment"];
    assert_eq!(
        (paid["status"].as_str(), payment["scheme"].as_str()),
        (Some("completed"), Some("stripe/charge")),
        "{paid}"
    );
    assert_eq!(payment["decision"]["rule"], "builtin:upfront", "whatever the rules say: {paid}");
    let seen = scene.shop.seen().await;
    let (token, credential) = (&seen["minted"][0], &seen["credentials"][0]);
    assert_eq!(
        [&token["payment_method"], &token["currency"], &token["max_amount"], &token["network_id"]],
        [&json!("pm_card_visa"), &json!("usd"), &json!(150), &json!("profile_test_shop")]
    );
    assert_eq!(token["expires_at"], credential["expires"], "it ends with its challenge");
    assert_eq!(credential["payload"], json!({"spt": token["id"]}));
    assert!(credential["source"].is_null(), "{credential}");
    let settled = scene.becomes(&id(&paid), "settled").await;
    assert_eq!(settled["payment"]["settlement"], "verified", "by Stripe's own word: {settled}");
    assert_eq!(settled["payment"]["transaction"], "pi_test_1", "{settled}");

    let (_, again) = scene.client.fetch(&scene.shop.page("/report"), "yes").await;
    assert_eq!((&again["payment"]["id"], scene.shop.counts().await), (&payment["id"], [1, 1, 1]), "{again}");
    let (_, numbered) = scene.asked("/numbered", "numbered", true).await;
    assert_eq!(numbered["status"], "completed", "{numbered}");
    assert_eq!(scene.shop.seen().await["credentials"][1]["payload"]["externalId"], "order-7 \"blue\"");
    let logged = std::fs::read_to_string(&log).expect("a log");
    assert!(logged.contains("a payment moved on"), "it is the log");
    for secret in ["rk_test_countersign", "spt_test_"] {
        assert!(!logged.contains(secret), "{secret} is logged");
    }
    scene.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_ever_gets_one_credential_and_another_seller_gets_nothing_by_it() {
    let mut scene = scene(ON, &wide());
    let (_, outcome) = scene.asked("/forever", "forever", true).await;
    assert_eq!(
        (outcome["status"].as_str(), outcome["payment"]["settlement"].as_str()),
        (Some("unknown"), Some("none"))
    );
    assert_eq!(scene.shop.counts().await, [1, 1, 1], "{outcome}");
    let settled = scene.becomes(&id(&outcome), "settled").await;
    assert_eq!((settled["status"].as_str(), scene.shop.counts().await), (Some("completed"), [1, 1, 1]), "{settled}");

    // The shop names another seller, and cannot charge what is that seller's.
    let (question, kept) = scene.asked("/elsewhere", "elsewhere", true).await;
    assert!(question.to_string().contains("profile_test_other"), "{question}");
    assert_eq!((kept["status"].as_str(), scene.shop.counts().await), (Some("unknown"), [2, 2, 1]), "{kept}");
    scene.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_between_stripe_and_the_seller_the_same_request_goes_on_with_the_same_token() {
    let mut scene = scene(ON, &wide());
    scene.shop.becomes(&json!({"hold": true})).await;
    let (client, url) = (scene.client.clone(), scene.shop.page("/report"));
    let body = json!({"url": url, "idempotency_key": "k1", "wait_seconds": 60});
    let call = tokio::spawn(async move { client.try_send(reqwest::Method::POST, "/v1/fetch", Some(&body)).await });
    scene.service.answer_next(true);
    until("a token", async || (scene.shop.counts().await[0] == 1).then_some(())).await;
    let Scene { shop, place, service, client } = scene;
    service.kill();
    call.abort();

    shop.becomes(&json!({"hold": false})).await;
    let service = place.serve("deny");
    let client = client.at(&service.url);
    let (_, paid) = client.fetch(&shop.page("/report"), "k1").await;
    assert_eq!(paid["status"], "completed", "{paid}");
    assert_eq!((shop.counts().await, shop.seen().await["replayed"].as_u64()), ([1, 1, 1], Some(1)));
    Scene { shop, place, service, client }.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_nobody_heard_of_is_found_by_asking_for_it_again_after_its_end() {
    let mut scene = scene(ON, EASY);
    scene.shop.becomes(&json!({"hold": true})).await;
    let (client, url) = (scene.client.clone(), scene.shop.page("/brief"));
    let body = json!({"url": url, "idempotency_key": "k1", "wait_seconds": 60});
    let call = tokio::spawn(async move { client.try_send(reqwest::Method::POST, "/v1/fetch", Some(&body)).await });
    scene.service.answer_next(true);
    until("a token", async || (scene.shop.counts().await[0] == 1).then_some(())).await;
    let Scene { shop, place, service, client } = scene;
    service.kill();
    call.abort();

    shop.becomes(&json!({"hold": false})).await;
    let service = place.serve("deny");
    let scene = Scene { client: client.at(&service.url), shop, place, service };
    let (_, over) = scene.client.fetch(&scene.shop.page("/report"), "k2").await;
    assert_eq!(over["code"], "over_budget", "{over}");
    let (_, listed) = scene.client.get("/v1/payments").await;
    let held = listed["payments"].as_array().expect("a list").iter().find(|p| p["state"] != "refused").expect("one");
    scene.becomes(held["id"].as_str().expect("an id"), "released").await;
    assert_eq!(scene.shop.counts().await, [1, 0, 0], "one token, however often it was asked for");
    assert!(scene.shop.seen().await["replayed"].as_u64() >= Some(1), "found by asking again");
    scene.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_stripe_refuses_is_no_payment_and_one_it_cannot_give_yet_is_asked_for_again() {
    let mut scene = scene(ON, &wide());
    scene.shop.becomes(&json!({"decline": true})).await;
    let (_, declined) = scene.asked("/report", "k1", true).await;
    assert_eq!((declined["status"].as_str(), scene.shop.counts().await), (Some("failed"), [0, 0, 0]), "{declined}");
    let told = declined["response"]["body"].as_str().expect("a text");
    assert!(told.contains("nothing was paid") && told.contains("Your card was declined."), "{told}");

    scene.shop.becomes(&json!({"decline": false, "busy": true})).await;
    let (_, busy) = scene.asked("/other-report", "k2", true).await;
    assert_eq!((busy["status"].as_str(), scene.shop.counts().await), (Some("unknown"), [0, 0, 0]), "{busy}");
    scene.shop.becomes(&json!({"busy": false})).await;
    let (_, paid) = scene.client.fetch(&scene.shop.page("/other-report"), "k2").await;
    assert_eq!((paid["status"].as_str(), scene.shop.counts().await), (Some("completed"), [1, 1, 1]), "{paid}");
    scene.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_nobody_charged_counts_as_spent_until_it_ended_and_stripe_says_so() {
    let mut scene = scene(ON, EASY);
    let (_, kept) = scene.asked("/brief", "k1", true).await;
    assert_eq!(kept["status"], "unknown", "{kept}");
    let (_, over) = scene.client.fetch(&scene.shop.page("/report"), "k2").await;
    assert_eq!(over["code"], "over_budget", "{over}");
    let released = scene.becomes(&id(&kept), "released").await;
    assert_eq!(released["status"], "failed", "{released}");
    assert!(scene.shop.seen().await["looks"].as_u64() >= Some(1), "on Stripe's word");
    let (_, paid) = scene.asked("/report", "k3", true).await;
    assert_eq!(paid["status"], "completed", "{paid}");

    // One that can still be charged is held, however long nobody does.
    let (_, over) = scene.client.fetch(&scene.shop.page("/never"), "k4").await;
    assert_eq!(over["code"], "over_budget", "{over}");
    scene.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hostile_challenge_by_stripe_gets_a_token_or_a_question() {
    let mut scene = scene(ON, &wide());
    for (case, code) in [
        ("below", "unsupported_offer"),
        ("nothing", "unsupported_offer"),
        ("fraction", "malformed_offer"),
        ("huge", "unsupported_offer"),
        ("currency", "unknown_asset"),
        ("upper", "unknown_asset"),
        ("nobody", "malformed_offer"),
        ("spaced", "bad_payee"),
        ("two", "bad_payee"),
        ("cardless", "unsupported_offer"),
        ("typeless", "malformed_offer"),
        ("reserved", "malformed_offer"),
        ("endless", "malformed_offer"),
        ("over", "offer_expired"),
    ] {
        let (status, body) = scene.client.fetch(&scene.shop.page(&format!("/raw/{case}")), case).await;
        assert_eq!((status, body["code"].as_str()), (422, Some(code)), "{case}: {body}");
    }
    assert_eq!(scene.shop.counts().await, [0, 0, 0]);
    // The same without a fault is asked about, and a price that a caller brings is not paid this way.
    let (_, honest) = scene.asked("/raw/honest", "honest", false).await;
    assert_eq!(honest["code"], "denied_by_human", "{honest}");
    let challenge = json!({
        "id": "c1", "realm": "127.0.0.1", "method": "stripe", "intent": "charge", "expires": "2099-01-01T00:00:00Z",
        "request": {"amount": "150", "currency": "usd", "methodDetails": {"networkId": "p", "paymentMethodTypes": ["card"]}},
    });
    let (status, brought) = scene.client.pay_by("mpp", &scene.shop.page("/report"), &challenge, "brought").await;
    assert_eq!(status, 422, "{brought}");
    scene.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_paid_at_stripe_until_its_owner_turns_it_on_and_says_with_what() {
    let mut scene = scene("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n", EASY);
    let (status, off) = scene.client.fetch(&scene.shop.page("/report"), "off").await;
    assert_eq!((status, off["code"].as_str()), (422, Some("unsupported_offer")), "{off}");
    assert!(off["detail"].as_str().is_some_and(|d| d.contains("stripe/charge is turned off")), "{off}");
    assert!(scene.place.ok(&["stripe", "show", "--json"])["payment_method"] == "pm_card_visa");
    scene.service.stop();

    scene.place.configure(ON);
    let (exit, kept) = scene.place.exit(&["stripe", "remove"]);
    assert_eq!((exit, kept["removed"].as_bool()), (0, Some(true)), "{kept}");
    scene.service = scene.place.serve("terminal");
    scene.client = scene.client.at(&scene.service.url);
    let (status, nothing) = scene.client.fetch(&scene.shop.page("/report"), "nothing").await;
    assert_eq!((status, nothing["code"].as_str()), (503, Some("no_wallet")), "{nothing}");
    assert!(nothing["next"].as_str().is_some_and(|next| next.contains("countersign stripe setup")), "{nothing}");

    // While it runs a person says yes to what pays, and is told whether that is real money.
    let key = scene.place.path().join("stripe-key").display().to_string();
    let api = scene.shop.page("");
    let words = ["stripe", "setup", "--payment-method", "pm_card_visa", "--key-file", &key, "--api", &api];
    let set_up = scene.place.begin(&words);
    let change = scene.service.event("change");
    assert!(change.to_string().contains("play money") && change.to_string().contains("pm_card_visa"), "{change}");
    assert!(!change.to_string().contains("rk_test_countersign"), "{change}");
    scene.service.answer(true, change["change_id"].as_str().expect("an id"));
    let done = set_up.wait_with_output().expect("its end");
    assert!(done.status.success(), "{done:?}");
    let checked = scene.place.ok(&["stripe", "check", "--json"]);
    assert_eq!(checked["tried"]["stripe"], "answers", "{checked}");
    let (_, paid) = scene.asked("/report", "paid", true).await;
    assert_eq!(paid["status"], "completed", "{paid}");
    assert_eq!(tokio::time::timeout(Duration::from_secs(1), scene.shop.counts()).await, Ok([1, 1, 1]));
    scene.close();
}
