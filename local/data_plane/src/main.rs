//! The data plane: serves what is deployed in the local control plane.
//!
//! `main` only wires. What is served is in [`serving`], how it is kept up to date in [`reading`], the port that it is
//! reached by in [`front`].

mod arguments;
mod body;
mod deployments;
mod endpoints;
mod front;
mod front_doors;
mod functions;
mod log;
mod network;
mod overview;
mod page;
mod reading;
mod requests;
mod run;
mod serving;
mod stop;
mod table;
mod trial;
mod work_directory;

use std::{process::ExitCode, sync::Arc};

use env::EXIT_BAD_CONFIGURATION;

fn main() -> ExitCode {
    let parent = stop::Parent::now();
    let arguments = match arguments::parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("data-plane: {error}");
            return ExitCode::from(EXIT_BAD_CONFIGURATION);
        }
    };
    let requests = Arc::default();
    log::install(&requests);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from);
    match runtime.and_then(|runtime| runtime.block_on(run::run(arguments, parent, requests))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("data-plane: {error:#}");
            ExitCode::FAILURE
        }
    }
}
