//! A day with the app: questions answered in every way, a pause, a limit moved, the history looked at, and all of it kept.

use serde_json::{Value, json};
use std::process::Child;

use super::{turn, yes};
use crate::{
    screen,
    support::{Place, World, driver::Driver, ended, until},
};

struct Day {
    world: World,
    place: Place,
}

impl Day {
    /// An agent's purchase of a report for 4.20 begins.
    fn buys(&self, what: &str) -> Child {
        self.place.begin(&["fetch", &format!("{}/report?{what}", self.world.at("seller"))])
    }

    /// What became of it.
    fn of(purchase: Child) -> Value {
        ended(&purchase.wait_with_output().expect("it ends")).1
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_with_the_app_and_the_next_one() {
    let Some(_turn) = turn().await else { return };
    let mut world = World::start();
    let config = format!("[server]\nport = 0\n{}", world.config());
    let (place, address) = Place::with_wallet(&format!("{config}[approval]\ntimeout_seconds = 30\n"));
    world.mint(&address, "100");
    place.agent("researcher");
    place.ok(&["confirm", "policy", "--json"]);
    let mut day = Day { world, place };
    let driver = Driver::start(&day.place, "activity").await;

    let silence = day.buys("expired");
    screen::question("day-expires.png").await;
    assert_eq!(Day::of(silence)["code"], "approval_expired");
    drop(driver);

    day.place.configure(&config);
    let driver = Driver::start(&day.place, "activity").await;

    let denied = day.buys("denied");
    let window = screen::question("day-denied.png").await;
    screen::focus(&window).await;
    driver.window("approval").await;
    driver.press("deny-button").await;
    assert_eq!(Day::of(denied)["code"], "denied_by_human");

    // The first payment to a seller is good for once; after it a yes can be remembered.
    let first = day.buys("first");
    yes(&driver, "day-first.png").await;
    assert_eq!(Day::of(first)["status"], "completed");
    let remembered = day.buys("remembered");
    screen::question("day-remembered.png").await;
    driver.window("approval").await;
    driver.choose("remember-select", "1h").await;
    let rule = driver.text("remember-rule").await;
    assert!(rule.contains("42.00"), "the budget of the rule it would add: {rule}");
    yes(&driver, "day-remembered.png").await;
    assert_eq!(Day::of(remembered)["status"], "completed");
    let silent = Day::of(day.buys("silent"));
    assert_eq!(silent["status"], "completed", "nobody is asked: {silent}");
    assert_eq!(day.world.balance(&address), "87.4");

    driver.window("main").await;
    driver.press("pause-hour").await;
    driver.text("resume").await;
    assert_eq!(Day::of(day.buys("paused"))["code"], "paused");
    driver.press("resume").await;
    yes(&driver, "day-resumed.png").await;
    driver.window("main").await;
    driver.text("pause-hour").await;

    driver.press("page-limits").await;
    driver.write("limit-payment-amount", "2.00").await;
    driver.press("save").await;
    driver.text("saved").await;
    driver.shot("day-limits.png").await;
    let refused = Day::of(day.buys("refused"));
    assert_eq!(refused["code"], "denied_by_rule", "the limit holds in the next decision: {refused}");

    driver.press("page-activity").await;
    let shown = async || driver.js("return document.querySelectorAll('[data-payment-id]').length").await;
    until("all payments", async || (shown().await? == json!(6)).then_some(())).await;
    driver.choose("filter-state", "completed").await;
    until("the paid ones alone", async || (shown().await? == json!(3)).then_some(())).await;
    driver.shot("day-activity.png").await;
    driver.press("export").await;
    driver.press("export-go").await;
    driver.text("export-done").await;
    let path = driver.js("return document.querySelector('dialog .path').textContent").await.unwrap();
    let written = std::fs::read_to_string(path.as_str().unwrap().trim()).unwrap();
    assert_eq!(written.lines().count(), 4, "a head and three payments: {written}");

    driver.js("document.querySelector('dialog').close()").await;
    driver.choose("language", "zh-CN").await;
    let heading = async |driver: &Driver| driver.js("return document.querySelector('h1').textContent").await;
    until("another language", async || (heading(&driver).await? == json!("动态")).then_some(())).await;
    drop(driver);

    let driver = Driver::start(&day.place, "activity").await;
    driver.window("main").await;
    until("the same language", async || (heading(&driver).await? == json!("动态")).then_some(())).await;
    assert_eq!(Day::of(day.buys("next day"))["code"], "denied_by_rule", "the limit is kept");
    driver.shot("day-next.png").await;
}
