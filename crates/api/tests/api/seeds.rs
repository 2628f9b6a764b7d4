//! What the fuzzer checks for arbitrary request bodies, for those that it starts from.

#[path = "../../../../fuzz/properties/body.rs"]
mod property;

#[test]
fn the_fuzzers_seeds_pass() {
    let seeds: Vec<_> = std::fs::read_dir("../../fuzz/seeds/body").unwrap().map(|seed| seed.unwrap().path()).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        println!("{}", seed.display());
        property::check(&std::fs::read(seed).unwrap());
    }
}
