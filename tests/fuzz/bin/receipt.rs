//! libFuzzer's way to the target `receipt`.

#![no_main]

#[path = "../targets/receipt.rs"]
mod receipt;
#[expect(dead_code, reason = "only the buyer in it is needed here")]
#[path = "../targets/offer.rs"]
mod offer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    receipt::receipt(data);
});
