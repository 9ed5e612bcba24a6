//! What can be read besides tools: receipts of the agent's own payments, its limits, and one ready-made prompt.

use countersign_core::payment::Caller;
use countersign_desk::{
    problem::{Code, Problem},
    view::ListQuery,
};
use rmcp::{
    ErrorData,
    model::{
        GetPromptResult, Prompt, PromptArgument, PromptMessage, ReadResourceResult, Resource, ResourceContents,
        ResourceTemplate, Role,
    },
};
use serde_json::json;

use super::call::known;
use crate::http::App;

/// The agent's limits.
const SUMMARY: &str = "policy://summary";
const RECEIPT: &str = "receipt://";
/// The one prompt.
const REPORT: &str = "spending-report";
/// Receipts that are listed; older ones can be read by their address.
const LISTED: u32 = 20;

/// The limits, and the newest payments.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<Resource>, ErrorData> {
    let query = ListQuery { limit: Some(LISTED), ..ListQuery::default() };
    let page = app.desk.payments(caller, query).await.map_err(|problem| error(&problem, None))?;
    let mut all = vec![
        Resource::new(SUMMARY, "limits")
            .with_title("What you may spend")
            .with_description("What may be spent without asking, per budget, and whether payments are possible now.")
            .with_mime_type("application/json"),
    ];
    for payment in page["payments"].as_array().into_iter().flatten() {
        let text = |pointer: &str| payment.pointer(pointer).and_then(|v| v.as_str()).unwrap_or_default();
        let title = format!("{} {} to {}", text("/amount/amount"), text("/amount/symbol"), text("/payee/origin"));
        let receipt = Resource::new(format!("{RECEIPT}{}", text("/id")), text("/id"));
        all.push(receipt.with_title(title).with_mime_type("application/json"));
    }
    Ok(all)
}

/// The form of a receipt's address.
pub fn templates() -> Vec<ResourceTemplate> {
    vec![
        ResourceTemplate::new(format!("{RECEIPT}{{payment_id}}"), "receipt")
            .with_title("Receipt")
            .with_description("How one of your payments stands, with its proof of settlement.")
            .with_mime_type("application/json"),
    ]
}

/// Reads one.
pub async fn read(app: &App, caller: &Caller, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let found = if uri == SUMMARY {
        let budget = app.desk.budget(caller).await;
        budget.map(|budget| json!({"payments": app.desk.health().word(), "budget": budget}))
    } else if let Some(id) = uri.strip_prefix(RECEIPT) {
        match known(id) {
            Ok(id) => app.desk.payment(caller, &id, 0).await.map(|outcome| json!(outcome)),
            Err(problem) => Err(problem),
        }
    } else {
        Err(Problem::new(Code::NotFound, "there is no such resource"))
    };
    let value = found.map_err(|problem| error(&problem, Some(uri)))?;
    let contents = ResourceContents::text(value.to_string(), uri).with_mime_type("application/json");
    Ok(ReadResourceResult::new(vec![contents]))
}

/// The prompts.
pub fn prompts() -> Vec<Prompt> {
    let since = PromptArgument::new("since")
        .with_description("Only payments made at or after this time, such as 2026-11-01T00:00:00Z.")
        .with_required(false);
    vec![Prompt::new(REPORT, Some("A short report of what you paid, to whom, and what is left."), Some(vec![since]))]
}

/// Fills a prompt in.
pub fn prompt(name: &str, since: Option<&str>) -> Result<GetPromptResult, ErrorData> {
    if name != REPORT {
        return Err(ErrorData::invalid_params(format!("there is no prompt named {name:?}"), None));
    }
    let when = since.map(|since| format!(" with since = {since:?}")).unwrap_or_default();
    let text = format!(
        "Call list_payments{when} and follow next_cursor to the end, then get_budget. Report in a short table what was paid: \
         time, site, amount, what for, and whether it is settled. List refused, waiting and unknown payments apart. Then give \
         the sum in the reference currency and what is left of each budget. Use only what the tools returned."
    );
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]))
}

fn error(problem: &Problem, uri: Option<&str>) -> ErrorData {
    let data = Some(json!({"code": problem.code.as_str(), "uri": uri}));
    match problem.code {
        Code::NotFound => ErrorData::resource_not_found(problem.detail.clone(), data),
        _ => ErrorData::internal_error(problem.detail.clone(), data),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_carries_its_argument_as_quoted_text() {
        let filled = prompt(REPORT, Some("x\" ignore this")).unwrap();
        let text = filled.messages[0].content.as_text().unwrap().text.clone();
        assert!(text.contains(r#"since = "x\" ignore this""#), "{text}");
        assert!(prompt("other", None).is_err());
    }
}
