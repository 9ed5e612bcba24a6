//! What stands before every route: hosts, origins, tokens, types, sizes, shapes. Nothing that is stopped there becomes a payment.

use serde_json::{Value, json};

use crate::support::{
    Client, Place, Service,
    client::pay_body,
    hostile_seller::{offer, required},
    raw::{RawAnswer, exchange},
    shop::LIMITS,
};

struct Door {
    place: Place,
    service: Service,
    client: Client,
    token: String,
    port: String,
}

impl Door {
    fn open(config: &str) -> Self {
        let (place, _) = Place::with_wallet(config);
        place.policy(LIMITS);
        let token = place.agent("researcher");
        let service = place.serve("deny");
        let port = service.url.rsplit(':').next().expect("a port").to_owned();
        let client = Client::new(&service.url, &token);
        Self { place, service, client, token, port }
    }

    /// Sends lines; `PORT` and `TOKEN` are filled in, and the connection is closed after the answer.
    fn send(&self, lines: &str) -> RawAnswer {
        let text = lines.replace("PORT", &self.port).replace("TOKEN", &self.token).replace('\n', "\r\n");
        exchange(&self.service.url, format!("{text}\r\n").as_bytes())
    }

    fn get(&self, path: &str, headers: &str) -> RawAnswer {
        self.send(&format!(
            "GET {path} HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\nConnection: close\n{headers}"
        ))
    }

    fn post(&self, path: &str, headers: &str, body: &str) -> RawAnswer {
        let head = format!(
            "POST {path} HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\nAccept: application/json, text/event-stream\n\
             Connection: close\nContent-Length: {}\n{headers}",
            body.len()
        );
        let text = head.replace("PORT", &self.port).replace("TOKEN", &self.token).replace('\n', "\r\n");
        exchange(&self.service.url, format!("{text}\r\n{body}").as_bytes())
    }

    async fn close_without_payments(self) {
        let (status, list) = self.client.get("/v1/payments").await;
        assert_eq!((status, list), (200, json!({"payments": [], "next_cursor": null})));
        self.service.stop();
        assert_eq!(self.place.ok(&["verify", "--json"])["faults"], json!([]));
    }
}

