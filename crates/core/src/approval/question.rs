//! The frozen content of a question: every string exactly as any approver renders it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::words;
use crate::{
    Millis,
    behind::Behind,
    money::Amount,
    payment::{Digest, Op, PaymentId, Program, Quote},
    policy::{Decision, Risk},
    registry::Registry,
    text::clean,
};

/// What the ledger knows about this agent's payee, and what it finds odd.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    /// Payments to exactly this payee before.
    pub payments: u64,
    /// When the last one was.
    pub last: Option<Millis>,
    /// What comparing with other payments found, beside the risks of the quote.
    pub odd: BTreeSet<Risk>,
}

/// Something odd, with a stable name and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// `data-warning`: `first-payee`, `payee-changed`, …
    pub id: String,
    /// What it means, for a person.
    pub text: String,
}

/// The tightest covering budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// The budget's id.
    pub id: String,
    /// Used before, this, left, cap: texts in the reference currency.
    pub spent: String,
    /// This payment.
    pub this: String,
    /// What is left after it; `0.00` when over.
    pub left: String,
    /// The cap.
    pub of: String,
    /// Parts of a thousand used before and after, for drawing.
    pub before_permille: u16,
    /// After.
    pub after_permille: u16,
    /// By how much it goes over, if it does.
    pub over: Option<String>,
}

/// One question, frozen. What is approved is the stored payment, never this text; the text is proved to match it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Which payment.
    pub payment_id: PaymentId,
    /// Who asks: the paired name.
    pub agent: String,
    /// `verified program: PATH`, `another program: PATH`, or `self-declared, program not checked`.
    pub program: String,
    /// The host that is paid, with its port if unusual; `the agent says: HOST` when only claimed.
    pub payee_host: String,
    /// Scheme, host and port.
    pub payee_origin: String,
    /// The registrable part of the host, to be stressed.
    pub payee_registrable: String,
    /// Every character of the paid account.
    pub payee_account: String,
    /// `first time` or `paid 14 times`.
    pub payee_history: String,
    /// `4.20 USD`, or `no known value`.
    pub amount_fiat: String,
    /// `4.2 USDC`, exact.
    pub amount_asset: String,
    /// The network's name, who pays the fee, whether it can be taken back.
    pub amount_terms: String,
    /// Our account and network.
    pub pay_from: String,
    /// The agent's reason, cleaned; none if empty.
    pub agent_says: Option<String>,
    /// The seller's words, cleaned; none if empty.
    pub seller_says: Option<String>,
    /// Method and path that is bought.
    pub resource: String,
    /// One sentence for the rule.
    pub why_asked: String,
    /// The rule's id.
    pub rule: String,
    /// The other reasons' ids.
    pub also: Vec<String>,
    /// Worst first.
    pub warnings: Vec<Warning>,
    /// The tightest budget.
    pub bar: Option<Bar>,
    /// When the question ends unanswered.
    pub expires_at: Millis,
    /// What the button says: `Pay 4.20 USD`.
    pub act: String,
    /// What will be signed, field by field; nonce and window are fixed after the yes.
    pub signs: Vec<(String, String)>,
}

impl Question {
    /// Freezes a question. `reason` and `seller` are foreign text and are cleaned here.
    #[expect(clippy::too_many_arguments, reason = "each is a different witness; a struct would only rename them")]
    pub fn freeze(
        payment_id: &PaymentId,
        agent: &str,
        behind: &Behind,
        quote: &Quote,
        decision: &Decision,
        history: &History,
        registry: &Registry,
        reason: Option<&str>,
        seller: Option<&str>,
        expires_at: Millis,
    ) -> Self {
        let host = host_text(quote);
        let reference = registry.reference();
        let network = quote.network.as_ref();
        let network_name = network.map_or_else(
            || quote.rail.clone(),
            |n| registry.chain(n).map_or_else(|| n.to_string(), |c| c.name.clone()),
        );
        let fiat = quote.exposure_value.map(|v| format!("{v} {reference}"));
        let amount = fiat.clone().unwrap_or_else(|| quote.asset_text());
        let foreign = |text: Option<&str>| text.map(clean).filter(|t| !t.is_empty());
        Self {
            payment_id: payment_id.clone(),
            agent: agent.to_owned(),
            program: program_text(behind),
            payee_host: if quote.payee.claimed { format!("the agent says: {host}") } else { host },
            payee_origin: quote.payee.origin.to_string(),
            payee_registrable: quote.payee.origin.registrable().to_owned(),
            payee_account: quote.payee.account.clone(),
            payee_history: match history.payments {
                0 => "first time".to_owned(),
                1 => "paid once before".to_owned(),
                n => format!("paid {n} times before"),
            },
            amount_fiat: fiat.unwrap_or_else(|| "no known value".to_owned()),
            amount_asset: quote.asset_text(),
            amount_terms: format!(
                "{network_name} · no fee for you · {}",
                if quote.reversible { "can be refunded" } else { "cannot be taken back" }
            ),
            pay_from: format!("{} · {network_name}", quote.wallet),
            agent_says: foreign(reason),
            seller_says: foreign(seller),
            resource: format!("{} {}", quote.resource.method, clean(&quote.resource.path)),
            why_asked: why(&decision.rule, quote.op, decision, reference),
            rule: decision.rule.clone(),
            also: decision.because.clone(),
            warnings: warnings(quote, decision, history, behind),
            bar: bar(decision, reference),
            expires_at,
            act: words::act(quote, &amount),
            signs: signs(quote),
        }
    }

