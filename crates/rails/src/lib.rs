//! The payment protocols Countersign speaks, one module each.
//!
//! Pure: no clock, no randomness, no IO and no keys; a rail reads prices and writes credentials, it never sends or signs.

use countersign_core::rail::Rail;
use url::{Host, Url};

pub mod alipay;
mod evm;
mod json;
pub mod mpp;
pub mod x402;

/// Every rail of this build, in the order an answer is shown to them. `on` are the ways of MPP that may be paid; `alipay` says
/// whether it buys.
///
/// All of them are always there, whatever is turned off: what was signed once has to be found on its chain.
pub fn all(on: mpp::Ways, alipay: alipay::Alipay) -> Vec<Box<dyn Rail>> {
    vec![Box::new(x402::X402), Box::new(mpp::Mpp::new(on)), Box::new(alipay)]
}

/// The host of an http(s) address, an A-label or an address.
fn web_host(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.host().as_ref().map(Host::to_string)
}
