//! Arbitrary request bodies, against the API's router.

#![no_main]

#[path = "../properties/body.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|input: &[u8]| property::check(input));
