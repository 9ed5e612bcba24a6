//! The official MPP server (mppx) is paid on a real chain: in silence, after a question, or not at all.

use serde_json::{Value, json};

use crate::support::{Mppx, Shop, hostile_mpp::carried, shop::id};

/// MPP is tried first; the shop's own policy knows no protocol.
const FIRST: &str = "[rails]\nfirst = \"mpp\"\n";

fn open(approver: &str, config: &str) -> (Shop, Mppx) {
    let shop = Shop::open(approver, config);
    let seller = Mppx::start(&shop.world);
    (shop, seller)
}

/// Credentials that reached a page.
fn sent(seen: &Value, page: &str) -> usize {
    seen["credentials"].as_array().expect("a list").iter().filter(|sent| sent["page"] == page).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_server_is_paid_in_silence_and_once_whatever_it_answers() {
    let (mut shop, seller) = open("deny", FIRST);
    in_silence(&mut shop, &seller).await;
    by_the_caller(&mut shop, &seller).await;
    that_asks_again(&mut shop, &seller).await;
    shop.close();
}

/// A page is proved on chain, and bought once under one key; a free one costs nothing, and a dear one is refused.
async fn in_silence(shop: &mut Shop, seller: &Mppx) {
    let (status, first) = shop.client.fetch(&seller.page("/cheap"), "cheap").await;
    assert_eq!((status, first["status"].as_str()), (200, Some("completed")), "{first}");
    let payment = &first["payment"];
    assert_eq!((payment["rail"].as_str(), payment["scheme"].as_str()), (Some("mpp"), Some("evm/charge")));
    assert_eq!(payment["amount"]["amount"], "0.03");
    assert_eq!(payment["payee"]["account"], shop.world.at("pay_to"));
    assert_eq!(
        (payment["decision"]["rule"].as_str(), payment["settlement"].as_str()),
        (Some("micro"), Some("claimed"))
    );

    let (_, again) = shop.client.fetch(&seller.page("/cheap"), "cheap").await;
    assert_eq!((&again["payment"]["id"], &again["response"]["body"]), (&payment["id"], &first["response"]["body"]));
    let (_, both) = shop.client.fetch(&seller.page("/both"), "both").await;
    assert_eq!((both["status"].as_str(), both["payment"]["rail"].as_str()), (Some("completed"), Some("mpp")), "{both}");
    let (_, free) = shop.client.fetch(&seller.page("/free"), "free").await;
    assert_eq!(free["status"], "not_required", "{free}");
    let (status, huge) = shop.client.fetch(&seller.page("/huge"), "huge").await;
    assert_eq!((status, huge["code"].as_str()), (403, Some("denied_by_rule")), "{huge}");

    for outcome in [&first, &both] {
        assert_eq!(shop.verified(&id(outcome)).await["payment"]["state"], "settled");
    }
    let seen = seller.seen().await;
    assert_eq!([sent(&seen, "/cheap"), sent(&seen, "/both")], [1, 1], "{seen}");
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.96");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_with_the_same_question_and_one_that_offers_both_is_paid_by_x402_first() {
    let (mut shop, seller) = open("terminal", "");
    for (yes, key) in [(true, "yes"), (false, "no")] {
        let (client, page) = (shop.client.clone(), seller.page("/report"));
        let asked = tokio::spawn(async move { client.fetch_waiting(&page, key, 120).await });
        let question = shop.service.answer_next(yes);
        assert_eq!(question["amount"], "4.20 USD");
        assert_eq!(question["payee"], format!("{} {}", seller.page(""), shop.world.at("pay_to")));
        let (status, outcome) = asked.await.expect("an answer");
        if yes {
            assert_eq!((status, outcome["status"].as_str()), (200, Some("completed")), "{outcome}");
            shop.verified(&id(&outcome)).await;
        } else {
            assert_eq!((status, outcome["code"].as_str()), (403, Some("denied_by_human")), "{outcome}");
        }
    }
    let (_, both) = shop.client.fetch(&seller.page("/both"), "both").await;
    assert_eq!(
        (both["status"].as_str(), both["payment"]["rail"].as_str()),
        (Some("completed"), Some("x402")),
        "{both}"
    );
    shop.verified(&id(&both)).await;
    assert_eq!(seller.seen().await["settled"].as_array().map(Vec::len), Some(2), "each was paid once, in one protocol");
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "95.79");
    shop.close();
}

