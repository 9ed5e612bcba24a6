//! One table a check: a single offer with one thing wrong, and the code it gets.

use countersign_core::{
    Millis,
    asset::{Asset, AssetId, Network, Transfer},
    policy::Risk,
    rail::Rail as _,
    registry::Registry,
    signable::Signable,
};
use countersign_rails::x402::{X402, claimed_hosts};
use serde_json::{Value, json, value::RawValue};

use crate::support::{
    Buyer, NOW, PAYER, SELLER, USDC_BASE, form, offer, paid, price, sign, test_offer, v1_offer, v1_price, with, without,
};

fn code(text: &str) -> &'static str {
    Buyer::default().v2(text).map_or_else(|e| e.code(), |_| "payable")
}

fn all_get(expected: &str, pointer: &str, values: &[Value]) {
    for value in values {
        let found = code(&price(&[with(offer(), pointer, value.clone())]));
        assert_eq!(found, expected, "{pointer} = {value}");
    }
}

#[test]
fn an_honest_price_is_read_whole() {
    let quoted = Buyer::default().v2(&price(&[offer()])).unwrap();
    let quote = &quoted.quote;
    assert_eq!((quote.rail.as_str(), quote.version, quote.scheme.as_str()), ("x402", 2, "exact"));
    assert_eq!(quote.asset_text(), "0.03 USDC");
    assert_eq!(quote.amount_value.map(|v| v.to_string()).as_deref(), Some("0.03"));
    assert_eq!(
        (quote.wallet.as_str(), quote.payee.account.as_str(), quote.payee.origin.as_str()),
        (PAYER, SELLER, "https://api.example")
    );
    assert_eq!((quote.lifetime_seconds, quote.testnet, quote.reversible), (60, false, false));
    assert_eq!(quote.money, quote.exposure);
    assert!(quote.risks.is_empty());
    assert_eq!(quoted.seller_says.as_deref(), Some("Test goods"));
    assert!(Buyer::default().v2(&price(&[test_offer()])).unwrap().quote.testnet);
    assert_eq!(Buyer::default().v1(&v1_price(&[v1_offer()])).unwrap().quote.version, 1);
}

#[test]
fn an_amount_is_plain_digits_above_zero() {
    let (big, over) =
        ("9".repeat(200), "115792089237316195423570985008687907853269984665640564039457584007913129639936");
    let bad = [
        json!("0"),
        json!("00010000"),
        json!(10000),
        json!("-1"),
        json!("+1"),
        json!("0.01"),
        json!("1e4"),
        json!("0x2710"),
        json!(" 1"),
        json!("1 "),
        json!("１"),
        json!(""),
        json!(null),
        json!(["1"]),
        json!(big),
        json!(over),
    ];
    all_get("malformed_offer", "/amount", &bad);
    assert_eq!(code(&price(&[without(offer(), "/amount")])), "malformed_offer");
    all_get("payable", "/amount", &[json!("1"), json!("340282366920938463463374607431768211455")]);
    // Past what a value in the reference currency can hold.
    all_get(
        "malformed_offer",
        "/amount",
        &[json!("115792089237316195423570985008687907853269984665640564039457584007913129639935")],
    );
}

#[test]
fn a_timeout_is_a_whole_number_from_ten_seconds_to_a_day() {
    let bad =
        [json!("60"), json!(-5), json!(0), json!(9), json!(60.5), json!(1e300), json!(null), json!(true), json!([60])];
    all_get("malformed_offer", "/maxTimeoutSeconds", &bad);
    assert_eq!(code(&price(&[without(offer(), "/maxTimeoutSeconds")])), "malformed_offer");
    for exotic in ["60.0", "6e1", "-0", "1E400"] {
        assert_eq!(code(&price(&[offer()]).replace(":60", &format!(":{exotic}"))), "malformed_offer", "{exotic}");
    }
    all_get("lifetime_too_long", "/maxTimeoutSeconds", &[json!(86401), json!(31_536_000), json!(u64::MAX)]);
    assert_eq!(code(&price(&[offer()]).replace(":60", ":99999999999999999999999999")), "lifetime_too_long");
    all_get("payable", "/maxTimeoutSeconds", &[json!(10), json!(300), json!(86400)]);
}

