//! What the fuzzer checks for arbitrary rules and texts, for those that it starts from.

#[path = "../../../../fuzz/properties/rules.rs"]
mod property;

#[test]
fn the_fuzzers_seeds_pass() {
    let seeds: Vec<_> = std::fs::read_dir("../../fuzz/seeds/rules").unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        println!("{}", seed.display());
        property::check(&std::fs::read(seed).unwrap());
    }
}
