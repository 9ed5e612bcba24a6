//! The service against its own contract, by a tester that knows nothing but `GET /v1/openapi.json`.

use std::{fs, path::Path, process::Command};

use crate::support::{Client, Place, hostile_seller::HostileSeller, python::python, shop::LIMITS};

#[tokio::test(flavor = "multi_thread")]
async fn the_service_answers_as_its_contract_says_whatever_it_is_asked() {
    let (place, payer) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\ntimeout_seconds = 5\n");
    place.policy(LIMITS);
    let token = place.agent("tester");
    let seller = HostileSeller::start(&payer).await;
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    let (_, contract) = client.get("/v1/openapi.json").await;
    let document = place.path().join("openapi.json");
    fs::write(&document, contract.to_string()).expect("a file");

    let mut tester = Command::new(python("openapi", "schemathesis"));
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
    tester.args(["--config-file", "schemathesis.toml", "run"]).arg(&document).args(["--url", &service.url]);
    tester.current_dir(settings).env("TOKEN", &token).env("SELLER", &seller.url).env("PYTHONDONTWRITEBYTECODE", "1");
    tester.env("HYPOTHESIS_STORAGE_DIRECTORY", place.path().join("hypothesis"));
    let output =
        tokio::task::spawn_blocking(move || tester.output()).await.expect("a thread").expect("the tester runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("15 passed"), "not every operation was tested");

    let (status, list) = client.get("/v1/payments?limit=500").await;
    assert_eq!(status, 200);
    let payments = list["payments"].as_array().expect("a list");
    for state in ["signed", "refused"] {
        assert!(payments.iter().any(|payment| payment["state"] == state), "the tester made no payment {state}");
    }
    service.stop();
    assert_eq!(place.ok(&["verify", "--json"])["faults"], serde_json::json!([]));
}
