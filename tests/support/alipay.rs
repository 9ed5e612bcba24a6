//! A double of Alipay's gateway: `tests/stack/alipay-gateway.mjs`.

use serde_json::{Value, json};
use std::process::Command;

use super::{
    Client, Place,
    announced::{self, Announced},
    world::stack,
};

/// What a place needs where yuan are worth something.
pub const CONFIG: &str = "[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n[currency]\nrates = { CNY = \"0.14\" }\n";

/// A running one.
pub struct AlipayDouble {
    server: Announced,
    keys: Value,
}

impl AlipayDouble {
    /// Starts it with keys of its own.
    pub async fn start() -> Self {
        let server = Announced::start(Command::new("node").arg("alipay-gateway.mjs").current_dir(stack()));
        let keys = announced::client().get(format!("{}/keys", server.url)).send().await.expect("an answer");
        Self { keys: keys.json().await.expect("JSON"), server }
    }

    /// Sets its merchant up in a place: what `countersign alipay setup` printed.
    pub fn set_up(&self, place: &Place) -> Value {
        let file = |name: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, self.key(name)).expect("a file");
            path.display().to_string()
        };
        let gateway = format!("{}/gateway.do", self.server.url);
        let app_id = self.keys["app_id"].as_str().expect("a number");
        let (key, alipay) = (file("app"), file("alipay"));
        let words = ["alipay", "setup", "--app-id", app_id, "--key-file", &key, "--alipay-key-file", &alipay];
        place.ok(&[&words[..], &["--gateway", &gateway, "--json"]].concat())
    }

    /// The `app`'s private key, or `alipay`'s public one.
    pub fn key(&self, name: &str) -> &str {
        self.keys[name].as_str().expect("a key")
    }

    /// A place with an agent's token, where the merchant is set up and yuan are worth something.
    pub fn place(&self) -> (Place, String) {
        let place = Place::new(CONFIG);
        self.set_up(&place);
        let token = place.agent("clerk");
        (place, token)
    }

    /// An agent makes the page of an order, and a buyer pays it.
    pub async fn sells(&self, agent: &Client, out_trade_no: &str, yuan: &str) {
        let order = json!({"outTradeNo": out_trade_no, "totalAmount": yuan, "orderTitle": "stamps"});
        let (status, made) = agent.post("/v1/alipay/create-mobile-alipay-payment", &order).await;
        assert_eq!(status, 200, "{made}");
        let body: Value = serde_json::from_str(made["response"]["body"].as_str().expect("a body")).expect("JSON");
        self.opens(body["paymentLink"].as_str().expect("a link")).await;
        self.pays(out_trade_no).await;
    }

    /// A buyer opens a page.
    pub async fn opens(&self, link: &str) -> String {
        announced::client().get(link).send().await.expect("an answer").text().await.expect("a page")
    }

    /// A buyer pays an order that was opened.
    pub async fn pays(&self, out_trade_no: &str) {
        self.control(&json!({"buy": out_trade_no})).await;
    }

    /// A notice that an order was paid, as it is posted to a merchant's server.
    pub async fn notice(&self, out_trade_no: &str, yuan: &str) -> String {
        let url = format!("{}/notice?out_trade_no={out_trade_no}&total_amount={yuan}", self.server.url);
        announced::client().get(url).send().await.expect("an answer").text().await.expect("a form")
    }

    /// The next answer to this method is bent.
    pub async fn bends(&self, method: &str, fault: &str, times: u32) {
        self.control(&json!({"method": method, "fault": fault, "times": times})).await;
    }

    async fn control(&self, how: &Value) {
        self.server.becomes(how).await;
    }

    /// What arrived, every request of which held to the gateway's rules and is what the official SDK signs.
    pub async fn seen(&self) -> Value {
        let seen = self.server.seen().await;
        for request in seen["requests"].as_array().expect("a list") {
            assert!(request["wrong"].is_null() && request["sdk"] == true, "{request}");
        }
        seen
    }
}
