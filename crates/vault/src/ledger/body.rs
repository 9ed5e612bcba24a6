//! What one entry of the chain says. The bytes as first written are what is hashed; they are never written again.

use countersign_core::{
    Millis,
    money::Micro,
    payment::Digest,
    policy::{By, Decision, Facts},
    status::{Event, Settlement},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::record::{Outcome, RefusedAs};

/// One entry. Holds no text of agent or seller: of those only salted digests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    pub event: Event,
    /// Window time: never goes back.
    pub at: Millis,
    /// The wall clock.
    pub wall: Millis,
    /// Milliseconds since boot.
    pub boot: i64,
    pub boot_id: String,
    /// Which process life wrote it.
    pub epoch: i64,
    /// First entry: digest of the payment's row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Digest>,
    /// The facts that were judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// Signing digests, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<Digest>,
    /// Unix seconds at which the last form dies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_before: Option<u64>,
    /// When the question ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// On leaving `waiting`: digest of every alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aliases: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_as: Option<RefusedAs>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// From here on its provider is asked about it, or is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<bool>,
    /// A word of ours: `again`, `window`, `quit`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<serde_json::Value>,
    /// What came back to the budgets when less than the exposure was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed: Option<Micro>,
    /// Salted digests of `detail` rows written with this entry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, Digest>,
}

/// As JSON, in a buffer that holds most of what is written here without growing.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::with_capacity(4096);
    serde_json::to_writer(&mut bytes, value)?;
    Ok(bytes)
}

impl Body {
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        json(self)
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
