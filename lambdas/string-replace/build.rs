//! How the binary is linked.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Not position-independent: the loader would have to write 25,000 addresses into 130 pages before `main`, which is
    // an eighth of INIT. What is given up is the random place of the code in memory.
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}"));
    if target("OS").as_deref() == Ok("linux") && target("ENV").as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
