//! The API as a Lambda function behind API Gateway (REST, v1 proxy events).
//!
//! `main` only wires. What happens to an event is in [`handler`], and how the map is kept fresh by a process that is frozen
//! between its events in [`refresh`].

mod handler;
mod refresh;

use std::process::ExitCode;
use std::sync::Arc;

use env::{BadVariable, Env};
use handler::Handler;
use mapping::{Config, Mapping};
use refresh::Refresh;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (handler, refresh) = match wire(&Env::of_process()) {
        Ok(wired) => wired,
        Err(bad) => {
            eprintln!("string-replace: {bad}");
            return ExitCode::from(env::EXIT_BAD_CONFIGURATION);
        }
    };
    refresh.during_init().await;
    match lambda_http::runtime(handler).layer(refresh).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Runtime API failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wire(env: &Env) -> Result<(Handler, Refresh), BadVariable> {
    lambda_log::install(env)?;
    if env.get("AWS_LAMBDA_RUNTIME_API").is_none() {
        let expected = "set, as Lambda sets it; elsewhere, run the container's binary";
        return Err(BadVariable::new("AWS_LAMBDA_RUNTIME_API", "", expected));
    }
    let (config, metrics) = (Config::from_env(env)?, Arc::default());
    let mapping = Mapping::new(aws::source(&config.origin, env)?, config.refresh_every);
    let service = api::Metrics::service_from_env(env, env!("CARGO_PKG_NAME"))?;
    let api = api::Api::new(Arc::clone(&mapping), Arc::clone(&metrics), api::Config::from_env(env)?);
    Ok((Handler::new(api, Arc::clone(&mapping), Arc::clone(&metrics)), Refresh::new(mapping, metrics, &service)))
}
