//! Amounts: the first byte is the number of decimals, the rest the text.
//!
//! What is accepted prints back to the digits that were read, in every form and at every precision.

use countersign_core::{
    money::{Amount, Micro},
    registry::Registry,
};

/// Reads a text as atomic units, as human units and as a value.
pub fn amount(data: &[u8]) -> bool {
    let Some((decimals, text)) = data.split_first() else { return false };
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let atomic = Amount::parse_atomic(text);
    if let Ok(atomic) = atomic {
        assert_eq!(atomic.to_string(), text);
        assert_eq!(Amount::from_be_bytes(atomic.to_be_bytes()), atomic);
        assert_eq!(Amount::parse_human(&atomic.human(*decimals), *decimals).ok(), fits(*decimals).then_some(atomic));
        worth(atomic);
    }
    let human = Amount::parse_human(text, *decimals);
    if let Ok(human) = human {
        assert_eq!(human.human(*decimals), shortest(text));
    }
    let value = Micro::parse(text);
    if let Ok(value) = value {
        assert_eq!(shortest(&value.to_string()), shortest(text));
        assert_eq!(Micro::parse(&value.to_string()), Ok(value));
        assert_eq!(Amount::parse_human(text, 6).map(|a| a.to_string()), Ok(value.0.to_string()));
    }
    atomic.is_ok() || human.is_ok() || value.is_ok()
}

/// The same number without zeros at the end of its fraction.
fn shortest(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// One whole unit of a currency with so many decimals is a number we can hold.
fn fits(decimals: u8) -> bool {
    decimals <= 77
}

/// A value is never below the price it stands for: what has six decimals is worth exactly itself, the rest is rounded up.
fn worth(amount: Amount) {
    let registry = Registry::builtin("USD");
    for asset in registry.assets() {
        let Ok(Some(value)) = registry.value(asset, amount) else { continue };
        let (units, value) = (amount.human(asset.decimals), Amount::parse_atomic(&value.0.to_string()));
        let value = value.expect("plain digits");
        if asset.decimals == 6 {
            assert_eq!(value, amount);
        }
        // In the asset's own units again, where it has more of them.
        if let Ok(back) = Amount::parse_human(&value.human(6), asset.decimals) {
            assert!(back >= amount, "{units} {} is worth less than itself", asset.symbol);
        }
    }
}
