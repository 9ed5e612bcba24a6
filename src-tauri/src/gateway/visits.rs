//! The older era's error `-32042`: pages the user has to open before a tool works. It is no price. A client of the older era gets
//! it as it is; one of the newer era is shown the pages and repeats its call; any other is told in words.

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams,
        ElicitResult, ElicitationAction, ErrorCode, InputRequest, InputRequiredResult,
    },
};
use serde_json::json;

use super::{face::Context, price::Visit};

/// How our names for the pages begin.
const OURS: &str = "countersign-visit-";
/// Most pages at a time.
const MOST: usize = 8;

/// What the client is answered.
///
/// # Errors
/// The error as it was, for a client of the older era.
pub fn tell(pages: &[Visit], modern: bool, context: &Context) -> Result<CallToolResponse, ErrorData> {
    let pages = pages.get(..MOST).unwrap_or(pages);
    if !modern {
        return Err(error(pages));
    }
    let shows = context.client_capabilities().unwrap_or_default().elicitation.is_some_and(|asks| asks.url.is_some());
    if shows && !pages.is_empty() {
        let asks = pages.iter().enumerate().map(|(n, page)| {
            let page = ElicitRequestParams::UrlElicitationParams {
                meta: None,
                message: page.message.clone(),
                url: page.url.clone(),
                elicitation_id: String::new(),
            };
            (format!("{OURS}{n}"), InputRequest::Elicitation(ElicitRequest::new(page)))
        });
        return Ok(InputRequiredResult::new(Some(asks.collect()), None).into());
    }
    let pages = pages.iter().map(|page| format!("{} {}", page.url, page.message).trim().to_owned());
    let says = format!(
        "This tool works only after the user has opened a page in a browser. Show them the address and call the tool again \
         afterwards: {}",
        pages.collect::<Vec<_>>().join("; ")
    );
    Ok(CallToolResult::error(vec![ContentBlock::text(says)]).into())
}

/// The error as it was, for a client of the older era.
pub fn error(pages: &[Visit]) -> ErrorData {
    let asks =
        |page: &Visit| json!({"mode": "url", "elicitationId": page.id, "url": page.url, "message": page.message});
    let data = json!({"elicitations": pages.iter().take(MOST).map(asks).collect::<Vec<_>>()});
    ErrorData::new(ErrorCode(-32042), "the user has to open a page first", Some(data))
}

/// Takes the answers about pages out of a repeat. Whether the user would not open one.
pub fn declined(sent: &mut CallToolRequestParams) -> bool {
    let Some(responses) = &mut sent.input_responses else { return false };
    let agreed = |said: &serde_json::Value| {
        serde_json::from_value::<ElicitResult>(said.clone()).is_ok_and(|said| said.action == ElicitationAction::Accept)
    };
    let declined = responses.iter().any(|(name, said)| name.starts_with(OURS) && !agreed(said));
    responses.retain(|name, _| !name.starts_with(OURS));
    sent.input_responses.take_if(|responses| responses.is_empty());
    declined
}

/// What is answered then.
pub fn closed() -> CallToolResponse {
    let says = "the user did not open the page this tool asks for";
    CallToolResult::error(vec![ContentBlock::text(says)]).into()
}
