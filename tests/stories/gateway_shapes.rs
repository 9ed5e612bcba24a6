//! Every shape in which an upstream asks for money, or for something else, by clients and upstreams of both eras.

use serde_json::{Value, json};

use crate::support::{
    Client, Mcp, Place,
    mcp::request,
    seller::put_behind,
    shapes::{BAD, CANARY, HIDDEN, PAID, Shapes},
    shop::LIMITS,
};

/// Who calls: a client of the older era in a session, or one of the newer.
struct Caller {
    mcp: Mcp,
    newer: bool,
}

impl Caller {
    async fn call(&self, tool: &str, can: Value, extra: Value) -> Value {
        let mut params = json!({"name": tool, "arguments": {}});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let answer = if self.newer {
            self.mcp.modern_as(can, "tools/call", &params).await
        } else {
            self.mcp.send(&request("tools/call", &params)).await
        };
        let last = answer.last().clone();
        for secret in ["x402", "paymentauth", "accepts", "challenge", "payTo", CANARY] {
            assert!(!last.to_string().contains(secret), "{secret} crossed in {tool}: {last}");
        }
        last
    }

    async fn result(&self, tool: &str) -> Value {
        self.call(tool, json!({}), json!({})).await["result"].clone()
    }
}

fn said(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_is_paid_refused_by_name_or_passed_on_in_both_eras() {
    let shapes = Shapes::start().await;
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    let mut service = place.serve("terminal");
    for era in ["older", "newer", "gate"] {
        put_behind(&place, &mut service, era, &[&shapes.at(era)], true);
    }
    let mut bought = 0;
    for (upstream, newer) in [("older", false), ("older", true), ("newer", false), ("newer", true)] {
        let mut mcp = Mcp::new(&service.url, &token).behind(upstream);
        if !newer {
            mcp.begin(json!({})).await;
        }
        let caller = Caller { mcp, newer };
        for (tool, by) in PAID {
            let result = caller.result(tool).await;
            assert_eq!(said(&result), format!("goods: {tool}"), "{upstream} {newer}: {result}");
            assert!(result["_meta"]["org.countersign/payment"]["payment_id"].is_string(), "{result}");
            assert_eq!(shapes.paid(), [(tool.to_owned(), by.to_owned())], "{upstream} {newer}");
            bought += 1;
        }
        for tool in BAD.into_iter().chain(HIDDEN) {
            let result = caller.result(tool).await;
            let said = said(&result);
            let refused =
                said.contains("unsupported_offer") || tool == "broken_http" && said.contains("malformed_offer");
            assert!(result["isError"] == true && refused, "{tool}: {result}");
        }
        assert_eq!(shapes.paid(), []);
        opens_pages(&caller, &shapes).await;
    }
    let gate = Mcp::new(&service.url, &token).behind("gate").modern("tools/list", &json!({})).await;
    let why = gate.last()["error"]["message"].as_str().unwrap();
    assert!(why.contains("asks for money before it can be used"), "{gate:?}");
    let (_, listed) = Client::new(&service.url, &token).get("/v1/payments?limit=500").await;
    assert_eq!(listed["payments"].as_array().map(Vec::len), Some(bought), "one payment a call");
    service.stop();
}

/// A page to be opened is no price.
async fn opens_pages(caller: &Caller, shapes: &Shapes) {
    let first = caller.call("pages", json!({"elicitation": {"url": {}}}), json!({})).await;
    if !caller.newer {
        let page = &first["error"]["data"]["elicitations"][0];
        assert_eq!((&first["error"]["code"], &page["elicitationId"]), (&json!(-32042), &json!("e1")), "{first}");
        assert_eq!(page["url"], "https://shop.example/open");
        assert_eq!(shapes.paid().len(), 1);
        return;
    }
    let asked = &first["result"];
    assert_eq!(asked["resultType"], "input_required", "{first}");
    let (name, page) = asked["inputRequests"].as_object().unwrap().iter().next().unwrap();
    assert_eq!((&page["params"]["url"], &page["params"]["mode"]), (&json!("https://shop.example/open"), &json!("url")));
    let says = |action: &str| json!({"inputResponses": {name.as_str(): {"action": action}}});
    let no = caller.call("pages", json!({"elicitation": {"url": {}}}), says("decline")).await;
    assert_eq!(no["result"]["isError"], true, "{no}");
    let yes = caller.call("pages", json!({"elicitation": {"url": {}}}), says("accept")).await;
    assert_eq!(said(&yes["result"]), "goods: pages", "{yes}");
    let passed: Vec<String> = shapes.paid().into_iter().map(|(_, responses)| responses).collect();
    assert_eq!(passed, ["null", "null"], "the answer about a page is for us, and the declined call is not made");
    let plain = caller.result("pages").await;
    assert_eq!(plain["isError"], true, "{plain}");
    assert!(said(&plain).contains("https://shop.example/open"), "{plain}");
    assert_eq!(shapes.paid().len(), 1);
}
