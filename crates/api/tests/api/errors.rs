//! What is not served.

use crate::support::{api, post, request};

#[tokio::test]
async fn an_unknown_path_or_method_is_not_found() {
    let api = api().await;
    for (method, path) in [
        ("GET", "/"),
        ("POST", "/"),
        ("GET", "/api"),
        ("GET", "/api/"),
        ("POST", "/string/replace/"),
        ("POST", "/api/api/string/replace"),
        ("GET", "/status"),
        ("GET", "/string/replace"),
        ("PUT", "/string/replace"),
        ("OPTIONS", "/string/replace"),
        ("DELETE", "/api/string/replace"),
        ("POST", "/status/health"),
        ("OPTIONS", "/openapi.json"),
        ("BREW", "/string/replace"),
    ] {
        request(&api, method, path, "").await.assert(404, r#"{"message":"Not Found"}"#);
    }
}

#[tokio::test]
async fn head_is_a_method_like_any_other() {
    let api = api().await;
    for path in ["/status/health", "/status/ready", "/openapi.json", "/docs", "/string/replace", "/nowhere"] {
        assert_eq!(request(&api, "HEAD", path, "").await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_encoding_or_charset_that_is_not_supported_is_refused_before_the_body_is_looked_at() {
    let api = api().await;
    for header in [("content-encoding", "gzip"), ("content-type", "text/plain; charset=latin1")] {
        post(&api, header, "not JSON").await.assert(415, r#"{"message":"Unsupported Media Type"}"#);
    }
}
