//! What the ways of an agent cost: MCP beside the HTTP route, the bridge beside the port, the gateway beside its upstream.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

use crate::{
    payments::{URL, pay, policy},
    support::{
        Client, Mcp, Place,
        bridge::{bare, keep, modern},
        client::pay_body,
        hostile_seller::{offer, required},
        official::fixtures,
        seller::put_behind,
    },
    table::{Table, percentile},
};

const WARM: usize = 50;
const MEASURED: usize = 1_000;
const CONFIG: &str = "[limits]\nrequests_per_second = 1000000\nburst = 1000000\n\
                      [fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n";

/// All of it, in turns with what it is compared with.
pub async fn run(table: &mut Table) {
    let (place, _) = Place::with_wallet(CONFIG);
    place.policy(&policy());
    let token = place.agent("researcher");
    let bridged = place.agent("bridged");
    keep(place.path(), "bridged", &bridged);
    let mut service = place.serve("terminal");
    let upstream = fixtures("fixtures.mjs");
    put_behind(&place, &mut service, "fixtures", &[&upstream.url], true);

    let (http, mcp) = (Client::new(&service.url, &token), Mcp::new(&service.url, &token));
    let (mut over_http, mut over_mcp) = (Vec::new(), Vec::new());
    for n in 0..WARM + MEASURED {
        over_http.push(pay(&http, &format!("http-{n}")).await);
        let began = Instant::now();
        let answer = mcp.modern("tools/call", &buys(&format!("mcp-{n}"))).await;
        over_mcp.push(began.elapsed());
        paid(answer.last());
    }
    pair(table, "`pay` over MCP, p50, against the HTTP route", over_mcp, over_http, "≤ 2");

    let direct = Mcp::new(&service.url, &bridged);
    let mut bridge = bare(&place, "bridged");
    let (mut at_the_port, mut over_the_bridge) = (Vec::new(), Vec::new());
    for n in 0..WARM + MEASURED {
        let began = Instant::now();
        let answer = direct.modern("tools/call", &buys(&format!("direct-{n}"))).await;
        at_the_port.push(began.elapsed());
        paid(answer.last());
        let call = modern(1, "tools/call", &buys(&format!("bridge-{n}")));
        let began = Instant::now();
        let answer = bridge.asks(&call);
        over_the_bridge.push(began.elapsed());
        paid(&answer);
    }
    pair(table, "`pay` over the bridge, p50, against the same at the port", over_the_bridge, at_the_port, "≤ 1.5");

    let mut upstream_itself = Mcp::at(&upstream.url, "none");
    let mut through = mcp.behind("fixtures");
    upstream_itself.begin(json!({})).await;
    through.begin(json!({})).await;
    let (mut itself, mut behind) = (Vec::new(), Vec::new());
    for _ in 0..WARM + MEASURED {
        for (client, samples) in [(&upstream_itself, &mut itself), (&through, &mut behind)] {
            let began = Instant::now();
            let result = client.call("test_simple_text", &json!({})).await;
            samples.push(began.elapsed());
            assert_eq!(result["content"][0]["type"], "text", "{result}");
        }
    }
    pair(table, "a free call through the gateway, p50, against the upstream itself", behind, itself, "≤ 2");
    service.stop();
}

fn buys(key: &str) -> Value {
    json!({"name": "pay", "arguments": pay_body(URL, &required(URL, vec![offer()]), key)})
}

fn paid(answer: &Value) {
    assert_eq!(answer["result"]["structuredContent"]["status"], "authorized", "{answer}");
}

fn pair(table: &mut Table, name: &str, ours: Vec<Duration>, against: Vec<Duration>, bar: &str) {
    let [ours, against] = [ours, against].map(|samples| percentile(&mut samples[WARM..].to_vec(), 50));
    table.durations(name, ours, against, bar);
}
