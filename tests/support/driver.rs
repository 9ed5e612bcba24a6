//! The real app in its real webview, driven as a person's hands would: found by name, pressed, written into, read, photographed.
//!
//! For builds that take it (`ui-automation`). One session at a time, over one connection: `tauri-driver` loses requests otherwise.

use serde_json::{Value, json};
use std::{path::Path, time::Duration};

use super::{Place, service, until};

/// What names an element in an answer of WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Where pictures go, beside those of the screen.
const SHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/screenshots");

/// A session; the app ends with it.
pub struct Driver {
    client: reqwest::Client,
    session: String,
}

impl Driver {
    /// Starts the app of this place with its main window on a page.
    pub async fn start(place: &Place, page: &str) -> Self {
        Self::start_as(&service::program(), place, page).await
    }

    /// The same, begun by another program.
    pub async fn start_as(program: &Path, place: &Place, page: &str) -> Self {
        let port = std::env::var("WD_PORT").expect("tauri-driver runs; `cargo xtask test` brings it");
        // A request that finds its window gone is never answered.
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1).timeout(Duration::from_secs(15));
        let client = client.build().expect("a client");
        let base = format!("http://127.0.0.1:{port}");
        let dir = place.path().to_str().expect("a path");
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "wry",
            "tauri:options": {"application": program, "args": ["--data-dir", dir, "--json", "--show", page]},
        }}});
        let made = told(client.post(format!("{base}/session")).json(&wanted).send().await).await;
        let made = made.unwrap_or_else(|why| panic!("no session: {why}"));
        let session = format!("{base}/session/{}", made["sessionId"].as_str().expect("a session"));
        Self { client, session }
    }

    /// Looks at the window of this label from here on.
    pub async fn window(&self, label: &str) {
        until(&format!("the window {label}"), async || {
            let handles = self.get("/window/handles").await.ok()?;
            for handle in handles.as_array()? {
                let turned = self.post("/window", &json!({"handle": handle})).await;
                let found = self.js("return window.__TAURI_INTERNALS__?.metadata.currentWindow.label").await;
                if turned.is_ok() && found == Some(json!(label)) {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    /// Whether there is a window of this label.
    pub async fn has(&self, label: &str) -> bool {
        let handles = self.get("/window/handles").await.unwrap_or_default();
        for handle in handles.as_array().into_iter().flatten() {
            if self.post("/window", &json!({"handle": handle})).await.is_ok()
                && self.js("return window.__TAURI_INTERNALS__?.metadata.currentWindow.label").await
                    == Some(json!(label))
            {
                return true;
            }
        }
        false
    }

    /// Presses the first thing of this name, once it is there and can be pressed.
    pub async fn press(&self, testid: &str) {
        until(&format!("{testid} to press"), async || {
            let id = self.find(testid).await?;
            let busy = self.get(&format!("/element/{id}/attribute/aria-disabled")).await.ok()?;
            if busy == "true" {
                return None;
            }
            self.post(&format!("/element/{id}/click"), &json!({})).await.ok().map(drop)
        })
        .await;
    }

    /// Presses what ends its own window, which then answers nothing more.
    pub async fn leave(&self, testid: &str) {
        self.text(testid).await;
        let press = format!("setTimeout(() => document.querySelector('[data-testid=\"{testid}\"]').click(), 100)");
        self.js(&press).await.expect("a page to leave");
    }

    /// Writes into the field of this name, in the place of what stands there.
    pub async fn write(&self, testid: &str, text: &str) {
        until(&format!("{testid} to write into"), async || {
            let id = self.find(testid).await?;
            self.post(&format!("/element/{id}/clear"), &json!({})).await.ok()?;
            self.post(&format!("/element/{id}/value"), &json!({"text": text})).await.ok().map(drop)
        })
        .await;
    }

    /// Chooses one of the options of the field of this name, once there is such an option.
    pub async fn choose(&self, testid: &str, option: &str) {
        let code = format!(
            "const field = document.querySelector('[data-testid=\"{testid}\"]');\
             if (![...field?.options ?? []].some((one) => one.value === '{option}')) return false;\
             field.value = '{option}';\
             field.dispatchEvent(new Event('change', {{bubbles: true}}));\
             return true"
        );
        until(&format!("{option} to choose in {testid}"), async || {
            (self.js(&code).await? == json!(true)).then_some(())
        })
        .await;
    }

    /// What stands in the thing of this name, once it is there.
    pub async fn text(&self, testid: &str) -> String {
        until(&format!("the text of {testid}"), async || {
            let code = format!("return document.querySelector('[data-testid=\"{testid}\"]')?.textContent");
            self.js(&code).await?.as_str().map(str::to_owned)
        })
        .await
    }

    /// The result of a script in the page.
    pub async fn js(&self, code: &str) -> Option<Value> {
        self.post("/execute/sync", &json!({"script": code, "args": []})).await.ok()
    }

    /// Keeps a picture of the page.
    pub async fn shot(&self, name: &str) {
        let Ok(picture) = self.get("/screenshot").await else { return };
        let bytes = base64(picture.as_str().unwrap_or_default());
        std::fs::create_dir_all(SHOTS).expect("a directory");
        std::fs::write(Path::new(SHOTS).join(name), bytes).expect("a file");
    }

    async fn find(&self, testid: &str) -> Option<String> {
        let by = json!({"using": "css selector", "value": format!("[data-testid=\"{testid}\"]")});
        self.post("/element", &by).await.ok()?[ELEMENT].as_str().map(str::to_owned)
    }

    async fn get(&self, path: &str) -> Result<Value, String> {
        told(self.client.get(format!("{}{path}", self.session)).send().await).await
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        told(self.client.post(format!("{}{path}", self.session)).json(body).send().await).await
    }
}

/// Ends the app, also after a failed test: there is one session for all.
impl Drop for Driver {
    fn drop(&mut self) {
        let ending = self.client.delete(&self.session).send();
        let gone = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ending));
        assert!(gone.is_ok() || std::thread::panicking(), "the session did not end");
    }
}

async fn told(answer: reqwest::Result<reqwest::Response>) -> Result<Value, String> {
    let mut said: Value = answer.map_err(|e| e.to_string())?.json().await.map_err(|e| e.to_string())?;
    match said["value"]["error"].as_str() {
        Some(error) => Err(format!("{error}: {}", said["value"]["message"])),
        None => Ok(said["value"].take()),
    }
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).expect("a picture")
}
