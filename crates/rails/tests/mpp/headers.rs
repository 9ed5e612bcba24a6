//! Challenges in `WWW-Authenticate` lines, however servers lay them out.

use countersign_core::rail::Rail as _;
use serde_json::json;

use crate::support::{Buyer, asking, carried, challenge, line, request, with};

fn asks(lines: &[&str]) -> bool {
    let headers: Vec<_> = lines.iter().map(|line| ("WWW-Authenticate".to_owned(), (*line).to_owned())).collect();
    Buyer::default().rail.is_challenge(402, &headers, b"")
}

/// The id of the challenge that would be paid.
fn chosen(lines: &[&str]) -> String {
    let buyer = Buyer::default();
    let quoted = buyer.lines(lines).unwrap_or_else(|e| panic!("{lines:?}: {e}"));
    carried(&buyer.paid(&quoted).1).1["challenge"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_layout_of_an_honest_challenge_is_found() {
    let ours = line(&challenge());
    let tempo = line(&with(with(challenge(), "/method", json!("tempo")), "/id", json!("t")));
    let basic = r#"Basic realm="a \" b, Payment id=no", charset="UTF-8""#;
    for lines in [
        vec![ours.as_str()],
        vec![&ours.replace("Payment ", "payment\t  ")],
        vec![&ours.replace("=\"", " = \"").replace(", ", "\t,,  ")],
        vec![&ours.replace("id=", "ID=").replace("realm=", "Realm=")],
        vec![&ours.replace("id=\"chal-1\"", "id=chal-1")],
        vec![&ours.replace("api.example", "ap\\i.exam\\u0070le")],
        vec![&ours.replace("api.example\"", "api.example\", unknown=\"x, y=\\\"z\\\"\"")],
        vec![&format!("{tempo}, {ours}")],
        vec![&format!("{ours}, {tempo}")],
        vec![&tempo, &ours],
        vec![basic, &ours],
        vec![&format!("{basic}, {ours}, Bearer")],
        vec![&format!("Negotiate a87421000492aa874209af8bc028==, {ours}, Digest a=b")],
        vec![&format!("Bearer, {ours}")],
        vec!["", " , ", &ours],
    ] {
        assert!(asks(&lines), "{lines:?}");
        assert_eq!(chosen(&lines), "chal-1");
    }
}

#[test]
fn what_is_no_challenge_of_this_scheme_is_not_one() {
    for line in [
        "",
        "Basic realm=\"x\"",
        "Payments id=\"x\"",
        "Bearer Payment id=\"x\"",
        "Basic realm=\"Payment id=1\"",
        "Basic realm=\"a, Payment id=1",
        "payment=\"x\"",
        "x=\"y\", payment = z",
    ] {
        assert!(!asks(&[line]), "{line}");
        assert_eq!(Buyer::default().lines(&[line]).unwrap_err().code(), "unsupported_offer", "{line}");
    }
    let headers = [("www-authenticate".to_owned(), line(&challenge()))];
    for status in [200, 401, 403, 500] {
        assert!(!Buyer::default().rail.is_challenge(status, &headers, b""), "{status} is never paid");
    }
}

#[test]
fn faults_of_form_are_refused() {
    let ours = line(&challenge());
    for broken in [
        ours.replace("id=\"chal-1\"", "id=\"chal-1\", ID=\"chal-2\""),
        ours.replace("id=\"chal-1\"", "id=chal 1"),
        ours.replace("id=\"chal-1\"", "id=\"chal-1\"x"),
        ours.replace("id=\"chal-1\"", "id="),
        ours.replace("id=\"chal-1\"", "id=\"\""),
        ours.replace("id=\"chal-1\"", "id"),
        ours.replace("chal-1", "chal\\ud83c"),
        ours.replace("chal-1", "chal\\u200b1"),
        format!("{ours}, digest=\"md5=abc\""),
        format!("{ours}, description=\"it does not end"),
        format!("{ours}, description=\"x\\"),
        "Payment".to_owned(),
        "Payment id=\"x\"".to_owned(),
    ] {
        assert!(asks(&[&broken]), "{broken}");
        assert_eq!(Buyer::default().lines(&[&broken]).unwrap_err().code(), "malformed_offer", "{broken}");
    }
}

#[test]
fn size_is_bounded_in_every_direction() {
    let padded = |n: usize| asking(&with(request(), "/padding", json!("x".repeat(n))));
    assert!(Buyer::default().lines(&[&padded(2_000)]).is_ok());
    let code = |line: &str| Buyer::default().lines(&[line]).unwrap_err();
    assert!(code(&padded(9_000)).to_string().contains("longer than servers take"), "a credential of 16 KB");
    assert_eq!(code(&padded(13_000)).code(), "malformed_offer", "a request above 16 KB");
    let many = vec![line(&challenge()); 17].join(", ");
    assert_eq!(code(&many).code(), "malformed_offer");
    let long = format!("{}, description=\"{}\"", line(&challenge()), "x".repeat(64 * 1024));
    assert_eq!(code(&long).code(), "malformed_offer");
}

#[test]
fn real_money_comes_before_play_money_and_then_the_servers_order_counts() {
    let base = json!({
        "amount": "10000", "currency": crate::support::USDC_BASE, "recipient": crate::support::SELLER,
        "methodDetails": {"chainId": 8453, "credentialTypes": ["authorization"]},
    });
    let of = |id: &str, request: &serde_json::Value| {
        line(&with(with(challenge(), "/id", json!(id)), "/request", json!(crate::support::coded(request))))
    };
    let (play, real, also) = (of("play", &request()), of("real", &base), of("also", &base));
    assert_eq!(chosen(&[&play, &real, &also]), "real");
    assert_eq!(chosen(&[&format!("{also}, {real}, {play}")]), "also");
}
