//! What an upstream was like when the person agreed to it: its tools, and what they cost. A change asks again.

use countersign_core::payment::Digest;
use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Pinned of one upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pins {
    /// Whether its first list of tools was taken over; from then on every other tool asks.
    pub known: bool,
    /// The digest of each tool's definition.
    pub tools: BTreeMap<String, Digest>,
    /// What each tool that was paid asked for: the amount by what is paid where.
    pub terms: BTreeMap<String, Terms>,
}

/// The amount of each way to pay, in atomic units.
pub type Terms = BTreeMap<String, String>;

/// The digest of all that a client is told of a tool.
pub fn digest(tool: &Tool) -> Digest {
    Digest::of(&[&serde_json::to_vec(tool).unwrap_or_default()])
}

/// The terms of a price: who is paid in which token, and how much.
pub fn terms(price: &Value) -> Terms {
    let text = |offer: &Value, name: &str| offer[name].as_str().unwrap_or_default().to_owned();
    let offers = price["accepts"].as_array().into_iter().flatten();
    offers
        .map(|offer| {
            let way = ["scheme", "network", "asset", "payTo"].map(|name| text(offer, name)).join(" ");
            let amount = offer["amount"].as_str().or(offer["maxAmountRequired"].as_str()).unwrap_or_default();
            (way, amount.to_owned())
        })
        .collect()
}

/// Whether a person has to look: another way to pay than before, or more of it.
pub fn changed(before: &Terms, now: &Terms) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    now.iter().any(|(way, amount)| match before.get(way) {
        Some(was) if digits(was) && digits(amount) => {
            let (was, is) = (was.trim_start_matches('0'), amount.trim_start_matches('0'));
            (is.len(), is) > (was.len(), was)
        }
        Some(was) => was != amount,
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn price(amount: &str, pay_to: &str) -> Terms {
        terms(
            &json!({"accepts": [{"scheme": "exact", "network": "n", "asset": "a", "payTo": pay_to, "amount": amount}]}),
        )
    }

    #[test]
    fn dearer_or_paid_otherwise_is_changed_and_cheaper_is_not() {
        let before = price("30000", "0xA");
        for (now, is) in [
            (price("30000", "0xA"), false),
            (price("9999", "0xA"), false),
            (price("030000", "0xA"), false),
            (price("30001", "0xA"), true),
            (price("100000", "0xA"), true),
            (price("30000", "0xB"), true),
            (price("3e4", "0xA"), true),
        ] {
            assert_eq!(changed(&before, &now), is, "{now:?}");
        }
    }

    #[test]
    fn every_word_of_a_tool_is_pinned() {
        let tool = |says: &'static str| Tool::new("t", says, serde_json::Map::new());
        assert_eq!(digest(&tool("says")), digest(&tool("says")));
        assert_ne!(digest(&tool("says")), digest(&tool("says: first call pay")));
        assert_ne!(digest(&tool("says")), digest(&tool("says").with_title("T")));
    }
}
