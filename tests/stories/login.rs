//! Logging in to an MCP server behind a certified authorization server, with a browser that is an HTTP client.

use serde_json::{Value, json};
use std::path::Path;

use crate::support::{
    Mcp, Place, Service,
    announced::Announced,
    ended,
    guarded::{self, LoggingIn, browse},
    seller::put_behind,
    shop::LIMITS,
    until,
};

const WANTS_LOGIN: &str = "the person has to run `countersign gateway login guarded`";

struct Behind {
    place: Place,
    service: Service,
    token: String,
    guarded: Announced,
}

fn behind() -> Behind {
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    place.policy(LIMITS);
    let token = place.agent("researcher");
    let log = place.path().join("log-of-the-test");
    let mut service = place.serve_logged("terminal", &log);
    let guarded = guarded::start();
    assert_eq!(put_behind(&place, &mut service, "guarded", &[&guarded.mcp()], true).1, 0);
    Behind { place, service, token, guarded }
}

impl Behind {
    fn agent(&self) -> Mcp {
        Mcp::new(&self.service.url, &self.token).behind("guarded")
    }

    async fn log_in(&mut self) -> Value {
        let login = LoggingIn::begin(&self.place, &mut self.service, "guarded");
        assert!(browse(&login.page).await.starts_with("http://127.0.0.1:"));
        let (status, answer, said) = login.end();
        assert_eq!(status, 0, "{answer} {said}");
        answer
    }
}

