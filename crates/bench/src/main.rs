//! `make bench`. Every figure is a ratio against a named peer that was measured in the same run, in turn with it, in CPU
//! time: absolute times say more about the machine's neighbours than about the code. Each part also writes its figures as
//! JSON to `target/bench/`.

mod engine;
mod http;
mod init;
mod report;
mod server;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    let result = match parts.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["engine"] => engine::run(),
        ["http"] => http::run(),
        ["rss"] => http::rss(),
        ["init"] => init::run(),
        _ => {
            eprintln!("usage: bench engine|http|rss|init");
            return ExitCode::from(64);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
