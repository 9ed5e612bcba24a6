//! Coming from the official server: its variables are taken over once, after the person agreed; and a notice that Alipay sent.

use serde_json::json;
use std::process::{Command, Stdio};

use crate::support::{AlipayDouble, Place, alipay::CONFIG, bridge::arguments, service::program};

/// What the bridge says beside its answers, when it is started with the official server's variables.
fn said(place: &Place, alipay: &AlipayDouble, app_key: &str) -> std::process::Child {
    Command::new(program())
        .args(arguments(place, "clerk"))
        .envs([("AP_APP_ID", "2021000000000001"), ("AP_APP_KEY", app_key), ("AP_PUB_KEY", alipay.key("alipay"))])
        .env("AP_CURRENT_ENV", "sandbox")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the bridge starts")
}

/// Its first line about the merchant; then it is ended.
fn first_word(mut bridge: std::process::Child) -> String {
    use std::io::{BufRead as _, BufReader};
    let lines = BufReader::new(bridge.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let mut lines = lines;
    let line = lines.find(|line| line.contains("AP_")).unwrap_or_default();
    let _ = bridge.kill();
    let _ = bridge.wait();
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_servers_variables_are_taken_over_after_a_yes_and_another_key_is_not() {
    let alipay = AlipayDouble::start().await;
    let place = Place::new(CONFIG);
    place.ok(&["agent", "add", "clerk", "--bridge", "--json"]);
    let mut service = place.serve("terminal");

    let bridge = said(&place, &alipay, alipay.key("app"));
    let change = service.event("change");
    assert!(change.to_string().contains("2021000000000001"), "{change}");
    service.answer(false, change["change_id"].as_str().unwrap());
    assert!(first_word(bridge).contains("is not taken over"));
    assert!(place.ok(&["alipay", "show", "--json"]).is_null());

    let bridge = said(&place, &alipay, alipay.key("app"));
    let change = service.event("change");
    service.answer(true, change["change_id"].as_str().unwrap());
    assert!(first_word(bridge).contains("remove AP_APP_KEY"));
    let shown = place.ok(&["alipay", "show", "--json"]);
    assert_eq!(shown["app_id"], "2021000000000001");

    // The same again says so without a question; another key changes nothing.
    assert!(first_word(said(&place, &alipay, alipay.key("app"))).contains("remove AP_APP_KEY"));
    let stranger = AlipayDouble::start().await;
    assert!(first_word(said(&place, &alipay, stranger.key("app"))).contains("another merchant or another key"));
    assert_eq!(place.ok(&["alipay", "show", "--json"]), shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_counts_by_its_signature_and_what_it_is_about() {
    let alipay = AlipayDouble::start().await;
    let (place, _) = alipay.place();
    let notice = |form: &str, number: &str, yuan: &str| {
        let file = place.path().join("notice");
        std::fs::write(&file, form).unwrap();
        let file = file.display().to_string();
        place.exit(&["alipay", "notice", "--file", &file, "--out-trade-no", number, "--amount", yuan])
    };
    let form = alipay.notice("A1", "30.00").await;
    let (code, said) = notice(&form, "A1", "30.00");
    assert_eq!((code, &said["paid"]), (0, &json!(true)), "{form}: {said}");
    for (form, number, yuan) in [
        (form.as_str(), "A2", "30.00"),
        (&form, "A1", "30.01"),
        (&form.replace("30.00", "3000.00"), "A1", "3000.00"),
        (&form.replace("TRADE_SUCCESS", "TRADE_FINISHED"), "A1", "30.00"),
        ("", "A1", "30.00"),
    ] {
        let (code, said) = notice(form, number, yuan);
        assert!(code != 0 && said["paid"] != json!(true), "{number} {yuan}: {said}");
    }
}
