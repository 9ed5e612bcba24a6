//! The newer era's way to show a person where to decide: the call is answered with a link, and the client repeats it.
//!
//! The link is the constant page `/open`. What comes back with the repeat proves nothing but that the link was shown: the seal
//! binds it to the agent, the tool, the whole request and the question's life, so that it cannot be carried to another call.

use countersign_core::payment::{AgentName, PaymentId};
use countersign_desk::request::Request;
use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, InputRequest,
        InputRequiredResult, InputResponses, RequestStateCodec, RequestStateError, SealOptions,
    },
};
use std::time::Duration;

/// Our name for the one thing we ask.
const ASKED: &str = "decide";

/// What the client said when it repeated the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The payment the link was about.
    pub payment: PaymentId,
    /// The person does not want it; everything else means nothing.
    pub declined: bool,
}

/// Seals what a client carries from one call to its repeat. The key lives as long as the process, as the questions do.
#[derive(Clone)]
pub struct Seal(RequestStateCodec);

impl Seal {
    /// A seal with a key of its own.
    ///
    /// # Errors
    /// Without randomness from the operating system.
    pub fn new() -> anyhow::Result<Self> {
        let mut key = [0_u8; RequestStateCodec::MIN_KEY_LENGTH];
        getrandom::fill(&mut key).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok(Self(RequestStateCodec::try_new(key)?))
    }

    /// The answer that shows the link; `life` is what is left of the question.
    pub fn show(&self, call: &Call<'_>, payment: &PaymentId, url: &str, life: Duration) -> InputRequiredResult {
        let bound = call.bound();
        let state =
            self.0.seal_with(payment.as_str().as_bytes(), &SealOptions::new().associated_data(&bound).ttl(life));
        show(payment, url, state)
    }

    /// What came back with a repeat; nothing if this is no repeat, or one that comes after the question's life.
    ///
    /// # Errors
    /// `-32602` for a state that is not ours, or not for this call.
    pub fn shown(&self, call: &Call<'_>, sent: &CallToolRequestParams) -> Result<Option<Shown>, ErrorData> {
        let Some(state) = &sent.request_state else { return Ok(None) };
        let payment = match self.0.open_with(state, &call.bound()) {
            Ok(payment) => payment,
            Err(RequestStateError::Expired) => return Ok(None),
            Err(_) => return Err(foreign()),
        };
        let payment = std::str::from_utf8(&payment).ok().and_then(|id| id.parse().ok()).ok_or_else(foreign)?;
        Ok(Some(Shown { payment, declined: declined(sent.input_responses.as_ref()) }))
    }
}

/// The answer that shows the link, with a state that is sealed already.
pub fn show(payment: &PaymentId, url: &str, state: String) -> InputRequiredResult {
    let ask = InputRequest::Elicitation(ElicitRequest::new(where_to_decide(payment, url)));
    InputRequiredResult::new(Some([(ASKED.to_owned(), ask)].into()), Some(state))
}

/// Whether the person declined when the link was shown; everything else means nothing.
pub fn declined(responses: Option<&InputResponses>) -> bool {
    let said = responses.and_then(|said| said.get(ASKED));
    let said = said.and_then(|said| serde_json::from_value::<ElicitResult>(said.clone()).ok());
    said.is_some_and(|said| said.action == ElicitationAction::Decline)
}

/// What a state is bound to.
pub struct Call<'a> {
    /// Who calls.
    pub agent: &'a AgentName,
    /// Which tool.
    pub tool: &'a str,
    /// With what.
    pub request: &'a Request,
}

impl Call<'_> {
    fn bound(&self) -> Vec<u8> {
        let Self { agent, tool, request } = self;
        format!("tools/call\n{agent}\n{tool}\n{}\n{}", request.key, request.digest).into_bytes()
    }
}

