//! The frozen content of a question: every fact as text, and every sentence of ours by its name and what is filled in.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::{Said, words};
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// `data-warning`: `first-payee`, `payee-changed`, …
    pub id: &'static str,
    /// What it means, for a person.
    pub text: Said,
}

/// The tightest covering budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Which payment.
    pub payment_id: PaymentId,
    /// Who asks: the paired name.
    pub agent: String,
    /// The program behind the connection.
    pub program: Said,
    /// Which run of it asks is known, so an answer can hold until it is over.
    pub process: bool,
    /// The host that is paid, with its port if unusual.
    pub payee_host: String,
    /// The host is only what the agent says.
    pub payee_claimed: bool,
    /// Scheme, host and port.
    pub payee_origin: String,
    /// The registrable part of the host, to be stressed.
    pub payee_registrable: String,
    /// Every character of the paid account.
    pub payee_account: String,
    /// How often it was paid before.
    pub payee_history: Said,
    /// `4.20 USD`; none without a known value.
    pub amount_fiat: Option<String>,
    /// `4.2 USDC`, exact.
    pub amount_asset: String,
    /// The network's name, who pays the fee, whether it can be taken back.
    pub amount_terms: Said,
    /// Our account and network.
    pub pay_from: String,
    /// The agent's reason, cleaned; none if empty.
    pub agent_says: Option<String>,
    /// The seller's words, cleaned; none if empty.
    pub seller_says: Option<String>,
    /// Method and path that is bought.
    pub resource: String,
    /// One sentence for the rule.
    pub why_asked: Said,
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
    /// What the button does.
    pub act: Said,
    /// What will be signed, field by field; nonce and window are fixed after the yes.
    pub signs: Vec<(Said, String)>,
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
        let reference = registry.reference();
        let network = quote.network.as_ref();
        let network_name = network.map_or_else(
            || words::place(quote),
            |n| registry.chain(n).map_or_else(|| n.to_string(), |c| c.name.clone()),
        );
        let fiat = quote.exposure_value.map(|v| format!("{v} {reference}"));
        let foreign = |text: Option<&str>| text.map(clean).filter(|t| !t.is_empty());
        Self {
            payment_id: payment_id.clone(),
            agent: agent.to_owned(),
            program: program_text(behind),
            process: behind.program().is_some_and(|program| program.process.is_some()),
            payee_host: host_text(quote),
            payee_claimed: quote.payee.claimed,
            payee_origin: quote.payee.origin.to_string(),
            payee_registrable: quote.payee.origin.registrable().to_owned(),
            payee_account: quote.payee.account.clone(),
            payee_history: match history.payments {
                0 => Said::PaidNever {},
                1 => Said::PaidOnce {},
                n => Said::PaidTimes { n: n.to_string() },
            },
            amount_fiat: fiat.clone(),
            amount_asset: quote.asset_text(),
            pay_from: format!("{} · {network_name}", quote.wallet),
            amount_terms: words::terms(quote, network_name),
            agent_says: foreign(reason),
            seller_says: foreign(seller),
            resource: format!("{} {}", quote.resource.method, clean(&quote.resource.path)),
            why_asked: why(&decision.rule, quote.op, decision, reference),
            rule: decision.rule.clone(),
            also: decision.because.clone(),
            warnings: warnings(quote, decision, history, behind),
            bar: bar(decision, reference),
            expires_at,
            act: words::act(quote.op, fiat.unwrap_or_else(|| quote.asset_text())),
            signs: signs(quote),
        }
    }

    /// Whether what is on screen, read back, is what this quote would sign: amount, token, accounts, payer, fee.
    pub fn is_about(&self, quote: &Quote) -> bool {
        let Some((amount, symbol)) = self.amount_asset.split_once(' ') else { return false };
        let row = |name: Said| self.signs.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str());
        let value = format!("{} ({})", quote.exposure.amount, self.amount_asset);
        let shares = self.signs.iter().filter(|(n, _)| *n == Said::SignShare {}).map(|(_, share)| share);
        let fee = (!quote.fee().is_zero()).then(|| words::fee(quote));
        Amount::parse_human(amount, quote.decimals) == Ok(quote.exposure.amount)
            && symbol == quote.symbol
            && self.payee_account == quote.payee.account
            && self.payee_origin == quote.payee.origin.as_str()
            && row(Said::SignTo {}) == Some(quote.payee.account.as_str())
            && row(Said::SignFrom {}) == Some(quote.wallet.as_str())
            && row(Said::SignContract {}) == Some(quote.exposure.asset.as_str())
            && row(Said::SignValue {}) == Some(value.as_str())
            && row(Said::SignFee {}) == fee.as_deref()
            && shares.eq(words::shares(quote).iter())
    }

    /// SHA-256 of everything shown, each sentence by its name, and a nonce per showing: one payment, one showing.
    pub fn display_hash(&self, nonce: [u8; 16]) -> Digest {
        let view = serde_json::to_vec(self).unwrap_or_default();
        Digest::of(&[b"countersign question 1", &nonce, &view])
    }
}

