//! Hostile networks: certificates nobody vouches for, addresses behind the door, sockets that dawdle, bodies that swell.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::Ordering,
    time::Duration,
};

use crate::support::{
    Client, Place, Service,
    hostile_seller::{HostileSeller, offer, required},
    raw::{RawAnswer, exchange},
    service::PATIENCE,
    till::up_to,
    tls::Authority,
};

struct Door {
    place: Place,
    service: Service,
    client: Client,
    token: String,
}

impl Door {
    fn open(config: &str, environment: &[(&str, &str)]) -> Self {
        let (place, _) = Place::with_wallet(config);
        place.policy(&up_to("1.00"));
        let token = place.agent("researcher");
        let service = place.serve_with("deny", environment);
        let client = Client::new(&service.url, &token);
        Self { place, service, client, token }
    }

    fn port(&self) -> u16 {
        self.service.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// A connection on which nothing was said yet.
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port())).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    /// The head of a `POST /v1/fetch` whose body has so many bytes.
    fn head(&self, length: usize) -> String {
        format!(
            "POST /v1/fetch HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n",
            self.port(),
            self.token
        )
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

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_an_unknown_authority_is_no_seller_and_the_same_one_trusted_is_paid() {
    let authority = Authority::new();
    let seller = authority.seller(&["localhost", "127.0.0.1"]).await;
    let wrong_name = authority.seller(&["other.example"]).await;
    let allowed = "[fetch]\nallow_private_hosts = [\"localhost\", \"127.0.0.1\"]\n";
    let door = Door::open(allowed, &[]);
    for host in ["localhost", "127.0.0.1"] {
        let (status, body) = door.client.fetch(&format!("https://{host}:{}/", seller.port), host).await;
        assert_eq!((status, body["code"].as_str()), (502, Some("seller_unreachable")), "{host}: {body}");
    }
    assert_eq!(seller.requests.load(Ordering::SeqCst), 0, "a request was made");
    door.close_without_payments().await;

    let dir = tempfile::tempdir().expect("a directory");
    let trusted = authority.write(dir.path());
    let door = Door::open(allowed, &[("SSL_CERT_FILE", trusted.to_str().expect("a path"))]);
    let (status, body) = door.client.fetch(&format!("https://localhost:{}/", wrong_name.port), "name").await;
    assert_eq!((status, body["code"].as_str()), (502, Some("seller_unreachable")), "another's certificate: {body}");
    let (status, body) = door.client.fetch(&format!("https://localhost:{}/", seller.port), "trusted").await;
    assert_eq!((status, body["payment"]["state"].as_str()), (200, Some("signed")), "{body}");
    assert_eq!(seller.requests.load(Ordering::SeqCst), 2, "once for the price, once with the payment");
    assert_eq!(wrong_name.requests.load(Ordering::SeqCst), 0);
    door.service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_unrelated_https_servers_in_another_time_make_everything_ask() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().expect("a directory");
    let trusted = authority.write(dir.path());
    let allowed = "[fetch]\nallow_private_hosts = [\"localhost\", \"127.0.0.1\"]\n";
    let door = Door::open(allowed, &[("SSL_CERT_FILE", trusted.to_str().expect("a path"))]);
    let seller = authority.seller(&["localhost", "127.0.0.1"]).await;
    *seller.date.lock().expect("a lock") = Some("Sat, 01 Jan 2000 00:00:00 GMT".to_owned());
    for key in ["first", "again"] {
        let (status, body) = door.client.fetch(&format!("https://localhost:{}/{key}", seller.port), key).await;
        assert_eq!((status, body["payment"]["state"].as_str()), (200, Some("signed")), "one server alone: {body}");
    }
    let (status, body) = door.client.fetch(&format!("https://127.0.0.1:{}/", seller.port), "second").await;
    assert_eq!((status, body["code"].as_str()), (403, Some("no_approver")), "{body}");
    assert_eq!(body["outcome"]["payment"]["decision"]["rule"], "builtin:clock-suspect", "{body}");
    let shown = door.place.ok(&["policy", "show", "--json"]);
    assert!(shown["doubts"]["clock"].as_str().is_some_and(|why| why.starts_with("Two unrelated servers")), "{shown}");
    door.service.stop();
}

/// Places no agent has business with. `PORT` is where somebody listens who must not be reached.
const INSIDE: &[&str] = &[
    "https://127.0.0.1:PORT/",
    "http://127.0.0.1:PORT/",
    "https://127.0.0.2:PORT/",
    "https://127.1:PORT/",
    "https://127.0.1:PORT/",
    "https://2130706433:PORT/",
    "https://0x7f000001:PORT/",
    "https://0x7f.0.0.1:PORT/",
    "https://0177.0.0.1:PORT/",
    "https://0:PORT/",
    "https://0.0.0.0:PORT/",
    "https://127.0.0.1.:PORT/",
    "https://１２７.0.0.1:PORT/",
    "https://127。0。0。1:PORT/",
    "https://%31%32%37.0.0.1:PORT/",
    "https://[::1]:PORT/",
    "https://[0:0:0:0:0:0:0:1]:PORT/",
    "https://[::]:PORT/",
    "https://[::ffff:127.0.0.1]:PORT/",
    "https://[::ffff:7f00:1]:PORT/",
    "https://[::127.0.0.1]:PORT/",
    "https://[64:ff9b::7f00:1]:PORT/",
    "https://[2002:7f00:1::]:PORT/",
    "https://localhost.:PORT/",
    "https://LOCALHOST.:PORT/",
    "https://foo.localhost:PORT/",
    "https://localhost.localdomain.local:PORT/",
    "https://ip6-localhost:PORT/",
    "http://example.com:PORT/",
    "http://example.com/",
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://0x0a.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://192.168.1.254:8443/",
    "https://3232235777/",
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fd00:ec2::254]/",
    "https://169.254.0.1/",
    "https://100.64.0.1/",
    "https://100.127.255.254/",
    "https://192.0.0.1/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[ff02::1]/",
    "https://router/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://nas.home.arpa/",
    "https://box.lan/",
    "https://wiki.intranet/",
];

