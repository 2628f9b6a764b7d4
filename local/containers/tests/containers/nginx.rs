//! Tasks of nginx's image, with the nginx that is installed here; without one there is nothing to be tested but that.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode};
use local_containers::snapshot::{LoadBalancerKind, Snapshot};
use local_containers::{Binaries, Config, Containers, nginx};

use crate::support::{
    DNS_NAME, Folder, GROUP, PACE, StandIn, balancer, eventually, forward, send, snapshot, try_send, within,
};

/// As a task definition has it, whose container listens at port 9001.
const CONFIGURATION: &str = r#"
pid /tmp/nginx/nginx.pid;
error_log /dev/stderr error;
events { worker_connections 64; }
http {
  client_body_temp_path /tmp/nginx/body;
  proxy_temp_path /tmp/nginx/proxy;
  fastcgi_temp_path /tmp/nginx/fastcgi;
  uwsgi_temp_path /tmp/nginx/uwsgi;
  scgi_temp_path /tmp/nginx/scgi;
  access_log /dev/stdout;
  resolver 10.0.0.2 valid=30s ipv6=off;
  server {
    listen 9001;
    location /status/ready { return 200 "ready"; }
    location / { root /tmp/nginx; try_files /page =404; }
  }
}
"#;
const NETWORK: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/api/1";

/// One service of nginx behind a network load balancer.
fn of_nginx(configuration: &str) -> Snapshot {
    let mut snapshot = snapshot();
    snapshot.load_balancers = vec![balancer(NETWORK, DNS_NAME, LoadBalancerKind::Network, forward(GROUP))];
    snapshot.services[0].task_sets[0].load_balancers[0].container_port = 9001;
    let container = &mut snapshot.task_definitions.values_mut().next().unwrap().containers[0];
    container.image = "public.ecr.aws/nginx/nginx:1.28.0-alpine".into();
    container.ports = vec![9001];
    container.environment = [
        ("NGINX_CONFIG".to_owned(), STANDARD.encode(configuration)),
        ("PAGE".to_owned(), STANDARD.encode("a file beside it")),
    ]
    .into();
    container.entry_point = vec!["/bin/sh".into(), "-c".into()];
    container.command = vec![
        r#"cd /tmp/nginx && printf %s "$NGINX_CONFIG" | base64 -d > nginx.conf && printf %s "$PAGE" | base64 -d > page && exec nginx -e /dev/stderr -c /tmp/nginx/nginx.conf -g 'daemon off;'"#
            .into(),
    ];
    snapshot
}

async fn containers(folder: &Folder, nginx: Option<std::path::PathBuf>) -> (StandIn, Containers) {
    let control_plane = StandIn::start().await;
    let config = Config {
        binaries: Binaries { nginx, ..Binaries::default() },
        work_directory: folder.path().to_owned(),
        pace: PACE,
        ..Config::default()
    };
    let containers = Containers::new(control_plane.api(), config);
    (control_plane, containers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_command_runs_with_its_configuration_in_a_folder_of_its_own() {
    let Some(installed) = nginx::installed() else {
        return eprintln!("left out: nginx is not installed");
    };
    let folder = Folder::new();
    let (_control_plane, containers) = containers(&folder, Some(installed)).await;
    containers.update(of_nginx(CONFIGURATION)).await.unwrap();
    within("nginx is healthy", containers.steady()).await;
    let address = containers.resolve(DNS_NAME, 80).unwrap();
    let answer = send(address, Request::get("/anything")).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "a file beside it"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    containers.shut_down().await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "gone with the task");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_nginx_its_services_are_left_out_and_waited_for_by_nobody() {
    let folder = Folder::new();
    let (_control_plane, containers) = containers(&folder, None).await;
    containers.update(of_nginx(CONFIGURATION)).await.unwrap();
    assert!(containers.is_steady());
    assert!(containers.deployed().services.is_empty());
    let address = containers.resolve(DNS_NAME, 80).unwrap();
    assert!(try_send(address, Request::get("/")).await.is_err(), "nobody is behind the load balancer");
    containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_cannot_be_run_is_told_of() {
    let folder = Folder::new();
    for (configuration, expected) in [
        (CONFIGURATION.replace("listen 9001;", "listen 9002;"), "NGINX_CONFIG has no line `listen 9001;`"),
        (CONFIGURATION.replace("pid /tmp/nginx/nginx.pid;", ""), "NGINX_CONFIG has no line `pid FOLDER/FILE;`"),
    ] {
        let (control_plane, containers) = containers(&folder, Some("/usr/sbin/nginx".into())).await;
        containers.update(of_nginx(&configuration)).await.unwrap();
        let reason = eventually("the task ends", async || {
            let tasks = control_plane.tasks();
            tasks.iter().find_map(|task| task["stoppedReason"].as_str().map(str::to_owned))
        })
        .await;
        assert_eq!(reason, format!("container api: {expected}"));
        containers.shut_down().await;
    }
}