fn program_text(behind: &Behind) -> Said {
    let named = |program: &Program| (clean(&program.path), program.parent.as_deref().map(clean));
    match behind {
        Behind::Unseen => Said::ProgramUnseen {},
        Behind::Unbound(program) => match named(program) {
            (path, None) => Said::ProgramUnbound { path },
            (path, Some(parent)) => Said::ProgramUnboundBy { path, parent },
        },
        Behind::Bound(program) => match named(program) {
            (path, None) => Said::ProgramBound { path },
            (path, Some(parent)) => Said::ProgramBoundBy { path, parent },
        },
        Behind::Changed(program, _) => match named(program) {
            (path, None) => Said::ProgramOther { path },
            (path, Some(parent)) => Said::ProgramOtherBy { path, parent },
        },
    }
}

fn host_text(quote: &Quote) -> String {
    let text = quote.payee.origin.as_str();
    text.strip_prefix("https://").unwrap_or(text).to_owned()
}

fn signs(quote: &Quote) -> Vec<(Said, String)> {
    let mut rows = vec![(Said::SignForm {}, words::form(quote))];
    if let Some(domain) = &quote.domain {
        rows.push((Said::SignToken {}, format!("{} {}", domain.name, domain.version)));
    }
    rows.push((Said::SignContract {}, quote.exposure.asset.to_string()));
    rows.push((Said::SignFrom {}, quote.wallet.clone()));
    rows.push((Said::SignTo {}, quote.payee.account.clone()));
    rows.push((Said::SignValue {}, format!("{} ({})", quote.exposure.amount, quote.asset_text())));
    if !quote.fee().is_zero() {
        rows.push((Said::SignFee {}, words::fee(quote)));
    }
    rows.extend(words::shares(quote).into_iter().map(|share| (Said::SignShare {}, share)));
    rows.push((Said::SignSeconds {}, quote.lifetime_seconds.min(300).to_string()));
    if quote.network.is_some() && quote.scheme != words::TEMPO {
        rows.push((Said::SignNonce {}, "32 B".to_owned()));
    }
    rows
}

/// One sentence for a rule id.
fn why(rule: &str, op: Op, decision: &Decision, reference: &str) -> Said {
    if let Some(id) = rule.strip_prefix("budget:") {
        let budget = id.to_owned();
        let line = decision.budgets.iter().find(|b| b.id == id && b.exceeded);
        return match line.and_then(|b| b.max.map(|max| (b, max))) {
            Some((b, max)) => Said::WhyBudget { budget, after: b.after.to_string(), max: format!("{max} {reference}") },
            None => Said::WhyOverBudget { budget },
        };
    }
    match rule {
        "default" => Said::WhyDefault {},
        "first-payee" => words::first(op),
        "ask-above" => Said::WhyAskAbove {},
        "builtin:payee-changed" => Said::WhyPayeeChanged {},
        "builtin:unknown-value" => Said::WhyUnknownValue {},
        "builtin:possible-duplicate" => words::again(op),
        "builtin:other-resource" => Said::WhyOtherResource {},
        "builtin:redirected" => Said::WhyRedirected {},
        "builtin:upfront" => Said::WhyUpfront {},
        "builtin:caller-changed" => Said::WhyCallerChanged {},
        "builtin:terms-changed" => Said::WhyTermsChanged {},
        "builtin:shared" => Said::WhyShared {},
        "builtin:proof" => Said::WhyProof {},
        "builtin:clock-suspect" => Said::WhyClock {},
        "builtin:policy-unconfirmed" => Said::WhyUnconfirmed {},
        "builtin:observe" => Said::WhyObserve {},
        other => Said::WhyRule { rule: other.to_owned() },
    }
}

