//! Charges by method `tempo`: what they cost, what is signed for them, and what becomes of it.

use alloy::primitives::{Address, B256, hex, keccak256};
use countersign_core::{
    Millis,
    payment::Op,
    policy::Risk,
    rail::{QuoteError, Quoted, Rail as _},
    signable::{Signable, tempo::Charge, tempo::Transaction},
};
use countersign_rails::mpp::{Mpp, Ways};
use serde_json::{Value, json};

use crate::support::{Buyer, NOW, PAYER, SELLER, USDC_SEPOLIA, carried, challenge, coded, line, with};

const PATH_USD: &str = "0x20c0000000000000000000000000000000000000";
const OTHER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

fn buyer() -> Buyer {
    let ways = Ways::parse(&["evm/charge", "tempo/charge"].map(str::to_owned)).unwrap();
    Buyer { rail: Mpp::new(ways), ..Buyer::default() }
}

fn request() -> Value {
    let details = json!({"chainId": 42431, "supportedModes": ["push", "pull"]});
    json!({"amount": "10000", "currency": PATH_USD, "recipient": SELLER, "methodDetails": details})
}

fn shared() -> Value {
    let memo = format!("0x{}", "ab".repeat(32));
    let splits = json!([{"recipient": OTHER, "amount": "2000"}, {"recipient": OTHER, "amount": "1000", "memo": memo}]);
    with(request(), "/methodDetails/splits", splits)
}

fn asking(request: &Value) -> Value {
    with(with(challenge(), "/method", json!("tempo")), "/request", json!(coded(request)))
}

fn quoted(request: &Value) -> Result<Quoted, QuoteError> {
    buyer().lines(&[&line(&asking(request))])
}

fn form(quoted: &Quoted, now: Millis) -> Result<Charge, QuoteError> {
    let forms = buyer().rail.signables(&quoted.quote, &quoted.offer, now, [7; 32])?;
    let [Signable::Tempo(form)] = <[Signable; 1]>::try_from(forms).unwrap() else { panic!("another form") };
    Ok(form)
}

#[test]
fn a_price_costs_its_fees_cap_too_and_says_who_else_is_paid() {
    let plain = quoted(&request()).unwrap().quote;
    assert_eq!((plain.scheme.as_str(), plain.testnet, plain.lifetime_seconds), ("tempo/charge", true, 25));
    assert_eq!([plain.money.amount.to_string(), plain.exposure.amount.to_string()], ["10000", "30000"]);
    assert!(plain.shares.is_empty() && plain.risks.is_empty());
    let sponsored = quoted(&with(request(), "/methodDetails/feePayer", json!(true))).unwrap().quote;
    assert_eq!(sponsored.exposure, sponsored.money);
    let split = quoted(&shared()).unwrap().quote;
    let shares: Vec<_> = split.shares.iter().map(|s| (s.account.as_str(), s.amount.to_string())).collect();
    assert_eq!(shares, [(OTHER, "2000".to_owned()), (OTHER, "1000".to_owned())]);
    assert_eq!((split.payee_gets().unwrap().to_string(), split.fee().to_string()), ("7000".into(), "35000".into()));
    assert!(split.risks.contains(&Risk::Shared));
    let real = quoted(&with(request(), "/methodDetails/chainId", json!(4217))).unwrap().quote;
    assert!(!real.testnet);
}

#[test]
fn a_token_is_paid_by_the_method_it_moves_by_only() {
    let error = |challenge: &Value| buyer().lines(&[&line(challenge)]).unwrap_err();
    let evm = with(
        challenge(),
        "/request",
        json!(coded(&with(
            with(crate::support::request(), "/currency", json!(PATH_USD)),
            "/methodDetails/chainId",
            json!(42431)
        ))),
    );
    assert!(error(&evm).to_string().contains("moves only by a Tempo transaction"), "{}", error(&evm));
    let usdc = with(with(request(), "/currency", json!(USDC_SEPOLIA)), "/methodDetails/chainId", json!(84532));
    assert!(error(&asking(&usdc)).to_string().contains("moves only by an EIP-3009 authorisation"));
}

#[test]
fn a_transaction_ends_within_25_seconds_of_the_yes_and_with_its_challenge() {
    let price = quoted(&request()).unwrap();
    for (after, end) in [(0, 25), (60, 85), (290, 300)] {
        let form = form(&price, NOW.plus_seconds(after)).unwrap();
        assert_eq!(form.valid_before, NOW.seconds() + end, "decided after {after} s");
    }
    assert_eq!(form(&price, NOW.plus_seconds(296)).unwrap_err().code(), "offer_expired");
    let sponsored = quoted(&with(request(), "/methodDetails/feePayer", json!(true))).unwrap();
    assert!(form(&sponsored, NOW.plus_seconds(285)).is_ok());
    assert_eq!(form(&sponsored, NOW.plus_seconds(286)).unwrap_err().code(), "offer_expired", "the server signs too");
}

