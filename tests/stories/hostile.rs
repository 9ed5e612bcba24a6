//! Misbehaving sellers: each is refused with its code or asks with a warning. Never a silent signature, never a lost row.

use base64::Engine as _;
use serde_json::Value;

use crate::support::{
    Client, Place, Service,
    client::authorization,
    hostile_seller::{HostileSeller, offer, required},
};

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
budget = [{ id = "limit-day", scope = [], window = "calendar:day", max_amount = "100.00", on_exceed = "deny" }]
"#;

struct Scene {
    seller: HostileSeller,
    service: Service,
    client: Client,
    place: Place,
}

async fn scene(approver: &str) -> Scene {
    scene_under(approver, EASY).await
}

async fn scene_under(approver: &str, policy: &str) -> Scene {
    let (place, payer) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(policy);
    let token = place.agent("researcher");
    let seller = HostileSeller::start(&payer).await;
    let service = place.serve(approver);
    let client = Client::new(&service.url, &token);
    Scene { seller, service, client, place }
}

async fn verified(scene: Scene) {
    scene.service.stop();
    let report = scene.place.ok(&["verify", "--json"]);
    assert_eq!(report["faults"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_offer_is_refused_with_its_own_code_and_signs_nothing() {
    let table = [
        ("lookalike-token", 422, "unknown_asset"),
        ("other-chain", 422, "unknown_asset"),
        ("unknown-chain", 422, "unknown_asset"),
        ("year", 422, "lifetime_too_long"),
        ("timeout-string", 422, "malformed_offer"),
        ("timeout-negative", 422, "malformed_offer"),
        ("timeout-short", 422, "malformed_offer"),
        ("timeout-float", 422, "malformed_offer"),
        ("payto-zero", 422, "bad_payee"),
        ("payto-token", 422, "bad_payee"),
        ("payto-us", 422, "bad_payee"),
        ("payto-checksum", 422, "bad_payee"),
        ("payto-text", 422, "bad_payee"),
        ("name", 422, "asset_mismatch"),
        ("version", 422, "asset_mismatch"),
        ("no-domain", 422, "asset_mismatch"),
        ("amount-zero", 422, "malformed_offer"),
        ("amount-negative", 422, "malformed_offer"),
        ("amount-decimal", 422, "malformed_offer"),
        ("amount-exponent", 422, "malformed_offer"),
        ("amount-hex", 422, "malformed_offer"),
        ("amount-leading-zeros", 422, "malformed_offer"),
        ("amount-number", 422, "malformed_offer"),
        ("amount-huge", 422, "malformed_offer"),
        ("amount-hidden", 422, "malformed_offer"),
        ("network-zero", 422, "malformed_offer"),
        ("network-hex", 422, "malformed_offer"),
        ("flow-unknown", 422, "unsupported_offer"),
        ("permit2", 422, "unsupported_offer"),
        ("upto", 422, "unsupported_offer"),
        ("price-75", 403, "denied_by_rule"),
        ("price-25", 403, "denied_by_rule"),
        ("version-string", 422, "malformed_offer"),
        ("version-3", 422, "malformed_offer"),
        ("empty", 422, "unsupported_offer"),
        ("seventeen", 422, "malformed_offer"),
        ("body-only", 422, "malformed_offer"),
        ("not-base64", 422, "malformed_offer"),
        ("not-json", 422, "malformed_offer"),
        ("duplicate-keys", 422, "malformed_offer"),
        ("deep", 422, "malformed_offer"),
        ("deep-body", 422, "unsupported_offer"),
        ("big", 422, "malformed_offer"),
        ("bomb", 422, "malformed_offer"),
    ];
    let scene = scene("deny").await;
    for (case, status, code) in table {
        let (got, body) = scene.client.fetch(&scene.seller.case(case), case).await;
        assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{case}: {body}");
        assert_eq!(scene.seller.credentials(case).len(), 0, "{case} got a credential");
        assert!(body["detail"].as_str().is_some_and(|d| !d.is_empty()), "{case} has no sentence");
    }
    verified(scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_but_legal_offers_ask_and_are_not_paid_when_nobody_answers() {
    let scene = scene("deny").await;
    for (case, rule) in [
        ("other-site", "builtin:other-resource"),
        ("flow-upfront", "builtin:upfront"),
        ("redirected", "builtin:redirected"),
    ] {
        let (status, body) = scene.client.fetch(&scene.seller.case(case), case).await;
        assert_eq!((status, body["code"].as_str()), (403, Some("no_approver")), "{case}: {body}");
        let decision = &body["outcome"]["payment"]["decision"];
        assert_eq!(
            (decision["effect"].as_str(), decision["rule"].as_str()),
            (Some("ask"), Some(rule)),
            "{case}: {body}"
        );
        assert_eq!(scene.seller.credentials(case).len(), 0, "{case}");
    }
    verified(scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_back_after_paying_the_payment_is_signed_once_and_stays_held() {
    let table = [
        ("honest", "failed", "signed", "failed"),
        ("always-402", "failed", "signed", "failed"),
        ("price-grows", "failed", "signed", "failed"),
        ("pending", "unknown", "signed", "none"),
        ("server-error", "unknown", "signed", "none"),
        ("drops", "unknown", "signed", "none"),
        ("redirect-302", "unknown", "signed", "none"),
        ("redirect-307", "unknown", "signed", "none"),
        ("false-receipt", "completed", "signed", "claimed"),
        ("broken-receipt", "completed", "signed", "none"),
        ("no-receipt", "completed", "signed", "none"),
        ("error-12k", "failed", "signed", "failed"),
        ("text", "failed", "signed", "failed"),
    ];
    let exactly = format!("{:.2}", 0.01 * table.len() as f64);
    let scene = scene_under("deny", &EASY.replace("100.00", &exactly)).await;
    for (case, status, state, settlement) in table {
        let (http, body) = scene.client.fetch(&scene.seller.case(case), case).await;
        let got =
            (http, body["status"].as_str(), body["payment"]["state"].as_str(), body["payment"]["settlement"].as_str());
        assert_eq!(got, (200, Some(status), Some(state), Some(settlement)), "{case}: {body}");
        let sent = scene.seller.credentials(case);
        assert_eq!(sent.len(), 1, "{case} was sent {} credentials", sent.len());
    }
    assert_eq!(
        scene.seller.requests("landed"),
        0,
        "a paid request followed a redirect to {}",
        scene.seller.elsewhere()
    );
    let (status, body) = scene.client.fetch(&scene.seller.case("one-more"), "one-more").await;
    assert_eq!((status, body["code"].as_str()), (403, Some("over_budget")), "something was given back: {body}");
    assert_eq!(body["outcome"]["payment"]["decision"]["rule"], "budget:limit-day", "{body}");
    verified(scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_sent_again_with_the_same_bytes_and_asks_under_a_new_key() {
    let scene = scene("deny").await;
    let url = scene.seller.case("drops");
    for _ in 0..3 {
        let (_, body) = scene.client.fetch(&url, "one").await;
        assert_eq!(body["status"], "unknown", "{body}");
    }
    let sent = scene.seller.credentials("drops");
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|c| *c == sent[0]), "a repeat made another signature");
    let (status, body) = scene.client.fetch(&url, "two").await;
    assert_eq!(
        (status, body["outcome"]["payment"]["decision"]["rule"].as_str()),
        (403, Some("builtin:possible-duplicate")),
        "{body}"
    );
    assert_eq!(scene.seller.credentials("drops").len(), 3);
    let (status, body) = scene.client.fetch(&scene.seller.case("no-receipt"), "one").await;
    assert_eq!((status, body["code"].as_str()), (409, Some("idempotency_conflict")), "{body}");

    // The agent's own receipt for a payment it did not send lifts no doubt.
    let (_, list) = scene.client.get("/v1/payments?status=signed").await;
    let id = list["payments"][0]["id"].as_str().unwrap().to_owned();
    let forged = serde_json::json!({"success": true, "transaction": format!("0x{}", "ab".repeat(32)), "network": "eip155:84532"});
    let header = base64::engine::general_purpose::STANDARD.encode(forged.to_string());
    let (status, body) =
        scene.client.post(&format!("/v1/payments/{id}/receipt"), &serde_json::json!({"header": header})).await;
    assert_eq!((status, body["code"].as_str()), (400, Some("bad_request")), "{body}");
    let (status, body) = scene.client.fetch(&url, "three").await;
    assert_eq!(
        (status, body["outcome"]["payment"]["decision"]["rule"].as_str()),
        (403, Some("builtin:possible-duplicate"))
    );

    // While paused the stored outcome is the answer, and nothing is sent.
    assert!(scene.place.run(&["pause"]).status.success());
    let (status, body) = scene.client.fetch(&url, "one").await;
    assert_eq!(
        (status, body["status"].as_str(), &body["payment"]["id"]),
        (200, Some("unknown"), &list["payments"][0]["id"]),
        "{body}"
    );
    assert_eq!(scene.seller.credentials("drops").len(), 3);
    verified(scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brought_challenge_of_another_site_or_shape_is_refused() {
    let scene = scene("deny").await;
    let url = "https://api.example/thing";
    let honest = required(url, vec![offer()]);
    let (status, body) = scene.client.pay("https://other.example/thing", &honest, "a").await;
    assert_eq!((status, body["code"].as_str()), (422, Some("origin_mismatch")), "{body}");
    for (key, challenge) in [
        ("b", serde_json::json!([])),
        ("c", serde_json::json!("text")),
        ("d", Value::Null),
        ("e", serde_json::json!({"x402Version": 9})),
    ] {
        let (status, _) = scene.client.pay(url, &challenge, key).await;
        assert_eq!(status, 422, "{challenge}");
    }
    let (status, body) = scene.client.pay(url, &honest, "f").await;
    assert_eq!((status, body["status"].as_str()), (200, Some("authorized")), "{body}");
    let signed = authorization(&body).expect("a credential");
    assert_eq!(signed["authorization"]["value"], "10000");
    let (_, again) = scene.client.pay(url, &honest, "f").await;
    assert_eq!(authorization(&again), Some(signed), "the same key signed something else");
    verified(scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_and_unencrypted_addresses_are_not_fetched() {
    let (place, _) = Place::with_wallet("");
    let token = place.agent("researcher");
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    for url in [
        "http://127.0.0.1:1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0/",
        "http://example.com/",
        "https://printer.local/",
        "https://intranet/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://100.64.0.1/",
        "https://foo.localhost/",
    ] {
        let (status, body) = client.fetch(url, "k").await;
        assert_eq!((status, body["code"].as_str()), (422, Some("private_host")), "{url}: {body}");
    }
}
