//! What the app tells of itself by notifications: that there is no tray, that it keeps running, and what a payment lacked.

use serde_json::{Value, json};

use super::turn;
use crate::{
    bus::Bus,
    screen,
    support::{Place, World, driver::Driver, ended, till::up_to, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tray_it_is_said_once_and_closing_says_that_it_keeps_running() {
    let Some(_turn) = turn().await else { return };
    let Some(mut bus) = Bus::without_tray() else {
        println!("skipped: there is no session bus with Python's gi; `cargo xtask test` brings one");
        return;
    };
    let place = Place::new("[server]\nport = 0\n");
    let service = place.desktop();
    let said = bus.hear("notify");
    assert_eq!(said["summary"], "Countersign runs without a tray icon");
    // A second start opens the window, with the pause at its top; closing it says what goes on.
    for word in ["first", "again"] {
        let second = place.command(&["--json"]).output().unwrap();
        assert!(second.status.success(), "{second:?}");
        let window = screen::shown("^Countersign$", &format!("no-tray-{word}.png")).await;
        screen::close_until(&window, async || !screen::there("^Countersign$").await).await;
        if word == "first" {
            let said = bus.hear("notify");
            assert_eq!(said["summary"], "Countersign keeps running");
        }
    }
    assert_eq!(bus.rest("notify"), Vec::<Value>::new(), "once a run");
    service.stop();

    let service = place.desktop();
    tokio::time::sleep(std::time::Duration::from_secs(7)).await;
    assert_eq!(bus.rest("notify"), Vec::<Value>::new(), "it was said at the first start");
    service.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_that_holds_too_little_is_told_once_and_leads_to_adding_money() {
    let Some(_turn) = turn().await else { return };
    let Some(mut bus) = Bus::start() else {
        println!("skipped: there is no session bus with Python's gi; `cargo xtask test` brings one");
        return;
    };
    let world = World::start();
    let (place, _) = Place::with_wallet(&format!("[server]\nport = 0\n{}", world.config()));
    place.agent("researcher");
    place.ok(&["confirm", "policy", "--json"]);
    let driver = Driver::start(&place, "activity").await;
    let buys = |what: &str| {
        let page = format!("{}/report?{what}", world.at("seller"));
        ended(&place.begin(&["fetch", &page]).wait_with_output().unwrap()).1
    };
    let failed = buys("first");
    assert_eq!(failed["code"], "insufficient_balance", "{failed}");
    let told = bus.hear("notify");
    assert_eq!(told["summary"], "A payment failed");
    assert_eq!(told["body"], "researcher could not pay: the wallet holds too little.");
    let actions: Vec<&str> = told["actions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(actions, ["show", "Add money"]);
    buys("second");
    bus.tell(&format!("action {} show", told["id"]));
    driver.window("main").await;
    until("the page where money is added", async || {
        driver.js("return location.hash.startsWith('#wallets')").await?.as_bool()?.then_some(())
    })
    .await;
    assert_eq!(bus.rest("notify"), Vec::<Value>::new(), "once an hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_wallets_are_told_once_and_lead_to_where_they_are_unlocked() {
    let Some(_turn) = turn().await else { return };
    let Some(mut bus) = Bus::start() else {
        println!("skipped: there is no session bus with Python's gi; `cargo xtask test` brings one");
        return;
    };
    let mut world = World::start();
    let (place, address) = Place::with_wallet(&format!("[server]\nport = 0\n{}", world.config()));
    world.mint(&address, "100");
    place.agent("researcher");
    place.policy(&up_to("50.00").replace("\"1.00\"", "\"5.00\""));
    place.ok(&["confirm", "policy", "--json"]);
    let driver = Driver::start(&place, "wallets").await;
    driver.window("main").await;
    driver.press("passphrase").await;
    driver.window("secret").await;
    driver.write("new", "correct horse").await;
    driver.write("new-again", "correct horse").await;
    driver.press("act").await;
    driver.text("done").await;
    driver.leave("end").await;
    until("the window of secrets to be gone", async || (!driver.has("secret").await).then_some(())).await;
    driver.window("main").await;
    driver.press("lock").await;
    driver.text("unlock").await;
    driver.press("page-activity").await;

    let buys = |what: &str| {
        let page = format!("{}/report?{what}", world.at("seller"));
        ended(&place.begin(&["fetch", &page]).wait_with_output().unwrap()).1
    };
    let failed = buys("first");
    assert_eq!(failed["code"], "locked", "{failed}");
    let told = bus.hear("notify");
    assert_eq!(told["summary"], "A payment failed");
    assert_eq!(told["body"], "researcher could not pay: your wallets are locked.");
    let actions: Vec<&str> = told["actions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(actions, ["show", "Unlock"]);
    assert_eq!(buys("second")["code"], "locked");
    assert_eq!(bus.rest("notify"), Vec::<Value>::new(), "once an hour");

    // The notification opens the page and unlocks nothing; the passphrase does.
    bus.tell(&format!("action {} show", told["id"]));
    driver.window("main").await;
    driver.press("unlock").await;
    driver.window("secret").await;
    driver.write("passphrase", "correct horse").await;
    driver.press("act").await;
    assert!(driver.text("done").await.contains("unlocked"));
    driver.leave("end").await;
    let paid = buys("third");
    assert_eq!(paid["status"], "completed", "{paid}");
    assert_eq!(world.balance(&address), "95.8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_could_not_be_restored_is_told_and_leads_to_the_page_that_says_why() {
    let Some(_turn) = turn().await else { return };
    let Some(mut bus) = Bus::start() else {
        println!("skipped: there is no session bus with Python's gi; `cargo xtask test` brings one");
        return;
    };
    let (place, _) = Place::with_wallet("[server]\nport = 0\n");
    place.agent("researcher");
    std::fs::write(place.path().join("restore-a1b2c3.sqlite"), "no backup").unwrap();
    let note = json!({"state": "waiting", "id": "a1b2c3", "begun": 0, "lines": []});
    std::fs::write(place.path().join("restore.json"), note.to_string()).unwrap();
    let driver = Driver::start(&place, "activity").await;
    let told = bus.hear("notify");
    assert_eq!(told["summary"], "The backup was not restored");
    bus.tell(&format!("action {} show", told["id"]));
    driver.window("main").await;
    let said = driver.text("restored").await;
    assert!(said.contains("was not restored") && said.contains("is not a backup"), "{said}");
    assert_eq!(place.ok(&["wallet", "list", "--json"])["wallets"].as_array().map(Vec::len), Some(1));
}
