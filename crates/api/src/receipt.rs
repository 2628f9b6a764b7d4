//! `GET /publish/{id}`: how far a published body has come.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::StatusCode;
use publish::{Bodies, Id, Receipts, Status, StoreError};
use serde::Serialize;
use tracing::error;

use crate::{Error, answer};

/// Long enough to follow a link, too short to pass it on.
const LINK_VALID_FOR: Duration = Duration::from_secs(300);

/// Who asks: the name of the token, as the authorizer gave it. Without an authorizer it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal(pub String);

/// What the handler shares.
struct Desk {
    bodies: Box<dyn Bodies>,
    receipts: Box<dyn Receipts>,
}

/// The routes about receipts. Each request needs a [`Principal`] among its extensions.
pub fn receipts(bodies: Box<dyn Bodies>, receipts: Box<dyn Receipts>) -> Router {
    let not_found = async || Error::NotFound;
    Router::new()
        .route("/publish/{id}", get(receipt).fallback(not_found))
        .fallback(not_found)
        .with_state(Arc::new(Desk { bodies, receipts }))
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u64>,
    /// Bytes of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_expires_in_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl<'a> Answer<'a> {
    fn of(id: &'a str, status: &'static str, attempts: Option<u64>) -> Self {
        Self { id, status, attempts, size: None, result: None, result_expires_in_seconds: None, reason: None }
    }
}

async fn receipt(
    State(desk): State<Arc<Desk>>,
    Extension(Principal(principal)): Extension<Principal>,
    Path(id): Path<String>,
) -> Response {
    // What is no id has no receipt.
    let Ok(parsed) = id.parse::<Id>() else { return Error::NotFound.into_response() };
    match desk.look_up(&parsed, &principal, &id).await {
        Ok(Some(answer)) => answer::to_json(StatusCode::OK, &answer),
        Ok(None) => Error::NotFound.into_response(),
        Err(failure) => {
            error!(%failure, "a receipt cannot be read");
            Error::Unavailable.into_response()
        }
    }
}

impl Desk {
    /// None for what is unknown, and for what is another's: nobody learns that it exists.
    async fn look_up<'a>(&self, id: &Id, principal: &str, text: &'a str) -> Result<Option<Answer<'a>>, StoreError> {
        let Some(receipt) = self.receipts.find(id).await? else {
            let sender = self.bodies.principal(id).await?;
            return Ok(sender.filter(|sender| sender == principal).map(|_| Answer::of(text, "captured", None)));
        };
        if receipt.principal != principal {
            return Ok(None);
        }
        let attempts = Some(receipt.attempts);
        Ok(Some(match receipt.status {
            Status::Processing => Answer::of(text, "processing", attempts),
            Status::Failed { reason } => Answer { reason: Some(reason), ..Answer::of(text, "failed", attempts) },
            Status::Done { size } => Answer {
                size: Some(size),
                result: Some(self.bodies.result_link(id, LINK_VALID_FOR).await?),
                result_expires_in_seconds: Some(LINK_VALID_FOR.as_secs()),
                ..Answer::of(text, "done", attempts)
            },
        }))
    }
}