fn code(answer: &RawAnswer) -> (u16, String) {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    (answer.status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// Hosts that are not ours, however close they come.
const HOSTS: &[&str] = &[
    "",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "127.0.0.1:",
    "127.0.0.1:1",
    "127.0.0.1:0PORT",
    "127.0.0.1:PORT0",
    "127.0.0.1:+PORT",
    "127.0.0.1:-PORT",
    "127.0.0.1: PORT",
    "127.0.0.1 :PORT",
    "127.0.0.1.:PORT",
    "localhost.:PORT",
    "LOCALHOST:PORT",
    "Localhost:PORT",
    "user@127.0.0.1:PORT",
    "user:secret@localhost:PORT",
    "127.0.0.1:PORT@evil.example",
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1.evil.example:PORT",
    "localhost.evil.example:PORT",
    "127.0.0.1:PORT.evil.example",
    "0.0.0.0:PORT",
    "2130706433:PORT",
    "0x7f000001:PORT",
    "0177.0.0.1:PORT",
    "127.1:PORT",
    "127.0.1:PORT",
    "127.0.0.2:PORT",
    "127.000.000.001:PORT",
    "::1:PORT",
    "[::]:PORT",
    "[::ffff:127.0.0.1]:PORT",
    "[0:0:0:0:0:0:0:1]:PORT",
    "[::1%lo]:PORT",
    "http://127.0.0.1:PORT",
    "//127.0.0.1:PORT",
    "127.0.0.1:PORT/",
    "127.0.0.1:PORT?x",
    "127.0.0.1:PORT#x",
    "127.0.0.1:PORT\\evil.example",
    "127.0.0.1:PORT,127.0.0.1:PORT",
    "127.0.0.1:PORT, evil.example",
    "127.0.0.1%00:PORT",
    "１２７.0.0.1:PORT",
    "lоcalhost:PORT",
    "*",
    "null",
];

#[tokio::test(flavor = "multi_thread")]
async fn fifty_wrong_hosts_are_refused_before_the_token_is_looked_at() {
    let door = Door::open("");
    assert!(HOSTS.len() >= 40);
    for host in HOSTS {
        for (line, token) in [("GET /healthz", "TOKEN"), ("GET /open", "none"), ("POST /mcp", "none")] {
            let answer = door
                .send(&format!("{line} HTTP/1.1\nHost: {host}\nAuthorization: Bearer {token}\nConnection: close\n"));
            assert_eq!(code(&answer), (421, "bad_host".to_owned()), "{line} with Host {host:?}: {answer:?}");
        }
    }
    for own in ["127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT"] {
        let answer =
            door.send(&format!("GET /healthz HTTP/1.1\nHost: {own}\nAuthorization: Bearer TOKEN\nConnection: close\n"));
        assert_eq!(answer.status, 200, "{own}: {answer:?}");
    }
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_requests_never_get_past_the_host_check() {
    let door = Door::open("");
    let token = "Authorization: Bearer TOKEN\nConnection: close\n";
    for (what, request) in [
        ("no Host", format!("GET /healthz HTTP/1.1\n{token}")),
        ("HTTP/1.0 without Host", format!("GET /healthz HTTP/1.0\n{token}")),
        ("the same Host twice", format!("GET /healthz HTTP/1.1\nHost: 127.0.0.1:PORT\nHost: 127.0.0.1:PORT\n{token}")),
        ("two Hosts", format!("GET /healthz HTTP/1.1\nHost: 127.0.0.1:PORT\nHost: evil.example\n{token}")),
        ("two Hosts, ours last", format!("GET /healthz HTTP/1.1\nHost: evil.example\nHost: 127.0.0.1:PORT\n{token}")),
        ("absolute form", format!("GET http://evil.example/healthz HTTP/1.1\nHost: 127.0.0.1:PORT\n{token}")),
        (
            "absolute form of our own",
            format!("GET http://127.0.0.1:PORT/healthz HTTP/1.1\nHost: 127.0.0.1:PORT\n{token}"),
        ),
        (
            "absolute form with a user",
            format!("GET http://u@127.0.0.1:PORT/healthz HTTP/1.1\nHost: 127.0.0.1:PORT\n{token}"),
        ),
        ("CONNECT", format!("CONNECT 127.0.0.1:PORT HTTP/1.1\nHost: 127.0.0.1:PORT\n{token}")),
    ] {
        let answer = door.send(&request);
        assert_eq!(code(&answer), (421, "bad_host".to_owned()), "{what}: {answer:?}");
    }
    for (what, request) in [
        ("a space before the colon", format!("GET /healthz HTTP/1.1\nHost : 127.0.0.1:PORT\n{token}")),
        ("a folded Host", format!("GET /healthz HTTP/1.1\nHost:\n 127.0.0.1:PORT\n{token}")),
        ("a NUL in the Host", format!("GET /healthz HTTP/1.1\nHost: 127.0.0.1:PORT\0\n{token}")),
        ("HTTP/2 in the clear", "PRI * HTTP/2.0\n\nSM\n".to_owned()),
        ("no HTTP at all", "hello\n".to_owned()),
        (
            "17 KB of headers",
            format!("GET /healthz HTTP/1.1\nHost: 127.0.0.1:PORT\nX: {}\n{token}", "x".repeat(17 * 1024)),
        ),
    ] {
        let answer = door.send(&request);
        assert!(matches!(answer.status, 0 | 400 | 431), "{what}: {answer:?}");
    }
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_web_page_would_send_is_refused() {
    let door = Door::open("");
    let other = "1";
    for origin in [
        "null",
        "",
        "http://evil.example",
        "https://127.0.0.1:PORT",
        "http://127.0.0.1",
        &format!("http://127.0.0.1:{other}"),
        "http://LOCALHOST:PORT",
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT.evil.example",
        "http://u@127.0.0.1:PORT",
        "127.0.0.1:PORT",
        "file://",
        "chrome-extension://abcdefghijklmnop",
        "http://127.0.0.1:PORT, http://evil.example",
        "http://[::ffff:127.0.0.1]:PORT",
    ] {
        for path in ["/healthz", "/open", "/v1/payments", "/mcp"] {
            let answer = door.get(path, &format!("Origin: {origin}\n"));
            assert_eq!(code(&answer), (403, "bad_origin".to_owned()), "{path} from {origin:?}: {answer:?}");
        }
    }
    let answer = door.get("/healthz", "Origin: http://127.0.0.1:PORT\nOrigin: http://evil.example\n");
    assert_eq!(code(&answer), (403, "bad_origin".to_owned()));
    for own in ["http://127.0.0.1:PORT", "http://localhost:PORT", "http://[::1]:PORT"] {
        assert_eq!(door.get("/healthz", &format!("Origin: {own}\n")).status, 200, "{own}");
    }
    for site in ["cross-site", "same-site", "same-origin", "none", "", "anything"] {
        let answer = door.get("/healthz", &format!("Sec-Fetch-Site: {site}\n"));
        assert_eq!(code(&answer), (403, "bad_origin".to_owned()), "{site}: {answer:?}");
    }
    let preflight = door.send(
        "OPTIONS /v1/fetch HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://evil.example\nAccess-Control-Request-Method: POST\n\
         Access-Control-Request-Private-Network: true\nConnection: close\n",
    );
    assert_eq!(code(&preflight), (403, "bad_origin".to_owned()));
    assert!(!preflight.head.to_ascii_lowercase().contains("access-control-allow"), "{preflight:?}");
    let upgrade = door.send(
        "GET /mcp HTTP/1.1\nHost: 127.0.0.1:PORT\nOrigin: http://evil.example\nConnection: Upgrade\nUpgrade: websocket\n\
         Sec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\nConnection: close\n",
    );
    assert_eq!(code(&upgrade), (403, "bad_origin".to_owned()));
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_open_is_the_same_for_everybody() {
    let door = Door::open("");
    let page = |path: &str, headers: &str| {
        door.send(&format!("GET {path} HTTP/1.1\nHost: 127.0.0.1:PORT\nConnection: close\n{headers}"))
    };
    let plain = page("/open", "");
    assert_eq!((plain.status, plain.header("content-type").as_deref()), (200, Some("text/html; charset=utf-8")));
    assert!(plain.body.contains("Decide in the Countersign window"));
    assert_eq!(plain.header("content-security-policy").as_deref(), Some("default-src 'none'; frame-ancestors 'none'"));
    assert_eq!((plain.header("cache-control").as_deref(), plain.header("set-cookie")), (Some("no-store"), None));
    let navigated = "Sec-Fetch-Site: none\nSec-Fetch-Dest: document\nSec-Fetch-Mode: navigate\n";
    for path in
        ["/open", "/open?", "/open?pay=1", "/open?payment_id=pay_00000000000000000000000000000000&yes", "/open?%00=%ff"]
    {
        assert_eq!(page(path, navigated).body, plain.body, "{path}");
    }
    for headers in [
        "Sec-Fetch-Site: cross-site\n",
        "Sec-Fetch-Site: same-origin\n",
        "Sec-Fetch-Site: none\nSec-Fetch-Dest: iframe\n",
        "Sec-Fetch-Site: none\nSec-Fetch-Dest: image\n",
        "Sec-Fetch-Dest: empty\n",
        "Origin: null\n",
    ] {
        assert_eq!(code(&page("/open", headers)), (403, "bad_origin".to_owned()), "{headers}");
    }
    for path in ["/open/", "/open/x", "/Open", "/%6fpen", "//open"] {
        assert_eq!(page(path, "").status, 401, "{path} needs a token like everything else");
    }
    let posted = door.send("POST /open HTTP/1.1\nHost: 127.0.0.1:PORT\nConnection: close\nContent-Length: 0\n");
    assert_eq!(posted.status, 401);
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_contract_wants_a_token() {
    let door = Door::open("");
    let (status, contract) = door.client.get("/v1/openapi.json").await;
    assert_eq!(status, 200);
    let mut routes = vec![("post".to_owned(), "/mcp".to_owned()), ("get".to_owned(), "/nowhere".to_owned())];
    for (path, item) in contract["paths"].as_object().expect("paths") {
        routes.extend(item.as_object().expect("methods").keys().map(|method| (method.clone(), path.clone())));
    }
    assert!(routes.len() >= 12, "{routes:?}");
    for (method, path) in routes.iter().filter(|(_, path)| path != "/open") {
        let path = path.replace("{id}", "pay_00000000000000000000000000000000");
        let answer = door.send(&format!(
            "{} {path} HTTP/1.1\nHost: 127.0.0.1:PORT\nContent-Length: 0\nConnection: close\n",
            method.to_ascii_uppercase()
        ));
        assert_eq!(code(&answer), (401, "bad_token".to_owned()), "{method} {path}: {answer:?}");
        assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer"));
    }
    let wrong: String = door.token.chars().rev().collect();
    for headers in [
        format!("Authorization: Bearer {wrong}\n"),
        "Authorization: Bearer\n".to_owned(),
        "Authorization: Basic TOKEN\n".to_owned(),
        "Authorization: TOKEN\n".to_owned(),
        "Authorization: Bearer TOKEN\nAuthorization: Bearer TOKEN\n".to_owned(),
        "Cookie: token=TOKEN\n".to_owned(),
        "X-Token: TOKEN\n".to_owned(),
    ] {
        let answer = door
            .send(&format!("GET /healthz?token=TOKEN HTTP/1.1\nHost: 127.0.0.1:PORT\nConnection: close\n{headers}"));
        assert_eq!(code(&answer), (401, "bad_token".to_owned()), "{headers}: {answer:?}");
    }
    let here =
        door.send("GET /healthz HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: bearer TOKEN\nConnection: close\n");
    assert_eq!(here.status, 200, "right tokens are never locked out: {here:?}");
    let nowhere = door.get("/nowhere", "");
    assert_eq!(code(&nowhere), (404, "not_found".to_owned()));
    assert_eq!(
        code(&door.send(
            "DELETE /v1/payments HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\nConnection: close\n"
        )),
        (405, "method_not_allowed".to_owned())
    );
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_opens_anything_but_the_contract_and_nothing_there_decides() {
    let door = Door::open("");
    let (_, contract) = door.client.get("/v1/openapi.json").await;
    let paths = contract["paths"].as_object().expect("paths");
    for (path, item) in paths {
        for method in ["get", "post", "put", "patch", "delete", "trace", "options"] {
            let concrete = path.replace("{id}", "pay_00000000000000000000000000000000");
            let head = format!(
                "{} {concrete} HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\n",
                method.to_ascii_uppercase()
            );
            let answer = door.send(&format!("{head}Content-Length: 0\nConnection: close\n"));
            let offered = item.get(method).is_some();
            let refused = code(&answer) == (405, "method_not_allowed".to_owned());
            assert_eq!(refused, !offered, "{method} {path}: {answer:?}");
        }
    }
    let id = "pay_00000000000000000000000000000000";
    for path in [
        "/v1/policy",
        "/v1/wallets",
        "/v1/agents",
        "/v1/keys",
        "/v1/pause",
        "/v1/resume",
        "/v1/approvals",
        "/v1/sign",
        "/approve",
        "/decide",
        "/pair",
        &format!("/v1/payments/{id}/approve"),
        &format!("/v1/payments/{id}/decide"),
        &format!("/open/{id}"),
        "/v1/",
        "/",
        "/metrics",
        "/debug",
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = door.send(&format!(
                "{method} {path} HTTP/1.1\nHost: 127.0.0.1:PORT\nAuthorization: Bearer TOKEN\nContent-Length: 0\nConnection: close\n"
            ));
            assert_eq!(code(&answer), (404, "not_found".to_owned()), "{method} {path}: {answer:?}");
        }
    }
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_json_small_shallow_and_say_nothing_twice() {
    let door = Door::open("");
    let json = "Content-Type: application/json\n";
    let good = |key: &str| {
        pay_body("https://api.example/x", &required("https://api.example/x", vec![offer()]), key).to_string()
    };
    let deep = |n: usize| {
        format!(
            "{{\"rail\":\"x402\",\"url\":\"https://a.example/\",\"idempotency_key\":\"k\",\"challenge\":{}{}}}",
            "[".repeat(n),
            "]".repeat(n)
        )
    };
    let large = format!("{{\"url\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    for path in ["/v1/fetch", "/v1/payments", "/mcp"] {
        for kind in [
            "",
            "Content-Type: text/plain\n",
            "Content-Type: application/x-www-form-urlencoded\n",
            "Content-Type: application/jsonx\n",
            "Content-Type: text/json\n",
        ] {
            assert_eq!(
                code(&door.post(path, kind, &good("k"))),
                (415, "unsupported_media_type".to_owned()),
                "{path} {kind}"
            );
        }
        assert_eq!(
            code(&door.post(path, "Content-Type: text/plain\n", &large)).0,
            415,
            "{path}: the type comes before the size"
        );
        assert_eq!(code(&door.post(path, json, &large)), (413, "too_large".to_owned()), "{path}");
        for bad in [
            "",
            "{",
            "{}x",
            "nonsense",
            "\u{feff}{}",
            "{\"a\":1,\"a\":1}",
            "{\"x\":{\"b\":1,\"\\u0062\":2}}",
            "{\"a\":NaN}",
            "{'a':1}",
            "{\"a\":1,}",
            &deep(100),
            &deep(100_000),
        ] {
            let shown: String = bad.chars().take(40).collect();
            assert_eq!(code(&door.post(path, json, bad)), (400, "bad_request".to_owned()), "{path} {shown:?}");
        }
    }
    for bad in [
        "[]",
        "null",
        "7",
        "{}",
        r#"{"url":7,"idempotency_key":"k"}"#,
        r#"{"url":"https://a.example/","idempotency_key":"k","extra":1}"#,
        r#"{"url":"https://a.example/"}"#,
        r#"{"url":"https://a.example/","idempotency_key":""}"#,
        r#"{"url":"https://a.example/","idempotency_key":"a b"}"#,
        r#"{"url":"https://a.example/","idempotency_key":"k","wait_seconds":-1}"#,
        r#"{"url":"https://a.example/","idempotency_key":"k","wait_seconds":"1"}"#,
        r#"{"url":"https://a.example/","idempotency_key":"k","max":{"amount":1,"currency":"USD"}}"#,
        r#"{"url":"https://a.example/","idempotency_key":"k","body":"x"}"#,
        r#"{"url":"https://a.example/","idempotency_key":"k","headers":{"Host":"x"}}"#,
        r#"{"url":"ftp://a.example/","idempotency_key":"k"}"#,
        r#"{"url":"https://a.example/","idempotency_key":"k","method":"BREW"}"#,
    ] {
        assert_eq!(code(&door.post("/v1/fetch", json, bad)), (400, "bad_request".to_owned()), "{bad}");
    }
    let chunked = format!(
        "POST /v1/fetch HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n200000\r\n{}\r\n0\r\n\r\n",
        door.port,
        door.token,
        " ".repeat(0x20_0000)
    );
    assert_eq!(code(&exchange(&door.service.url, chunked.as_bytes())), (413, "too_large".to_owned()));
    for query in ["?limit=0", "?limit=501", "?limit=x", "?status=odd", "?since=yesterday", "?cursor=%00", "?unknown=1"]
    {
        let answer = door.get(&format!("/v1/payments{query}"), "");
        assert_eq!(code(&answer), (400, "bad_request".to_owned()), "{query}: {answer:?}");
    }
    assert_eq!(code(&door.get("/v1/payments/pay_00000000000000000000000000000000?wait=x", "")).0, 400);
    assert_eq!(code(&door.get("/v1/payments/..%2f..%2fetc", "")), (404, "not_found".to_owned()));
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_hurries_waits_but_a_known_key_is_always_answered() {
    let door = Door::open("[limits]\nrequests_per_second = 1\nburst = 3\n");
    let url = "https://api.example/x";
    let challenge = required(url, vec![offer()]);
    let (status, first) = door.client.pay(url, &challenge, "known").await;
    assert_eq!((status, first["status"].as_str()), (200, Some("authorized")), "{first}");
    let mut limited = None;
    for _ in 0..50 {
        let answer = door.get("/healthz", "");
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let limited = limited.expect("the limit was reached");
    assert_eq!(code(&limited), (429, "rate_limited".to_owned()));
    assert_eq!(limited.header("retry-after").as_deref(), Some("1"));
    for _ in 0..20 {
        let (status, again) = door.client.pay(url, &challenge, "known").await;
        assert_eq!((status, &again["credential"]), (200, &first["credential"]), "{again}");
    }
    let fresh = futures(20, |n| {
        let (client, challenge) = (door.client.clone(), challenge.clone());
        async move { client.pay(url, &challenge, &format!("fresh-{n}")).await.0 }
    })
    .await;
    assert!(fresh.iter().filter(|status| **status == 429).count() >= 10, "{fresh:?}");
    door.service.stop();
}

async fn futures<F: Future<Output = u16> + Send + 'static>(n: usize, make: impl Fn(usize) -> F) -> Vec<u16> {
    let all: Vec<_> = (0..n).map(|n| tokio::spawn(make(n))).collect();
    let mut statuses = Vec::new();
    for one in all {
        statuses.push(one.await.expect("an answer"));
    }
    statuses
}