    /// Whether what is on screen, read back, is what this quote would sign: amount, token, account, payer.
    pub fn is_about(&self, quote: &Quote) -> bool {
        let Some((amount, symbol)) = self.amount_asset.split_once(' ') else { return false };
        let row = |name: &str| self.signs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let value = format!("{} ({})", quote.exposure.amount, self.amount_asset);
        Amount::parse_human(amount, quote.decimals) == Ok(quote.exposure.amount)
            && symbol == quote.symbol
            && self.payee_account == quote.payee.account
            && self.payee_origin == quote.payee.origin.as_str()
            && row("to") == Some(quote.payee.account.as_str())
            && row("from") == Some(quote.wallet.as_str())
            && row("contract") == Some(quote.exposure.asset.as_str())
            && row("value") == Some(value.as_str())
    }

    /// SHA-256 of every string as rendered and a nonce per showing: one payment, one showing.
    pub fn display_hash(&self, nonce: [u8; 16]) -> Digest {
        let view = serde_json::to_vec(self).unwrap_or_default();
        Digest::of(&[b"countersign question 1", &nonce, &view])
    }
}

fn program_text(behind: &Behind) -> String {
    let (word, program) = match behind {
        Behind::Unseen => return "self-declared, program not checked".to_owned(),
        Behind::Unbound(program) => ("self-declared, program", program),
        Behind::Bound(program) => ("verified program", program),
        Behind::Changed(program, _) => ("another program", program),
    };
    match program {
        Program { path, parent: None } => format!("{word}: {}", clean(path)),
        Program { path, parent: Some(parent) } => format!("{word}: {}, started by {}", clean(path), clean(parent)),
    }
}

fn host_text(quote: &Quote) -> String {
    let text = quote.payee.origin.as_str();
    text.strip_prefix("https://").unwrap_or(text).to_owned()
}

fn signs(quote: &Quote) -> Vec<(String, String)> {
    let (form, number) = words::form(quote);
    let mut rows = vec![("form".to_owned(), form)];
    if let Some(domain) = &quote.domain {
        rows.push(("token".to_owned(), format!("{} version {}", domain.name, domain.version)));
    }
    rows.push(("contract".to_owned(), quote.exposure.asset.to_string()));
    rows.push(("from".to_owned(), quote.wallet.clone()));
    rows.push(("to".to_owned(), quote.payee.account.clone()));
    rows.push(("value".to_owned(), format!("{} ({})", quote.exposure.amount, quote.asset_text())));
    rows.push(("valid for".to_owned(), format!("{} seconds after your yes", quote.lifetime_seconds.min(300))));
    rows.push(("nonce".to_owned(), number));
    rows
}

/// One sentence for a rule id.
fn why(rule: &str, op: Op, decision: &Decision, reference: &str) -> String {
    if let Some(id) = rule.strip_prefix("budget:") {
        let line = decision.budgets.iter().find(|b| b.id == id && b.exceeded);
        return line.and_then(|b| b.max.map(|max| (b, max))).map_or_else(
            || format!("this payment goes over the budget {id}"),
            |(b, max)| format!("this payment takes the budget {id} to {} of {max} {reference}", b.after),
        );
    }
    match rule {
        "default" => "no rule allows this payment by itself".to_owned(),
        "first-payee" => words::first(op).to_owned(),
        "ask-above" => "the amount is above what may be paid without asking".to_owned(),
        "builtin:payee-changed" => "this seller was paid at another account before".to_owned(),
        "builtin:unknown-value" => "this token has no known value in your currency".to_owned(),
        "builtin:possible-duplicate" => "the same request was paid minutes ago and its outcome is not known".to_owned(),
        "builtin:other-resource" => "the offer names another website than the one asked".to_owned(),
        "builtin:redirected" => "the request was sent on to another website".to_owned(),
        "builtin:upfront" => "the seller takes the money before it delivers".to_owned(),
        "builtin:caller-changed" => "another program is using this agent's token".to_owned(),
        "builtin:terms-changed" => "the tool is dearer, or paid otherwise, than it was before".to_owned(),
        "builtin:clock-suspect" => "this computer's clock cannot be trusted at the moment".to_owned(),
        "builtin:policy-unconfirmed" => "the limits were changed and nobody has confirmed them yet".to_owned(),
        "builtin:observe" => "the policy only watches and does not allow anything by itself".to_owned(),
        other => format!("your rule {other} asks"),
    }
}

