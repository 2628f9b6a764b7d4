//! The API as a container.
//!
//! `main` only wires. What happens to a connection is in [`server`], [`workers`] and [`connections`], what happens to a
//! request before and after the API is in [`front`], what is printed is in [`log`].

mod access_log;
mod client_ip;
mod config;
mod connections;
mod cors;
mod front;
mod log;
mod server;
mod workers;

use std::process::ExitCode;
use std::sync::Arc;

use config::Config;
use env::Env;
use mapping::Mapping;

fn main() -> ExitCode {
    let env = Env::of_process();
    let wired = Config::from_env(&env).and_then(|config| Ok((aws::source(&config.mapping.origin, &env)?, config)));
    let (source, config) = match wired {
        Ok(wired) => wired,
        Err(bad) => {
            eprintln!("fargate-app: {bad}");
            return ExitCode::from(env::EXIT_BAD_CONFIGURATION);
        }
    };
    let log = log::Log::to_stdout();
    log.install_as_tracing_subscriber();
    let mapping = Mapping::new(source, config.mapping.refresh_every);
    // For all but the connections, which the workers serve.
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(server::run(config, Arc::clone(&mapping), log.clone())));
    if let Err(error) = &outcome {
        tracing::error!("{error:#}");
    }
    log.close();
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