#[test]
fn the_bytes_that_leave_say_what_was_priced_and_echo_the_challenge() {
    let asked = asking(&with(shared(), "/methodDetails/memo", json!(format!("0x{}", "cd".repeat(32)))));
    let price = buyer().lines(&[&line(&asked)]).unwrap();
    let form = form(&price, NOW).unwrap();
    let signed = [(Signable::Tempo(form.clone()), [&[7; 64][..], &[27]].concat())];
    let credential = buyer().rail.credential(&price.quote, &price.offer, &signed).unwrap();
    let (header, object) = carried(&credential);
    assert_eq!((header.as_str(), &object["challenge"]["request"]), ("Authorization", &asked["request"]));
    assert_eq!(object["source"], format!("did:pkh:eip155:42431:{PAYER}"));
    assert_eq!(object["payload"]["type"], "transaction");
    assert_eq!(object["payload"]["signature"], hex::encode_prefixed(form.signed(&signed[0].1)));
    let read = Transaction::read(&form.unsigned()).unwrap();
    let calls: Vec<_> = read.calls.iter().map(|c| (c.to.to_string(), c.value.to_string(), c.memo)).collect();
    let memo =
        [&keccak256("mpp")[..4], &[1], &keccak256("api.example")[..10], &[0; 10], &keccak256("chal-1")[..7]].concat();
    assert_eq!(
        calls,
        [
            (SELLER.to_owned(), "7000".to_owned(), Some(B256::from_slice(&memo))),
            (OTHER.to_owned(), "2000".to_owned(), None),
            (OTHER.to_owned(), "1000".to_owned(), Some(B256::repeat_byte(0xab))),
        ],
        "the server's memo for the payee is ignored"
    );
}

#[test]
fn a_kept_challenge_by_tempo_that_was_changed_is_not_signed_and_not_sent() {
    let price = quoted(&shared()).unwrap();
    let form = form(&price, NOW).unwrap();
    let honest = coded(&shared());
    let said = |pointer: &str, value: Value| coded(&with(shared(), pointer, value));
    let sent = |offer: &str| {
        let signed = [(Signable::Tempo(form.clone()), vec![27; 65])];
        buyer().rail.credential(&price.quote, offer, &signed).is_ok()
    };
    assert!(sent(&price.offer), "what was signed is sent");
    for (what, from, to) in [
        ("amount", honest.as_str(), said("/amount", json!("20000"))),
        ("recipient", honest.as_str(), said("/recipient", json!(OTHER))),
        ("currency", honest.as_str(), said("/currency", json!("0x20C000000000000000000000b9537d11c60E8b50"))),
        ("chain", honest.as_str(), said("/methodDetails/chainId", json!(4217))),
        ("sponsor", honest.as_str(), said("/methodDetails/feePayer", json!(true))),
        ("splits", honest.as_str(), said("/methodDetails/splits", json!([{"recipient": OTHER, "amount": "3000"}]))),
        ("id", "chal-1", "chal-2".to_owned()),
        ("realm", "api.example", "api.exampl3".to_owned()),
        ("method", "\"tempo\"", "\"evm\"".to_owned()),
        ("expiry", "08:05:00", "08:00:20".to_owned()),
    ] {
        let offer = price.offer.replace(from, &to);
        assert_ne!(offer, price.offer, "{what}");
        assert!(!sent(&offer), "another {what} was sent");
        if from == honest {
            let forms = buyer().rail.signables(&price.quote, &offer, NOW, [0; 32]);
            assert!(forms.is_err(), "another {what} was to be signed");
        }
    }
}

#[test]
fn a_charge_of_nothing_is_a_proof_for_the_host_that_was_asked_and_for_no_other() {
    let nothing = with(request(), "/amount", json!("0"));
    let price = quoted(&nothing).unwrap();
    assert_eq!((price.quote.op, price.quote.exposure.amount.to_string()), (Op::Sign, "0".to_owned()));
    let forms = buyer().rail.signables(&price.quote, &price.offer, NOW.plus_seconds(60), [7; 32]).unwrap();
    let [Signable::Proof(proof)] = &forms[..] else { panic!("another form") };
    assert_eq!((proof.realm.as_str(), proof.challenge.as_str()), ("api.example", "chal-1"));
    assert_eq!(proof.valid_before, NOW.seconds() + 300, "it ends with its challenge");
    assert_eq!(buyer().rail.evidence(&forms[0]), None, "no chain shows it");
    let signed = [(forms[0].clone(), [&[7; 64][..], &[28]].concat())];
    let (_, object) = carried(&buyer().rail.credential(&price.quote, &price.offer, &signed).unwrap());
    assert_eq!(object["payload"]["type"], "proof");
    assert_eq!(object["source"], format!("did:pkh:eip155:42431:{PAYER}"));
    for other in [price.offer.replace("chal-1", "chal-2"), price.offer.replace(&coded(&nothing), &coded(&request()))] {
        assert!(buyer().rail.credential(&price.quote, &other, &signed).is_err(), "{other}");
    }
    for realm in ["bank.example", "api.example:443", "https://api.example", "API.example", "api.example."] {
        let error = buyer().lines(&[&line(&with(asking(&nothing), "/realm", json!(realm)))]).unwrap_err();
        assert_eq!(error.code(), "malformed_offer", "{realm}: {error}");
    }
    let claimed = Buyer { claimed: true, ..buyer() };
    assert_eq!(claimed.lines(&[&line(&asking(&nothing))]).unwrap_err().code(), "malformed_offer");
    let split = with(shared(), "/amount", json!("0"));
    assert_eq!(quoted(&split).unwrap_err().code(), "malformed_offer");
}

#[test]
fn the_chain_is_asked_for_the_log_of_this_charge_in_its_window() {
    let form = form(&quoted(&request()).unwrap(), NOW).unwrap();
    let evidence = buyer().rail.evidence(&Signable::Tempo(form.clone())).unwrap();
    let topic = |account: &str| account.parse::<Address>().unwrap().into_word();
    let event = keccak256("TransferWithMemo(address,address,uint256,bytes32)");
    assert_eq!(evidence.used, [event, topic(PAYER), topic(SELLER), form.memo()]);
    assert_eq!(evidence.transfer.0, [keccak256("Transfer(address,address,uint256)"), topic(PAYER), topic(SELLER)]);
    assert_eq!((evidence.chain_id, evidence.state_call), (42431, None));
    assert_eq!((evidence.valid_from, evidence.valid_before), (NOW.seconds() - 5, NOW.seconds() + 25));
}
