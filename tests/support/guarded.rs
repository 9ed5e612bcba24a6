//! An MCP server behind a real authorization server, `tests/conformance/guarded.mjs`, and the browser of the person who logs in there.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Stdio},
};

use super::{
    Place, Service,
    announced::{Announced, client},
    ended,
    official::newer_script,
};

/// Starts both servers.
pub fn start() -> Announced {
    Announced::start(newer_script("guarded.mjs").stderr(Stdio::null()))
}

/// A `gateway login` that waits for its browser.
pub struct LoggingIn {
    verb: Child,
    errors: BufReader<std::process::ChildStderr>,
    /// What the person was asked.
    pub change: Value,
    /// The page their browser opens.
    pub page: String,
}

impl LoggingIn {
    /// Starts it where there is no screen; the person says yes.
    pub fn begin(place: &Place, service: &mut Service, name: &str) -> Self {
        Self::begin_with(place, service, name, &[])
    }

    /// The same with this in its environment.
    pub fn begin_with(place: &Place, service: &mut Service, name: &str, with: &[(&str, &OsStr)]) -> Self {
        let mut command = place.command(&["--json", "gateway", "login", name]);
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").envs(with.iter().copied());
        let verb = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut verb = verb.expect("the program starts");
        let change = service.event("change");
        service.answer(true, change["change_id"].as_str().expect("an id"));
        let mut errors = BufReader::new(verb.stderr.take().expect("a pipe"));
        let mut page = String::new();
        while !page.starts_with("http") {
            page.clear();
            assert_ne!(errors.read_line(&mut page).expect("lines"), 0, "no page to open");
        }
        Self { verb, errors, change, page: page.trim().to_owned() }
    }

    /// How it ended: exit status, answer, and what it said.
    pub fn end(mut self) -> (i32, Value, String) {
        let mut said = String::new();
        self.errors.read_to_string(&mut said).expect("text");
        let (status, answer) = ended(&self.verb.wait_with_output().expect("the verb ends"));
        (status, answer, said)
    }
}

/// Follows a page from redirect to redirect with its cookies, as a browser does, and gives where it ended.
pub async fn browse(page: &str) -> String {
    let (client, mut cookies) = (client(), BTreeMap::<String, String>::new());
    let mut at = url::Url::parse(page).expect("an address");
    for _ in 0..20 {
        let sent: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = client.get(at.clone()).header("cookie", sent.join("; ")).send().await.expect("an answer");
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie");
            // One that is taken back is of another path, or of no use any more.
            if !value.is_empty() {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let Some(next) = answer.headers().get("location") else {
            assert!(answer.status().is_success(), "{at}: {}", answer.status());
            return at.into();
        };
        at = at.join(next.to_str().expect("text")).expect("an address");
    }
    panic!("redirects without end");
}
