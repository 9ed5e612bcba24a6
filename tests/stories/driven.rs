//! The pages of the real app in their real webview, driven through WebDriver: what a person does there, and what it comes to.
//!
//! `cargo xtask test window` builds the app so (feature `ui-automation`) and brings display and driver; without them each says so.

mod day;
mod merchant;
mod restore;
mod scale;
mod shop;
mod shortcut;
mod told;

use serde_json::{Value, json};

use crate::{
    screen,
    support::{Place, World, driver::Driver, ended, until},
};

/// The screen and a driver for one story.
async fn turn() -> Option<tokio::sync::MutexGuard<'static, ()>> {
    let turn = screen::turn().await?;
    if std::env::var_os("WD_PORT").is_none() {
        println!("skipped: there is no tauri-driver; `cargo xtask test` brings one");
        return None;
    }
    Some(turn)
}

fn wallets(place: &Place) -> Vec<String> {
    let list = place.ok(&["wallet", "list", "--json"]);
    let address = |wallet: &Value| wallet["address"].as_str().expect("an address").to_owned();
    list["wallets"].as_array().expect("a list").iter().map(address).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_typed_in_a_window_of_their_own_that_is_gone_afterwards() {
    let Some(_turn) = turn().await else { return };
    let place = Place::new("[server]\nport = 0\n");
    let driver = Driver::start(&place, "wallets").await;
    driver.window("main").await;

    // A new wallet: twelve words, and three of them said back.
    driver.press("start-leave").await;
    driver.press("wallet-create").await;
    driver.window("secret").await;
    let code = "return [...document.querySelectorAll('[data-testid=words] li')].map((one) => one.lastChild.textContent.trim())";
    let words = until("twelve words", async || {
        let words = driver.js(code).await?;
        (words.as_array()?.len() == 12).then_some(words)
    })
    .await;
    driver.shot("secret-words.png").await;
    driver.press("act").await;
    let asked = until("places", async || {
        let asked = driver
            .js("return [...document.querySelectorAll('[data-testid^=word-]')].map((one) => one.dataset.testid)")
            .await?;
        (asked.as_array()?.len() == 3).then_some(asked)
    })
    .await;
    assert!(wallets(&place).is_empty(), "nothing is kept before the words were said back");
    for testid in asked.as_array().unwrap().iter().map(|one| one.as_str().unwrap()) {
        let place: usize = testid.trim_start_matches("word-").parse().unwrap();
        driver.write(testid, words[place - 1].as_str().unwrap()).await;
    }
    driver.press("act").await;
    let made = driver.text("made-address").await.replace(' ', "");
    assert_eq!(wallets(&place), [made.as_str()]);

    // A passphrase in the same sitting; then the window and its page are gone.
    driver.press("protect").await;
    driver.write("new", "correct horse").await;
    driver.write("new-again", "correct horse").await;
    driver.press("act").await;
    assert!(driver.text("done").await.contains("as you said"));
    driver.leave("end").await;
    until("the window of secrets to be gone", async || (!driver.has("secret").await).then_some(())).await;

    // Locked, nothing is kept; the right passphrase opens it.
    driver.window("main").await;
    driver.press("lock").await;
    driver.press("unlock").await;
    driver.window("secret").await;
    driver.write("passphrase", "wrong horse").await;
    driver.press("act").await;
    assert_eq!(driver.text("refused").await, "That is not the passphrase.");
    driver.write("passphrase", "correct horse").await;
    driver.press("act").await;
    assert!(driver.text("done").await.contains("unlocked"));
    driver.leave("end").await;
    until("the window of secrets to be gone", async || (!driver.has("secret").await).then_some(())).await;

    // The words bring the same wallet again, and the main window never saw one of them.
    driver.window("main").await;
    driver.press("wallet-import").await;
    driver.window("secret").await;
    let phrase: Vec<&str> = words.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    driver.write("phrase", &phrase.join(" ")).await;
    driver.press("act").await;
    assert_eq!(driver.text("refused").await, "You have this wallet already.");
    driver.leave("leave").await;
    until("the window of secrets to be gone", async || (!driver.has("secret").await).then_some(())).await;
    driver.window("main").await;
    let shown = driver.js("return document.documentElement.outerHTML").await.unwrap();
    for secret in [phrase.join(" ").as_str(), "correct horse"] {
        assert!(!shown.as_str().unwrap().contains(secret), "the main window holds {secret}");
    }
    driver.shot("wallets.png").await;
    let refused = driver
        .js("return window.__TAURI_INTERNALS__.invoke('secret_view').then(() => 'told', (why) => JSON.stringify(why))")
        .await;
    assert_ne!(refused, Some(json!("told")), "a command of the window of secrets from the main window");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_steps_lead_to_a_first_test_payment() {
    let Some(_turn) = turn().await else { return };
    let mut world = World::start();
    let page = format!("{}/report", world.at("seller"));
    let place = Place::new(&format!("[server]\nport = 0\n[test]\nseller = \"{page}\"\n{}", world.config()));
    let driver = Driver::start(&place, "activity").await;
    driver.window("main").await;
    driver.shot("first-run.png").await;

    driver.press("start-import").await;
    driver.window("secret").await;
    driver.press("kind-key").await;
    driver.write("key", &"7".repeat(64)).await;
    driver.press("act").await;
    let address = driver.text("made-address").await.replace(' ', "");
    driver.leave("end").await;
    world.mint(&address, "100");

    driver.window("main").await;
    driver.press("start-keep").await;
    let command = driver.text("start-add").await;
    assert_eq!(command, "countersign agent add assistant");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let adding = place.begin(&words);
    yes(&driver, "first-agent.png").await;
    assert_eq!(ended(&adding.wait_with_output().unwrap()).0, 0);

    driver.window("main").await;
    let command = driver.text("start-fetch").await;
    assert_eq!(command, format!("countersign fetch {page}"));
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let paying = place.begin(&words);
    yes(&driver, "first-payment.png").await;
    let (code, paid) = ended(&paying.wait_with_output().unwrap());
    assert_eq!((code, paid["status"].as_str()), (0, Some("completed")), "{paid}");
    assert_eq!(world.balance(&address), "95.8", "one report was paid, once");

    driver.window("main").await;
    driver.press("start-end").await;
    driver.press("page-wallets").await;
    driver.press("money").await;
    until("the balance", async || (driver.text("money-has").await.trim() == "95.8 USDC").then_some(())).await;
    driver.shot("add-money.png").await;
    world.mint(&address, "3");
    assert!(driver.text("arrived").await.contains("3 USDC"));
}

/// Says yes in the window that asks, once it can be pressed.
async fn yes(driver: &Driver, picture: &str) {
    let window = screen::question(picture).await;
    screen::focus(&window).await;
    driver.window("approval").await;
    driver.press("approve-button").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_written_into_the_one_file_and_the_entry_for_login_starts_this_program() {
    let Some(_turn) = turn().await else { return };
    let (place, _) = Place::with_wallet("[server] # mine\nport = 0\n");
    place.agent("researcher");
    let driver = Driver::start(&place, "settings").await;
    driver.window("main").await;
    driver.write("timeout", "60").await;
    driver.press("timeout-save").await;
    let config = place.path().join("config.toml");
    let written = until("the setting in the file", async || {
        std::fs::read_to_string(&config).ok().filter(|text| text.contains("timeout_seconds = 60"))
    })
    .await;
    assert!(written.contains("[server] # mine\nport = 0\n"), "{written}");
    assert!(driver.text("settings-restart").await.contains("start it again"));

    let home = std::path::PathBuf::from(std::env::var_os("HOME").unwrap());
    let entry = home.join(".config/autostart/Countersign.desktop");
    driver.press("autostart").await;
    let text = until("the entry for login", async || std::fs::read_to_string(&entry).ok()).await;
    let starts = format!("Exec=\"{}\"", crate::support::service::program().display());
    assert!(text.contains(&starts), "{text}");
    driver.press("autostart").await;
    until("no entry for login", async || (!entry.exists()).then_some(())).await;
    driver.shot("settings.png").await;
}