#[tokio::test(flavor = "multi_thread")]
async fn sixty_places_inside_are_reached_neither_directly_nor_by_redirect() {
    assert!(INSIDE.len() >= 60);
    let inside = TcpListener::bind("127.0.0.1:0").expect("a port");
    inside.set_nonblocking(true).expect("a listener");
    let port = inside.local_addr().expect("an address").port().to_string();
    let door = Door::open("[fetch]\nallow_private_hosts = [\"localhost\"]\n", &[]);
    let signpost = signpost().await;
    for place in INSIDE {
        let target = place.replace("PORT", &port);
        // Asked for directly, then by redirect; a header has no room for other digits than ASCII's.
        let redirects: &[u16] = if target.is_ascii() { &[301, 302, 303, 307, 308] } else { &[] };
        let sent = redirects.iter().map(|status| {
            (*status, format!("http://localhost:{signpost}/{status}/{}", URL_SAFE_NO_PAD.encode(&target)))
        });
        for (status, url) in std::iter::once((0, target.clone())).chain(sent) {
            let (http, body) = door.client.fetch(&url, "key").await;
            assert_eq!((http, body["code"].as_str()), (422, Some("private_host")), "{target} by {status}: {body}");
        }
    }
    assert!(inside.accept().is_err(), "somebody connected");
    door.close_without_payments().await;
}

