//! A Lambda authorizer of API Gateway: a token comes in, a policy goes out.
//!
//! `main` only wires. What is asked and answered is in [`event`], who may come in in the crate `tokens`.

mod event;

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use aws::TokenTable;
use env::{BadVariable, Env};
use event::{Policy, Request};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use tokens::{Decision, Gate, Scheme};
use tracing::{error, info};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let gate = match wire(&Env::of_process()) {
        Ok(gate) => gate,
        Err(bad) => {
            eprintln!("authorizer: {bad}");
            return ExitCode::from(env::EXIT_BAD_CONFIGURATION);
        }
    };
    match lambda_runtime::run(service_fn(|event| authorize(&gate, event))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("the Runtime API failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wire(env: &Env) -> Result<Gate, BadVariable> {
    lambda_log::install(env)?;
    let table = env.require("TOKEN_TABLE", "the name of the DynamoDB table of tokens")?;
    let scope = env.require("TOKEN_SCOPE", "the scope that a token needs here, such as publish")?;
    let scheme = match env.get("TOKEN_SCHEME") {
        None | Some("optional") => Scheme::Optional,
        Some("required") => Scheme::Required,
        Some(other) => return Err(BadVariable::new("TOKEN_SCHEME", other, "optional or required")),
    };
    Ok(Gate::new(Box::new(TokenTable::new(table, env)?), scope.to_owned(), scheme))
}

/// An error here makes API Gateway answer 500, and lets nobody in.
async fn authorize(gate: &Gate, event: LambdaEvent<Request>) -> Result<Policy, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let stage = event.payload.stage()?;
    let request_id = event.context.request_id;
    match gate.decide(event.payload.token(), now).await {
        Ok(Decision::Allow { principal }) => {
            info!(request_id, principal, "let in");
            Ok(Policy::allow(principal, stage))
        }
        Ok(Decision::Deny(refusal)) => {
            info!(request_id, %refusal, "kept out");
            Ok(Policy::deny(stage, &refusal))
        }
        Err(failure) => {
            error!(request_id, %failure, "the tokens cannot be read");
            Err(Error::from("the tokens cannot be read"))
        }
    }
}
