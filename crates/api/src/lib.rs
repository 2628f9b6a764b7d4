//! The HTTP API as one router; and [`receipts`], the slice of it that is about published bodies.
//!
//! The container, the Lambda function and the tests mount the same [`router`]. What is particular to one of them stays
//! with it: the container checks the API key ([`ApiKey`]) and sheds load before a request gets here, API Gateway does
//! both for the Lambda function.
//!
//! A request is checked in this order, and the first check that fails answers: API key (403), path and method (404),
//! content encoding and charset (415), size (413), JSON (400), shape (400), map loaded (503). So a client that sends
//! nonsense is told so whatever state the service is in, and a client without a key learns nothing at all.

mod answer;
mod buffers;
mod docs;
mod error;
mod key;
mod media_type;
mod metrics;
mod payload;
mod receipt;
mod status;
mod string_replace;

use std::sync::{Arc, OnceLock};

use axum::Router;
use bytes::Bytes;
use env::{BadVariable, Env};
use mapping::Mapping;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

pub use error::Error;
pub use key::{ApiKey, is_open};
pub use metrics::Metrics;
pub use receipt::{Principal, receipts};

/// What the API needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The largest JSON body that is read, in bytes. Text that is streamed has no limit.
    pub max_body_bytes: usize,
}

impl Config {
    /// API Gateway's own limit.
    const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
    /// A JSON body is held in memory twice (as it came and as it goes), so a limit of gigabytes is a mistake.
    const HIGHEST_MAX_BODY_BYTES: usize = 1024 * 1024 * 1024;

    /// Reads `MAX_BODY_BYTES` (10485760).
    pub fn from_env(env: &Env) -> Result<Self, BadVariable> {
        let range = 1..=Self::HIGHEST_MAX_BODY_BYTES;
        let max_body_bytes =
            env.parse_if("MAX_BODY_BYTES", "a number of bytes from 1 to 1073741824", |n| range.contains(n))?;
        Ok(Self { max_body_bytes: max_body_bytes.unwrap_or(Self::MAX_BODY_BYTES) })
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { max_body_bytes: Self::MAX_BODY_BYTES }
    }
}

/// What the handlers share.
struct Api {
    mapping: Arc<Mapping>,
    metrics: Arc<Metrics>,
    config: Config,
    /// The contract as JSON, written out when it is first asked for: most Lambda instances never are.
    contract: OnceLock<Bytes>,
    openapi: utoipa::openapi::OpenApi,
}

/// The API: every route there is.
pub fn router(mapping: Arc<Mapping>, metrics: Arc<Metrics>, config: Config) -> Router {
    let replace = || OpenApiRouter::new().routes(routes!(string_replace::string_replace));
    let (router, openapi) = OpenApiRouter::with_openapi(docs::head())
        .merge(replace())
        .nest("/api", replace()) // the container's historical path
        .routes(get_only(routes!(status::health)))
        .routes(get_only(routes!(status::ready)))
        .routes(get_only(routes!(docs::openapi)))
        .merge(docs::ui())
        .fallback(not_found)
        .split_for_parts();
    let openapi = docs::finish(openapi);
    router.method_not_allowed_fallback(not_found).with_state(Arc::new(Api {
        mapping,
        metrics,
        config,
        contract: OnceLock::new(),
        openapi,
    }))
}

/// axum answers HEAD wherever there is a GET; API Gateway does not. One contract for every front door: it is a 404.
fn get_only((schemas, paths, methods): UtoipaMethodRouter<Arc<Api>>) -> UtoipaMethodRouter<Arc<Api>> {
    (schemas, paths, methods.head(not_found))
}

async fn not_found() -> Error {
    Error::NotFound
}
