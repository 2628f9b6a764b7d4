//! `make bench`. Every figure is a ratio against a named peer that was measured in the same run, in turn with it, in CPU
//! time: absolute times say more about the machine's neighbours than about the code. Each part also writes its figures as
//! JSON to `target/bench/`.

mod connection;
mod deployed;
mod engine;
mod gateway;
mod http;
mod init;
mod load;
mod package;
mod process;
mod report;
mod server;
mod soak;

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
        ["gateway"] => gateway::run(),
        ["soak", requests] => match requests.parse() {
            Ok(requests) => soak::run(requests),
            Err(_) => Err(anyhow::anyhow!("REQUESTS is {requests:?}, and should be a number such as 1000000")),
        },
        _ => {
            eprintln!("usage: bench engine|http|rss|init|gateway|soak REQUESTS");
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
