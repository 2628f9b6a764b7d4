//! Processes published bodies: from the queue, through the map, into the bucket.
//!
//! `main` only wires. What comes and goes is in [`event`], what happens to a body in the crate `publish`.

mod event;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws::{BodyBucket, ReceiptTable};
use env::{BadVariable, Env};
use event::{Batch, Failures};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use mapping::{Config, Mapping};
use publish::Processor;
use tracing::{error, info, warn};

/// The longest that reading the map may take, be it 100,000 rules from a table. Lambda gives INIT 10 s.
const LONGEST_MAP: Duration = Duration::from_secs(8);

struct Worker {
    processor: Processor,
    mapping: Arc<Mapping>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let worker = match wire(&Env::of_process()) {
        Ok(worker) => worker,
        Err(bad) => {
            eprintln!("publish-worker: {bad}");
            return ExitCode::from(env::EXIT_BAD_CONFIGURATION);
        }
    };
    worker.mapping.refresh_if_due(LONGEST_MAP).await;
    match lambda_runtime::run(service_fn(|event| worker.process(event))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("the Runtime API failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wire(env: &Env) -> Result<Worker, BadVariable> {
    lambda_log::install(env)?;
    let bucket = env.require("PUBLISH_BUCKET", "the name of the bucket of published bodies")?;
    let table = env.require("RECEIPT_TABLE", "the name of the DynamoDB table of receipts")?;
    // An attempt that is older than Lambda lets one become is dead.
    let lease = env
        .parse_if("ATTEMPT_SECONDS", "the function's time-out, 1 to 900 seconds", |seconds| {
            (1..=900).contains(seconds)
        })?
        .ok_or_else(|| BadVariable::new("ATTEMPT_SECONDS", "", "the function's time-out, 1 to 900 seconds"))?;
    let receipts = ReceiptTable::new(table, Duration::from_secs(lease), env)?;
    let processor =
        Processor::new(Box::new(BodyBucket::new(bucket, env)?), Box::new(receipts), BodyBucket::CAPTURED.to_owned());
    let config = Config::from_env(env)?;
    Ok(Worker { processor, mapping: Mapping::new(aws::source(&config.origin, env)?, config.refresh_every) })
}

impl Worker {
    /// One after the other: so a body of 10 MB is in memory once, whatever the batch.
    async fn process(&self, event: LambdaEvent<Batch>) -> Result<Failures, Error> {
        // Nobody waits for a worker's answer as for a caller's: the map is refreshed before, not after.
        self.mapping.refresh_if_due(LONGEST_MAP).await;
        let serving = self.mapping.serving().ok_or("no map was ever loaded, so the messages come back")?;
        let mut failures = Failures::default();
        for message in &event.payload.records {
            let (message_id, receives) = (message.message_id.as_str(), message.receives());
            match self.processor.process(serving.engine(), &message.body).await {
                Ok(attempts) => {
                    for attempt in attempts {
                        info!(message_id, receives, id = %attempt.id, outcome = ?attempt.outcome, "processed");
                    }
                }
                Err(failure) => {
                    warn!(message_id, receives, %failure, "the message comes back");
                    failures.push(message_id);
                }
            }
        }
        Ok(failures)
    }
}
