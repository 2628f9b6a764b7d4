//! The front port: APIs, Lambda's Invoke, and the page about it all.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use local_gateway::HeaderSpellings;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};
use tracing::{debug, warn};

use crate::{
    body::{self, Answer},
    page,
    serving::Serving,
};

/// What runs at the end may still be answered within.
const DRAIN: Duration = Duration::from_secs(2);
/// Lambda's Invoke, as an SDK calls it.
const FUNCTIONS: &str = "/2015-03-31/functions/";
/// What the control plane passes on of API Gateway's own API.
const REST_APIS: &str = "/restapis/";
/// After a connection could not be accepted: usually there are too many, and one has to end first.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until the other end of `stop` is dropped, and then what has begun.
pub async fn serve(listener: TcpListener, serving: Arc<Serving>, mut stop: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stop => break,
        };
        match accepted {
            Ok((connection, peer)) => {
                let connection = serve_connection(connection, peer, serving.clone(), &connections);
                tokio::spawn(connection);
            }
            Err(error) => {
                warn!(target: "data_plane", "a connection was not accepted: {error}");
                sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    serving.close_page();
    let _ = timeout(DRAIN, connections.shutdown()).await;
}

fn serve_connection(
    connection: TcpStream,
    peer: SocketAddr,
    serving: Arc<Serving>,
    connections: &GracefulShutdown,
) -> impl Future<Output = ()> + use<> {
    // A function sees its request's headers as the client spells them.
    let (connection, spellings) = HeaderSpellings::watch(connection);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(spellings.next());
        let serving = serving.clone();
        async move { Ok::<_, Infallible>(answer(&serving, request, peer).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let connection = connections.watch(http.serve_connection(TokioIo::new(connection), service));
    async move {
        if let Err(error) = connection.await {
            debug!(target: "data_plane", "a connection broke: {error}");
        }
    }
}

async fn answer(serving: &Arc<Serving>, request: Request<Incoming>, peer: SocketAddr) -> Answer {
    let path = request.uri().path();
    // An API's host name comes first: all of its paths are the API's own.
    if serving.gateway.takes(&request) {
        return serving.gateway.handle(request, peer).await.map(BodyExt::boxed);
    }
    if path.starts_with(FUNCTIONS) {
        return serving.lambda.handle(request).await.map(BodyExt::boxed);
    }
    if path.starts_with(REST_APIS) {
        return body::refusal(
            StatusCode::NOT_IMPLEMENTED,
            "TestInvokeMethod and TestInvokeAuthorizer are absent: send the request itself, with x-local-explain: true",
        );
    }
    if page::is_for(request.uri()) {
        return page::answer(serving, request).await;
    }
    body::refusal(
        StatusCode::NOT_FOUND,
        format!(
            "nothing is served at {path}: APIs are at /_aws/execute-api/API/STAGE/..., functions at {FUNCTIONS}NAME/invocations, \
             and what there is at /",
        ),
    )
}
