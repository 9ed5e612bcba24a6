//! Authorization servers that are wrong in one thing: no login comes of it, and nothing is reached that must not be.

use serde_json::Value;
use std::{process::Stdio, sync::Arc};

use crate::support::{Place, Service, ended, guarded::LoggingIn, seller::put_behind, shop::LIMITS, twisted::Twisted};

async fn behind(twist: &'static str) -> (Place, Service, Arc<Twisted>) {
    let twisted = Twisted::start(twist).await;
    let (place, _) = Place::with_wallet("[fetch]\nallow_private_hosts = [\"localhost\"]\n");
    place.policy(LIMITS);
    let mut service = place.serve("terminal");
    assert_eq!(put_behind(&place, &mut service, "twisted", &[&format!("{}/mcp", twisted.url)], true).1, 0);
    (place, service, twisted)
}

/// Removes an upstream and puts another in its place.
fn again(place: &Place, service: &mut Service, twisted: &Twisted) {
    place.ok(&["gateway", "remove", "twisted", "--json"]);
    assert_eq!(put_behind(place, service, "twisted", &[&format!("{}/mcp", twisted.url)], true).1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_authorization_server_must_not_name_ends_the_login_before_anybody_is_asked() {
    let (place, mut service, _) = behind("").await;
    for (twist, why) in [
        ("the server at a cloud's metadata address", "names authorization servers"),
        ("the server at a private address", "names authorization servers"),
        ("the server at a loopback address nobody allowed", "private address"),
        ("another resource", "resource mismatch"),
        ("another issuer", "issuer mismatch"),
        ("tokens over plain http", "must not be used"),
        ("tokens at a private address", "must not be used"),
        ("a page that is a script", "no web address"),
        ("a page that is a file", "no web address"),
        ("no word of PKCE", "PKCE with S256"),
        ("PKCE without a hash", "PKCE with S256"),
        ("redirects without end", "redirects"),
        ("a redirect into the cloud", "non-same-origin"),
        ("huge metadata", "larger than"),
    ] {
        let twisted = Twisted::start(twist).await;
        again(&place, &mut service, &twisted);
        let (status, said) = place.exit(&["gateway", "login", "twisted"]);
        let error = said["error"].as_str().unwrap_or_default();
        assert!(status == 1 && error.contains(why), "{twist}: {status} {said}");
        let asked = twisted.asked();
        let beyond = |line: &&String| !line.starts_with("localhost") || line.ends_with("/register");
        assert_eq!(asked.iter().find(beyond), None, "{twist}: {asked:?}");
        assert!(asked.len() < 40, "{twist}: {asked:?}");
    }
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_after_a_yes_leaves_no_login() {
    let (place, mut service, _) = behind("").await;
    for (twist, answer, why) in [
        ("", "?code=c&state={state}&iss=https://bank.example", "issuer mismatch"),
        ("", "?code=c&state={state}", "missing required issuer"),
        ("", "?error=access_denied&state={state}", "says no: access_denied"),
        ("tokens elsewhere", "?code=c&state={state}&iss={issuer}", "token exchange failed"),
        ("tokens without end", "?code=c&state={state}&iss={issuer}", "token exchange failed"),
    ] {
        let twisted = Twisted::start(twist).await;
        again(&place, &mut service, &twisted);
        let login = LoggingIn::begin(&place, &mut service, "twisted");
        let page = url::Url::parse(&login.page).unwrap();
        let of = |name: &str| page.query_pairs().find(|(own, _)| own == name).unwrap().1.into_owned();
        let (redirect, state) = (of("redirect_uri"), of("state"));
        let address = url::Url::parse(&redirect).unwrap();
        assert_eq!((address.host_str(), address.path()), (Some("127.0.0.1"), "/callback"), "{redirect}");
        assert_eq!(of("code_challenge_method"), "S256");
        assert_eq!(of("resource"), format!("{}/mcp", twisted.url));
        let wrong = reqwest::get(format!("{redirect}?code=c&state=wrong&iss={}", twisted.url)).await.unwrap();
        assert_eq!(wrong.status(), 400, "another's answer changes nothing");
        let answer = answer.replace("{state}", &state).replace("{issuer}", &twisted.url);
        assert_eq!(reqwest::get(format!("{redirect}{answer}")).await.unwrap().status(), 200);
        let (status, said, _) = login.end();
        let error = said["error"].as_str().unwrap_or_default();
        assert!(status == 1 && error.to_lowercase().contains(why), "{twist} {answer}: {status} {said}");
        assert!(!twisted.asked().iter().any(|line| line.ends_with("/steal")), "{:?}", twisted.asked());
    }
    for (twist, why) in [("a registration elsewhere", "registering"), ("no registration", "takes no stranger")] {
        let twisted = Twisted::start(twist).await;
        again(&place, &mut service, &twisted);
        let verb = place.begin(&["gateway", "login", "twisted"]);
        let change = service.event("change");
        service.answer(true, change["change_id"].as_str().unwrap());
        let (status, said): (i32, Value) = ended(&verb.wait_with_output().unwrap());
        assert!(status == 1 && said["error"].as_str().unwrap_or_default().contains(why), "{twist}: {said}");
    }
    let mut quiet = place.command(&["gateway", "login", "nobody", "--json"]);
    assert_eq!(ended(&quiet.stdin(Stdio::null()).output().unwrap()).0, 1);
    service.stop();
}
