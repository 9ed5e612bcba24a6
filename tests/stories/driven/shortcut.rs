//! Keys that bring an open question to the front from any program: chosen on the page Settings, kept, and no answer.

use serde_json::{Value, json};

use super::turn;
use crate::{
    screen,
    support::{Place, World, driver::Driver, ended, until},
};

/// The keys, as xdotool presses them and as a person writes them.
const KEYS: (&str, &str) = ("ctrl+alt+q", "Ctrl+Alt+Q");

/// Presses the keys in the main window until the question has the keyboard.
async fn raised(question: &str) {
    let main = screen::visible("^Countersign$").await.expect("the main window");
    until("the question in front", async || {
        screen::focus(&main).await;
        screen::key(KEYS.0).await;
        let began = std::time::Instant::now();
        while began.elapsed().as_secs() < 2 {
            if screen::active().await.as_deref() == Some(question) {
                return Some(());
            }
        }
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_keys_raise_a_question_and_answer_nothing_also_after_a_restart() {
    let Some(_turn) = turn().await else { return };
    let mut world = World::start();
    let (place, address) = Place::with_wallet(&format!("[server]\nport = 0\n{}", world.config()));
    world.mint(&address, "100");
    place.agent("researcher");
    place.ok(&["confirm", "policy", "--json"]);
    let buys = |what: &str| place.begin(&["fetch", &format!("{}/report?{what}", world.at("seller"))]);
    let kept = || {
        let text = std::fs::read_to_string(place.path().join("windows.json")).unwrap_or_default();
        serde_json::from_str::<Value>(&text).unwrap_or_default()["shortcut"].clone()
    };

    let driver = Driver::start(&place, "settings").await;
    driver.window("main").await;
    driver.write("shortcut", "Shift+Q").await;
    driver.press("shortcut-save").await;
    let said = "return document.body.textContent.includes('These keys cannot be used')";
    until("a refusal", async || driver.js(said).await?.as_bool()?.then_some(())).await;
    driver.write("shortcut", KEYS.1).await;
    driver.press("shortcut-save").await;
    until("the choice in its file", async || (kept() == json!(KEYS.1)).then_some(())).await;

    // With nothing asked they do nothing.
    screen::key(KEYS.0).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(!screen::there(screen::QUESTION).await);
    let first = buys("first");
    let question = screen::question("shortcut-first.png").await;
    raised(&question).await;
    raised(&question).await;
    driver.window("approval").await;
    driver.press("deny-button").await;
    let answered = ended(&first.wait_with_output().unwrap()).1;
    assert_eq!(answered["code"], "denied_by_human", "by the button, and by nothing before it");
    drop(driver);

    let driver = Driver::start(&place, "settings").await;
    driver.window("main").await;
    let second = buys("second");
    let question = screen::question("shortcut-second.png").await;
    raised(&question).await;
    driver.window("approval").await;
    driver.press("deny-button").await;
    assert_eq!(ended(&second.wait_with_output().unwrap()).1["code"], "denied_by_human");
    assert_eq!(world.balance(&address), "100");

    // Taken away, they are another program's again.
    driver.window("main").await;
    driver.write("shortcut", " ").await;
    driver.press("shortcut-save").await;
    until("no choice in its file", async || (kept() == json!("")).then_some(())).await;
}
