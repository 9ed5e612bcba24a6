//! Which methods and intents are paid: a setting of the person, and what this build can do at most.

use std::collections::BTreeSet;

/// What this build can pay, as method and intent.
const KNOWN: &[&str] = &["evm/charge", "tempo/charge", "stripe/charge"];
/// What is paid unless the person says otherwise: what was never tried with a live service is theirs to turn on.
const USUAL: &[&str] = &["evm/charge"];

/// What may be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ways(BTreeSet<String>);

/// A setting that names what this build cannot pay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a way of MPP that Countersign can pay; there is: {known}", known = KNOWN.join(", "))]
pub struct UnknownWay(String);

impl Default for Ways {
    fn default() -> Self {
        Self(USUAL.iter().map(|&way| way.to_owned()).collect())
    }
}

impl Ways {
    /// Reads a setting such as `["evm/charge"]`; an empty one turns MPP off.
    pub fn parse(names: &[String]) -> Result<Self, UnknownWay> {
        match names.iter().find(|name| !KNOWN.contains(&name.as_str())) {
            Some(name) => Err(UnknownWay(name.clone())),
            None => Ok(Self(names.iter().cloned().collect())),
        }
    }

    /// Why this method and intent are not paid, if they are not.
    pub(super) fn refuse(&self, method: &str, intent: &str) -> Option<String> {
        let name = format!("{method}/{intent}");
        if self.0.contains(&name) {
            None
        } else if KNOWN.contains(&name.as_str()) {
            Some(format!("{name} is turned off in the settings"))
        } else {
            Some(format!("{name} is not supported"))
        }
    }
}
