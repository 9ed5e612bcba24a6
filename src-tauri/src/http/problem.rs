//! Problems and outcomes as HTTP answers.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use countersign_desk::{
    outcome::{Outcome, OutcomeStatus},
    problem::{Code, Problem},
};
use serde_json::{Value, json};

/// `application/problem+json`.
#[derive(Debug)]
pub struct ProblemResponse(pub Problem);

/// The body of a problem, the same over HTTP and MCP.
pub fn problem_body(problem: &Problem) -> Value {
    let mut body = json!({
        "title": problem.code.title(),
        "status": problem.code.status(),
        "code": problem.code.as_str(),
        "detail": problem.detail,
        "next": problem.code.next(),
    });
    if let Some(object) = body.as_object_mut() {
        if let Some(seconds) = problem.retry_after {
            object.insert("retry_after_seconds".to_owned(), json!(seconds));
        }
        if let Some(outcome) = &problem.outcome {
            object.insert("outcome".to_owned(), json!(outcome));
        }
    }
    body
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
