//! Canaries: a known key, a known passphrase, a token and every credential that left are searched for in everything the program wrote.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::path::Path;

use crate::support::{
    Client, Place,
    client::authorization,
    hostile_seller::{HostileSeller, offer, required},
};

const KEY: &str = "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77";
const URL: &str = "https://api.example/thing";

#[tokio::test(flavor = "multi_thread")]
async fn keys_tokens_and_credentials_are_in_no_log_and_no_file() {
    let place = Place::new("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let outside = tempfile::tempdir().unwrap();
    let key_file = outside.path().join("key");
    std::fs::write(&key_file, KEY).unwrap();
    let payer = place.ok(&["wallet", "import", "--key-file", key_file.to_str().unwrap(), "--json"]);
    let token = place.agent("researcher");
    let log = outside.path().join("log");
    let mut service = place.serve_logged("terminal", &log);
    let client = Client::new(&service.url, &token);

    let seller = HostileSeller::start(payer["address"].as_str().unwrap()).await;
    let url = seller.case("drops");
    let fetching = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        async move { client.fetch(&url, "fetched").await }
    });
    tokio::task::block_in_place(|| service.answer_next(true));
    fetching.await.unwrap();
    let body = serde_json::json!({
        "rail": "x402", "url": URL, "challenge": required(URL, vec![offer()]), "idempotency_key": "paid", "wait_seconds": 20,
    });
    let paying = tokio::spawn({
        let client = client.clone();
        async move { client.post("/v1/payments", &body).await }
    });
    tokio::task::block_in_place(|| service.answer_next(true));
    let paid = paying.await.unwrap();
    let (status, _) = Client::new(&service.url, "cs1_wrong_token").get("/healthz").await;
    assert_eq!(status, 401);
    service.stop();

    let signed = authorization(&paid.1).expect("a credential");
    let sent = seller.credentials("drops");
    assert_eq!(sent.len(), 1);
    let mut canaries = vec![
        ("key", KEY.to_owned()),
        ("token", token.clone()),
        ("token's secret", token.rsplit('_').next().unwrap().to_owned()),
    ];
    canaries.push(("fetched credential", sent[0].clone()));
    canaries.push(("paid signature", signed["signature"].as_str().unwrap().trim_start_matches("0x").to_owned()));
    let fetched: serde_json::Value = serde_json::from_slice(&STANDARD.decode(&sent[0]).unwrap()).unwrap();
    canaries.push((
        "fetched signature",
        fetched["payload"]["signature"].as_str().unwrap().trim_start_matches("0x").to_owned(),
    ));

    let logged = std::fs::read(&log).unwrap();
    assert!(logged.len() > 1000, "the log at TRACE is empty: {} bytes", logged.len());
    let mut searched = 1;
    search(&log, &logged, &canaries);
    for file in std::fs::read_dir(place.path()).unwrap().map(|f| f.unwrap().path()) {
        let ours = ["passphrase", "policy-of-the-test.toml"].iter().any(|name| file.ends_with(name));
        if file.is_file() && !ours {
            search(&file, &std::fs::read(&file).unwrap(), &canaries);
            searched += 1;
        }
    }
    assert!(searched >= 4, "only {searched} files were searched");
}

/// Each canary as text, as bytes, and as base64 of its bytes.
fn search(path: &Path, content: &[u8], canaries: &[(&str, String)]) {
    for (name, canary) in canaries {
        let mut forms =
            vec![canary.clone().into_bytes(), canary.to_uppercase().into_bytes(), STANDARD.encode(canary).into_bytes()];
        if let Ok(bytes) = alloy::hex::decode(canary) {
            forms.push(STANDARD.encode(&bytes).into_bytes());
            forms.push(bytes);
        }
        for form in forms.iter().filter(|f| f.len() >= 16) {
            let found = content.windows(form.len()).any(|window| window == form.as_slice());
            assert!(!found, "the {name} is in {}", path.display());
        }
    }
}
