//! What the nodes of a network show together. One that fails, lags, refuses or serves another chain is passed over: it
//! neither proves anything nor keeps the others from being heard.

use countersign_core::{money::Amount, payment::Quote, rail::Evidence};
use serde_json::{Value, json};

use super::rpc::{Block, Node, RpcError, Shown};

/// What one node says about a set of forms.
enum Unused {
    /// None was used by a final block past the end of every window.
    Proved(Block),
    /// One was used or cancelled.
    Used,
    /// Its final block is not past the windows yet.
    NotYet,
}

/// The transaction in which the money moved, if any node shows one. `claimed` may be anything a seller wrote.
pub async fn payment(nodes: &[Node], claimed: Option<&str>, all: &[Evidence]) -> Option<String> {
    for evidence in all {
        for node in nodes {
            match paid(node, claimed, evidence).await {
                Ok(None) => {}
                Ok(found) => return found,
                Err(error) => tracing::warn!(%error, "a node could not be asked about a payment"),
            }
        }
    }
    None
}

async fn paid(node: &Node, claimed: Option<&str>, evidence: &Evidence) -> Result<Option<String>, RpcError> {
    node.serves(evidence.chain_id).await?;
    if let Some(claimed) = claimed
        && node.transaction(claimed, evidence).await? == Shown::Paid
    {
        return Ok(Some(claimed.to_owned()));
    }
    if evidence.state_call.is_some() && !node.is_used(evidence).await? {
        return Ok(None);
    }
    let Some(found) = node.find_use(evidence).await? else { return Ok(None) };
    let paid = node.transaction(&found, evidence).await? == Shown::Paid;
    Ok(paid.then_some(found))
}

/// What a payment took in all, where its fee was capped and only the chain knows it: by the user's own node alone, since what is
/// not taken frees a part of a hold. Never less than the price.
pub async fn taken(nodes: &[Node], transaction: &str, all: &[Evidence], quote: &Quote) -> Option<Amount> {
    let [evidence] = all else { return None };
    if quote.fee().is_zero() || evidence.state_call.is_some() {
        return None;
    }
    for node in nodes.iter().filter(|node| node.is_own()) {
        match node.left(transaction, evidence).await {
            Ok(left) => return left.filter(|left| *left >= quote.money.amount),
            Err(error) => tracing::warn!(%error, "a node could not say what a payment took"),
        }
    }
    None
}

/// Whether a node shows that the transaction the seller named does not pay.
pub async fn contradicts(nodes: &[Node], claimed: &str, all: &[Evidence]) -> bool {
    for evidence in all {
        for node in nodes {
            match node.transaction(claimed, evidence).await {
                Ok(Shown::Contradicts) => return true,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "a node could not be asked about a transaction"),
            }
        }
    }
    false
}

/// The proof that no form was used or ever can be: by the user's own node, or by nodes of two hosts that agree.
pub async fn unused(nodes: &[Node], all: &[Evidence]) -> Option<Value> {
    if all.is_empty() {
        return None;
    }
    let mut agreeing: Vec<(&str, Block)> = Vec::new();
    // The own node decides alone, so it is heard first.
    for node in nodes.iter().filter(|n| n.is_own()).chain(nodes.iter().filter(|n| !n.is_own())) {
        match unused_by(node, all).await {
            Ok(Unused::Proved(block)) if node.is_own() => return Some(shown(all, &[(node.host(), block)])),
            Ok(Unused::Proved(block)) if agreeing.iter().all(|(host, _)| *host != node.host()) => {
                agreeing.push((node.host(), block));
            }
            Ok(Unused::Proved(_) | Unused::NotYet) => {}
            Ok(Unused::Used) => return None,
            Err(error) => tracing::warn!(%error, "a node could not be asked whether a payment was used"),
        }
    }
    (agreeing.len() >= 2).then(|| shown(all, &agreeing))
}

/// The proof as the ledger keeps it.
fn shown(all: &[Evidence], agreeing: &[(&str, Block)]) -> Value {
    let proof = if all.iter().all(|evidence| evidence.state_call.is_some()) {
        "authorizationState is false in a final block past validBefore"
    } else {
        "no block of its window has the log of its use, up to a final block past validBefore"
    };
    let blocks: Vec<Value> =
        agreeing.iter().map(|(host, b)| json!({"node": host, "number": b.number, "time": b.time})).collect();
    json!({"proof": proof, "blocks": blocks})
}

/// Time and state are of one final block: two questions about "finalized" could meet two.
async fn unused_by(node: &Node, all: &[Evidence]) -> Result<Unused, RpcError> {
    let block = node.final_block().await?;
    for evidence in all {
        node.serves(evidence.chain_id).await?;
        if block.time < evidence.valid_before {
            return Ok(Unused::NotYet);
        }
        if node.is_used_by(evidence, block).await? {
            return Ok(Unused::Used);
        }
    }
    Ok(Unused::Proved(block))
}
