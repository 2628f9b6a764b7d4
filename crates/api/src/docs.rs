//! `/openapi.json` and `/docs`: the contract, generated from the handlers, and a page to try it on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, License, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;

use crate::{Shared, answer};

/// What the contract says before any route has added itself.
pub(crate) fn head() -> OpenApi {
    let mut info = Info::new("Switchyard", env!("CARGO_PKG_VERSION"));
    info.description = Some("String replacement by a map of rules.".to_owned());
    info.license = Some(License::builder().name("MIT").identifier(Some("MIT")).build());
    let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
    OpenApiBuilder::new()
        .info(info)
        .components(Some(ComponentsBuilder::new().security_scheme("api_key", key).build()))
        .build()
}

/// The contract with an identifier for every operation. A handler that is mounted twice is documented twice, under one
/// identifier; the specification wants them unique.
pub(crate) fn finish(mut openapi: OpenApi) -> OpenApi {
    for (path, item) in &mut openapi.paths.paths {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            operation.operation_id = Some(path.trim_start_matches('/').replace(['/', '.'], "_"));
        }
    }
    openapi
}

/// This contract.
#[utoipa::path(get, path = "/openapi.json", tag = "docs", security(()),
    responses((status = 200, description = "An OpenAPI document", body = Object)))]
pub(crate) async fn openapi(State(shared): State<Arc<Shared>>) -> Response {
    let write = || Bytes::from(serde_json::to_vec(&shared.openapi).expect("a document of strings is JSON"));
    answer::json(StatusCode::OK, shared.contract.get_or_init(write).clone())
}

/// No page without its assets: the path is as unknown as any other.
#[cfg(not(feature = "docs-ui"))]
pub(crate) fn ui() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::new()
}

#[cfg(feature = "docs-ui")]
pub(crate) use ui::ui;

/// Swagger UI from assets in the binary: it works without a network.
///
/// All links are relative, so that the page works behind a stage's or a domain's base path as well.
#[cfg(feature = "docs-ui")]
mod ui {
    use axum::response::IntoResponse;
    use axum::routing::get;
    use http::{HeaderValue, header};

    use super::*;
    use crate::not_found;

    const PAGE: &str = include_str!("docs.html");
    /// Cut out of Swagger UI's release by the build script; gzip, as every browser takes it.
    const SCRIPT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz"));
    const STYLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz"));

    pub(crate) fn ui() -> OpenApiRouter<Arc<Shared>> {
        OpenApiRouter::new()
            .route("/docs", get(page).head(not_found))
            .route("/docs/swagger-ui-bundle.js", get(|| asset("text/javascript", SCRIPT)).head(not_found))
            .route("/docs/swagger-ui.css", get(|| asset("text/css", STYLE)).head(not_found))
    }

    async fn page() -> Response {
        // The page needs nothing from elsewhere, so it may not load anything from elsewhere.
        let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:";
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        ];
        (headers, PAGE).into_response()
    }

    async fn asset(media_type: &'static str, gzip: &'static [u8]) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
            (header::CONTENT_ENCODING, HeaderValue::from_static("gzip")),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
        ];
        (headers, gzip).into_response()
    }
}
