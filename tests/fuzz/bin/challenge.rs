//! libFuzzer's way to the target `challenge`.

#![no_main]

#[path = "../targets/challenge.rs"]
mod challenge;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    challenge::challenge(data);
});
