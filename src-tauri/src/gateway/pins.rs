//! What an upstream was like when the person agreed to it: its tools, and what they cost. A change asks again.

use countersign_core::payment::Digest;
use rmcp::model::Tool;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most tools of one upstream.
const MOST: usize = 500;
/// Longest name of a tool, bytes; the protocol has no longer ones.
const LONGEST: usize = 128;
/// Most pages of a first list.
const PAGES: u32 = 100;

/// Pinned of one upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pins {
    /// Whether its first list of tools was taken over; from then on every other tool asks.
    pub known: bool,
    /// How many pages of it were.
    pub pages: u32,
    /// The digest of each tool's definition.
    pub tools: BTreeMap<String, Digest>,
    /// What each tool that was paid asked for: the amount by what is paid where.
    pub terms: BTreeMap<String, Terms>,
}

/// The amount of each way to pay, in atomic units; all of them in their order, where there are several.
pub type Terms = BTreeMap<String, String>;

impl Pins {
    /// Of a page of tools: those that are pinned, and those a person has to be asked about. While the first list goes on, a tool
    /// that was never heard of is pinned; it is over with its last page, and where it does not end. Others than a person could
    /// agree to are left out.
    pub fn sort(&mut self, tools: Vec<Tool>, last: bool) -> (Vec<Tool>, Vec<Tool>) {
        let (mut kept, mut other, mut new) = (Vec::new(), Vec::new(), 0_usize);
        for tool in tools.into_iter().filter(|tool| tool.name.len() <= LONGEST) {
            let digest = digest(&tool);
            match self.tools.get(&*tool.name) {
                Some(pinned) if *pinned == digest => kept.push(tool),
                Some(_) => other.push(tool),
                None if self.tools.len().saturating_add(new) >= MOST => {}
                None if self.known => {
                    new = new.saturating_add(1);
                    other.push(tool);
                }
                None => {
                    self.tools.insert(tool.name.to_string(), digest);
                    kept.push(tool);
                }
            }
        }
        if !self.known {
            self.pages = self.pages.saturating_add(1);
            self.known = last || self.pages >= PAGES || self.tools.len() >= MOST;
        }
        (kept, other)
    }
}

/// The digest of all that a client is told of a tool.
pub fn digest(tool: &Tool) -> Digest {
    Digest::of(&[&serde_json::to_vec(tool).unwrap_or_default()])
}

/// The terms of a price: who is paid in which token, and how much.
pub fn terms(price: &Value) -> Terms {
    let text = |offer: &Value, name: &str| offer[name].as_str().unwrap_or_default().to_owned();
    // The one the rail reads.
    let amount = if price["x402Version"] == 1 { "maxAmountRequired" } else { "amount" };
    let mut terms = Terms::new();
    for offer in price["accepts"].as_array().into_iter().flatten() {
        let way = ["scheme", "network", "asset", "payTo"].map(|name| text(offer, name)).join(" ");
        let amount = text(offer, amount);
        terms.entry(way).and_modify(|all| *all = format!("{all} {amount}")).or_insert(amount);
    }
    terms
}

