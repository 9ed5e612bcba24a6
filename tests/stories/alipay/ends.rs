//! How a payment ends where a provider has to say so: its word moves it, silence and doubt free nothing.

use countersign_core::{money::Amount, signable::Signable};
use countersign_desk::provider::{Provider, Seen};
use countersign_vault::Record;
use std::sync::{Arc, Mutex};

use crate::support::{Till, hostile_seller::HostileSeller, shop::id, till::up_to};

/// Longer than a window and the grace after it, in seconds.
const PAST: i64 = 400;

/// Says what it is told to.
#[derive(Debug)]
struct Scripted(Mutex<Result<Seen, String>>);

impl Scripted {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Ok(Seen::NotMoved))))
    }

    fn says(&self, seen: Result<Seen, String>) {
        *self.0.lock().unwrap() = seen;
    }
}

#[async_trait::async_trait]
impl Provider for Scripted {
    async fn look(&self, _: &Record, _: &[Signable]) -> Result<Seen, String> {
        self.0.lock().unwrap().clone()
    }

    fn can_look(&self, _: &Record) -> bool {
        self.0.lock().unwrap().is_ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_refusal_that_a_later_question_confirms_frees_a_hold() {
    let provider = Scripted::new();
    let seller = HostileSeller::start("0x0000000000000000000000000000000000000001").await;
    let mut till = Till::provided(&up_to("0.03"), provider.clone()).await;
    let unknown = till.fetch(&seller.case("server-error"), "unknown").await;
    let refused = till.fetch(&seller.case("refused"), "refused").await;
    let open = till.fetch(&seller.case("another"), "open").await;
    assert_eq!((&unknown["status"], &refused["status"]), (&"unknown".into(), &"failed".into()), "{refused}");
    assert_eq!(till.fetch(&seller.case("more"), "more").await["code"], "over_budget");

    provider.says(Ok(Seen::Open));
    till.wait(PAST);
    till.settles(&id(&open), "signed", "failed").await;
    provider.says(Err("no answer".to_owned()));
    till.wait(PAST);
    till.settles(&id(&unknown), "unknown", "none").await;
    till.settles(&id(&refused), "unknown", "failed").await;
    assert_eq!(till.fetch(&seller.case("still"), "still").await["code"], "over_budget");
    provider.says(Ok(Seen::NotMoved));
    till.settles(&id(&refused), "released", "failed").await;
    till.settles(&id(&unknown), "unknown", "none").await;
    let moved = Seen::Moved { transaction: Some("T1".to_owned()), amount: Amount::parse_atomic("10000").unwrap() };
    provider.says(Ok(moved));
    let settled = till.settles(&id(&unknown), "settled", "verified").await;
    assert_eq!(settled["payment"]["transaction"], "T1");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_be_looked_for_after_its_month_or_where_nobody_can_be_asked() {
    let provider = Scripted::new();
    let seller = HostileSeller::start("0x0000000000000000000000000000000000000001").await;
    let till = Till::provided(&up_to("0.03"), provider.clone()).await;
    let told = till.fetch(&seller.case("server-error"), "unknown").await;
    let record = till.desk.vault().payment(&id(&told).parse().unwrap()).await.unwrap().unwrap();
    assert!(record.watched && till.desk.is_watched(&record));
    provider.says(Err("another merchant".to_owned()));
    assert!(!till.desk.is_watched(&record));
    provider.says(Ok(Seen::Open));
    till.wait(31 * 24 * 3600);
    assert!(!till.desk.is_watched(&record));
}