/// A server that settles and asks again, breaks, hangs up or says nothing gets one credential, and its money once.
async fn that_asks_again(shop: &mut Shop, seller: &Mppx) {
    let settled = seller.seen().await["settled"].as_array().map_or(0, Vec::len);
    let mut paid = Vec::new();
    for (page, status) in
        [("/forever", "unknown"), ("/breaks", "unknown"), ("/drops", "unknown"), ("/silent", "completed")]
    {
        let (http, outcome) = shop.client.fetch(&seller.page(page), page).await;
        assert_eq!((http, outcome["status"].as_str()), (200, Some(status)), "{page}: {outcome}");
        assert_eq!(outcome["payment"]["settlement"], "none", "{page}: {outcome}");
        paid.push(id(&outcome));
    }
    let (_, refused) = shop.client.fetch(&seller.page("/refuses"), "/refuses").await;
    assert_eq!((refused["status"].as_str(), refused["code"].as_str()), (Some("unknown"), Some("settlement_unknown")));
    assert_eq!(refused["payment"]["state"], "signed", "a refusal frees nothing: {refused}");

    for payment in &paid {
        let outcome = shop.verified(payment).await;
        assert_eq!(
            (outcome["status"].as_str(), outcome["payment"]["state"].as_str()),
            (Some("completed"), Some("settled"))
        );
    }
    // What is proved to be paid is not sent again.
    let (_, repeat) = shop.client.fetch(&seller.page("/forever"), "/forever").await;
    assert_eq!((repeat["status"].as_str(), &repeat["payment"]["id"]), (Some("completed"), &json!(paid[0])), "{repeat}");
    let seen = seller.seen().await;
    for page in ["/forever", "/breaks", "/drops", "/silent", "/refuses"] {
        assert_eq!(sent(&seen, page), 1, "{page}: {seen}");
    }
    assert_eq!(seen["settled"].as_array().map(Vec::len), Some(settled + 4), "{seen}");
    let (wallet, seller) = (shop.wallet.clone(), shop.world.at("pay_to"));
    assert_eq!([shop.world.balance(&wallet), shop.world.balance(&seller)], ["99.89", "0.11"]);
}

/// A credential that the caller sends itself is taken too, and its challenge is paid once.
async fn by_the_caller(shop: &mut Shop, seller: &Mppx) {
    let url = seller.page("/cheap");
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let priced = http.get(&url).send().await.expect("an answer");
    assert_eq!(priced.status(), 402);
    let challenge = priced.headers()["www-authenticate"].to_str().expect("text").to_owned();
    let (status, outcome) = shop.client.pay_by("mpp", &url, &json!(challenge), "own").await;
    assert_eq!((status, outcome["status"].as_str()), (200, Some("authorized")), "{outcome}");
    let credential = outcome["credential"]["headers"]["Authorization"].as_str().expect("a header").to_owned();
    assert_eq!(carried(&credential)["challenge"]["realm"], "127.0.0.1");
    let (_, same) = shop.client.pay_by("mpp", &url, &json!(challenge), "own").await;
    assert_eq!(same["credential"], outcome["credential"], "the same key is the same credential");
    let (status, twice) = shop.client.pay_by("mpp", &url, &json!(challenge), "another-key").await;
    assert_eq!((status, twice["code"].as_str()), (422, Some("offer_used")), "one challenge, one payment: {twice}");

    let paid = http.get(&url).header("authorization", credential).send().await.expect("an answer");
    assert_eq!(paid.status(), 200);
    let receipt = paid.headers()["payment-receipt"].to_str().expect("text").to_owned();
    let path = format!("/v1/payments/{}/receipt", id(&outcome));
    let (status, told) = shop.client.post(&path, &json!({"header": receipt})).await;
    let settlement = told["payment"]["settlement"].as_str();
    assert!(status == 200 && matches!(settlement, Some("claimed" | "verified")), "{told}");
    shop.verified(&id(&outcome)).await;
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.93");
}
