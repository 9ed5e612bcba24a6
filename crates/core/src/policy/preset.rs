//! Shipped policies. All refuse raw signatures.

use super::Policy;

/// The names a person can choose from; `balanced` is another name of `everyday`.
pub const PRESETS: [&str; 5] = ["everyday", "careful", "hands-off", "pinned-only", "test-network"];

pub(super) fn named(name: &str, reference: &str) -> Option<Policy> {
    let text = match name {
        "everyday" | "balanced" => EVERYDAY,
        "careful" => CAREFUL,
        "hands-off" => HANDS_OFF,
        "pinned-only" => PINNED_ONLY,
        "test-network" => TEST_NETWORK,
        _ => return None,
    };
    let mut draft = Policy::parse(text, "USD").ok()?.draft();
    draft.reference = reference.to_owned();
    for rule in &mut draft.rules {
        rule.origin = super::Source::Preset;
    }
    draft.check().ok()
}

/// Small payments to known payees go through; everything new or larger asks.
const EVERYDAY: &str = r#"
format = 1
name = "everyday"
reference = "USD"
rule = [
  { id = "no-raw-sign", effect = "deny", when = { op = "sign" } },
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "50.00" } } },
  { id = "first-payee", effect = "ask", when = { payee_known = false } },
  { id = "money-back", effect = "ask", when = { op = "refund" } },
  { id = "mandates", effect = "ask", when = { op = ["mandate_open", "mandate_closed"] } },
  { id = "ask-above", effect = "ask", when = { exposure = { gt = "0.10" } } },
  { id = "micro", effect = "allow", when = { rail = ["x402", "mpp"], op = ["pay", "session_open"], exposure = { le = "0.10" } } },
]
budget = [
  { id = "micro-burst", scope = ["rule:micro", "agent"], window = "rolling:10m", max_amount = "1.00", max_count = 3000, on_exceed = "ask" },
  { id = "micro-day", scope = ["rule:micro", "agent"], window = "calendar:day", max_amount = "5.00", on_exceed = "ask" },
  { id = "limit-week", scope = [], window = "rolling:7d", max_amount = "60.00", on_exceed = "deny" },
]
"#;

/// Everything asks.
const CAREFUL: &str = r#"
format = 1
name = "careful"
reference = "USD"
rule = [{ id = "no-raw-sign", effect = "deny", when = { op = "sign" } }]
"#;

/// Known payees are paid up to 1.00 without a question.
const HANDS_OFF: &str = r#"
format = 1
name = "hands-off"
reference = "USD"
rule = [
  { id = "no-raw-sign", effect = "deny", when = { op = "sign" } },
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "20.00" } } },
  { id = "first-payee", effect = "ask", when = { payee_known = false } },
  { id = "money-back", effect = "ask", when = { op = "refund" } },
  { id = "mandates", effect = "ask", when = { op = ["mandate_open", "mandate_closed"] } },
  { id = "ask-above", effect = "ask", when = { exposure = { gt = "1.00" } } },
  { id = "known-payees", effect = "allow", when = { payee_known = true, op = ["pay", "session_open"], exposure = { le = "1.00" } } },
]
budget = [
  { id = "limit-day", scope = [], window = "calendar:day", max_amount = "20.00", on_exceed = "ask" },
  { id = "limit-week", scope = [], window = "rolling:7d", max_amount = "60.00", on_exceed = "deny" },
]
"#;

/// `everyday` for payees on the list; no others, and no question about them.
const PINNED_ONLY: &str = r#"
format = 1
name = "pinned-only"
reference = "USD"
rule = [
  { id = "no-raw-sign", effect = "deny", when = { op = "sign" } },
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "50.00" } } },
  { id = "pinned-only", effect = "deny", when = { payee_known = false } },
  { id = "money-back", effect = "ask", when = { op = "refund" } },
  { id = "mandates", effect = "ask", when = { op = ["mandate_open", "mandate_closed"] } },
  { id = "ask-above", effect = "ask", when = { exposure = { gt = "0.10" } } },
  { id = "micro", effect = "allow", when = { rail = ["x402", "mpp"], op = ["pay", "session_open"], exposure = { le = "0.10" } } },
]
budget = [
  { id = "micro-burst", scope = ["rule:micro", "agent"], window = "rolling:10m", max_amount = "1.00", max_count = 3000, on_exceed = "ask" },
  { id = "micro-day", scope = ["rule:micro", "agent"], window = "calendar:day", max_amount = "5.00", on_exceed = "ask" },
  { id = "limit-week", scope = [], window = "rolling:7d", max_amount = "60.00", on_exceed = "deny" },
]
"#;

/// Play money only, without questions.
const TEST_NETWORK: &str = r#"
format = 1
name = "test-network"
reference = "USD"
rule = [
  { id = "no-raw-sign", effect = "deny", when = { op = "sign" } },
  { id = "no-real-money", effect = "deny", when = { testnet = false } },
  { id = "no-unknown-value", effect = "deny", when = { exposure = { exists = false } } },
  { id = "limit-payment", effect = "deny", when = { exposure = { gt = "1.00" } } },
  { id = "play-money", effect = "allow", when = { testnet = true, exposure = { le = "1.00" } } },
]
budget = [{ id = "limit-day", scope = [], window = "calendar:day", max_amount = "20.00", on_exceed = "deny" }]
"#;
