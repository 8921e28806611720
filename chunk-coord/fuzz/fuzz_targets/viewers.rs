//! Any bytes are a script of viewers; the wanted set must agree with brute force after every step.
//!
//! `cargo xtask fuzz`, or `cargo +nightly fuzz run viewers` in `chunk-coord`. `cargo test -p chunk-coord`
//! tries the same scripts at random, without a fuzzer.
#![no_main]

#[path = "../../tests/script/mod.rs"]
mod script;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Longer scripts only repeat themselves, slowly.
    if bytes.len() <= 400 {
        script::run(bytes);
    }
});