/// A server that sends everybody where the path says.
async fn signpost() -> u16 {
    use axum::{Router, extract::Path, http::StatusCode, routing::any};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let router = Router::new().route(
        "/{status}/{target}",
        any(|Path((status, target)): Path<(u16, String)>| async move {
            let target = URL_SAFE_NO_PAD.decode(target).expect("base64");
            let location = axum::http::HeaderValue::from_bytes(&target).expect("a header value");
            (StatusCode::from_u16(status).expect("a status"), [("location", location)])
        }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_port_is_bound_to_loopback_and_to_nothing_else() {
    let door = Door::open("", &[]);
    let listening = |file: &str| -> Vec<String> {
        let table = std::fs::read_to_string(file).unwrap_or_default();
        let suffix = format!(":{:04X}", door.port());
        let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        rows.filter(|row| row.get(3) == Some(&"0A"))
            .filter_map(|row| row.get(1)?.strip_suffix(&suffix).map(str::to_owned))
            .collect()
    };
    assert_eq!(listening("/proc/net/tcp"), ["0100007F"], "127.0.0.1 and nothing else");
    let six = listening("/proc/net/tcp6");
    assert!(six.iter().all(|address| address == "00000000000000000000000001000000"), "more than ::1: {six:?}");
    for other in ["127.0.0.2", "127.255.255.254"] {
        assert!(TcpStream::connect((other, door.port())).is_err(), "{other} is answered");
    }
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_sockets_that_dawdle_hinder_nobody_and_are_closed() {
    let door = Door::open("", &[]);
    let dawdle = |n: usize| {
        let mut stream = door.connect();
        let head = door.head(100);
        // Some say nothing, some stop within the head, some within the body.
        let said = [String::new(), head[..20].to_owned(), head.clone(), format!("{head}{{\"url\":")];
        stream.write_all(said[n % 4].as_bytes()).expect("a listener");
        stream
    };
    let mut slow: Vec<TcpStream> = (0..200).map(dawdle).collect();
    for _ in 0..50 {
        assert_eq!(door.client.get("/healthz").await.0, 200);
    }
    let mut ends = [0; 4];
    for (n, stream) in slow.iter_mut().enumerate() {
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("the connection is closed in time");
        let said = String::from_utf8_lossy(&said);
        assert!(n % 4 < 2 || said.starts_with("HTTP/1.1 400 "), "a body that does not arrive: {said}");
        ends[n % 4] += 1;
    }
    assert_eq!(ends, [50; 4]);
    // A new connection: an idle one may be closed at this very moment.
    assert_eq!(Client::new(&door.service.url, &door.token).get("/healthz").await.0, 200);
    door.close_without_payments().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_is_told_so_and_a_free_place_is_used_again() {
    let door = Door::open("[limits]\nconnections = 4\n", &[]);
    let held: Vec<TcpStream> = (0..4).map(|_| door.connect()).collect();
    let request = format!(
        "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        door.port(),
        door.token
    );
    let full = exchange(&door.service.url, request.as_bytes());
    assert_eq!(code(&full), (429, "rate_limited".to_owned()), "{full:?}");
    assert_eq!(full.header("retry-after").as_deref(), Some("1"), "{full:?}");
    drop(held);
    crate::support::until("a place is free", async || {
        (exchange(&door.service.url, request.as_bytes()).status == 200).then_some(())
    })
    .await;
    door.service.stop();
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_fifty_megabytes_is_refused_and_leaves_no_trace_in_memory() {
    const FIFTY: usize = 50 * 1024 * 1024;
    let door = Door::open("", &[]);
    let block = vec![b' '; 64 * 1024];
    let send = |chunked: bool| {
        let mut stream = door.connect();
        let head = door.head(FIFTY);
        let head = if chunked {
            head.replace(&format!("Content-Length: {FIFTY}"), "Transfer-Encoding: chunked")
        } else {
            head
        };
        stream.write_all(head.as_bytes()).expect("a listener");
        for _ in 0..FIFTY / block.len() {
            let size = format!("{:x}\r\n", block.len());
            let parts: &[&[u8]] = if chunked { &[size.as_bytes(), &block, b"\r\n"] } else { &[&block] };
            // The other side may have refused and closed already.
            if parts.iter().any(|part| stream.write_all(part).is_err()) {
                break;
            }
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    for chunked in [false, true] {
        let warm = send(chunked);
        assert!(warm.starts_with("HTTP/1.1 413 ") && warm.contains("too_large"), "chunked {chunked}: {warm}");
    }
    let (grown, answers) =
        crate::support::rss::growth(door.service.pid(), async { [false, true, false, true].map(send) }).await;
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 413 ")), "{answers:?}");
    assert!(grown < 5 * 1024, "it grew by {grown} KiB");
    door.close_without_payments().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn prices_that_swell_or_never_end_are_given_up_within_their_bounds() {
    let door = Door::open("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n", &[]);
    let seller = HostileSeller::start("0x0000000000000000000000000000000000000001").await;
    let slow = tokio::spawn({
        let (client, url) = (door.client.clone(), seller.case("slow"));
        async move { client.fetch(&url, "slow").await }
    });
    for case in ["bomb", "big"] {
        assert_eq!(door.client.fetch(&seller.case(case), case).await.1["code"], "malformed_offer", "{case}");
    }
    let (grown, ()) = crate::support::rss::growth(door.service.pid(), async {
        for case in ["bomb", "big", "squeezed", "bomb", "big", "squeezed"] {
            let (status, body) = door.client.fetch(&seller.case(case), case).await;
            assert_eq!((status, body["code"].as_str()), (422, Some("malformed_offer")), "{case}: {body}");
        }
    })
    .await;
    assert!(grown < 10 * 1024, "it grew by {grown} KiB");
    let (status, body) = tokio::time::timeout(Duration::from_secs(40), slow).await.expect("an end").expect("an answer");
    assert_eq!((status, body["code"].as_str()), (502, Some("seller_unreachable")), "{body}");
    assert!(body["detail"].as_str().is_some_and(|detail| detail.contains("in time")), "{body}");
    let url = "https://api.example/x";
    let paid = door.client.pay(url, &required(url, vec![offer()]), "still").await;
    assert_eq!(paid.1["status"], "authorized", "it still works: {}", paid.1);
    door.service.stop();
}
