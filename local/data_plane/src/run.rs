//! The process from its start to its end.

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use anyhow::Context;
use local_aws_api::AwsApi;
use tokio::{net::TcpListener, sync::oneshot};
use tracing::info;

use crate::{
    arguments::Arguments,
    endpoints::EndpointsFile,
    front,
    front_doors::Headers,
    reading,
    requests::BalancerRequests,
    serving::Serving,
    stop::{self, Parent},
    work_directory::WorkDirectory,
};

/// Serves until the process is asked to end.
///
/// # Errors
/// When it cannot start: the port is taken, the control plane does not answer, a file cannot be written.
pub async fn run(arguments: Arguments, parent: Parent, requests: Arc<BalancerRequests>) -> anyhow::Result<()> {
    let api = AwsApi::new(&arguments.control_plane, &arguments.region)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))
        .await
        .with_context(|| format!("cannot listen on port {} of 127.0.0.1", arguments.port))?;
    let url = format!("http://{}", listener.local_addr()?);
    // Dropped, and with it removed, after all that uses it has ended.
    let work_directory = WorkDirectory::new(&arguments.work_directory)?;
    let endpoints = EndpointsFile::new(&arguments.endpoints, api.endpoint(), &url)
        .with_context(|| format!("cannot write {}", arguments.endpoints.display()))?;
    let headers = arguments.headers.as_deref().map_or_else(|| Ok(Headers::new()), read_headers)?;
    let (folder, binary) = (work_directory.path(), &arguments.container_binary);
    let serving = Arc::new(Serving::new(api, &url, folder, binary, headers, requests)?);

    let (stop_front, front_stopped) = oneshot::channel::<()>();
    let front = tokio::spawn(front::serve(listener, serving.clone(), front_stopped));
    info!(target: "data_plane", "listens on {url}");

    let result = tokio::select! {
        asked = stop::asked(parent) => asked.context("cannot hear signals"),
        ended = reading::follow(&serving) => ended.map(|never| match never {}),
        ended = reading::announce(&serving, endpoints) => ended.map(|never| match never {}),
    };
    drop(stop_front);
    front.await.context("the front port failed")?;
    serving.shutdown().await;
    info!(target: "data_plane", "has ended");
    result
}

fn read_headers(file: &Path) -> anyhow::Result<Headers> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let shape = r#"is not JSON of the form {"ARCHITECTURE": {"HEADER": "VALUE"}}"#;
    serde_json::from_str(&text).with_context(|| format!("{} {shape}", file.display()))
}
