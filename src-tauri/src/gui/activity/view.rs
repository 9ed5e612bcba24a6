//! What the Activity page gets and sends: texts ready to be shown, and parts of a thousand for what is drawn.

use countersign_vault::activity::{Line, Spent};
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Which payments are wanted; an empty text is no condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(deny_unknown_fields)]
pub struct ActivityFilter {
    /// Play money instead of real money.
    pub test: bool,
    pub agent: String,
    /// Origin that was paid.
    pub payee: String,
    pub state: String,
    pub rail: String,
    /// In the reference currency, such as `4.20`.
    pub min: String,
    pub max: String,
    /// First day, such as `2026-05-04`.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Words to search for.
    pub text: String,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ActivityLine {
    pub id: String,
    /// UTC.
    pub when: String,
    pub agent: String,
    pub payee: String,
    /// In the asset, exact.
    pub amount: String,
    /// In the reference currency; none if it has no value there.
    pub value: Option<String>,
    pub state: String,
    pub rule: String,
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct ActivityPage {
    pub payments: Vec<ActivityLine>,
    /// Where the next page starts; none at the end.
    pub next: Option<String>,
}

/// What the sums are wanted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
pub struct OverviewAsked {
    /// Play money instead of real money.
    pub test: bool,
    pub by: SumsBy,
    pub span: Span,
}

/// What the parts of a bar are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum SumsBy {
    Agent,
    Payee,
    Rail,
}

/// How far back, and what one bar is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// 30 days, each a bar.
    Days,
    /// 12 weeks.
    Weeks,
    /// 12 months.
    Months,
}

/// The head of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Overview {
    pub today: SpentView,
    pub week: SpentView,
    pub month: SpentView,
    /// The days that are drawn, together.
    pub span: SpentView,
    /// Where days begin.
    pub zone: String,
    /// The years that have payments may be asked for up to this one.
    pub year: String,
    /// What the highest bar comes to; none if nothing was spent.
    pub highest: Option<String>,
    pub bars: Vec<Bar>,
    /// What the parts of the bars mean, most spent first; the sixth is all the rest.
    pub parts: Vec<Ranked>,
    pub payees: Vec<Ranked>,
    /// Entries of the ledger that are not in here yet.
    pub behind: u32,
    pub agents: Vec<String>,
    pub rails: Vec<String>,
    pub states: Vec<String>,
    /// Whether there are payments with real money.
    pub has_real: bool,
    /// Whether there are payments with play money.
    pub has_test: bool,
}

/// A sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct SpentView {
    pub value: String,
    pub count: u32,
    /// Payments without a value in the reference currency, which the sum lacks.
    pub unknown: u32,
}

/// One bar of the chart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Bar {
    /// Its first day.
    pub day: String,
    pub value: String,
    pub count: u32,
    /// From the bottom up.
    pub parts: Vec<BarPart>,
}

/// A part of a bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct BarPart {
    /// Place in [`Overview::parts`].
    pub part: u32,
    /// Where it starts, in thousandths of the highest bar.
    pub from: u32,
    /// How high it is.
    pub height: u32,
    pub value: String,
}

/// A name and what was spent on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Ranked {
    /// Empty for all the rest.
    pub name: String,
    pub value: String,
    pub count: u32,
    /// Of the first one, in thousandths.
    pub share: u32,
}

/// One payment from the question to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct PaymentStory {
    pub line: ActivityLine,
    pub account: String,
    /// The payee's name is only the agent's word.
    pub claimed: bool,
    pub resource: String,
    pub network: String,
    pub test: bool,
    pub wallet: String,
    pub rail: String,
    pub settlement: String,
    pub transaction: Option<String>,
    /// The address of the transaction in an explorer of our table.
    pub explorer: Option<String>,
    pub agent_says: Option<String>,
    pub seller_says: Option<String>,
    /// What the seller answered, as far as it is kept.
    pub receipt: Vec<(String, String)>,
    pub steps: Vec<StepView>,
    /// The page it is, while a buyer can still pay there.
    pub page: Option<PageView>,
}

/// A page on which a buyer pays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct PageView {
    /// Its address; none where that is not kept any more.
    pub link: Option<String>,
    /// Whether Alipay is asked about it again and again.
    pub watched: bool,
}

/// One step of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct StepView {
    pub kind: StepKind,
    /// UTC.
    pub when: String,
    /// A rule, a place, a transaction: what the kind asks for.
    pub what: Option<String>,
    /// Further reasons.
    pub also: Vec<String>,
}

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The agent asked.
    Asked,
    /// A rule let it through.
    Allowed,
    /// A rule wants a person.
    NeedsPerson,
    /// A rule refused it.
    Denied,
    /// A person said yes.
    ApprovedByPerson,
    /// A person said no.
    Declined,
    Expired,
    Cancelled,
    Signed,
    Delivered,
    /// The seller says that it was paid.
    Claimed,
    /// The seller refused it, or the chain contradicts the seller.
    Refused,
    /// Written down beside it.
    Noted,
    /// Alipay is asked about this page no more.
    Unwatched,
    /// It is asked again.
    Watched,
    /// Money moved, on evidence.
    Settled,
    /// Nobody knows.
    WindowOver,
    /// It was never signed.
    NeverSigned,
    /// It can never be used.
    Dead,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(TS))]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Csv,
    Json,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(TS))]
pub struct Exported {
    pub path: String,
    /// Payments in it.
    pub count: String,
}

impl ActivityLine {
    /// What is shown of a line.
    pub fn of(line: Line, reference: &str) -> Self {
        Self {
            id: line.id.to_string(),
            when: line.at.rfc3339(),
            agent: line.agent,
            payee: line.payee,
            amount: line.amount,
            value: line.value.map(|value| grouped(&format!("{value} {reference}"))),
            state: line.state,
            rule: line.rule,
        }
    }
}

impl SpentView {
    /// What is shown of a sum.
    pub fn of(spent: Spent, reference: &str) -> Self {
        Self {
            value: grouped(&format!("{} {reference}", spent.micro())),
            count: number(spent.count),
            unknown: number(spent.unknown),
        }
    }
}

/// A count that fits; the largest there is for any above.
pub fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// `1250.00 USD` as `1,250.00 USD`.
pub fn grouped(money: &str) -> String {
    let end = money.find(|c: char| !c.is_ascii_digit()).unwrap_or(money.len());
    let (whole, rest) = money.split_at(end);
    let mut text = String::with_capacity(money.len());
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && whole.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_commas_in_front_of_the_point_only() {
        for (plain, shown) in [
            ("0.00 USD", "0.00 USD"),
            ("999.99 USD", "999.99 USD"),
            ("1000.00 USD", "1,000.00 USD"),
            ("1234567.123456 USD", "1,234,567.123456 USD"),
        ] {
            assert_eq!(grouped(plain), shown);
        }
    }
}
