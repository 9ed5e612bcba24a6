//! libFuzzer's way to the target `body`.

#![no_main]

#[path = "../targets/body.rs"]
mod body;
#[path = "../targets/offer.rs"]
mod offer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    body::body(data);
});
