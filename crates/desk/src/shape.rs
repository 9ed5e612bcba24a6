//! What answers are made of. The contract of the service is written from these types, so their comments are what it says.

use countersign_core::policy::{BudgetView, Effect};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::{
    outcome::Outcome,
    problem::Code,
    request::{FetchBody, PayBody},
    seconds::Seconds,
};

/// Adds what may be asked to one generator, and what is answered to the other.
pub fn describe(asked: &mut SchemaGenerator, answered: &mut SchemaGenerator) {
    asked.subschema_for::<FetchBody>();
    asked.subschema_for::<PayBody>();
    answered.subschema_for::<Outcome>();
    answered.subschema_for::<PaymentList>();
    answered.subschema_for::<Budget>();
}

/// States of a payment, as the API names them.
const STATES: [&str; 7] = ["waiting", "reserved", "signed", "settled", "refused", "released", "unknown"];
/// The same as words to ask for.
pub(crate) const ASKED_STATES: [&str; 8] =
    ["waiting", "reserved", "signed", "settled", "refused", "released", "unknown", "pending_approval"];
/// An RFC 3339 moment.
const TIME: &str = "date-time";

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Payment")]
pub(crate) struct PaymentView {
    /// Our name for this payment.
    #[schemars(regex(pattern = "^pay_[0-9a-f]{32}$"))]
    pub id: String,
    pub rail: String,
    pub scheme: String,
    #[schemars(extend("enum" = STATES))]
    pub state: &'static str,
    pub amount: MoneyView,
    /// The most this payment can cost.
    pub exposure: MoneyView,
    pub payee: PayeeView,
    /// Which agent asked.
    pub agent: String,
    pub decision: DecisionView,
    /// Where the seller or the chain says it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// verified only after it was seen on chain.
    #[schemars(extend("enum" = ["none", "claimed", "verified", "failed", "unknown"]))]
    pub settlement: &'static str,
    #[schemars(extend("format" = TIME))]
    pub created_at: String,
    /// When the question to the person ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = TIME))]
    pub expires_at: Option<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Money")]
pub(crate) struct MoneyView {
    /// Decimal, in whole units of the asset.
    pub amount: String,
    pub symbol: String,
    /// CAIP-19 id.
    pub asset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<WorthView>,
}

/// The same in the reference currency.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Worth")]
pub(crate) struct WorthView {
    /// Decimal.
    pub amount: String,
    pub currency: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Payee")]
pub(crate) struct PayeeView {
    /// The site.
    pub origin: String,
    /// The account that gets the money.
    pub account: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Decision")]
pub(crate) struct DecisionView {
    /// What the person's policy says.
    #[schemars(extend("enum" = ["allow", "ask", "deny"]))]
    pub effect: &'static str,
    /// The rule that decided.
    pub rule: String,
    /// The other reasons.
    pub because: Vec<String>,
    /// Which policy judged.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub policy_hash: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct PaymentList {
    /// Newest first.
    pub payments: Vec<PaymentView>,
    /// Null at the end.
    pub next_cursor: Option<String>,
}

/// What this agent may still spend without asking.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Budget {
    /// The reference currency.
    pub currency: String,
    /// Above this a person is asked; null where policy has no such line.
    pub ask_above: Option<String>,
    pub budgets: Vec<BudgetLeft>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct BudgetLeft {
    pub id: String,
    /// Such as calendar:day.
    pub window: String,
    /// Money left; null for a budget that only counts payments.
    pub left: Option<String>,
    /// The cap; only where the budget is yours alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// Only where the budget is yours alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<String>,
    /// Payments left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count_left: Option<u64>,
    /// When the window begins again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
    #[schemars(extend("enum" = ["allow", "ask", "deny"]))]
    pub on_exceed: &'static str,
}

impl From<BudgetView> for BudgetLeft {
    fn from(of: BudgetView) -> Self {
        let text = |money: countersign_core::money::Micro| money.to_string();
        Self {
            id: of.id,
            window: of.window,
            left: of.left.map(text),
            max: of.max.map(text),
            used: of.used.map(text),
            count_left: of.count_left,
            resets_at: of.resets_at,
            on_exceed: word(of.on_exceed),
        }
    }
}

/// An effect on the wire.
pub(crate) const fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Ask => "ask",
        Effect::Deny => "deny",
    }
}

impl JsonSchema for Code {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        json_schema!({"type": "string", "enum": words, "description": "Why it did not simply work; stable."})
    }
}

impl JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 0})
    }
}
