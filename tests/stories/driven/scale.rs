//! The real app at other scales and in a narrow window: nothing is cut off, nothing lies outside, and Pay pays.

use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

use super::turn;
use crate::{
    screen,
    support::{Place, World, driver::Driver, ended, service, until},
};

const PAGES: [&str; 5] = ["activity", "limits", "agents", "wallets", "settings"];

/// What does not fit, in words: the document, a control, the amount or the payee.
const MISFITS: &str = r#"
    const out = [], page = document.documentElement;
    const widest = () => [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .slice(-3).map((one) => one.outerHTML.slice(0, 120)).join(' | ');
    if (page.scrollWidth > page.clientWidth) out.push(`the document is ${page.scrollWidth} wide in ${page.clientWidth}: ${widest()}`);
    const scrolls = (one) => one && one !== document.body
      && (['auto', 'scroll'].includes(getComputedStyle(one).overflowX) || scrolls(one.parentElement));
    for (const one of document.querySelectorAll('button, input, select, textarea, a[href], summary')) {
      const box = one.getBoundingClientRect();
      const seen = box.width > 1 && box.height > 1 && one.checkVisibility({ visibilityProperty: true });
      if (seen && (box.left < -1 || box.right > innerWidth + 1) && !scrolls(one.parentElement))
        out.push(`${one.dataset.testid ?? one.outerHTML.slice(0, 80)} from ${box.left} to ${box.right} of ${innerWidth}`);
    }
    for (const one of document.querySelectorAll('[data-testid^=amount], [data-testid^=payee]')) {
      if (one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible')
        out.push(`${one.dataset.testid} is cut off`);
    }
    return out;
"#;

/// The program under these variables of the environment, as a program of its own.
fn under(place: &Place, environment: &str) -> std::path::PathBuf {
    let file = place.path().join("under");
    let text = format!("#!/bin/sh\nexec env {environment} '{}' \"$@\"\n", service::program().display());
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
    file
}

/// Looks at every page and at a question, which is refused; then pays in the window, pressed as a person would at this size.
async fn lives(environment: &str, name: &str, scale: f64, width: Option<&str>) {
    let Some(_turn) = turn().await else { return };
    let mut world = World::start();
    let (place, address) = Place::with_wallet(&format!("[server]\nport = 0\n{}", world.config()));
    world.mint(&address, "100");
    place.agent("researcher");
    place.ok(&["confirm", "policy", "--json"]);
    let driver = Driver::start_as(&under(&place, environment), &place, "activity").await;
    let main = screen::shown("^Countersign$", &format!("scale-{name}-screen.png")).await;
    driver.window("main").await;
    let narrow = async |window: &str| {
        let Some(width) = width else { return };
        screen::size(window, width, "700").await;
        until("the narrow window", async || {
            (driver.js("return innerWidth <= 340").await? == json!(true)).then_some(())
        })
        .await;
    };
    narrow(&main).await;
    let mut wrong = Vec::new();
    for page in PAGES {
        driver.press(&format!("page-{page}")).await;
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        let found = driver.js(MISFITS).await;
        driver.shot(&format!("scale-{name}-{page}.png")).await;
        if found != Some(json!([])) {
            wrong.push(format!("{page}: {found:?}"));
        }
    }
    let buying = place.begin(&["fetch", &format!("{}/report", world.at("seller"))]);
    let asking = screen::question(&format!("scale-{name}-question-screen.png")).await;
    driver.window("approval").await;
    narrow(&asking).await;
    let found = driver.js(MISFITS).await;
    driver.shot(&format!("scale-{name}-question.png")).await;
    if found != Some(json!([])) {
        wrong.push(format!("question: {found:?}"));
    }
    assert_eq!(wrong, Vec::<String>::new(), "{name}");

    // Where the button is, in pixels of the screen.
    let place_of = format!(
        "const one = document.querySelector('[data-testid=approve-button]'); one.scrollIntoView();\
                    const box = one.getBoundingClientRect();\
                    return [box.left + box.width / 2, box.top + box.height / 2].map((n) => Math.round(n * {scale}))"
    );
    screen::focus(&asking).await;
    let mut buying = buying;
    until("a press on Pay", async || {
        if let Ok(Some(_)) = buying.try_wait() {
            return Some(());
        }
        let at = driver.js(&place_of).await?;
        let (x, y) = (at[0].as_i64()?.to_string(), at[1].as_i64()?.to_string());
        screen::press(&asking, &x, &y).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        matches!(buying.try_wait(), Ok(Some(_))).then_some(())
    })
    .await;
    let (code, paid) = ended(&buying.wait_with_output().unwrap());
    assert_eq!((code, paid["status"].as_str()), (0, Some("completed")), "{paid}");
    assert_eq!(world.balance(&address), "95.8", "one report was paid, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_twice_the_size_everything_fits_and_a_press_on_pay_pays() {
    lives("GDK_SCALE=2", "200", 2.0, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_letters_half_as_large_again_everything_fits_and_a_press_on_pay_pays() {
    lives("GDK_DPI_SCALE=1.5", "150", 1.5, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_window_of_320_pixels_everything_fits_and_a_press_on_pay_pays() {
    lives("GDK_SCALE=1", "320", 1.0, Some("320")).await;
}
