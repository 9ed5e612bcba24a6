//! A disk that fills up under the running service: it refuses and says why, forgets nothing that left, and goes on when there is room.
//!
//! Needs the feature `faults`, which `cargo xtask test` builds with: every write of the ledger fails while a file exists.

use axum::{Router, extract::State, http::HeaderMap, response::IntoResponse as _, routing::get};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::support::{
    Client, Place, Service,
    hostile_seller::{offer, payment_required, required},
    shop::LIMITS,
    until,
};

struct Open {
    _place: Place,
    service: Service,
    client: Client,
    full: PathBuf,
}

fn open() -> Open {
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    let full = place.path().join("the-disk-is-full");
    let service = place.serve_with("deny", &[("COUNTERSIGN_FAULT", &format!("full_while={}", full.display()))]);
    let client = Client::new(&service.url, &token);
    Open { _place: place, service, client, full }
}

/// A seller during whose answer to a paid request the disk fills up.
async fn seller(full: &Path) -> (String, Arc<AtomicUsize>) {
    let (credentials, listener) =
        (Arc::new(AtomicUsize::new(0)), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("http://{}", listener.local_addr().unwrap());
    let state = (credentials.clone(), full.to_owned(), url.clone());
    let serve = async |State((credentials, full, url)): State<(Arc<AtomicUsize>, PathBuf, String)>,
                       headers: HeaderMap| {
        if headers.contains_key("payment-signature") {
            if credentials.fetch_add(1, Ordering::SeqCst) == 0 {
                std::fs::write(&full, "").unwrap();
                // The fault looks every two milliseconds.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            return "the page".into_response();
        }
        payment_required(&required(&format!("{url}/page"), vec![offer()]))
    };
    let router = Router::new().route("/page", get(serve)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("{url}/page"), credentials)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_says_why_and_is_over_when_there_is_room() {
    let open = open();
    let pay = async |key: &str| {
        let url = "https://api.example/thing";
        open.client.pay(url, &required(url, vec![offer()]), key).await
    };
    let (status, paid) = pay("before").await;
    assert_eq!((status, paid["status"].as_str()), (200, Some("authorized")), "{paid}");
    std::fs::write(&open.full, "").unwrap();
    // A payment that came before the disk was seen to be full went through; the next one has another key.
    let mut tries = 0;
    let refused = until("a refusal", async || {
        tries += 1;
        let (status, problem) = pay(&format!("while-{tries}")).await;
        (status == 503).then_some(problem)
    })
    .await;
    assert_eq!(refused["code"], "storage_unavailable", "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|why| why.contains("full")), "it says why: {refused}");
    assert!(refused.get("credential").is_none() && refused.get("outcome").is_none(), "{refused}");
    let (status, again) = open.client.get(&format!("/v1/payments/{}", paid["payment"]["id"].as_str().unwrap())).await;
    assert_eq!(
        (status, again["status"].as_str()),
        (200, Some("authorized")),
        "what was paid can be looked at: {again}"
    );
    std::fs::remove_file(&open.full).unwrap();
    until("payments going on by themselves", async || {
        let (status, _) = pay("after").await;
        (status == 200).then_some(())
    })
    .await;
    let (status, first) = pay("before").await;
    assert_eq!((status, &first["payment"]["id"]), (200, &paid["payment"]["id"]));
    open.service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_answer_that_cannot_be_written_down_is_unknown_and_the_same_bytes_go_again() {
    let open = open();
    let (page, credentials) = seller(&open.full).await;
    let (status, outcome) = open.client.fetch(&page, "one").await;
    assert_eq!((status, outcome["status"].as_str()), (200, Some("unknown")), "never 'nothing was paid': {outcome}");
    assert_eq!(outcome["response"]["body"], "the page", "{outcome}");
    std::fs::remove_file(&open.full).unwrap();
    let after = until("the same payment, answered", async || {
        let (status, outcome) = open.client.fetch(&page, "one").await;
        (status == 200 && outcome["status"] == "completed").then_some(outcome)
    })
    .await;
    assert_eq!(after["payment"]["id"], outcome["payment"]["id"]);
    assert!(credentials.load(Ordering::SeqCst) >= 2, "the same bytes were sent again");
    let (_, list) = open.client.get("/v1/payments").await;
    assert_eq!(list["payments"].as_array().map(Vec::len), Some(1), "{list}");
    open.service.stop();
}
