//! A backup restored in the window: what it holds is shown, its owner confirms it, the program starts again, and the payment since is gone.

use std::fs;

use super::{turn, yes};
use crate::support::{
    Client, Place,
    driver::Driver,
    hostile_seller::{offer, required},
    until,
};

const URL: &str = "https://api.example/thing";

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_looked_at_confirmed_and_restored_by_the_start_that_follows() {
    let Some(_turn) = turn().await else { return };
    let (place, _) = Place::with_wallet("[server]\nport = 0\n");
    let token = place.agent("researcher");
    place.policy(
        "format = 1\nname = \"restore\"\nreference = \"USD\"\ntimezone = \"UTC\"\nmode = \"enforce\"\nknown = []\n\
         rule = [{ id = \"small\", effect = \"allow\", when = { exposure = { le = \"0.10\" } } }]\n\
         budget = [{ id = \"day\", scope = [], window = \"calendar:day\", max_amount = \"5.00\", on_exceed = \"ask\" }]\n",
    );
    let file = place.path().join("copy.sqlite").to_str().unwrap().to_owned();
    let service = place.serve("deny");
    let client = Client::new(&service.url, &token);
    assert_eq!(client.pay(URL, &required(URL, vec![offer()]), "first").await.0, 200);
    assert!(place.run(&["backup", &file]).status.success());
    assert_eq!(client.pay(URL, &required(URL, vec![offer()]), "second").await.0, 200);
    service.stop();

    let driver = Driver::start(&place, "settings").await;
    driver.window("main").await;
    driver.write("restore-file", &place.path().join("config.toml").display().to_string()).await;
    driver.press("restore-file-look").await;
    let refused = driver.text("settings-failed").await;
    assert!(refused.contains("not a backup of Countersign"), "{refused}");

    driver.write("restore-file", &file).await;
    driver.press("restore-file-look").await;
    driver.text("owner-confirm").await;
    let told = driver.js("return document.querySelector('dialog .reasons').textContent").await.unwrap();
    let told = told.as_str().unwrap().to_owned();
    assert!(told.contains("missing from it: 1.") && told.contains("buys again"), "{told}");
    driver.shot("restore-asked.png").await;
    let day: String = told.split("The backup was made on ").nth(1).unwrap().chars().take(10).collect();
    driver.write("owner-words", &day).await;
    driver.press("owner-confirm").await;
    yes(&driver, "restore-confirm.png").await;

    let note = place.path().join("restore.json");
    let done = || fs::read_to_string(&note).is_ok_and(|note| note.contains("\"done\""));
    until("the program to start again and restore it", async || done().then_some(())).await;
    // What drives a program loses it when it starts again.
    drop(driver);
    until("the program to be gone", async || (!end(&place)).then_some(())).await;

    let driver = Driver::start(&place, "settings").await;
    driver.window("main").await;
    let said = driver.text("restored").await;
    assert!(said.contains("was restored") && said.contains("Connect your agents again"), "{said}");
    driver.shot("restore-done.png").await;
    assert_eq!(place.ok(&["history", "--json"])["payments"].as_array().map(Vec::len), Some(1));
}

/// Asks every program of this place to end; whether there was one.
fn end(place: &Place) -> bool {
    let dir = place.path().to_str().unwrap();
    let mut there = false;
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let words = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        if words.split('\0').any(|word| word == dir)
            && let Some(pid) = pid.and_then(rustix::process::Pid::from_raw)
        {
            there = true;
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
    there
}
