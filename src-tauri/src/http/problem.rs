//! Problems and outcomes as HTTP answers.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_desk::{
    outcome::{Outcome, OutcomeStatus},
    problem::{Code, Problem},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// `application/problem+json`.
#[derive(Debug)]
pub struct ProblemResponse(pub Problem);

/// RFC 9457 problem; with the outcome whenever a payment exists.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Body<'a> {
    title: &'static str,
    /// The HTTP status.
    #[schemars(range(min = 200, max = 599))]
    status: u16,
    #[schemars(with = "Code")]
    code: &'static str,
    /// One sentence for people.
    detail: &'a str,
    /// What to do now.
    next: &'static str,
    /// How long to wait, with rate_limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Outcome>")]
    outcome: Option<&'a Outcome>,
}

/// The body of a problem, the same over HTTP and MCP.
pub fn problem_body(problem: &Problem) -> Value {
    let Problem { code, detail, next, retry_after, outcome } = problem;
    json!(Body {
        title: code.title(),
        status: code.status(),
        code: code.as_str(),
        detail,
        next,
        retry_after_seconds: *retry_after,
        outcome: outcome.as_deref(),
    })
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let status = StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = problem_body(&problem).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = problem.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An outcome of a money-moving call: 200, or 202 while a person is asked.
#[derive(Debug)]
pub struct OutcomeResponse(pub Outcome);

impl IntoResponse for OutcomeResponse {
    fn into_response(self) -> Response {
        let status = match self.0.status {
            OutcomeStatus::PendingApproval => StatusCode::ACCEPTED,
            _ => StatusCode::OK,
        };
        (status, axum::Json(self.0)).into_response()
    }
}

/// A problem about the request's form.
pub fn bad_request(detail: impl Into<String>) -> ProblemResponse {
    ProblemResponse(Problem::new(Code::BadRequest, detail))
}
