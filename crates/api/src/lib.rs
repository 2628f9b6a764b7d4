//! The HTTP API: one [`Api`]; and [`receipts`], the slice of it that is about published bodies.
//!
//! The container, the Lambda function and the tests serve the same [`Api`]. What is particular to one of them stays
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
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use env::{BadVariable, Env};
use http::{Method, Request};
use mapping::Mapping;
use tower_service::Service;
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

/// The API: every route there is. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    router: Router,
    shared: Arc<Shared>,
}

/// What the handlers share.
struct Shared {
    mapping: Arc<Mapping>,
    metrics: Arc<Metrics>,
    config: Config,
    /// The contract as JSON, written out when it is first asked for: most Lambda instances never are.
    contract: OnceLock<Bytes>,
    openapi: utoipa::openapi::OpenApi,
}

impl Api {
    /// The API with the rules of `mapping`; replacements are counted in `metrics`.
    pub fn new(mapping: Arc<Mapping>, metrics: Arc<Metrics>, config: Config) -> Self {
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
        let shared = Arc::new(Shared { mapping, metrics, config, contract: OnceLock::new(), openapi });
        Self { router: router.method_not_allowed_fallback(not_found).with_state(Arc::clone(&shared)), shared }
    }

    /// Answers a request.
    pub async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: http_body::Body<Data = Bytes, Error: Into<axum::BoxError>> + Send + Unpin + 'static,
    {
        // What nearly all requests are for goes straight to its handler, which the router has as well. The router is made
        // for any handler: it boxes route, body and future, which for 10 KB costs several times what reading the JSON does.
        if request.method() == Method::POST && string_replace::PATHS.contains(&request.uri().path()) {
            return string_replace::answer(&self.shared, request).await;
        }
        let Ok(response) = self.router.clone().call(request.map(Body::new)).await;
        response
    }
}

/// axum answers HEAD wherever there is a GET; API Gateway does not. One contract for every front door: it is a 404.
fn get_only((schemas, paths, methods): UtoipaMethodRouter<Arc<Shared>>) -> UtoipaMethodRouter<Arc<Shared>> {
    (schemas, paths, methods.head(not_found))
}

async fn not_found() -> Error {
    Error::NotFound
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;
    use mapping::BuiltIn;

    use super::*;

    #[tokio::test]
    async fn what_goes_past_the_router_is_what_it_has() {
        let mapping = Mapping::new(Box::new(BuiltIn), Duration::from_secs(60));
        mapping.refresh().await;
        let api = Api::new(mapping, Arc::default(), Config::default());
        let request = |path| {
            let request = Request::post(path).header("content-type", "text/plain; charset=utf-8");
            request.body(Body::from("ABN and ING")).unwrap()
        };
        let posts: Vec<&str> = api
            .shared
            .openapi
            .paths
            .paths
            .iter()
            .filter(|(_, item)| item.post.is_some())
            .map(|(path, _)| &**path)
            .collect();
        assert_eq!(posts.len(), string_replace::PATHS.len());
        for path in posts {
            assert!(string_replace::PATHS.contains(&path), "{path} is known to the router alone");
            let (short, short_body) = api.answer(request(path)).await.into_parts();
            let Ok(response) = api.router.clone().call(request(path)).await;
            let (routed, routed_body) = response.into_parts();
            assert_eq!((short.status, short.headers), (routed.status, routed.headers), "{path}");
            let whole = async |body: Body| body.collect().await.unwrap().to_bytes();
            assert_eq!(whole(short_body).await, whole(routed_body).await, "{path}");
        }
    }
}
