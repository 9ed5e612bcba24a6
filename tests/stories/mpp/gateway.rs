//! A paid MCP server on the official MPP server behind Countersign: what its tools ask for is paid, asked about or refused like
//! everything else, each time with one credential, whatever the server answers to it.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::support::{
    Mcp, Shop,
    announced::Announced,
    mcp::{request, with},
    mppx::over_mcp,
    seller::put_behind,
};

/// Tools that answer a credential with anything but the goods, and whether they take the money.
const HOSTILE: [(&str, bool); 5] =
    [("refuses", true), ("softly", true), ("dies", true), ("rejects", false), ("garbles", false)];

struct Behind {
    shop: Shop,
    seller: Announced,
    mcp: Mcp,
}

async fn behind() -> Behind {
    let mut shop = Shop::open("terminal", "");
    let seller = over_mcp(&shop.world);
    put_behind(&shop.place, &mut shop.service, "paid", &[&seller.mcp()], true);
    let mut mcp = Mcp::new(&shop.service.url, &shop.token).behind("paid");
    mcp.begin(json!({})).await;
    Behind { shop, seller, mcp }
}

fn about(what: &str) -> Value {
    json!({"about": what})
}

fn said(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

/// Which payment a result speaks of, whatever became of it.
fn id(result: &Value) -> &str {
    let paid = result["_meta"]["org.countersign/payment"]["payment_id"].as_str();
    paid.or_else(|| result["structuredContent"]["payment"]["id"].as_str())
        .unwrap_or_else(|| panic!("no payment: {result}"))
}

fn has_no_secret(result: &Value) {
    let text = result.to_string();
    for word in ["org.paymentauth", "challenge", "signature", "payment-required"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

/// The numbers of the credentials that reached a tool.
fn sent(seen: &Value, tool: &str) -> Vec<String> {
    let sent = seen["credentials"].as_array().expect("a list").iter().filter(|sent| sent["tool"] == tool);
    sent.map(|sent| sent["nonce"].as_str().expect("a number").to_owned()).collect()
}

fn settled(seen: &Value) -> usize {
    seen["settled"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn mpp_prices_of_tools_are_paid_in_silence_asked_about_or_refused() {
    let Behind { mut shop, seller, mcp } = behind().await;
    in_silence(&shop, &seller, &mcp).await;

    for (yes, what) in [(true, "q1"), (false, "q2")] {
        let asking = {
            let mcp = mcp.clone();
            tokio::spawn(async move { mcp.call("report", &about(what)).await })
        };
        let question = shop.service.answer_next(yes);
        assert_eq!((&question["amount"], &question["agent"]), (&json!("4.20 USD"), &json!("researcher")), "{question}");
        let report = asking.await.unwrap();
        has_no_secret(&report);
        if yes {
            assert_eq!(said(&report), "report: q1, delivery 4", "{report}");
            shop.verified(id(&report)).await;
        } else {
            let told = &report["structuredContent"];
            assert_eq!((&told["status"], &told["code"]), (&json!("denied"), &json!("denied_by_human")), "{report}");
        }
    }

    asks_for_something_else(&seller, &mcp).await;
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "95.72");
    shop.close();
}

/// A tool is paid once and by nothing the client brings, in either shape of its price, alone and in the list of all upstreams.
async fn in_silence(shop: &Shop, seller: &Announced, mcp: &Mcp) {
    let forged = json!({
        "org.paymentauth/credential": {"challenge": {"id": "forged"}, "payload": {}}, "org.paymentauth/receipt": {},
        "com.example/own": 1,
    });
    let free = with(&json!({"name": "free", "arguments": about("a")}), "_meta", forged.clone());
    let free = mcp.result("tools/call", &free).await;
    assert_eq!((said(&free), free.get("_meta")), ("free: a", None), "nothing was paid: {free}");
    let seen = seller.seen().await;
    assert!(seen["meta"].to_string().contains("com.example/own"), "{seen}");
    assert!(!seen["meta"].to_string().contains("pay"), "{seen}");

    let cheap = with(&json!({"name": "cheap", "arguments": about("bees")}), "_meta", forged);
    let cheap = mcp.result("tools/call", &cheap).await;
    assert_eq!(said(&cheap), "cheap: bees, delivery 1", "{cheap}");
    let paid = &cheap["_meta"]["org.countersign/payment"];
    assert_eq!((&paid["amount"]["amount"], &paid["amount"]["symbol"]), (&json!("0.03"), &json!("USDC")), "{cheap}");
    assert_eq!(paid["settlement"], "claimed", "the receipt was read: {cheap}");
    has_no_secret(&cheap);
    let marked = mcp.call("marked", &about("bees")).await;
    assert_eq!(said(&marked), "marked: bees, delivery 2", "a price in a result: {marked}");
    let all = Mcp::new(&shop.service.url, &shop.token);
    let together = all.modern("tools/call", &json!({"name": "paid__cheap", "arguments": about("ants")})).await;
    let together = &together.last()["result"];
    assert_eq!(said(together), "cheap: ants, delivery 3", "{together}");
    for result in [&cheap, &marked, together] {
        let proved = shop.verified(id(result)).await;
        let payment = &proved["payment"];
        assert_eq!((&payment["rail"], &payment["scheme"]), (&json!("mpp"), &json!("evm/charge")), "{proved}");
    }
    let seen = seller.seen().await;
    assert_eq!((sent(&seen, "cheap").len(), sent(&seen, "marked").len(), settled(&seen)), (2, 1, 3), "{seen}");
}

/// A page to open is no price and passes on as it is; a price of what is no tool is refused by name.
async fn asks_for_something_else(seller: &Announced, mcp: &Mcp) {
    let before = seller.seen().await;
    let pages = mcp.send(&request("tools/call", &json!({"name": "pages", "arguments": {}}))).await;
    let error = &pages.last()["error"];
    let page = json!({"mode": "url", "elicitationId": "e1", "url": "https://shop.example/open", "message": "Log in."});
    assert_eq!((&error["code"], &error["data"]), (&json!(-32042), &json!({"elicitations": [page]})), "{pages:?}");
    for (method, params) in
        [("resources/read", json!({"uri": "facts://paid"})), ("prompts/get", json!({"name": "paid"}))]
    {
        let answer = mcp.send(&request(method, &params)).await;
        let error = &answer.last()["error"];
        assert_eq!(error["data"], json!({"code": "unsupported_offer"}), "{method}: {answer:?}");
        has_no_secret(error);
    }
    assert_eq!(seller.seen().await["credentials"], before["credentials"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_refuses_an_mpp_credential_or_is_gone_gets_no_second_one() {
    let Behind { mut shop, seller, mcp } = behind().await;
    let mut paid = Vec::new();
    for (tool, takes) in HOSTILE {
        let first = mcp.call(tool, &about("x")).await;
        assert_eq!(first["structuredContent"]["status"], "unknown", "{tool}: {first}");
        has_no_secret(&first);
        let again = mcp.call(tool, &about("x")).await;
        assert_eq!(id(&again), id(&first), "{tool}: {again}");
        has_no_secret(&again);
        paid.push((id(&first).to_owned(), takes));
    }
    for (payment, _) in paid.iter().filter(|(_, takes)| *takes) {
        shop.verified(payment).await;
    }
    let seen = seller.seen().await;
    for (tool, _) in HOSTILE {
        let sent = sent(&seen, tool);
        assert_eq!(sent.iter().collect::<BTreeSet<_>>().len(), 1, "{tool} got one credential: {seen}");
    }
    assert_eq!(settled(&seen), 3, "{seen}");
    for (payment, _) in paid.iter().filter(|(_, takes)| !takes) {
        let (_, outcome) = shop.client.get(&format!("/v1/payments/{payment}")).await;
        assert_eq!(
            (&outcome["status"], &outcome["payment"]["state"]),
            (&json!("unknown"), &json!("signed")),
            "{outcome}"
        );
    }
    let wallet = shop.wallet.clone();
    assert_eq!(shop.world.balance(&wallet), "99.97");
    shop.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mpp_price_of_a_tool_asks_again() {
    let Behind { mut shop, seller, mcp } = behind().await;
    assert_eq!(said(&mcp.call("cheap", &about("a")).await), "cheap: a, delivery 1");
    seller.becomes(&json!({"dearer": true})).await;
    let asking = {
        let mcp = mcp.clone();
        tokio::spawn(async move { mcp.call("cheap", &about("b")).await })
    };
    let question = shop.service.answer_next(true);
    assert_eq!(question["amount"], "0.05 USD", "{question}");
    assert_eq!(said(&asking.await.unwrap()), "cheap: b, delivery 2");
    assert_eq!(said(&mcp.call("cheap", &about("c")).await), "cheap: c, delivery 3", "what was agreed to is the price");
    seller.becomes(&json!({"dearer": false})).await;
    assert_eq!(said(&mcp.call("cheap", &about("d")).await), "cheap: d, delivery 4", "cheaper asks nobody");
    shop.close();
}
