//! `countersign fetch`, the curl that pays: through the running service, with the body on stdout and the payment on stderr.

use serde_json::Value;
use std::process::Output;

use crate::support::Shop;

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn countersign_fetch_pays_like_curl_and_says_what_it_paid() {
    let mut shop = Shop::open("deny", "");
    let fetch = |words: &[&str]| said(&shop.place.run(&[&["fetch", "--agent", "researcher"], words].concat()));

    let (exit, out, err) = fetch(&[&shop.page("/cheap"), "--key", "once"]);
    assert_eq!(exit, Some(0), "{out}{err}");
    let body: Value = serde_json::from_str(&out).expect("nothing but the body on stdout");
    assert_eq!(body["path"], "/cheap");
    assert!(err.contains("completed 0.03 USDC to http://127.0.0.1:"), "{err}");
    assert_eq!(fetch(&[&shop.page("/cheap"), "--key", "once"]).1, out, "the same name is the same purchase");

    let posted = shop.page("/echo");
    let (exit, out, err) =
        fetch(&[&posted, "-d", r#"{"a":1}"#, "-H", "Content-Type: application/json", "--max", "0.02 USDC"]);
    assert_eq!(exit, Some(0), "{out}{err}");
    let echoed: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((echoed["method"].as_str(), echoed["body"]["a"].as_u64()), (Some("POST"), Some(1)), "{echoed}");

    let (exit, out, err) = fetch(&[&shop.page("/free")]);
    assert!(exit == Some(0) && out.contains("no payment needed") && err.is_empty(), "{out}{err}");
    let (exit, out, err) = fetch(&[&shop.page("/cheap"), "--max", "0.01"]);
    assert!(exit == Some(1) && out.is_empty() && err.contains("your maximum 0.01 USD"), "{out}{err}");
    let (exit, out, err) = fetch(&[&shop.page("/report")]);
    assert!(exit == Some(3) && out.is_empty() && err.contains("needs a person"), "{out}{err}");
    let (exit, out, _) = fetch(&[&shop.page("/report"), "--json"]);
    let problem: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((exit, problem["code"].as_str()), (Some(3), Some("no_approver")), "{problem}");
    let (exit, _, err) = said(&shop.place.run(&["fetch", &shop.page("/cheap")]));
    assert!(exit == Some(1) && err.contains("--agent NAME"), "{err}");
    assert_eq!(said(&shop.place.run(&["fetch"])).0, Some(2), "usage");

    let (_, list) = shop.client.get("/v1/payments").await;
    for payment in list["payments"].as_array().expect("a list").iter().filter(|payment| payment["state"] != "refused") {
        shop.verified(payment["id"].as_str().expect("an id")).await;
    }
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.95");
    let (_, place) = shop.close();
    let (exit, _, err) = said(&place.run(&["fetch", "https://api.example/"]));
    assert!(exit == Some(5) && err.contains("not running"), "{err}");
}
