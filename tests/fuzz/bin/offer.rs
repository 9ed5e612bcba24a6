//! libFuzzer's way to the target `offer`.

#![no_main]

#[path = "../targets/offer.rs"]
mod offer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    offer::offer(data);
});
