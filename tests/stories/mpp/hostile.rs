//! Challenges that fooled the official clients, and answers that made them pay three times.

use serde_json::Value;

use super::BY_ANY_METHOD;
use crate::support::{
    Client, HostileMpp, Place, Service,
    hostile_mpp::{ACCEPTS, carried},
};

/// Everything up to a dollar goes through silently, except what a ceiling stops; above 20 is refused.
fn policy(day: &str) -> String {
    format!(
        r#"
format = 1
name = "easy"
reference = "USD"
timezone = "UTC"
mode = "enforce"
known = []
rule = [
  {{ id = "limit-payment", effect = "deny", when = {{ exposure = {{ gt = "20.00" }} }} }},
  {{ id = "small", effect = "allow", when = {{ exposure = {{ le = "1.00" }} }} }},
]
budget = [{{ id = "limit-day", scope = [], window = "calendar:day", max_amount = "{day}", on_exceed = "deny" }}]
"#
    )
}

struct Scene {
    seller: HostileMpp,
    service: Service,
    client: Client,
    place: Place,
}

async fn scene(day: &str) -> Scene {
    let (place, payer) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(&policy(day));
    let token = place.agent("researcher");
    let seller = HostileMpp::start(&payer).await;
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    Scene { seller, service, client, place }
}

fn close(scene: Scene) {
    scene.service.stop();
    let report = scene.place.ok(&["verify", "--json"]);
    assert_eq!(report["faults"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hostile_challenge_gets_a_silent_signature() {
    let scene = scene("100.00").await;
    let own = [
        ("decimals", 422, "asset_mismatch"),
        ("split", 422, "unsupported_offer"),
        ("split-above", 422, "unsupported_offer"),
        ("only-tempo", 422, "unsupported_offer"),
        ("only-stripe", 422, "unsupported_offer"),
        ("no-challenge", 422, "unsupported_offer"),
    ];
    for (case, status, code) in BY_ANY_METHOD.into_iter().chain(own) {
        let (got, body) = scene.client.fetch(&scene.seller.case(case), case).await;
        assert_eq!((got, body["code"].as_str()), (status, Some(code)), "{case}: {body}");
        assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{case} has no sentence");
        let rule = match case {
            "other-realm" => "builtin:other-resource",
            "redirected" => "builtin:redirected",
            _ => continue,
        };
        assert_eq!(body["outcome"]["payment"]["decision"]["rule"], rule, "{case}: {body}");
    }
    for (case, http) in [("free-receipt", 200), ("500-challenge", 500)] {
        let (status, body) = scene.client.fetch(&scene.seller.case(case), case).await;
        assert_eq!((status, body["status"].as_str()), (200, Some("not_required")), "{case}: {body}");
        assert_eq!((body["response"]["status"].as_u64(), &body["payment"]), (Some(http), &Value::Null), "{case}");
    }
    assert_eq!(scene.seller.all(), 0, "something was signed");
    let (_, named) = scene.client.fetch(&scene.seller.case("only-tempo"), "named").await;
    assert!(named["detail"].as_str().is_some_and(|detail| detail.contains("tempo/charge is turned off")), "{named}");
    close(scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_back_one_credential_left_and_its_amount_stays_held() {
    let table = [
        ("mixed", "completed", "none"),
        ("spaced", "completed", "none"),
        ("own-header", "completed", "none"),
        ("forever", "unknown", "none"),
        ("problem", "unknown", "none"),
        ("server-error", "unknown", "none"),
        ("500-receipt", "unknown", "none"),
        ("drops", "unknown", "none"),
        ("redirect", "unknown", "none"),
        ("broken-receipt", "completed", "none"),
        ("false-receipt", "completed", "claimed"),
    ];
    let scene = scene("0.11").await;
    for (case, status, settlement) in table {
        let (http, body) = scene.client.fetch(&scene.seller.case(case), case).await;
        let got = (body["status"].as_str(), body["payment"]["state"].as_str(), body["payment"]["settlement"].as_str());
        assert_eq!((http, got), (200, (Some(status), Some("signed"), Some(settlement))), "{case}: {body}");
        let sent = scene.seller.credentials(case);
        assert_eq!((sent.len(), scene.seller.requests(case)), (1, 2), "{case}");
        let header = if case == "own-header" { "payment-authorization" } else { "authorization" };
        assert_eq!(sent[0].0, header, "{case}");
        assert_eq!(carried(&sent[0].1)["challenge"]["id"], format!("{case}-1"), "the challenge that was judged");
    }
    assert_eq!(scene.seller.requests("landed"), 0, "a paid request followed a redirect");
    assert_eq!(scene.seller.requests(ACCEPTS), 0, "what can be paid is told to nobody who did not ask");
    let (status, over) = scene.client.fetch(&scene.seller.case("one-more"), "one-more").await;
    assert_eq!((status, over["code"].as_str()), (403, Some("over_budget")), "something was given back: {over}");
    close(scene);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_sent_again_with_the_same_bytes_and_asks_under_a_new_key() {
    let scene = scene("100.00").await;
    // A receipt beside an error is the word of who did not deliver.
    for case in ["forever", "500-receipt"] {
        let url = scene.seller.case(case);
        for _ in 0..3 {
            let (_, body) = scene.client.fetch(&url, case).await;
            assert_eq!(body["status"], "unknown", "{body}");
        }
        let sent = scene.seller.credentials(case);
        assert_eq!(sent.len(), 3, "{case}");
        assert!(sent.iter().all(|credential| *credential == sent[0]), "a repeat made another credential");
        let (status, body) = scene.client.fetch(&url, &format!("{case}-two")).await;
        assert_eq!(
            (status, body["outcome"]["payment"]["decision"]["rule"].as_str()),
            (403, Some("builtin:possible-duplicate")),
            "{case}: {body}"
        );
        assert_eq!(scene.seller.credentials(case).len(), 3, "{case}");
    }

    let (_, first) = scene.client.fetch(&scene.seller.case("same-id"), "a").await;
    assert_eq!(first["status"], "completed", "{first}");
    let (status, second) = scene.client.fetch(&scene.seller.case("same-id"), "b").await;
    assert_eq!((status, second["code"].as_str()), (422, Some("offer_used")), "one challenge was paid twice: {second}");
    assert_eq!(scene.seller.credentials("same-id").len(), 1);
    close(scene);
}