#[test]
fn a_network_has_one_spelling_and_is_an_evm_chain() {
    let bad = [
        json!("eip155:084532"),
        json!("eip155:0"),
        json!("eip155:0x2105"),
        json!("eip155:8453 "),
        json!("eip155:"),
        json!("base"),
        json!(8453),
        json!("eip155:*"),
        json!("EIP155"),
        json!(""),
    ];
    all_get("malformed_offer", "/network", &bad);
    all_get(
        "unsupported_offer",
        "/network",
        &[json!("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"), json!("xrpl:0"), json!("stellar:pubnet")],
    );
    let v1 = |name: Value| {
        Buyer::default().v1(&v1_price(&[with(v1_offer(), "/network", name)])).map_or_else(|e| e.code(), |_| "payable")
    };
    assert_eq!(v1(json!("base-sepolia")), "payable");
    assert_eq!(v1(json!("solana-devnet")), "unsupported_offer");
    assert_eq!(v1(json!("iotex")), "unknown_asset");
    assert_eq!(v1(json!("eip155:84532")), "malformed_offer");
    assert_eq!(v1(json!("Base")), "malformed_offer");
}

#[test]
fn only_tokens_of_our_own_table_are_paid() {
    let lookalike = json!("0xbad0bad0bad0bad0bad0bad0bad0bad0bad0bad0");
    let bad_checksum = json!("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02914");
    all_get(
        "unknown_asset",
        "/asset",
        &[lookalike, bad_checksum, json!("USDC"), json!("0x0000000000000000000000000000000000000000")],
    );
    assert_eq!(code(&price(&[with(test_offer(), "/network", json!("eip155:8453"))])), "unknown_asset");
    all_get("unknown_asset", "/network", &[json!("eip155:1337"), json!("eip155:84532")]);
    all_get("payable", "/asset", &[json!(USDC_BASE.to_lowercase()), json!(USDC_BASE)]);

    let mut buyer = Buyer::default();
    let network = Network::eip155(1337);
    let id = AssetId::erc20(&network, "0xbad0bad0bad0bad0bad0bad0bad0bad0bad0bad0".parse().unwrap());
    let domain = Registry::builtin("USD").assets().next().unwrap().eip712.clone();
    buyer.registry.add_asset(Asset {
        id,
        symbol: "T".into(),
        decimals: 6,
        peg: None,
        eip712: domain,
        transfer: Transfer::Eip3009,
    });
    let text = price(&[with(
        with(offer(), "/network", json!("eip155:1337")),
        "/asset",
        json!("0xbad0bad0bad0bad0bad0bad0bad0bad0bad0bad0"),
    )]);
    assert_eq!(buyer.v2(&text).unwrap_err().code(), "unknown_asset", "the chain is not in the table");
}

#[test]
fn the_token_is_described_as_in_our_table_or_not_paid() {
    all_get("asset_mismatch", "/extra/name", &[json!("USDC"), json!("usd coin"), json!("USD Coin "), json!(null)]);
    all_get("asset_mismatch", "/extra/version", &[json!("1"), json!("2.0"), json!(null)]);
    all_get("asset_mismatch", "/extra", &[json!(null), json!({})]);
    assert_eq!(code(&price(&[without(offer(), "/extra")])), "asset_mismatch");
    all_get("malformed_offer", "/extra", &[json!("USD Coin"), json!([]), json!(1)]);
    all_get("malformed_offer", "/extra/version", &[json!(2), json!(""), json!({})]);
}

#[test]
fn what_we_do_not_pay_is_unsupported_whatever_else_it_says() {
    all_get(
        "unsupported_offer",
        "/scheme",
        &[json!("upto"), json!("batch-settlement"), json!("auth-capture"), json!("Exact"), json!("charge")],
    );
    all_get("malformed_offer", "/scheme", &[json!(1), json!(null), json!(""), json!("exact\u{200b}")]);
    all_get("unsupported_offer", "/extra/assetTransferMethod", &[json!("permit2"), json!("erc7710"), json!("EIP3009")]);
    all_get("malformed_offer", "/extra/assetTransferMethod", &[json!(1), json!([])]);
    all_get("payable", "/extra/assetTransferMethod", &[json!("eip3009"), json!(null)]);
    all_get("unsupported_offer", "/extra/paymentFlow", &[json!("escrow"), json!("later")]);
    all_get("malformed_offer", "/extra/paymentFlow", &[json!(true)]);
    all_get("payable", "/extra/paymentFlow", &[json!("authorization"), json!("upfront"), json!(null)]);
    let other_form = json!({ "scheme": "channel", "price": [1, 2] });
    assert_eq!(code(&price(&[other_form])), "unsupported_offer");
    let permit2_token = with(
        with(offer(), "/network", json!("eip155:4326")),
        "/asset",
        json!("0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7"),
    );
    assert_eq!(code(&price(&[permit2_token])), "unsupported_offer");
}