/// Whether a person has to look: more or fewer ways to pay than before, since which of them is taken is the rail's to choose, or
/// more to pay.
pub fn changed(before: &Terms, now: &Terms) -> bool {
    if before.keys().any(|way| !now.contains_key(way)) {
        return true;
    }
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
    fn the_amount_that_is_pinned_is_the_one_the_rail_reads() {
        let offer = |amount: &str, most: &str, to: &str| json!({"scheme": "exact", "payTo": to, "amount": amount, "maxAmountRequired": most});
        let price = |version: u8, offers: &[Value]| terms(&json!({"x402Version": version, "accepts": offers}));
        let cheap = [offer("1", "1", "0xA")];
        for version in [1, 2] {
            let before = price(version, &cheap);
            assert!(!changed(&before, &price(version, &cheap)));
            assert_eq!(changed(&before, &price(version, &[offer("1", "900000", "0xA")])), version == 1);
            assert_eq!(changed(&before, &price(version, &[offer("900000", "1", "0xA")])), version == 2);
            let two = [offer("900000", "900000", "0xA"), cheap[0].clone()];
            assert!(changed(&before, &price(version, &two)), "the first of two amounts is paid");
            assert!(!changed(&price(version, &two), &price(version, &two)));
            assert!(changed(&price(version, &two), &price(version, &two[..1])));
            let ways = [cheap[0].clone(), offer("900000", "900000", "0xB")];
            assert!(changed(&price(version, &ways), &price(version, &ways[1..])), "the cheap way is gone");
            assert!(changed(&before, &price(version, &[])));
        }
    }

    fn tool(name: impl Into<String>, says: &'static str) -> Tool {
        Tool::new(name.into(), says, serde_json::Map::new())
    }

    fn names((kept, other): (Vec<Tool>, Vec<Tool>)) -> (Vec<String>, Vec<String>) {
        let names = |tools: Vec<Tool>| tools.into_iter().map(|tool| tool.name.to_string()).collect();
        (names(kept), names(other))
    }

    #[test]
    fn a_first_list_that_does_not_end_changes_no_tool_and_is_over_all_the_same() {
        let mut pins = Pins::default();
        let none = Vec::<String>::new;
        assert_eq!(names(pins.sort(vec![tool("a", "1")], false)), (vec!["a".to_owned()], none()));
        assert_eq!(names(pins.sort(vec![tool("a", "2")], false)), (none(), vec!["a".to_owned()]));
        assert_eq!(names(pins.sort(vec![tool("b", "1"), tool("b", "2")], false)).1, ["b"]);
        for _ in 0..PAGES {
            pins.sort(Vec::new(), false);
        }
        assert_eq!(names(pins.sort(vec![tool("c", "1")], false)), (none(), vec!["c".to_owned()]));
        assert_eq!(names(pins.sort(vec![tool("a", "1")], true)), (vec!["a".to_owned()], none()));
    }

    #[test]
    fn tools_without_number_and_names_without_end_are_not_pinned() {
        let mut pins = Pins::default();
        let many = (0..MOST.saturating_mul(2)).map(|n| tool(n.to_string(), "says")).collect();
        assert_eq!((pins.sort(many, false).0.len(), pins.known), (MOST, true));
        assert_eq!(names(pins.sort(vec![tool("more", "says"), tool("7", "other")], true)).1, ["7"]);
        let mut pins = Pins { known: true, ..Pins::default() };
        let many = (0..MOST.saturating_mul(2)).map(|n| tool(n.to_string(), "says")).collect();
        assert_eq!(pins.sort(many, true).1.len(), MOST);
        assert_eq!(pins.sort(vec![tool("a".repeat(LONGEST.saturating_add(1)), "says")], true), (vec![], vec![]));
    }

    #[test]
    fn every_word_of_a_tool_is_pinned() {
        let whole = json!({
            "name": "t", "title": "T", "description": "says", "inputSchema": {"type": "object"},
            "outputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}, "icons": [{"src": "https://a.example/i"}],
            "_meta": {"own": 1},
        });
        let read = |value: &Value| digest(&serde_json::from_value(value.clone()).unwrap());
        for (name, other) in [
            ("name", json!("u")),
            ("title", json!("U")),
            ("description", json!("says: first call pay")),
            ("inputSchema", json!({"type": "object", "properties": {"key": {}}})),
            ("outputSchema", json!({"type": "object", "properties": {"key": {}}})),
            ("annotations", json!({"readOnlyHint": false})),
            ("icons", json!([{"src": "https://b.example/i"}])),
            ("_meta", json!({"own": 2})),
        ] {
            let mut changed = whole.clone();
            changed[name] = other;
            assert_ne!(read(&whole), read(&changed), "{name}");
        }
    }
}
