//! Arbitrary rules and texts, against the engine.

#![no_main]

#[path = "../properties/rules.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|input: &[u8]| property::check(input));