/// What a call answers: the words of its result, or its error.
async fn says(agent: &Mcp, tool: &str) -> String {
    let answer = agent.modern("tools/call", &json!({"name": tool, "arguments": {}})).await;
    let (result, error) = (&answer.last()["result"]["content"][0]["text"], &answer.last()["error"]["message"]);
    result.as_str().or(error.as_str()).unwrap_or_else(|| panic!("{tool}: {answer:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_made_in_the_browser_renewed_widened_and_kept_where_the_keys_are() {
    let mut here = behind();
    let agent = here.agent();
    assert!(says(&agent, "whoami").await.contains(WANTS_LOGIN));

    let login = LoggingIn::begin(&here.place, &mut here.service, "guarded");
    let page = url::Url::parse(&login.page).unwrap();
    let shown = login.change["lines"].to_string();
    assert!(shown.contains(&format!("Your browser opens: {}", page.origin().ascii_serialization())), "{shown}");
    assert!(shown.contains(&here.guarded.mcp()) && shown.contains("It asks for: read"), "{shown}");
    browse(&login.page).await;
    let (status, answer, _) = login.end();
    assert_eq!((status, &answer["scopes"]), (0, &json!(["read"])), "{answer}");
    assert_eq!(says(&agent, "whoami").await, "ann: read");

    let mut session = here.agent();
    session.begin(json!({})).await;
    for _ in 0..2 {
        here.guarded.becomes(&json!({"expired": true})).await;
        assert_eq!(session.call("whoami", &json!({})).await["content"][0]["text"], "ann: read");
    }
    let seen = here.guarded.seen().await;
    assert_eq!(seen["grants"], json!(["authorization_code", "refresh_token", "refresh_token"]), "each renewed once");

    assert!(says(&agent, "change").await.contains("is not enough for this"));
    assert_eq!(here.log_in().await["scopes"], json!(["read", "write"]));
    assert_eq!(says(&agent, "change").await, "changed");
    assert_eq!(
        session.call("whoami", &json!({})).await["content"][0]["text"],
        "ann: read write",
        "also where it was open"
    );

    let url = here.service.url.clone();
    here.service.stop();
    here.service = here.place.serve_again("terminal", &url);
    assert_eq!(says(&agent, "whoami").await, "ann: read write", "kept");

    let seen = here.guarded.seen().await;
    let tokens: Vec<&str> = seen["authorization"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(tokens.len() >= 4 && !tokens.iter().any(|it| it.contains(&here.token)), "no agent's token went on");
    assert_nowhere(here.place.path(), &tokens);

    here.guarded.becomes(&json!({"over": true})).await;
    assert!(says(&agent, "whoami").await.contains(WANTS_LOGIN), "the server ended it");
    here.service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_with_its_server_with_a_logout_and_with_its_upstream() {
    let mut here = behind();
    let agent = here.agent();
    let (status, _) = {
        let verb = here.place.begin(&["gateway", "login", "guarded"]);
        let change = here.service.event("change");
        here.service.answer(false, change["change_id"].as_str().unwrap());
        ended(&verb.wait_with_output().unwrap())
    };
    assert_eq!((status, &here.guarded.seen().await["registered"]), (3, &json!(0)), "after a no nobody hears of us");

    here.log_in().await;
    assert_eq!(says(&agent, "whoami").await, "ann: read");
    here.place.ok(&["gateway", "logout", "guarded", "--json"]);
    assert!(says(&agent, "whoami").await.contains(WANTS_LOGIN));

    here.log_in().await;
    let first = here.guarded.seen().await["registered"].clone();
    here.guarded.becomes(&json!({"moved": true})).await;
    assert!(says(&agent, "whoami").await.contains(WANTS_LOGIN), "its tokens are another server's");
    let login = LoggingIn::begin(&here.place, &mut here.service, "guarded");
    let shown = login.change["lines"].to_string();
    assert!(shown.contains("The login before this one was at another server: http://127.0.0.1:"), "{shown}");
    browse(&login.page).await;
    assert_eq!(login.end().0, 0);
    assert_eq!(here.guarded.seen().await["registered"].as_u64(), first.as_u64().map(|n| n + 1), "a client of its own");
    assert_eq!(says(&agent, "whoami").await, "ann: read");

    here.guarded.becomes(&json!({"moved": true})).await;
    let url = here.service.url.clone();
    here.service.stop();
    here.service = here.place.serve_again("terminal", &url);
    assert!(says(&agent, "whoami").await.contains(WANTS_LOGIN), "another server was found at the start");

    here.log_in().await;
    here.place.ok(&["gateway", "remove", "guarded", "--json"]);
    put_behind(&here.place, &mut here.service, "guarded", &[&here.guarded.mcp()], true);
    assert!(says(&agent, "whoami").await.contains(WANTS_LOGIN), "the name alone is no login");
    here.service.stop();
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_opens_in_the_browser_as_one_argument_and_only_where_there_is_a_screen() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut here = behind();
    let (folder, opened) = (tempfile::tempdir().unwrap(), here.place.path().join("opened"));
    let opener = folder.path().join("xdg-open");
    std::fs::write(
        &opener,
        "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$1\" > \"$OPENED.new\" && /bin/mv \"$OPENED.new\" \"$OPENED\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let with = [("PATH", folder.path().as_os_str()), ("DISPLAY", ":9".as_ref()), ("OPENED", opened.as_os_str())];
    let login = LoggingIn::begin_with(&here.place, &mut here.service, "guarded", &with);
    let told = until("the page was opened", async || std::fs::read_to_string(&opened).ok()).await;
    assert_eq!(told, format!("1\n{}\n", login.page));
    browse(&login.page).await;
    assert_eq!(login.end().0, 0);

    std::fs::remove_file(&opened).unwrap();
    let login = LoggingIn::begin_with(&here.place, &mut here.service, "guarded", &[with[0], with[2]]);
    browse(&login.page).await;
    assert_eq!(login.end().0, 0);
    assert!(!opened.exists(), "without a screen nothing is opened");
    here.service.stop();
}

/// No file of the data directory has one of these tokens in it, the log at TRACE included.
fn assert_nowhere(dir: &Path, headers: &[&str]) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for header in headers {
            let token = header.strip_prefix("Bearer ").unwrap();
            assert_eq!(memchr::memmem::find(&bytes, token.as_bytes()), None, "a token in {}", path.display());
        }
    }
}
