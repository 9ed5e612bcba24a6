//! A client of one era in front of an upstream of the other: what the upstream asks in the middle of a call reaches the client in
//! the client's own way, and its answer the upstream in the upstream's.

use serde_json::{Value, json};

use crate::support::{
    Mcp, Official, Place, Service, Shop,
    mcp::Answer,
    official::fixtures,
    seller::{self, put_behind},
    shop::LIMITS,
};

fn place() -> (Place, Service, String, String) {
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(LIMITS);
    let (token, foreign) = (place.agent("researcher"), place.agent("other"));
    let service = place.serve("terminal");
    (place, service, token, foreign)
}

fn said(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[test]
fn a_client_of_the_older_era_is_asked_by_an_upstream_of_the_newer() {
    let (place, mut service, token, _) = place();
    let fixtures = fixtures("modern.mjs");
    put_behind(&place, &mut service, "fixtures", &[&fixtures.url], true);
    let answers = ["--elicit", "accept", "--content", r#"{"name":"Ada","color":"red","ok":true}"#];
    let mut client = Official::behind(&service, "fixtures", &token, "1", &answers);
    for (tool, rounds, says) in [
        ("test_input_required_result_elicitation", 1, "Hello, Ada!"),
        ("test_input_required_result_multi_round", 2, "both rounds are over"),
        ("test_input_required_result_request_state", 1, "state-ok"),
    ] {
        let call = client.start(tool, &json!({}), &json!({}));
        let end = client.end(call);
        assert_eq!(said(&end["result"]), says, "{end}");
        for _ in 0..rounds {
            client.event("asked");
        }
    }
    let mut silent = Official::behind(&service, "fixtures", &token, "1", &[]);
    for tool in ["test_input_required_result_elicitation", "test_missing_capability"] {
        let call = silent.start(tool, &json!({}), &json!({}));
        let end = silent.end(call);
        assert_eq!(end["result"]["isError"], true, "{end}");
        assert!(said(&end["result"]).contains("this client does not"), "{end}");
    }
    service.stop();
}

fn asked(answer: &Answer) -> (Value, String) {
    let result = &answer.last()["result"];
    assert_eq!(result["resultType"], "input_required", "{answer:?}");
    (
        result["inputRequests"]["upstream"]["params"].clone(),
        result["requestState"].as_str().expect("a state").to_owned(),
    )
}

fn call(tool: &str, arguments: Value, back: Option<(&str, Value)>) -> Value {
    let mut call = json!({"name": tool, "arguments": arguments});
    if let Some((state, answer)) = back {
        call["requestState"] = json!(state);
        call["inputResponses"] = json!({"upstream": answer});
    }
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_newer_era_is_asked_by_an_upstream_of_the_older() {
    let (place, mut service, token, foreign) = place();
    let fixtures = fixtures("fixtures.mjs");
    put_behind(&place, &mut service, "fixtures", &[&fixtures.url], true);
    let mcp = Mcp::new(&service.url, &token).behind("fixtures");
    let can = || json!({"elicitation": {"form": {}}});
    let ask = async |mcp: &Mcp, call: &Value| mcp.modern_as(can(), "tools/call", call).await;
    let given = || json!({"message": "Who?"});
    let yes = || json!({"action": "accept", "content": {"response": "me"}});

    let (question, state) = asked(&ask(&mcp, &call("test_elicitation", given(), None)).await);
    assert_eq!(question["message"], "Who?", "{question}");
    assert_eq!(question["requestedSchema"]["required"], json!(["response"]));
    let other = Mcp::new(&service.url, &foreign).behind("fixtures");
    for (who, args, state) in [
        (&other, given(), state.clone()),
        (&mcp, json!({"message": "Why?"}), state.clone()),
        (&mcp, given(), format!("{state}A")),
    ] {
        let refused = ask(who, &call("test_elicitation", args, Some((&state, yes())))).await;
        assert_eq!(refused.last()["error"]["code"], -32602, "{refused:?}");
    }
    let done = ask(&mcp, &call("test_elicitation", given(), Some((&state, yes())))).await;
    assert_eq!(
        said(&done.last()["result"]),
        r#"Elicitation completed: action=accept, content={"response":"me"}"#,
        "{done:?}"
    );
    asked(&ask(&mcp, &call("test_elicitation", given(), Some((&state, yes())))).await);

    let sampling = json!({"sampling": {}});
    let first =
        mcp.modern_as(sampling.clone(), "tools/call", &call("test_sampling", json!({"prompt": "Hi"}), None)).await;
    let (_, state) = asked(&first);
    let sampled = json!({"role": "assistant", "content": {"type": "text", "text": "hello"}, "model": "m"});
    let again = call("test_sampling", json!({"prompt": "Hi"}), Some((&state, sampled)));
    let done = mcp.modern_as(sampling, "tools/call", &again).await;
    assert_eq!(said(&done.last()["result"]), "LLM response: hello", "{done:?}");

    let logging = call("test_tool_with_logging", json!({}), None);
    let quiet = mcp.modern("tools/call", &logging).await;
    assert_eq!(quiet.messages.len(), 1, "who does not ask for the log does not hear it: {quiet:?}");

    let nobody = mcp.modern("tools/call", &call("test_elicitation", given(), None)).await;
    assert!(said(&nobody.last()["result"]).contains("action=decline"), "{nobody:?}");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_in_the_middle_of_a_paid_call_is_answered_and_paid_for_once() {
    let mut shop = Shop::open("terminal", "");
    let seller = seller::start(&shop.world);
    put_behind(&shop.place, &mut shop.service, "paid", &[&seller.mcp()], true);
    let mcp = Mcp::new(&shop.service.url, &shop.token).behind("paid");
    let can = json!({"elicitation": {"form": {}}});
    let about = json!({"about": "paint"});
    let first = mcp.modern_as(can.clone(), "tools/call", &call("choosy", about.clone(), None)).await;
    let (question, state) = asked(&first);
    assert_eq!(question["message"], "Which colour?");
    let answer = json!({"action": "accept", "content": {"colour": "blue"}});
    let done = mcp.modern_as(can, "tools/call", &call("choosy", about, Some((&state, answer)))).await;
    let result = &done.last()["result"];
    assert_eq!(said(result), "choosy: paint in blue, delivery 1", "{done:?}");
    assert_eq!(result["_meta"]["org.countersign/payment"]["amount"]["amount"], "0.03", "{result}");
    assert_eq!(seller.seen().await["credentials"].as_array().unwrap().len(), 1);
    shop.close();
}