/// What a client of either era shows.
pub fn where_to_decide(payment: &PaymentId, url: &str) -> ElicitRequestParams {
    ElicitRequestParams::UrlElicitationParams {
        meta: None,
        message:
            "A payment needs your decision in the Countersign window on this computer. This page only says so; it \
                  cannot approve anything."
                .to_owned(),
        url: url.to_owned(),
        elicitation_id: payment.to_string(),
    }
}

fn foreign() -> ErrorData {
    let says =
        "requestState does not belong to this call; repeat the call with the same idempotency_key and without it";
    ErrorData::invalid_params(says, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn request(key: &str, url: &str) -> Request {
        Request::fetch(serde_json::from_value(json!({"url": url, "idempotency_key": key})).unwrap()).unwrap()
    }

    fn repeat(state: &str, responses: Value) -> CallToolRequestParams {
        serde_json::from_value(json!({"name": "fetch", "requestState": state, "inputResponses": responses})).unwrap()
    }

    #[test]
    fn a_state_opens_for_the_same_call_only_and_not_after_its_life() {
        let (one, two): (AgentName, AgentName) = ("one".parse().unwrap(), "two".parse().unwrap());
        let (here, there) = (request("k", "https://a.example/"), request("k", "https://b.example/"));
        let key = request("l", "https://a.example/");
        let payment = PaymentId::from_random([7; 16]);
        let seal = Seal::new().unwrap();
        let call = Call { agent: &one, tool: "fetch", request: &here };
        let life = Duration::from_secs(60);
        let shown = seal.show(&call, &payment, "http://127.0.0.1:1/open", life);
        let state = shown.request_state.unwrap();
        let agreed = repeat(&state, json!({"decide": {"action": "accept"}}));
        assert_eq!(seal.shown(&call, &agreed).unwrap(), Some(Shown { payment: payment.clone(), declined: false }));
        for other in [
            Call { agent: &two, tool: "fetch", request: &here },
            Call { agent: &one, tool: "pay", request: &here },
            Call { agent: &one, tool: "fetch", request: &there },
            Call { agent: &one, tool: "fetch", request: &key },
        ] {
            assert!(seal.shown(&other, &agreed).is_err());
        }
        for wrong in ["", "x", &state[1..], &format!("{state}A")] {
            assert!(seal.shown(&call, &repeat(wrong, json!({}))).is_err(), "{wrong}");
        }
        assert!(Seal::new().unwrap().shown(&call, &agreed).is_err(), "another process has another key");
        let over = seal.show(&call, &payment, "u", Duration::ZERO).request_state.unwrap();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(seal.shown(&call, &repeat(&over, json!({}))).unwrap(), None);
        assert_eq!(seal.shown(&call, &CallToolRequestParams::new("fetch")).unwrap(), None);
    }

    #[test]
    fn only_a_decline_says_anything() {
        let agent: AgentName = "one".parse().unwrap();
        let request = request("k", "https://a.example/");
        let call = Call { agent: &agent, tool: "fetch", request: &request };
        let seal = Seal::new().unwrap();
        let payment = PaymentId::from_random([7; 16]);
        let state = seal.show(&call, &payment, "u", Duration::from_secs(60)).request_state.unwrap();
        for (said, declined) in [
            (json!({"decide": {"action": "decline"}}), true),
            (json!({"decide": {"action": "cancel"}}), false),
            (json!({"decide": {"action": "accept", "content": {"approved": true}}}), false),
            (json!({"decide": "yes"}), false),
            (json!({"approve": {"action": "decline"}}), false),
            (json!({}), false),
        ] {
            let shown = seal.shown(&call, &repeat(&state, said.clone())).unwrap().unwrap();
            assert_eq!(shown.declined, declined, "{said}");
        }
    }

    #[test]
    fn the_link_is_the_constant_page_and_carries_nothing() {
        let ElicitRequestParams::UrlElicitationParams { url, message, .. } =
            where_to_decide(&PaymentId::from_random([7; 16]), "http://127.0.0.1:7402/open")
        else {
            panic!("a form")
        };
        assert_eq!(url, "http://127.0.0.1:7402/open");
        assert!(message.contains("Countersign window"));
    }
}
