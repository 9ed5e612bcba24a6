//! What a client of the newer era carries from one of our answers to its repeat of the call.
//!
//! Our own states start with a word of ours, all others are the upstream's and pass as they are. Ours are sealed: bound to the
//! agent, the upstream, the tool and its arguments. They prove nothing; they only say where to go on.

use countersign_core::payment::IdempotencyKey;
use rmcp::{
    ErrorData,
    model::{CallToolRequestParams, InputResponses, RequestStateCodec, SealOptions},
};
use serde::{Deserialize, Serialize};

/// How a state of ours begins.
const OURS: &str = "countersign.";

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What the client was asked.
    pub at: At,
    /// The key of the purchase, if it is one, and whether its price came as HTTP status 402: a repeat buys nothing else.
    pub key: Option<(IdempotencyKey, bool)>,
    /// What the client had answered the upstream.
    pub responses: Option<InputResponses>,
    /// The upstream's own state.
    pub state: Option<String>,
}

/// What a client was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// It was shown where a person decides about this payment.
    Shown(String),
    /// The upstream's question was passed on, and its call is kept under this name.
    Kept(String),
}

/// Seals them. The key lives as long as the process, as what they speak of does.
pub struct States(RequestStateCodec);

impl States {
    /// With a key of its own.
    ///
    /// # Errors
    /// Without randomness from the operating system.
    pub fn new() -> anyhow::Result<Self> {
        let mut key = [0_u8; RequestStateCodec::MIN_KEY_LENGTH];
        getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok(Self(RequestStateCodec::try_new(key)?))
    }

    /// The text a client carries; `bound` is what makes it this call. It has no end: one that comes late must find its purchase.
    pub fn seal(&self, state: &State, bound: &[u8]) -> String {
        let options = SealOptions::new().associated_data(bound);
        format!("{OURS}{}", self.0.seal_with(&serde_json::to_vec(state).unwrap_or_default(), &options))
    }

    /// Takes a state of ours out of a repeat, if there is one.
    ///
    /// # Errors
    /// `-32602` for one that is not for this call.
    pub fn take(&self, sent: &mut CallToolRequestParams, bound: &[u8]) -> Result<Option<State>, ErrorData> {
        let Some(sealed) = sent.request_state.take_if(|state| state.starts_with(OURS)) else { return Ok(None) };
        self.0.open_json_with(sealed.trim_start_matches(OURS), bound).map(Some).map_err(|_| {
            let says = "requestState does not belong to this call; repeat the call without it";
            ErrorData::invalid_params(says, None)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn repeat(state: &str) -> CallToolRequestParams {
        serde_json::from_value(json!({"name": "t", "requestState": state})).unwrap()
    }

    #[test]
    fn a_state_opens_for_the_same_call_only_and_an_upstreams_own_passes() {
        let states = States::new().unwrap();
        let key = Some(("gateway-1".parse().unwrap(), true));
        let state = State { at: At::Kept("7".to_owned()), key, responses: None, state: Some("v1.theirs".to_owned()) };
        let sealed = states.seal(&state, b"a");
        let mut sent = repeat(&sealed);
        assert_eq!(states.take(&mut sent, b"a").unwrap(), Some(state.clone()));
        assert_eq!(sent.request_state, None);
        assert!(states.take(&mut repeat(&sealed), b"b").is_err(), "another call");
        assert!(states.take(&mut repeat(&format!("{sealed}A")), b"a").is_err(), "changed");
        assert!(States::new().unwrap().take(&mut repeat(&sealed), b"a").is_err(), "another process");
        let mut theirs = repeat("v1.theirs");
        assert_eq!(states.take(&mut theirs, b"a").unwrap(), None);
        assert_eq!(theirs.request_state.as_deref(), Some("v1.theirs"));
    }
}