fn warnings(quote: &Quote, decision: &Decision, history: &History, behind: &Behind) -> Vec<Warning> {
    let warn = |id: &str, text: &str| Warning { id: id.to_owned(), text: text.to_owned() };
    let mut all = Vec::new();
    if let Behind::Changed(program, bound) = behind {
        let text = format!("Used by a different program: {} instead of {}", clean(&program.path), clean(bound));
        all.push(warn("caller-changed", &text));
    }
    let has = |rule: &str| decision.reasons().any(|r| r == rule);
    if has("builtin:payee-changed") {
        all.push(warn("payee-changed", "This seller was paid at another account before"));
    }
    if has("builtin:possible-duplicate") {
        all.push(warn("possible-duplicate", "You may have paid for this already"));
    }
    for risk in quote.risks.union(&history.odd) {
        all.push(match risk {
            Risk::LookalikeHost => warn("lookalike-host", "The name looks like a seller you know, but is another"),
            Risk::LookalikeAddress => warn("lookalike-address", "The account looks like one you know, but is another"),
            Risk::Redirected => warn("redirected", "The request was sent on to another website"),
            Risk::OtherResource | Risk::SellerUnverified => {
                warn("seller-unverified", "Countersign could not check that this seller asked")
            }
            Risk::PriceUp => warn("price-up", "Dearer than the last time"),
            Risk::NetworkChanged => warn("network-changed", "Another network than the last time"),
            Risk::ShortLife => warn("short-life", "The offer is valid for an unusually short time"),
            Risk::HighExposure => warn("high-exposure", "The most this can cost is far above the first step"),
            Risk::Upfront => warn("upfront", "The seller takes the money before it delivers"),
            Risk::CallerChanged => warn("caller-changed", "Another program is using this agent's token"),
            Risk::TermsChanged => {
                warn("terms-changed", "Dearer, or paid to another account, than this tool was before")
            }
        });
    }
    if quote.exposure_value.is_none() {
        all.push(warn("no-value", "This token has no known value in your currency"));
    }
    if history.payments == 0 {
        all.push(warn("first-payee", words::first_warning(quote.op)));
    }
    if quote.testnet {
        all.push(warn("testnet", "Test network: play money"));
    }
    let mut seen = BTreeSet::new();
    all.retain(|w| seen.insert(w.id.clone()));
    all
}

/// The budget with the least room left after this payment.
fn bar(decision: &Decision, reference: &str) -> Option<Bar> {
    let capped = decision.budgets.iter().filter_map(|line| line.max.map(|max| (line, max)));
    let (line, max) = capped.min_by_key(|(line, max)| (max.saturating_sub(line.after), *max))?;
    let permille = |part: crate::money::Micro| {
        let scaled = part.0.saturating_mul(1000).checked_div(max.0).unwrap_or(1000).min(1000);
        u16::try_from(scaled).unwrap_or(1000)
    };
    let over = line.after.saturating_sub(max);
    Some(Bar {
        id: line.id.clone(),
        spent: format!("{} {reference}", line.before),
        this: format!("{} {reference}", line.amount),
        left: format!("{} {reference}", max.saturating_sub(line.after)),
        of: format!("{max} {reference}"),
        before_permille: permille(line.before),
        after_permille: permille(line.after),
        over: (over.0 > 0).then(|| format!("{over} {reference}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_with_its_parent_and_without_tricks_or_not_at_all() {
        assert_eq!(program_text(&Behind::Unseen), "self-declared, program not checked");
        let seen =
            |path: &str, parent: Option<&str>| Program { path: path.to_owned(), parent: parent.map(str::to_owned) };
        let program = |path: &str, parent: Option<&str>| program_text(&Behind::Bound(seen(path, parent)));
        assert_eq!(program("/usr/bin/node", None), "verified program: /usr/bin/node");
        assert_eq!(
            program("/usr/bin/node", Some("/usr/bin/code")),
            "verified program: /usr/bin/node, started by /usr/bin/code"
        );
        assert_eq!(program("/tmp/a\n\u{202e}b", None), "verified program: /tmp/a b");
        let node = seen("/usr/bin/node", None);
        assert_eq!(program_text(&Behind::Unbound(node.clone())), "self-declared, program: /usr/bin/node");
        assert_eq!(program_text(&Behind::Changed(node, "/bin/a".to_owned())), "another program: /usr/bin/node");
    }
}
