//! libFuzzer's way to the target `amount`.

#![no_main]

#[path = "../targets/amount.rs"]
mod amount;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    amount::amount(data);
});
