//! One tool call: what a client sends, from the first look to the errand it becomes.

use countersign_desk::request::Request as Purchase;
use rmcp::{
    ErrorData,
    model::{CallToolRequestParams, CallToolResponse},
};
use serde_json::json;

use super::{
    attend::Progress,
    errand::Errand,
    face::{Context, Face},
    keep,
    left::Again,
    state::At,
    target::Name,
    visits,
};
use crate::mcp::{self, Calling};

/// Calls the tool of this name.
///
/// # Errors
/// What the upstream says instead of a result; or that there is no such tool.
pub async fn call(
    face: &Face,
    mut sent: CallToolRequestParams,
    context: &Context,
) -> Result<CallToolResponse, ErrorData> {
    sent.meta = None;
    let calling = Calling::of(context)?;
    if face.is_look(&sent.name, context).await {
        let told = mcp::look(&face.app, &calling, context).await?;
        if let Ok(outcome) = &told {
            face.gateway.hands_out(&calling.caller.agent, outcome.clone(), context);
        }
        return Ok(mcp::answer(told).into());
    }
    let Some(tool) = face.tool(&sent.name, context).await? else {
        return Err(ErrorData::invalid_params(format!("there is no tool named {:?}", sent.name), None));
    };
    if visits::declined(&mut sent) {
        return Ok(visits::closed());
    }
    let place = face.room.target.place(&face.room.name).map_err(broken)?;
    let agent = &calling.caller.agent;
    let arguments = serde_json::to_vec(&sent.arguments).unwrap_or_default();
    let bound = [format!("tools/call\n{agent}\n{}\n{}\n", face.room.name, sent.name).as_bytes(), &arguments].concat();
    let (mut shown, mut kept, mut bought) = (None, None, None);
    if let Some(back) = face.gateway.states.take(&mut sent, &bound)? {
        let brought = sent.input_responses.take();
        (sent.input_responses, sent.request_state, bought) = (back.responses, back.state, back.key);
        match back.at {
            At::Shown(payment) => shown = Some((payment, mcp::declined(brought.as_ref()))),
            At::Kept(name) => {
                kept = face.room.keep.take(&name).map(|kept| {
                    keep::answer((kept.question, kept.reply), brought.as_ref());
                    kept.going
                });
            }
        }
    }
    let what = what(&face.room.name, &sent);
    let digest = Purchase::digest_of_call(&place, &sent.name, &what);
    let formed = tool.output_schema.is_some();
    let calling = &calling;
    let progress = Progress::of(context);
    let errand =
        Errand { face, context, calling, sent, digest, what, bound, place, shown, formed, rounds: 0, progress };
    let going = match kept {
        Some(going) => going,
        None => {
            let named = bought.as_ref().map(|(key, _)| key);
            let again = face.gateway.left.over(&calling.caller.agent, digest, named);
            match again.or_else(|| bought.map(|(key, by_http)| Again { key, by_http, post: None })) {
                Some(again) => errand.again(again)?,
                None => errand.free().await?,
            }
        }
    };
    errand.run(going).await
}

/// Everything that makes it this call. Two upstreams may have one address and different logins.
fn what(upstream: &Name, sent: &CallToolRequestParams) -> Vec<u8> {
    serde_json::to_vec(&json!([upstream, sent.arguments, sent.input_responses, sent.request_state])).unwrap_or_default()
}

/// A fault of our own.
pub fn broken(error: anyhow::Error) -> ErrorData {
    ErrorData::internal_error(format!("{error:#}"), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_call_at_another_upstream_is_another_call() {
        let sent = CallToolRequestParams::new("t");
        let of = |name: &str| what(&name.parse().unwrap(), &sent);
        assert_eq!(of("work"), of("work"));
        assert_ne!(of("work"), of("home"));
    }
}
