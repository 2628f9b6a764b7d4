//! `/openapi.json` and `/docs`.

use crate::support::{api, request};

#[tokio::test]
async fn the_contract_has_every_route_with_every_status_that_it_answers() {
    let document = request(&api().await, "GET", "/openapi.json", "").await.json();
    let paths = document["paths"].as_object().unwrap();
    let told: Vec<_> = paths.keys().map(String::as_str).collect();
    assert_eq!(told, ["/api/string/replace", "/openapi.json", "/status/health", "/status/ready", "/string/replace"]);
    for path in ["/string/replace", "/api/string/replace"] {
        let responses = paths[path]["post"]["responses"].as_object().unwrap();
        let statuses: Vec<_> = responses.keys().map(String::as_str).collect();
        assert_eq!(statuses, ["200", "400", "403", "413", "415", "503"]);
        assert_eq!(paths[path]["post"]["security"], serde_json::json!([{"api_key": []}]));
    }
    let mut identifiers: Vec<_> =
        paths.values().flat_map(|item| item.as_object().unwrap().values()).map(|o| o["operationId"].as_str()).collect();
    let all = identifiers.len();
    identifiers.sort_unstable();
    identifiers.dedup();
    assert_eq!((identifiers.len(), identifiers.contains(&None)), (all, false));
    assert_eq!(document["components"]["securitySchemes"]["api_key"]["name"], "x-api-key");
}

#[cfg(feature = "docs-ui")]
#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let api = api().await;
    let page = request(&api, "GET", "/docs", "").await;
    assert_eq!(
        (page.status.as_u16(), &page.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(!page.text().contains("//"), "no absolute link");
    for link in ["docs/swagger-ui-bundle.js", "docs/swagger-ui.css"] {
        assert!(page.text().contains(link));
        let asset = request(&api, "GET", &format!("/{link}"), "").await;
        assert_eq!((asset.status.as_u16(), &asset.headers["content-encoding"]), (200, &"gzip".parse().unwrap()));
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&asset.body[..]), &mut plain).unwrap();
        assert!(plain.len() > 100_000);
    }
}

#[cfg(not(feature = "docs-ui"))]
#[tokio::test]
async fn without_its_assets_there_is_no_page() {
    assert_eq!(request(&api().await, "GET", "/docs", "").await.status, 404);
}
