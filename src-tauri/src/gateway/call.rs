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
    state::State,
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
    let known = face.tool(&sent.name, context).await?;
    if sent.name == face.look() {
        let told = mcp::look(&face.app, &calling, context).await?;
        if let Ok(outcome) = &told {
            face.gateway.handed_out(&calling.caller.agent, outcome);
        }
        return Ok(mcp::answer(told).into());
    }
    let Some(tool) = known else {
        return Err(ErrorData::invalid_params(format!("there is no tool named {:?}", sent.name), None));
    };
    if visits::declined(&mut sent) {
        return Ok(visits::closed());
    }
    let place = face.room.target.place(&face.room.name).map_err(broken)?;
    let agent = &calling.caller.agent;
    let arguments = serde_json::to_vec(&sent.arguments).unwrap_or_default();
    let bound = [format!("tools/call\n{agent}\n{}\n{}\n", face.room.name, sent.name).as_bytes(), &arguments].concat();
    let mut shown = None;
    let mut kept = None;
    match face.gateway.states.take(&mut sent, &bound)? {
        Some(State::Shown { payment, responses, state }) => {
            shown = Some((payment, mcp::declined(sent.input_responses.as_ref())));
            (sent.input_responses, sent.request_state) = (responses, state);
        }
        Some(State::Kept(name)) => {
            kept = face.room.keep.take(&name);
            if kept.is_none() {
                sent.input_responses = None;
            }
        }
        None => {}
    }
    let going = kept.map(|kept| {
        keep::answer((kept.question, kept.reply), sent.input_responses.as_ref());
        sent = kept.sent;
        kept.going
    });
    let what = what(&sent);
    let digest = Purchase::digest_of_call(&place, &sent.name, &what);
    let formed = tool.output_schema.is_some();
    let calling = &calling;
    let progress = Progress::of(context);
    let errand = Errand { face, context, calling, sent, digest, what, bound, place, shown, formed, rounds: 0, progress };
    let going = match (going, face.gateway.left_over(&calling.caller.agent, digest)) {
        (Some(going), _) => going,
        (None, Some(again)) => errand.again(again)?,
        (None, None) => errand.free().await?,
    };
    errand.run(going).await
}

/// Everything that makes it this call.
fn what(sent: &CallToolRequestParams) -> Vec<u8> {
    serde_json::to_vec(&json!([sent.arguments, sent.input_responses, sent.request_state])).unwrap_or_default()
}

/// A fault of our own.
pub fn broken(error: anyhow::Error) -> ErrorData {
    ErrorData::internal_error(format!("{error:#}"), None)
}
