//! A merchant at Alipay from nothing to nothing: typed in the window of secrets, shown on the page, taken away after a yes.

use serde_json::Value;

use super::{turn, yes};
use crate::support::{AlipayDouble, Place, driver::Driver, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_key_is_typed_in_the_window_of_secrets_and_goes_with_the_merchant() {
    let Some(_turn) = turn().await else { return };
    let alipay = AlipayDouble::start().await;
    let (key, alipays) = (alipay.key("app"), alipay.key("alipay"));
    let place = Place::new("[server]\nport = 0\n");
    let driver = Driver::start(&place, "wallets").await;
    driver.window("main").await;
    driver.press("start-leave").await;
    assert!(driver.text("merchant-none").await.contains("refunds"));

    driver.press("merchant-setup").await;
    driver.window("secret").await;
    driver.write("app", "2021000000000001").await;
    driver.choose("gateway", "sandbox").await;
    driver.write("alipay-key", "AAAA").await;
    driver.press("kind-own").await;
    driver.write("rsa-key", key).await;
    driver.press("act").await;
    assert!(driver.text("refused").await.contains("Alipay's public key cannot be read"));
    driver.write("alipay-key", alipays).await;
    driver.shot("secret-merchant.png").await;
    driver.press("act").await;
    assert!(driver.text("done").await.contains("2021000000000001"));
    driver.leave("end").await;
    until("the window of secrets to be gone", async || (!driver.has("secret").await).then_some(())).await;

    // The page shows what Alipay's console is given, and never saw the private key.
    driver.window("main").await;
    let kept = place.ok(&["alipay", "show", "--json"]);
    assert_eq!(driver.text("merchant-app").await, kept["app_id"].as_str().unwrap());
    assert_eq!(driver.text("merchant-key").await, kept["public_key"].as_str().unwrap());
    assert!(driver.text("merchant-gateway").await.contains("Alipay's test environment"));
    let shown = driver.js("return document.documentElement.outerHTML").await.unwrap();
    assert!(!shown.as_str().unwrap().contains(&key[..64]), "the main window holds the private key");
    driver.shot("merchant.png").await;

    driver.press("merchant-remove").await;
    yes(&driver, "ask-merchant-gone.png").await;
    driver.window("main").await;
    assert!(driver.text("merchant-none").await.contains("refunds"));
    assert_eq!(place.ok(&["alipay", "show", "--json"]), Value::Null);
}
