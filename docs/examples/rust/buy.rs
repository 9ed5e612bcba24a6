//! A Rust program that buys a page through Countersign, with reqwest and nothing of x402 in it.
//!
//! It names the purchase with a key, follows a waiting payment until the person has decided, and never pays twice however often it is
//! run with the same key.
//!
//! ```sh
//! COUNTERSIGN_URL=http://127.0.0.1:7402 COUNTERSIGN_TOKEN=… cargo run --example buy -- URL KEY
//! ```

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// A connection to the Countersign on this computer.
pub struct Countersign {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Countersign {
    /// The service at `url`, as the agent with this token.
    pub fn new(url: String, token: String) -> anyhow::Result<Self> {
        Ok(Self { http: reqwest::Client::builder().no_proxy().build()?, url, token })
    }

    /// The body of the page, paid for if it costs something and the person's limits or the person allow.
    pub async fn buy(&self, url: &str, key: &str) -> anyhow::Result<String> {
        let body = json!({"url": url, "idempotency_key": key, "wait_seconds": 20});
        let request = self.http.post(format!("{}/v1/fetch", self.url)).header("content-type", "application/json");
        let mut outcome = self.answer(request.body(body.to_string())).await?;
        while outcome["status"] == "pending_approval" {
            let id = outcome["payment"]["id"].as_str().context("a waiting payment has an id")?;
            outcome = self.answer(self.http.get(format!("{}/v1/payments/{id}?wait=25", self.url))).await?;
        }
        match outcome["status"].as_str() {
            Some("completed" | "not_required") => {
                Ok(outcome["response"]["body"].as_str().unwrap_or_default().to_owned())
            }
            _ => bail!("{}: {}", outcome["status"], outcome["next"].as_str().unwrap_or_default()),
        }
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let response = request.bearer_auth(&self.token).send().await.context("Countersign does not answer")?;
        let refused = !response.status().is_success();
        let answer: Value = serde_json::from_slice(&response.bytes().await?)?;
        if refused {
            bail!("{}: {} {}", text(&answer["code"]), text(&answer["detail"]), text(&answer["next"]));
        }
        Ok(answer)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Buys what the command line names.
#[tokio::main]
pub async fn main() -> anyhow::Result<()> {
    let [url, key] = <[String; 2]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|_| anyhow::anyhow!("usage: buy URL KEY"))?;
    let countersign = Countersign::new(std::env::var("COUNTERSIGN_URL")?, std::env::var("COUNTERSIGN_TOKEN")?)?;
    println!("{}", countersign.buy(&url, &key).await?);
    Ok(())
}
