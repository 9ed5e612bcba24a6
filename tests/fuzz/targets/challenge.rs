//! Challenges of the Payment scheme: `WWW-Authenticate` lines, one a line, and what a caller brings.
//!
//! What is accepted names a token and a chain of our own table and a positive amount, and leads to a signature of exactly that,
//! to exactly the account that was named, sent with the challenge as it came.

use base64::{
    Engine as _,
    engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD},
};
use countersign_core::{
    rail::{Challenge, QuoteError, Quoted, Rail as _},
    signable::Signable,
};
use countersign_rails::mpp::Mpp;
use serde_json::{Value, value::RawValue};

use super::offer::{Buyer, NOW, PAYER};

/// Reads bytes as challenges in each way they can come.
pub fn challenge(data: &[u8]) -> bool {
    let rail = Mpp::default();
    let latin: String = data.iter().copied().map(char::from).collect();
    let headers = headers(&latin);
    let by_header = quote(&rail, Challenge::Http { status: 402, headers: &headers, body: b"" }, false);
    assert!(by_header.is_err() || rail.is_challenge(402, &headers, b""));
    let raw = std::str::from_utf8(data).ok().and_then(|text| serde_json::from_str::<Box<RawValue>>(text).ok());
    let brought = raw.as_ref().map(|raw| quote(&rail, Challenge::Json(raw), true));
    let mut accepted = false;
    for quoted in [Some(by_header), brought].into_iter().flatten().flatten() {
        accepted = true;
        honest(&rail, &quoted);
    }
    accepted
}

/// The price in these lines.
pub fn of_line(lines: &str) -> Result<Quoted, QuoteError> {
    quote(&Mpp::default(), Challenge::Http { status: 402, headers: &headers(lines), body: b"" }, false)
}

fn headers(lines: &str) -> Vec<(String, String)> {
    lines.lines().map(|line| ("www-authenticate".to_owned(), line.to_owned())).collect()
}

fn quote(rail: &Mpp, challenge: Challenge<'_>, claimed: bool) -> Result<Quoted, QuoteError> {
    rail.quote(challenge, Buyer::default().context(claimed))
}

fn honest(rail: &Mpp, quoted: &Quoted) {
    let quote = &quoted.quote;
    assert!(!quote.money.amount.is_zero() && quote.money == quote.exposure);
    assert_eq!((quote.scheme.as_str(), quote.wallet.as_str()), ("evm/charge", PAYER));
    let forms = rail.signables(quote, &quoted.offer, NOW, [0; 32]).expect("an accepted challenge can be signed");
    let [Signable::Eip3009(form)] = &forms[..] else { panic!("{} forms", forms.len()) };
    assert!((1_800_000_005..=1_800_000_300).contains(&form.valid_before));
    assert!(!form.to.is_zero() && form.to != form.from && form.to != form.token);
    let signed = [(forms[0].clone(), [&[1; 64][..], &[27]].concat())];
    let credential = rail.credential(quote, &quoted.offer, &signed).expect("what was signed can be sent");
    assert_eq!(credential.headers.len() + credential.meta.len(), 1);
    let sent = credential.headers.values().next().map(|value| {
        let coded = value.strip_prefix("Payment ").expect("the scheme");
        assert!(value.len() < 13 * 1024);
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(coded).expect("base64url")).expect("JSON")
    });
    let sent = sent.unwrap_or_else(|| credential.meta["org.paymentauth/credential"].clone());
    let request = &sent["challenge"]["request"];
    let coded = |text: &str| URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).expect("base64url");
    let said: Value = match request.as_str() {
        Some(text) => serde_json::from_slice(&coded(text)).expect("JSON"),
        None => request.clone(),
    };
    let word = |name: &str| said[name].as_str().expect("text").to_lowercase();
    assert_eq!((form.value.to_string(), form.value), (word("amount"), quote.money.amount));
    assert_eq!(form.to.to_string().to_lowercase(), word("recipient"));
    assert_eq!((form.token.to_string().to_lowercase(), form.from.to_string().as_str()), (word("currency"), PAYER));
    assert_eq!(said["methodDetails"]["chainId"].as_u64(), Some(form.chain_id));
    assert!(rail.evidence(&forms[0]).is_some());
}
