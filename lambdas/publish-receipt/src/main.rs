//! Says how far a published body has come: `api`'s routes about receipts, behind API Gateway (REST, v1 proxy events).

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use api::Principal;
use aws::{BodyBucket, ReceiptTable};
use axum::Router;
use env::{BadVariable, Env};
use http::Uri;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt, Service, service_fn};
use proxy_event::Answer;
use tracing::{error, info};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let router = match wire(&Env::of_process()) {
        Ok(router) => router,
        Err(bad) => {
            eprintln!("publish-receipt: {bad}");
            return ExitCode::from(env::EXIT_BAD_CONFIGURATION);
        }
    };
    match lambda_http::run(service_fn(|request| answer(router.clone(), request))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("the Runtime API failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wire(env: &Env) -> Result<Router, BadVariable> {
    lambda_log::install(env)?;
    let bucket = env.require("PUBLISH_BUCKET", "the name of the bucket of published bodies")?;
    let table = env.require("RECEIPT_TABLE", "the name of the DynamoDB table of receipts")?;
    // Receipts are only read here, so nothing is leased.
    let receipts = ReceiptTable::new(table, Duration::ZERO, env)?;
    Ok(api::receipts(Box::new(BodyBucket::new(bucket, env)?), Box::new(receipts)))
}

/// API Gateway has asked the authorizer.
async fn answer(mut router: Router, mut request: Request) -> Result<Answer, Infallible> {
    *request.uri_mut() = Uri::from(proxy_event::path(&request));
    let (principal, request_id) = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => {
            let principal = context.authorizer.fields.get("principalId").and_then(|value| value.as_str());
            (principal.unwrap_or_default().to_owned(), context.request_id.clone())
        }
        _ => (String::new(), None),
    };
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(Principal(principal));
    let Ok(response) = router.call(request).await;
    let answer = Answer::of(response).await;
    info!(path, status = answer.status().as_u16(), request_id, "request");
    Ok(answer)
}
