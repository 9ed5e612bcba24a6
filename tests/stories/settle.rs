//! Settlement truth: what sellers claim and single nodes say moves no money back; proof does.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_desk::event::{Event, Lack};
use countersign_vault::keys::Secret;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use crate::support::{Behaves, NodeDouble, Till, World, hostile_seller::HostileSeller, shop::id, till::up_to, until};

/// What the last failed payment lacked, as the desktop is told.
fn lacked(events: &mut Receiver<Event>) -> Option<Lack> {
    std::iter::from_fn(|| events.try_recv().ok())
        .filter_map(|event| if let Event::Lacking { lack, .. } = event { Some(lack) } else { None })
        .last()
}

/// Seconds, longer than any window here and the grace after it.
const PAST: i64 = 400;
/// Anvil's final block is 64 blocks behind its newest.
const FINAL: u64 = 70;

async fn seller() -> HostileSeller {
    HostileSeller::start("0x0000000000000000000000000000000000000001").await
}

/// Status, state and settlement of an outcome.
fn stands(outcome: &Value) -> [&str; 3] {
    let payment = &outcome["payment"];
    [&outcome["status"], &payment["state"], &payment["settlement"]].map(|word| word.as_str().unwrap_or_default())
}

/// Time passes here and on the chain, whose newest block is past every window; its final block is not yet.
fn windows_end(till: &Till, world: &mut World) {
    till.wait(PAST);
    world.mine(1, PAST.unsigned_abs());
}

