//! Keeping up with the account.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use anyhow::Context;
use http::Method;
use local_aws_api::Error;
use serde_json::{Value, json};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::{endpoints::EndpointsFile, serving::Serving, table};

/// Changes come in bursts: the reading waits for those that are on their way.
const BURST: Duration = Duration::from_millis(100);
/// Between two attempts to read what could not be read.
const RETRY: Duration = Duration::from_secs(1);
/// How often processes are looked at: what starts, dies or becomes healthy is no change of the account.
const GLANCE: Duration = Duration::from_millis(500);
/// The same until everything is ready: somebody is waiting.
const START_GLANCE: Duration = Duration::from_millis(50);
/// How often that somebody is told what for.
const NEWS: Duration = Duration::from_secs(10);

/// Reads the account at the start and after each change of it.
///
/// # Errors
/// When the control plane does not answer at the start. Later it may go and come back.
pub async fn follow(serving: &Serving) -> anyhow::Result<Infallible> {
    register(serving).await.context("there is no control plane to serve")?;
    let mut seen = -1;
    let mut trouble: Option<Trouble> = None;
    loop {
        let outcome = match next_change(serving, seen).await {
            Ok(sequence) if sequence == seen && trouble.is_none() => continue,
            Ok(sequence) => {
                sleep(BURST).await;
                match read(serving, trouble.is_some()).await {
                    Ok(()) => {
                        seen = sequence;
                        Ok(())
                    }
                    Err(error) => Err(Trouble::Unreadable(format!("{error:#}"))),
                }
            }
            Err(error) => Err(Trouble::Away(error.to_string())),
        };
        match outcome {
            Ok(()) => {
                if trouble.take().is_some() {
                    info!(target: "data_plane", "the control plane is up to date again");
                }
            }
            Err(new) => {
                if !trouble.is_some_and(|known| known.is_the_same(&new)) {
                    let (Trouble::Away(text) | Trouble::Unreadable(text)) = &new;
                    warn!(target: "data_plane", "{text}; what was read before is still served");
                }
                trouble = Some(new);
                sleep(RETRY).await;
            }
        }
    }
}

/// Why what is served may be out of date.
#[derive(Debug)]
enum Trouble {
    /// The control plane does not answer.
    Away(String),
    /// It does, but not as it should.
    Unreadable(String),
}

impl Trouble {
    /// Whether it has been said already. A control plane that is away is away in several words.
    fn is_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Away(_), Self::Away(_)) => true,
            (Self::Unreadable(one), Self::Unreadable(other)) => one == other,
            _ => false,
        }
    }
}

/// A control plane that was `away` may be another one, which does not know us.
async fn read(serving: &Serving, away: bool) -> anyhow::Result<()> {
    if away {
        register(serving).await?;
    }
    serving.read().await
}

/// Says what the front doors are as soon as all are ready, and whenever they change.
///
/// # Errors
/// When the file that names them cannot be written.
pub async fn announce(serving: &Serving, mut endpoints: EndpointsFile) -> anyhow::Result<Infallible> {
    let mut announced = false;
    let mut told = Instant::now();
    loop {
        serving.look().await;
        let front_doors = serving.front_doors();
        if announced || serving.is_ready() {
            let changed = endpoints.write(&front_doors).context("cannot write the file of endpoints")?;
            if changed {
                println!("{}", table::of(&front_doors, serving.url()));
            }
            announced = true;
        } else if told.elapsed() >= NEWS {
            info!(target: "data_plane", "waiting for {}", serving.awaited());
            told = Instant::now();
        }
        sleep(if announced { GLANCE } else { START_GLANCE }).await;
    }
}

/// Waits for a change after the given one, at most as long as the control plane lets us.
async fn next_change(serving: &Serving, seen: i64) -> Result<i64, Error> {
    let answer = serving.api.own(Method::GET, &format!("/_control_plane/changes?after={seen}"), None).await?;
    Ok(answer["sequence"].as_i64().unwrap_or(seen))
}

/// From now on, what the control plane is asked to run reaches us.
async fn register(serving: &Serving) -> Result<(), Error> {
    let body: Value = json!({ "url": serving.url() });
    serving.api.own(Method::PUT, "/_control_plane/data_plane", Some(&body)).await.map(drop)
}