#[test]
fn nobody_is_paid_who_must_not_be() {
    let bad = [
        "0x0000000000000000000000000000000000000000",
        "0x0000000000000000000000000000000000000001",
        USDC_BASE,
        "0xFAfDdbb3FC7688494971a79cc65DCa3EF82079E7",
        "0x000000000022D473030F116dDEE9F6B43aC78BA3",
        PAYER,
        "0x209693Bc6afc0C5328bA36FaF03C514EF312287c",
        "0x209693Bc6afc0C5328bA36FaF03C514EF312287",
        "209693Bc6afc0C5328bA36FaF03C514EF312287C",
        "merchant",
    ];
    all_get("bad_payee", "/payTo", &bad.map(|account| json!(account)));
    all_get("bad_payee", "/payTo", &[json!(PAYER.to_lowercase()), json!(USDC_BASE.to_lowercase())]);
    all_get("malformed_offer", "/payTo", &[json!(null), json!(7), json!("")]);

    let mut buyer = Buyer::default();
    buyer.wallets.insert("eip155:1".into(), SELLER.into());
    assert_eq!(buyer.v2(&price(&[offer()])).unwrap_err().code(), "bad_payee", "another account of ours");
}

#[test]
fn without_a_wallet_on_the_network_nothing_is_payable() {
    let wallets = [("eip155:84532".to_owned(), PAYER.to_owned())].into();
    let mut buyer = Buyer { wallets, ..Buyer::default() };
    assert_eq!(buyer.v2(&price(&[offer()])).unwrap_err().code(), "no_wallet");
    buyer.wallets.insert("*".into(), "not an account".into());
    assert_eq!(buyer.v2(&price(&[offer()])).unwrap_err().code(), "no_wallet");
}

#[test]
fn odd_but_payable_prices_carry_their_risk() {
    let buyer = Buyer::default();
    assert_eq!(buyer.risks(&price(&[with(offer(), "/extra/paymentFlow", json!("upfront"))])), [Risk::Upfront]);
    assert_eq!(buyer.risks(&price(&[with(offer(), "/maxTimeoutSeconds", json!(29))])), [Risk::ShortLife]);
    assert_eq!(buyer.risks(&price(&[with(offer(), "/maxTimeoutSeconds", json!(30))])), []);
    let claimed = Buyer { claimed: true, ..Buyer::default() };
    let quote = claimed.brought(&price(&[offer()])).unwrap().quote;
    assert!(quote.payee.claimed && quote.risks.contains(&Risk::SellerUnverified));
}

#[test]
fn a_resource_on_another_host_is_a_risk_and_scheme_port_and_path_are_not() {
    let at = |url: &str| price(&[offer()]).replace("https://api.example/cheap", url);
    let buyer = Buyer::default();
    for same in ["http://api.example:8080/other?q=1", "/cheap", "https://API.example/", "https://user@api.example/"] {
        assert_eq!(buyer.risks(&at(same)), [], "{same}");
    }
    for other in [
        "https://evil.example/cheap",
        "//evil.example/cheap",
        "https://api.example.evil.example/",
        "https://api.example@evil.example/",
        "mcp://tool/x",
        "javascript:1",
        "https://[",
    ] {
        assert_eq!(buyer.risks(&at(other)), [Risk::OtherResource], "{other}");
    }
    let v1 = v1_price(&[with(v1_offer(), "/resource", json!("https://evil.example/"))]);
    assert!(buyer.v1(&v1).unwrap().quote.risks.contains(&Risk::OtherResource));
    assert!(buyer.brought(&at("mcp://tool/x")).unwrap().quote.risks.is_empty(), "a tool is not on the web");
    assert!(buyer.brought(&at("https://evil.example/")).unwrap().quote.risks.contains(&Risk::OtherResource));
}

#[test]
fn the_hosts_a_challenge_claims_can_be_asked_for() {
    let hosts = |text: &str| claimed_hosts(&RawValue::from_string(text.to_owned()).unwrap());
    assert_eq!(hosts(&price(&[offer()])), ["api.example"]);
    assert_eq!(
        hosts(&price(&[offer()]).replace("https://api.example", "http://B\u{fc}cher.Example:81")),
        ["xn--bcher-kva.example"]
    );
    assert_eq!(hosts(&price(&[offer()]).replace("https://api.example/cheap", "mcp://tool/x")), [""; 0]);
    let other = with(v1_offer(), "/resource", json!("https://other.example/"));
    assert_eq!(hosts(&v1_price(&[v1_offer(), other])), ["api.example", "other.example"]);
    assert_eq!(hosts("[]"), [""; 0]);
}

