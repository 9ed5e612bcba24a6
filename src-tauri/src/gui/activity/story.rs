//! One payment as a story: asked, judged, answered, signed, settled.

use countersign_core::{asset::Network, payment::PaymentId, policy::By, registry::Registry, status::Event};
use countersign_desk::{Desk, outcome::ResponseView, view::status_of};
use countersign_vault::{Explained, Record, Step, VaultError};

use super::view::{ActivityLine, PageView, PaymentStory, StepKind, StepView, grouped};

/// Everything the ledger tells of one payment; none if it knows no such payment.
pub async fn read(desk: &Desk, id: &PaymentId) -> Result<Option<PaymentStory>, VaultError> {
    let vault = desk.vault();
    let Some(told) = vault.explain(id).await? else { return Ok(None) };
    let text = async |kind| -> Result<Option<String>, VaultError> {
        let kept = vault.detail(id, kind).await?;
        Ok(kept.map(|bytes| countersign_core::text::clean(&String::from_utf8_lossy(&bytes))).filter(|t| !t.is_empty()))
    };
    let (agent_says, seller_says) = (text("reason").await?, text("seller").await?);
    let answer = vault.detail(id, "answer").await?;
    let receipt = answer.and_then(|bytes| serde_json::from_slice::<ResponseView>(&bytes).ok());
    let page = page(desk, &told.record).await?;
    Ok(Some(PaymentStory { page, ..story(&told, desk.registry(), agent_says, seller_says, receipt) }))
}

/// The page that a payment is, while it is open. Its address is what the agent was given: of use to whoever wants to pay.
pub async fn page(desk: &Desk, record: &Record) -> Result<Option<PageView>, VaultError> {
    if !record.is_open_page() {
        return Ok(None);
    }
    let body = desk.vault().detail(&record.id, "body").await?;
    Ok(Some(PageView { link: body.as_deref().and_then(link), watched: desk.is_watched(record) }))
}

/// The address in the answer that our own carrier gave, in full: cut short it would open nothing.
fn link(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    url::Url::parse(answer["paymentLink"].as_str()?).ok().map(String::from)
}

fn story(
    told: &Explained,
    registry: &Registry,
    agent_says: Option<String>,
    seller_says: Option<String>,
    receipt: Option<ResponseView>,
) -> PaymentStory {
    let record = &told.record;
    let quote = &record.quote;
    let network = quote.network.as_ref();
    PaymentStory {
        line: line(record, registry),
        account: quote.payee.account.clone(),
        claimed: quote.payee.claimed,
        resource: format!("{} {}", quote.resource.method, quote.resource.path),
        network: network
            .map_or_else(String::new, |n| registry.chain(n).map_or_else(|| n.to_string(), |chain| chain.name.clone())),
        test: quote.testnet,
        wallet: quote.wallet.clone(),
        rail: format!("{} {}", quote.rail, quote.scheme),
        settlement: record.settlement.as_str().to_owned(),
        transaction: record.transaction.clone(),
        explorer: record.transaction.as_deref().zip(network).and_then(|(tx, n)| explorer(registry, n, tx)),
        agent_says,
        seller_says,
        receipt: receipt.map(rows).unwrap_or_default(),
        page: None,
        steps: told.steps.iter().enumerate().flat_map(|(at, step)| steps(at == 0, step, record)).collect(),
    }
}

fn line(record: &Record, registry: &Registry) -> ActivityLine {
    let value = record.quote.exposure_value;
    ActivityLine {
        id: record.id.to_string(),
        when: record.created_at.rfc3339(),
        agent: record.agent.to_string(),
        payee: record.quote.payee.origin.to_string(),
        amount: record.quote.asset_text(),
        value: value.map(|value| grouped(&format!("{value} {}", registry.reference()))),
        state: status_of(record).as_str().to_owned(),
        rule: record.decision.rule.clone(),
    }
}