fn warnings(quote: &Quote, decision: &Decision, history: &History, behind: &Behind) -> Vec<Warning> {
    let warn = |id: &'static str, text: Said| Warning { id, text };
    let mut all = Vec::new();
    if let Behind::Changed(program, bound) = behind {
        let text = Said::WarnOtherProgram { program: clean(&program.path), bound: clean(bound) };
        all.push(warn("caller-changed", text));
    }
    let has = |rule: &str| decision.reasons().any(|r| r == rule);
    if has("builtin:payee-changed") {
        all.push(warn("payee-changed", Said::WarnPayeeChanged {}));
    }
    if has("builtin:possible-duplicate") {
        all.push(warn("possible-duplicate", words::again_warning(quote.op)));
    }
    for risk in quote.risks.union(&history.odd) {
        all.push(match risk {
            Risk::LookalikeHost => warn("lookalike-host", Said::WarnLookalikeHost {}),
            Risk::LookalikeAddress => warn("lookalike-address", Said::WarnLookalikeAddress {}),
            Risk::Redirected => warn("redirected", Said::WarnRedirected {}),
            Risk::OtherResource | Risk::SellerUnverified => warn("seller-unverified", Said::WarnUnverified {}),
            Risk::PriceUp => warn("price-up", Said::WarnPriceUp {}),
            Risk::NetworkChanged => warn("network-changed", Said::WarnNetworkChanged {}),
            Risk::ShortLife => warn("short-life", Said::WarnShortLife {}),
            Risk::HighExposure => warn("high-exposure", Said::WarnHighExposure {}),
            Risk::Upfront => warn("upfront", Said::WarnUpfront {}),
            Risk::CallerChanged => warn("caller-changed", Said::WarnCallerChanged {}),
            Risk::TermsChanged => warn("terms-changed", Said::WarnTermsChanged {}),
            Risk::Shared => warn("shared", words::shared(quote)),
        });
    }
    if quote.exposure_value.is_none() {
        all.push(warn("no-value", Said::WarnNoValue {}));
    }
    if history.payments == 0 {
        all.push(warn("first-payee", words::first_warning(quote.op)));
    }
    if quote.op == Op::Sign {
        all.push(warn("proof", Said::WarnProof {}));
    }
    if words::untried(quote) {
        all.push(warn("untried", Said::WarnUntried {}));
    }
    if quote.testnet {
        all.push(warn("testnet", Said::WarnTestnet {}));
    }
    let mut seen = BTreeSet::new();
    all.retain(|w| seen.insert(w.id));
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
        assert_eq!(program_text(&Behind::Unseen).to_string(), "self-declared, program not checked");
        let seen = |path: &str, parent: Option<&str>| Program {
            path: path.to_owned(),
            parent: parent.map(str::to_owned),
            process: None,
        };
        let program = |path: &str, parent: Option<&str>| program_text(&Behind::Bound(seen(path, parent))).to_string();
        assert_eq!(program("/usr/bin/node", None), "verified program: /usr/bin/node");
        assert_eq!(
            program("/usr/bin/node", Some("/usr/bin/code")),
            "verified program: /usr/bin/node, started by /usr/bin/code"
        );
        assert_eq!(program("/tmp/a\n\u{202e}b", None), "verified program: /tmp/a b");
        let node = seen("/usr/bin/node", None);
        assert_eq!(program_text(&Behind::Unbound(node.clone())).to_string(), "self-declared, program: /usr/bin/node");
        assert_eq!(
            program_text(&Behind::Changed(node, "/bin/a".to_owned())).to_string(),
            "another program: /usr/bin/node"
        );
    }
}