#[test]
fn an_authorisation_lives_at_most_five_minutes_however_long_was_offered() {
    for (offered, lives) in [(10, 10), (60, 60), (300, 300), (301, 300), (86400, 300)] {
        let quoted = Buyer::default().v2(&price(&[with(offer(), "/maxTimeoutSeconds", json!(offered))])).unwrap();
        let form = form(&quoted, Millis(1_800_000_000_999), [1; 32]);
        assert_eq!((form.valid_after, form.valid_before), (0, 1_800_000_000 + lives));
        assert_eq!(
            paid(&quoted).pointer("/accepted/maxTimeoutSeconds"),
            Some(&json!(offered)),
            "echoed as it was offered"
        );
    }
    let v1 = Buyer::default().v1(&v1_price(&[with(v1_offer(), "/maxTimeoutSeconds", json!(900))])).unwrap();
    let form = form(&v1, NOW, [1; 32]);
    assert_eq!((form.valid_after, form.valid_before), (1_799_999_400, 1_800_000_300));
}

#[test]
fn a_credential_is_written_only_for_what_was_signed() {
    let quoted = Buyer::default().v2(&price(&[offer()])).unwrap();
    let honest = form(&quoted, NOW, [1; 32]);
    let signature = sign(&honest);
    let write = |form: &countersign_core::signable::Eip3009, offer: &str, signature: &[u8]| {
        X402.credential(&quoted.quote, offer, &[(Signable::Eip3009(form.clone()), signature.to_vec())])
    };
    assert!(write(&honest, &quoted.offer, &signature).is_ok());
    for (from, to) in [
        ("30000", "30001"),
        (SELLER, USDC_BASE),
        ("8453", "84532"),
        (USDC_BASE, SELLER),
        ("USD Coin", "USDC"),
        ("\"2\"", "\"3\""),
        ("accepted", "other"),
    ] {
        assert!(quoted.offer.contains(from));
        assert!(write(&honest, &quoted.offer.replace(from, to), &signature).is_err(), "{from} became {to}");
    }
    let mut other = honest.clone();
    other.to = PAYER.parse().unwrap();
    assert!(write(&other, &quoted.offer, &signature).is_err());
    let v_is_zero = [&signature[..64], &[0]].concat();
    let too_long = [&signature[..], &[27]].concat();
    for bad in [&signature[..64], &[], &v_is_zero, &too_long] {
        assert!(write(&honest, &quoted.offer, bad).is_err());
    }
    let signed = (Signable::Eip3009(honest), signature);
    assert!(X402.credential(&quoted.quote, &quoted.offer, &[]).is_err());
    assert!(X402.credential(&quoted.quote, &quoted.offer, &[signed.clone(), signed]).is_err());
}

#[test]
fn what_proves_a_transfer_is_named_by_the_tokens_own_logs_and_calls() {
    let quoted = Buyer::default().v2(&price(&[offer()])).unwrap();
    let evidence = X402.evidence(&Signable::Eip3009(form(&quoted, NOW, [0xab; 32]))).unwrap();
    let word = |account: &str| format!("0x{}{}", "0".repeat(24), account.trim_start_matches("0x").to_lowercase());
    let topics = |topics: &[alloy::primitives::B256]| topics.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (evidence.chain_id, evidence.token.to_string().as_str(), evidence.valid_before),
        (8453, USDC_BASE, 1_800_000_060)
    );
    assert_eq!(
        topics(&evidence.transfer.0),
        ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef".to_owned(), word(PAYER), word(SELLER)]
    );
    assert_eq!(evidence.transfer.1.to_string(), format!("0x{:064x}", 30000));
    let nonce = "ab".repeat(32);
    assert_eq!(
        topics(&evidence.used),
        [
            "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5".to_owned(),
            word(PAYER),
            format!("0x{nonce}")
        ]
    );
    assert_eq!(evidence.state_call.unwrap().to_string(), format!("0xe94a0102{}{nonce}", &word(PAYER)[2..]));
    assert_eq!(evidence.balance_call.to_string(), format!("0x70a08231{}", &word(PAYER)[2..]));
}
