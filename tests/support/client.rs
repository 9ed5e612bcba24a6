//! An agent's HTTP client, as plain as `curl`.

use serde_json::{Value, json};

/// Speaks to one service with one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// Status and JSON body.
pub type Answered = (u16, Value);

impl Client {
    /// A client of this service.
    pub fn new(url: &str, token: &str) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self { http, url: url.to_owned(), token: token.to_owned() }
    }

    /// The same agent at another address, as after a restart.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The same client for another service or token; making a new one takes longer than many requests.
    pub fn of(&self, url: &str, token: &str) -> Self {
        Self { http: self.http.clone(), url: url.to_owned(), token: token.to_owned() }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answered {
        self.try_send(reqwest::Method::GET, path, None).await.expect("an answer")
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answered {
        self.try_send(reqwest::Method::POST, path, Some(body)).await.expect("an answer")
    }

    /// Either, where the service may die under it.
    pub async fn try_send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answered, reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// How long a ready body takes until its answer is there in full.
    pub async fn timed(&self, path: &str, body: String) -> (std::time::Duration, u16, Vec<u8>) {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").body(body);
        let began = std::time::Instant::now();
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let bytes = response.bytes().await.expect("a body");
        (began.elapsed(), status, bytes.to_vec())
    }

    /// `POST /v1/fetch`.
    pub async fn fetch(&self, url: &str, key: &str) -> Answered {
        self.post("/v1/fetch", &json!({"url": url, "idempotency_key": key, "wait_seconds": 60})).await
    }

    /// `POST /v1/fetch` that waits so long for a person.
    pub async fn fetch_waiting(&self, url: &str, key: &str, seconds: u64) -> Answered {
        self.post("/v1/fetch", &json!({"url": url, "idempotency_key": key, "wait_seconds": seconds})).await
    }

    /// `POST /v1/payments` with a challenge of this protocol.
    pub async fn pay_by(&self, rail: &str, url: &str, challenge: &Value, key: &str) -> Answered {
        let mut body = pay_body(url, challenge, key);
        body["rail"] = json!(rail);
        self.post("/v1/payments", &body).await
    }

    /// `POST /v1/payments` with a challenge.
    pub async fn pay(&self, url: &str, challenge: &Value, key: &str) -> Answered {
        self.post("/v1/payments", &pay_body(url, challenge, key)).await
    }
}

/// Body of `POST /v1/payments`.
pub fn pay_body(url: &str, challenge: &Value, key: &str) -> Value {
    json!({"rail": "x402", "url": url, "challenge": challenge, "idempotency_key": key, "wait_seconds": 0})
}

/// The authorisation inside an outcome's credential.
pub fn authorization(outcome: &Value) -> Option<Value> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let header = outcome["credential"]["headers"]["PAYMENT-SIGNATURE"].as_str()?;
    let payload: Value = serde_json::from_slice(&STANDARD.decode(header).ok()?).ok()?;
    Some(json!({"signature": payload["payload"]["signature"], "authorization": payload["payload"]["authorization"]}))
}