/// The address of a transaction, if our table has an explorer and the transaction is a hash: a seller's text makes no address.
fn explorer(registry: &Registry, network: &Network, transaction: &str) -> Option<String> {
    let host = registry.chain(network)?.explorer.as_ref()?;
    let hash = transaction.strip_prefix("0x")?;
    (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then(|| format!("{host}/tx/0x{hash}"))
}

/// The seller's answer, as far as it is kept.
fn rows(answer: ResponseView) -> Vec<(String, String)> {
    let clean = |text: &str| countersign_core::text::clean(text);
    let status = ("status".to_owned(), answer.status.to_string());
    std::iter::once(status).chain(answer.headers.iter().map(|(name, value)| (clean(name), clean(value)))).collect()
}

/// What one entry of the chain means to a person: a first entry is both the question and the judgement.
fn steps(first: bool, step: &Step, record: &Record) -> Vec<StepView> {
    let when = step.at.rfc3339();
    let view = |kind, what: Option<String>| StepView { kind, when: when.clone(), what, also: Vec::new() };
    let judged = |kind| {
        step.decision.as_ref().map(|decision| StepView {
            kind,
            when: when.clone(),
            what: Some(decision.rule.clone()),
            also: decision.because.clone(),
        })
    };
    let mut all = Vec::new();
    if first {
        all.push(view(StepKind::Asked, Some(record.agent.to_string())));
    }
    match step.event {
        Event::Denied => all.extend(judged(StepKind::Denied)),
        Event::Asked => all.extend(judged(StepKind::NeedsPerson)),
        Event::Reserved => match &record.by {
            Some(By::Person(yes)) => all.push(view(StepKind::ApprovedByPerson, Some(yes.through.clone()))),
            _ => all.extend(judged(StepKind::Allowed)),
        },
        Event::Declined => all.push(view(StepKind::Declined, None)),
        Event::Expired => all.push(view(StepKind::Expired, None)),
        Event::Cancelled => all.push(view(StepKind::Cancelled, None)),
        Event::Signed => all.push(view(StepKind::Signed, None)),
        Event::Delivered => all.push(view(StepKind::Delivered, None)),
        Event::Noted => match step.evidence.as_ref().and_then(|why| why.as_str()) {
            Some("receipt") => all.push(view(StepKind::Claimed, record.transaction.clone())),
            Some("refused_by_seller") => all.push(view(StepKind::Refused, None)),
            Some("unwatched") => all.push(view(StepKind::Unwatched, None)),
            Some("watched") => all.push(view(StepKind::Watched, None)),
            // That a copy of the answer is kept is no step of the payment.
            Some("body_kept") => {}
            why => all.push(view(StepKind::Noted, why.map(|why| why.replace('_', " ")))),
        },
        Event::Settled => all.push(view(StepKind::Settled, record.transaction.clone())),
        Event::WindowOver => all.push(view(StepKind::WindowOver, None)),
        Event::NeverSigned => all.push(view(StepKind::NeverSigned, None)),
        Event::Dead => all.push(view(StepKind::Dead, None)),
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_on_a_chain_of_our_table_makes_an_address() {
        let registry = Registry::builtin("USD");
        let network = |text: &str| text.parse::<Network>().unwrap();
        let base = network("eip155:8453");
        let hash = format!("0x{}", "aB".repeat(32));
        assert_eq!(explorer(&registry, &base, &hash), Some(format!("https://basescan.org/tx/{hash}")));
        assert_eq!(explorer(&registry, &network("eip155:143"), &hash), None);
        let long = format!("{hash}0");
        for foreign in
            ["", "0x", "0xab", &long, "https://evil.example/", "0x../../../evil", &hash.replacen('a', "/", 1)]
        {
            assert_eq!(explorer(&registry, &base, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_pages_address_is_that_of_the_kept_answer_or_none() {
        let link = format!("https://openapi.alipay.com/gateway.do?app_id=1&sign={}%3D", "a%2Fb".repeat(200));
        let answer = serde_json::json!({"paymentLink": link, "markdown": format!("[2 CNY]({link})")});
        assert_eq!(super::link(answer.to_string().as_bytes()).as_deref(), Some(link.as_str()));
        for other in ["", "{}", r#"{"paymentLink": 1}"#, r#"{"paymentLink": "x"}"#, "[\"x\"]"] {
            assert_eq!(super::link(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_sellers_answer_is_shown_without_what_hides_in_it() {
        let headers = [("x-note".to_owned(), "a\u{202e}b\u{200b}c".to_owned())];
        let shown = rows(ResponseView::new(200, &headers, None));
        assert_eq!(shown, [("status".to_owned(), "200".to_owned()), ("x-note".to_owned(), "abc".to_owned())]);
    }
}
