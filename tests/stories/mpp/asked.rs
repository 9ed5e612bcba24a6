//! Questions that outlive their price, and budgets that know no protocol.

use async_trait::async_trait;
use countersign_core::{
    approval::{Answer, Yes},
    payment::PaymentId,
};
use countersign_desk::approver::{Approver, Change, Showing};
use countersign_vault::{Clock as _, ManualClock};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::support::{
    HostileMpp, Till,
    hostile_mpp::{carried, challenge as challenge_of, request},
    hostile_seller::HostileSeller,
    till::up_to,
};

const PAYER: &str = "0x0000000000000000000000000000000000000001";

/// Says yes to everything, after so many seconds.
struct Slow {
    clock: Arc<ManualClock>,
    seconds: Arc<AtomicI64>,
}

#[async_trait]
impl Approver for Slow {
    fn reachable(&self) -> bool {
        true
    }

    async fn ask(&self, showing: Showing) -> Answer {
        self.clock.advance_ms(self.seconds.load(Ordering::SeqCst) * 1_000);
        let payment = showing.question.payment_id.clone();
        Answer::Yes(Yes { payment, display_hash: showing.display_hash(), through: "scripted".into() })
    }

    async fn confirm(&self, _: Change) -> bool {
        false
    }

    fn outcome(&self, _: &PaymentId, _: &str, _: Option<countersign_core::approval::Said>) {}
}

/// A desk that asks about everything, and how long its person takes.
pub(super) async fn slow(policy: &str) -> (Till, Arc<AtomicI64>) {
    let seconds = Arc::new(AtomicI64::new(0));
    let own = seconds.clone();
    let till = Till::asking(policy, "eip155:84532", Vec::new(), |clock| Arc::new(Slow { clock, seconds: own })).await;
    (till, seconds)
}

/// A policy that lets nothing through by itself.
pub(super) const ASK: &str =
    "format = 1\nname = \"ask\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\nrule = []\n";

fn challenge(seller: &HostileMpp, case: &str) -> Value {
    carried(&seller.credentials(case)[0].1)["challenge"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_of_thirty_seconds_is_approved_first_and_taken_anew_once_if_it_expired() {
    let (till, seconds) = slow(ASK).await;
    let seller = HostileMpp::start_at(&till.wallet, till.clock.clone(), 30).await;
    // In time: the price that was judged is signed, with what is left of its life.
    seconds.store(20, Ordering::SeqCst);
    let quick = till.fetch(&seller.case("quick"), "quick").await;
    assert_eq!(quick["status"], "completed", "{quick}");
    assert_eq!(challenge(&seller, "quick")["id"], "quick-1");
    // Too late: the same price anew, one request more, and no second question.
    seconds.store(60, Ordering::SeqCst);
    let late = till.fetch(&seller.case("late"), "late").await;
    assert_eq!(late["status"], "completed", "{late}");
    assert_eq!((challenge(&seller, "late")["id"].as_str(), seller.requests("late")), (Some("late-2"), 3));
    let again = till.fetch(&seller.case("late"), "late").await;
    assert_eq!(again["payment"]["id"], late["payment"]["id"]);
    assert_eq!(seller.all(), 2, "one credential each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_changed_while_a_person_decided_is_not_paid_on_their_word() {
    let (till, seconds) = slow(ASK).await;
    let seller = HostileMpp::start_at(&till.wallet, till.clock.clone(), 30).await;
    seconds.store(60, Ordering::SeqCst);
    for case in [
        "grows",
        "moves",
        "other-host",
        "third-host",
        "other-words",
        "shortens",
        "strays",
        "turns-x402",
        "turns-free",
        "turns-tempo",
        "dies-at-once",
    ] {
        let changed = till.fetch(&seller.case(case), case).await;
        assert_eq!(changed["code"], "offer_expired", "{case}: {changed}");
        assert_eq!(changed["outcome"]["payment"]["state"], "refused", "{case}: {changed}");
        assert_eq!(seller.credentials(case).len(), 0, "{case} was paid");
        let repeat = till.fetch(&seller.case(case), case).await;
        assert_eq!(repeat["code"], "approval_expired", "{case}: its key is used up: {repeat}");
    }
    // What may do something is not done again for a price.
    let posted = till.fetch_with(&seller.case("posted"), "posted", json!({"method": "POST", "body": "x"})).await;
    assert_eq!((posted["code"].as_str(), seller.requests("posted")), (Some("offer_expired"), 1), "{posted}");
    // What a caller brought cannot be taken anew.
    let brought = challenge_of("brought", &request(), till.clock.wall(), 30);
    let url = seller.case("brought");
    let late = till.credential_by("mpp", &url, &brought, "brought").await;
    assert_eq!((late["code"].as_str(), seller.requests("brought")), (Some("offer_expired"), 0), "{late}");
    // Under a new key the new price is asked about.
    seconds.store(0, Ordering::SeqCst);
    let asked = till.fetch(&seller.case("grows"), "grows-again").await;
    assert_eq!(
        (asked["status"].as_str(), asked["payment"]["amount"]["amount"].as_str()),
        (Some("completed"), Some("0.02"))
    );
    assert_eq!(seller.all(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_the_agent_sends_is_never_left_out_for_a_payment() {
    let till = Till::open(&up_to("1.00"), "eip155:84532", Vec::new()).await;
    let seller = HostileMpp::start_at(PAYER, till.clock.clone(), 300).await;
    let login = json!({"headers": {"Authorization": "Bearer own"}});
    let refused = till.fetch_with(&seller.case("login"), "login", login.clone()).await;
    assert_eq!((refused["code"].as_str(), seller.all()), (Some("bad_request"), 0), "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("the header authorization"), "{refused}");
    // Nothing was written down: the same key serves the request without it.
    let without = till.fetch(&seller.case("login"), "login").await;
    assert_eq!(without["status"], "completed", "{without}");
    let beside = till.fetch_with(&seller.case("own-header"), "beside", login).await;
    assert_eq!(beside["status"], "completed", "{beside}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_weekly_budget_counts_both_protocols_in_any_order() {
    for order in [["x402", "mpp", "x402", "mpp"], ["mpp", "mpp", "x402", "x402"]] {
        let till = Till::open(&up_to("0.03"), "eip155:84532", Vec::new()).await;
        let (x402, mpp) =
            (HostileSeller::start(PAYER).await, HostileMpp::start_at(PAYER, till.clock.clone(), 300).await);
        for (n, rail) in order.iter().enumerate() {
            let page = format!("no-receipt{}", if *rail == "mpp" { n.to_string() } else { String::new() });
            let url = if *rail == "mpp" { mpp.case(&page) } else { x402.case(&page) };
            let outcome = till.fetch(&url, &format!("{n}")).await;
            if n < 3 {
                assert_eq!(
                    (outcome["status"].as_str(), outcome["payment"]["rail"].as_str()),
                    (Some("completed"), Some(*rail)),
                    "{outcome}"
                );
            } else {
                assert_eq!(outcome["code"], "over_budget", "{rail} did not count: {outcome}");
                assert_eq!(outcome["outcome"]["payment"]["decision"]["rule"], "budget:week");
            }
        }
        let payments = till.payments().await;
        let rails: Vec<&str> =
            payments["payments"].as_array().unwrap().iter().map(|p| p["rail"].as_str().unwrap()).collect();
        assert_eq!(rails.len(), 4, "one history: {rails:?}");
    }
}