/// Pays the official seller with a credential the caller sends itself, and gives the payment's id.
async fn buy_by_hand(till: &Till, world: &World, key: &str) -> String {
    let url = format!("{}/cheap", world.at("seller"));
    let offer = reqwest::get(&url).await.expect("an answer");
    let header = offer.headers()["payment-required"].to_str().expect("text").to_owned();
    let challenge = serde_json::from_slice(&STANDARD.decode(header).expect("base64")).expect("JSON");
    let outcome = till.credential(&url, &challenge, key).await;
    let credential = outcome["credential"]["headers"]["PAYMENT-SIGNATURE"].as_str().expect("a header");
    let paid = reqwest::Client::new().get(&url).header("PAYMENT-SIGNATURE", credential).send().await;
    assert_eq!(paid.expect("an answer").status(), 200);
    id(&outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_authorisation_frees_its_budget_once_a_final_block_is_past_its_window() {
    let mut world = World::start();
    let seller = seller().await;
    let node = NodeDouble::start(&world.at("rpc"), Behaves::Honestly).await;
    let mut till = Till::open(&up_to("0.02"), &world.at("network"), vec![node.own()]).await;
    world.mint(&till.wallet, "1");
    let first = till.fetch(&seller.case("server-error"), "first").await;
    assert_eq!(stands(&first), ["unknown", "signed", "none"], "{first}");
    let second = till.fetch(&seller.case("second"), "second").await;
    assert_eq!(stands(&second), ["failed", "signed", "failed"], "{second}");
    assert_eq!(till.fetch(&seller.case("third"), "third").await["code"], "over_budget");

    windows_end(&till, &mut world);
    till.settles(&id(&first), "unknown", "none").await;
    till.settles(&id(&second), "unknown", "failed").await;
    let fourth = till.fetch(&seller.case("fourth"), "fourth").await;
    assert_eq!(fourth["code"], "over_budget", "no final block is past the windows yet: {fourth}");

    world.mine(FINAL, 0);
    for payment in [&first, &second] {
        let released = till.settles(&id(payment), "released", "failed").await;
        assert_eq!(released["status"], "failed", "{released}");
        assert!(released["next"].as_str().is_some_and(|next| next.contains("proved")), "{released}");
    }
    let fifth = till.fetch(&seller.case("fifth"), "fifth").await;
    assert_eq!(stands(&fifth), ["failed", "signed", "failed"], "the budget is free again: {fifth}");

    let states = node.asked("eth_call").into_iter().filter(|call| call[0]["data"].to_string().contains("e94a0102"));
    let blocks: Vec<String> = states.map(|call| call[1].as_str().expect("a block").to_owned()).collect();
    assert!(blocks.iter().any(|block| block.starts_with("0x")), "no block was asked about by its number: {blocks:?}");
    assert!(blocks.iter().all(|block| block != "finalized"), "two questions could meet two final blocks: {blocks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_single_stranger_frees_a_hold_and_two_hosts_that_agree_do() {
    use Behaves::{Down, Elsewhere, Honestly, Lagging, LyingUnused, LyingUsed};
    let mut world = World::start();
    let seller = seller().await;
    let (rpc, network) = (world.at("rpc"), world.at("network"));
    let one = NodeDouble::start(&rpc, LyingUnused).await;
    let two = NodeDouble::start(&rpc, LyingUnused).await;
    // The chain is far ahead of the tills, whose windows are all past its final block.
    world.mine(1, PAST.unsigned_abs());
    world.mine(FINAL, 0);
    for (host, behaves) in [
        ("one.example", LyingUnused),
        ("two.example", Down),
        ("two.example", Lagging),
        ("two.example", Elsewhere),
        ("two.example", LyingUsed),
    ] {
        two.behave(behaves);
        let mut till = Till::open(&up_to("0.01"), &network, vec![one.at("one.example"), two.at(host)]).await;
        world.mint(&till.wallet, "1");
        let held = till.fetch(&seller.case("server-error"), "held").await;
        assert_eq!(stands(&held), ["unknown", "signed", "none"], "{held}");
        till.wait(PAST);
        till.settles(&id(&held), "unknown", "none").await;
        let more = till.fetch(&seller.case("more"), "more").await;
        assert_eq!(more["code"], "over_budget", "one liar and {behaves:?} at {host} freed a hold: {more}");
    }

    one.behave(Honestly);
    two.behave(Honestly);
    let nodes = vec![one.at("one.example"), two.at("two.example")];
    let mut till = Till::open(&up_to("0.01"), &network, nodes).await;
    world.mint(&till.wallet, "1");
    let held = till.fetch(&seller.case("server-error"), "held").await;
    till.wait(PAST);
    till.settles(&id(&held), "released", "failed").await;
    assert_eq!(stands(&till.fetch(&seller.case("more"), "more").await), ["failed", "signed", "failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_the_chain_contradicts_is_an_unknown_outcome_and_the_hold_stays_until_proof() {
    let mut world = World::start();
    let seller = seller().await;
    let node = NodeDouble::start(&world.at("rpc"), Behaves::Honestly).await;
    let mut till = Till::open(&up_to("0.04"), &world.at("network"), vec![node.own()]).await;
    world.mint(&till.wallet, "1");
    let honest = till.fetch(&format!("{}/cheap", world.at("seller")), "honest").await;
    assert_eq!(honest["status"], "completed", "{honest}");
    let honest = till.settles(&id(&honest), "settled", "verified").await;
    let transaction = honest["payment"]["transaction"].as_str().expect("a transaction").to_owned();

    let lied = till.fetch(&seller.case(&format!("receipt-{transaction}")), "lied").await;
    assert_eq!(stands(&lied), ["completed", "signed", "claimed"], "{lied}");
    let found = till.settles(&id(&lied), "signed", "failed").await;
    assert_eq!((stands(&found)[0], found["code"].as_str()), ("unknown", Some("settlement_unknown")), "{found}");
    windows_end(&till, &mut world);
    let over = till.settles(&id(&lied), "unknown", "failed").await;
    assert_eq!(over["status"], "unknown", "{over}");
    assert_eq!(till.fetch(&seller.case("more"), "more").await["code"], "over_budget");
    world.mine(FINAL, 0);
    let released = till.settles(&id(&lied), "released", "failed").await;
    assert_eq!(released["status"], "failed", "{released}");
}

#[tokio::test(flavor = "multi_thread")]
async fn junk_for_a_transaction_is_never_asked_about_and_stops_nothing() {
    let mut world = World::start();
    let seller = seller().await;
    let node = NodeDouble::start(&world.at("rpc"), Behaves::Honestly).await;
    let mut till = Till::open(&up_to("1.00"), &world.at("network"), vec![node.own()]).await;
    world.mint(&till.wallet, "1");
    let mut claimed = Vec::new();
    for junk in
        ["junk", "0x", "0x12", "latest", &"ab".repeat(32), &format!("0x{}", "zz".repeat(32)), &"0x1".repeat(200)]
    {
        let outcome = till.fetch(&seller.case(&format!("receipt-{junk}")), &format!("k{}", claimed.len())).await;
        assert_eq!(stands(&outcome), ["completed", "signed", "claimed"], "{junk}: {outcome}");
        claimed.push(id(&outcome));
    }
    let paid = buy_by_hand(&till, &world, "paid").await;
    let receipt = json!({"success": true, "transaction": "junk", "network": world.at("network")});
    till.receipt(&paid, &STANDARD.encode(receipt.to_string())).await;
    let proved = till.settles(&paid, "settled", "verified").await;
    assert!(proved["payment"]["transaction"].as_str().is_some_and(|t| t.len() == 66), "{proved}");

    till.wait(PAST);
    for payment in &claimed {
        till.settles(payment, "unknown", "claimed").await;
    }
    let asked = node.asked("eth_getTransactionReceipt");
    assert!(asked.iter().all(|hash| hash[0] == proved["payment"]["transaction"]), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_fail_or_refuse_long_searches_stand_in_nobodys_way() {
    let mut world = World::start();
    let seller = seller().await;
    let (rpc, network) = (world.at("rpc"), world.at("network"));
    let down = NodeDouble::start(&rpc, Behaves::Down).await;
    let elsewhere = NodeDouble::start(&rpc, Behaves::Elsewhere).await;
    let stingy = NodeDouble::start(&rpc, Behaves::Stingily(10)).await;
    world.mine(50, 0);
    let nodes = vec![down.own(), elsewhere.own(), stingy.at("stingy.example")];
    let mut till = Till::open(&up_to("0.05"), &network, nodes).await;
    world.mint(&till.wallet, "1");
    let paid = buy_by_hand(&till, &world, "paid").await;
    till.settles(&paid, "settled", "verified").await;
    assert!(stingy.asked("eth_getLogs").len() > 1, "it never refused");

    stingy.behave(Behaves::Down);
    let held = till.fetch(&seller.case("server-error"), "held").await;
    windows_end(&till, &mut world);
    world.mine(FINAL, 0);
    till.settles(&id(&held), "unknown", "none").await;
    let more = till.fetch(&seller.case("more"), "more").await;
    assert_eq!(stands(&more), ["failed", "signed", "failed"], "a cent is left: {more}");
    assert_eq!(till.fetch(&seller.case("most"), "most").await["code"], "over_budget", "the hold stays");
    down.behave(Behaves::Honestly);
    till.settles(&id(&held), "released", "failed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_node_a_claim_settles_after_the_window_and_nothing_is_ever_given_back() {
    let seller = seller().await;
    let mut till = Till::open(&up_to("0.04"), "eip155:84532", Vec::new()).await;
    let table = [
        ("false-receipt", "completed", ["completed", "settled", "claimed"]),
        ("no-receipt", "completed", ["completed", "unknown", "none"]),
        ("server-error", "unknown", ["unknown", "unknown", "none"]),
        ("refuses", "failed", ["unknown", "unknown", "failed"]),
    ];
    let mut payments = Vec::new();
    for (case, status, end) in table {
        let outcome = till.fetch(&seller.case(case), case).await;
        assert_eq!((stands(&outcome)[0], stands(&outcome)[1]), (status, "signed"), "{case}: {outcome}");
        payments.push((case, id(&outcome), end));
    }
    till.look().await;
    assert_eq!(till.fetch(&seller.case("more"), "more").await["code"], "over_budget");
    for (case, payment, _) in &payments {
        assert_eq!(stands(&till.payment(payment).await)[1], "signed", "{case} before its window is over");
    }
    till.wait(PAST);
    for (case, payment, end) in payments {
        let outcome = till.settles(&payment, end[1], end[2]).await;
        assert_eq!(stands(&outcome), end, "{case}: {outcome}");
    }
    assert_eq!(till.fetch(&seller.case("most"), "most").await["code"], "over_budget", "all of it stays spent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_wallet_does_not_hold_is_refused_before_signing_and_the_key_stays_free() {
    let mut world = World::start();
    let node = NodeDouble::start(&world.at("rpc"), Behaves::Honestly).await;
    let till = Till::open(&up_to("1.00"), &world.at("network"), vec![node.own()]).await;
    let cheap = format!("{}/cheap", world.at("seller"));
    world.mint(&till.wallet, "0.02");
    let mut events = till.desk.events();
    let refused = till.fetch(&cheap, "key").await;
    assert_eq!(
        (refused["code"].as_str(), &refused["outcome"]),
        (Some("insufficient_balance"), &Value::Null),
        "{refused}"
    );
    assert_eq!(till.payments().await["payments"], json!([]), "a row was written");
    assert_eq!(lacked(&mut events), Some(Lack::Money(till.wallet.clone())));
    world.mint(&till.wallet, "0.01");
    let paid = till.fetch(&cheap, "key").await;
    assert_eq!(paid["status"], "completed", "the key is free: {paid}");

    node.behave(Behaves::Down);
    let seller = seller().await;
    let unseen = till.fetch(&seller.case("unseen"), "unseen").await;
    assert_eq!(stands(&unseen)[1], "signed", "a node that cannot tell is no reason to refuse: {unseen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_finds_the_wallets_locked_says_so_to_the_desktop_and_goes_through_once_they_are_unlocked() {
    let seller = seller().await;
    let till = Till::open(&up_to("1.00"), "eip155:8453", Vec::new()).await;
    let secret = |text: &str| Secret::copy_of(text.as_bytes());
    till.desk.vault().set_passphrase(secret(""), Some(secret("correct horse"))).await.expect("a passphrase");
    till.desk.lock_wallets_after(5);
    till.wait(301);
    assert!(till.desk.vault().lock_idle_wallets(till.desk.locks_wallets_after()));
    let mut events = till.desk.events();
    assert_eq!(till.fetch(&seller.case("unseen"), "one").await["code"], "locked");
    assert_eq!(lacked(&mut events), Some(Lack::Key));
    till.desk.vault().unlock_wallets(secret("correct horse")).await.expect("unlocked");
    assert_eq!(stands(&till.fetch(&seller.case("unseen"), "two").await)[1], "signed");
    assert_eq!(lacked(&mut events), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_of_the_future_makes_everything_ask_until_confirmed_and_an_old_one_does_not() {
    let seller = seller().await;
    for (network, seconds, doubted) in [
        ("eip155:8453", 1_000, true),
        ("eip155:8453", 100, false),
        ("eip155:8453", -100_000, false),
        ("eip155:84532", 1_000, false),
    ] {
        let node = NodeDouble::start("http://127.0.0.1:1/", Behaves::Honestly).await;
        let mut till = Till::open(&up_to("1.00"), network, vec![node.own()]).await;
        let block = till.clock_seconds().saturating_add_signed(seconds);
        node.behave(Behaves::Showing(block));
        till.look().await;
        if doubted {
            until("the clock is doubted", async || till.desk.vault().doubts().clock).await;
            let asked = till.fetch(&seller.case("asks"), "asks").await;
            assert_eq!(asked["code"], "no_approver", "{asked}");
            assert_eq!(asked["outcome"]["payment"]["decision"]["rule"], "builtin:clock-suspect", "{asked}");
            till.rest().await;
            till.desk.vault().confirm(countersign_vault::Confirm::Clock).await.expect("a confirmed clock");
        }
        let silent = till.fetch(&seller.case("silent"), "silent").await;
        assert_eq!(stands(&silent)[1], "signed", "{network}, {seconds} s: {silent}");
        // The first look at that payment is over once its window is, and it compared the clock before.
        till.wait(PAST);
        if network == "eip155:84532" || !doubted {
            till.settles(&id(&silent), "unknown", "failed").await;
            assert_eq!(till.desk.vault().doubts().clock, None, "{network}, {seconds} s");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_gets_the_goods_for_keep_hours_up_to_a_mebibyte_and_a_clear_word_after() {
    const MEBIBYTE: usize = 1024 * 1024;
    let seller = seller().await;
    let till = Till::open(&up_to("1.00"), "eip155:84532", Vec::new()).await;
    let size = |outcome: &Value| outcome["response"]["body"].as_str().map(str::len);
    let omitted = |outcome: &Value| outcome["response"]["body_omitted"].as_str().map(str::to_owned);
    let (kept, larger) = (format!("goods-{MEBIBYTE}"), format!("goods-{}", MEBIBYTE + 1));
    for (case, again, why) in [(&kept, Some(MEBIBYTE), None), (&larger, None, Some("too_large"))] {
        let first = till.fetch(&seller.case(case), case).await;
        assert!(size(&first).is_some_and(|n| n >= MEBIBYTE) && omitted(&first).is_none(), "{case} was cut at first");
        let repeat = till.fetch(&seller.case(case), case).await;
        assert_eq!((size(&repeat), omitted(&repeat).as_deref()), (again, why), "{case}");
    }
    till.wait(3_599);
    assert_eq!(size(&till.fetch(&seller.case(&kept), &kept).await), Some(MEBIBYTE), "within the hour");
    till.wait(2);
    till.fetch(&seller.case("something-else"), "something-else").await;
    for (case, why) in [(&kept, "expired"), (&larger, "too_large")] {
        let late = till.fetch(&seller.case(case), case).await;
        assert_eq!((late["status"].as_str(), omitted(&late).as_deref()), (Some("completed"), Some(why)), "{late}");
        assert_eq!(late["response"]["status"], 200, "the head stays");
        assert_eq!(seller.credentials(case).len(), 1, "{case} was bought again");
    }
}
