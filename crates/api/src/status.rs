//! `/status/...`: whether the process serves, and which map.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::{self, Message};
use crate::{Error, Shared};

/// Which map serves; never its contents.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Where the map comes from.
    #[schema(example = "ssm:/switchyard/map")]
    source: String,
    /// Its version, in the source's own terms.
    #[schema(example = "7")]
    version: String,
    /// The number of its rules.
    rules: usize,
    /// Seconds since the source last confirmed it.
    age_seconds: u64,
}

/// No map was loaded yet.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotReady {
    message: &'static str,
    /// Where the map should come from.
    #[schema(example = "ssm:/switchyard/map")]
    source: String,
}

/// Whether the process serves.
///
/// Says nothing about the map, so that a load balancer does not replace a task that only waits for one.
#[utoipa::path(get, path = "/status/health", tag = "status", security(()),
    responses((status = 200, description = "It does", body = Message, example = json!({"message": "UP"}))))]
pub(crate) async fn health() -> Response {
    answer::json(StatusCode::OK, r#"{"message":"UP"}"#)
}

/// Which map serves.
#[utoipa::path(get, path = "/status/ready", tag = "status", security(()), responses(
    (status = 200, description = "A map is loaded", body = Ready),
    (status = 503, description = "No map was ever loaded", body = NotReady),
))]
pub(crate) async fn ready(State(shared): State<Arc<Shared>>) -> Result<Response, Error> {
    let status = shared.mapping.status();
    Ok(match status.loaded {
        Some(loaded) => answer::to_json(
            StatusCode::OK,
            &Ready {
                source: status.source,
                version: loaded.version,
                rules: loaded.rules,
                age_seconds: loaded.age.as_secs(),
            },
        ),
        None => answer::to_json(Error::NoMap.status(), &NotReady { message: "No Map Loaded", source: status.source }),
    })
}
