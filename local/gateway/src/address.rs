//! To which stage a request goes, and what of its path is the API's.
//!
//! | request | stage | path of the resource |
//! |---|---|---|
//! | `/_aws/execute-api/{api}/{stage}/{path}` | as it says | `/{path}` |
//! | Host `{api}.execute-api.…`, `/{stage}/{path}` | as it says | `/{path}` |
//! | Host of a custom domain, `/{base path}/{path}` | the base path's | `/{path}` |

use std::sync::Arc;

use crate::routing::decoded;
use crate::served::{Served, ServedStage};
use crate::snapshot::DomainName;

/// Where paths begin that name API and stage; people know the form from LocalStack.
pub(crate) const PREFIX: &str = "/_aws/execute-api/";
const EXECUTE_API: &str = ".execute-api.";

/// A stage, and a request's path as the stage sees it.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub stage: Arc<ServedStage>,
    /// Path of the resource: begins with `/`, encoded still.
    pub path: String,
    /// `path` of a proxy event: with a custom domain's base path.
    pub event_path: String,
    /// `$context.path`: with the stage, or the base path.
    pub context_path: String,
    pub domain_name: String,
    /// `$context.customDomain.basePathMatched`.
    pub base_path: Option<String>,
}

/// Why a request reaches no stage. AWS says `Forbidden` to all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Nowhere {
    #[error("there is no REST API {0}")]
    NoApi(String),
    #[error("the REST API {api} has no stage '{stage}'")]
    NoStage { api: String, stage: String },
    #[error("no base path of {domain} leads to {path}")]
    NoMapping { domain: String, path: String },
    #[error("the API's execute-api endpoint is disabled: only custom domain names lead to it")]
    EndpointDisabled,
}

/// Whether the request is for the gateway at all; another part of the front port may take what is not.
pub(crate) fn is_ours(served: &Served, host: &str, path: &str) -> bool {
    path.starts_with(PREFIX) || host.contains(EXECUTE_API) || served.domains.contains_key(&host.to_ascii_lowercase())
}

/// `host`: without a port.
pub(crate) fn find(served: &Served, host: &str, path: &str) -> Result<Address, Nowhere> {
    if let Some(rest) = path.strip_prefix(PREFIX) {
        let (api, rest) = first_part(rest);
        return execute_api(served, api, rest, None);
    }
    let host = host.to_ascii_lowercase();
    if let Some(domain) = served.domains.get(&host) {
        return custom_domain(served, domain, path);
    }
    let api = host.split_once(EXECUTE_API).map_or(host.as_str(), |(api, _)| api);
    execute_api(served, api, path, Some(&host))
}

fn execute_api(served: &Served, api: &str, path: &str, host: Option<&str>) -> Result<Address, Nowhere> {
    let (stage_name, rest) = first_part(path.trim_start_matches('/'));
    let stages = served.apis.get(api).ok_or_else(|| Nowhere::NoApi(api.to_owned()))?;
    let stage = stages.get(&decoded(stage_name));
    let stage = stage.ok_or_else(|| Nowhere::NoStage { api: api.to_owned(), stage: stage_name.to_owned() })?;
    if stage.api.execute_api_endpoint_disabled {
        return Err(Nowhere::EndpointDisabled);
    }
    let own_name = || format!("{api}.execute-api.{}.amazonaws.com", stage.region);
    Ok(Address {
        path: rest.to_owned(),
        event_path: rest.to_owned(),
        context_path: format!("/{stage_name}{rest}"),
        domain_name: host.map_or_else(own_name, str::to_owned),
        base_path: None,
        stage: Arc::clone(stage),
    })
}

fn custom_domain(served: &Served, domain: &DomainName, path: &str) -> Result<Address, Nowhere> {
    // The longest base path wins; the empty one takes what is left.
    let below = |base: &str| match base {
        "" => Some(path),
        _ => path.strip_prefix('/')?.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    let candidates = domain.mappings.iter().filter_map(|mapping| Some((mapping, below(&mapping.base_path)?)));
    let found = candidates.max_by_key(|(mapping, _)| mapping.base_path.len());
    let nowhere = || Nowhere::NoMapping { domain: domain.name.clone(), path: path.to_owned() };
    let (mapping, rest) = found.ok_or_else(nowhere)?;
    let (stage_name, rest) = match &mapping.stage {
        Some(stage) => (stage.as_str(), if rest.is_empty() { "/" } else { rest }),
        None => first_part(rest.trim_start_matches('/')),
    };
    let no_stage = || Nowhere::NoStage { api: mapping.api_id.clone(), stage: stage_name.to_owned() };
    let stage = served.stage(&mapping.api_id, stage_name).ok_or_else(no_stage)?;
    Ok(Address {
        stage: Arc::clone(stage),
        path: rest.to_owned(),
        event_path: path.to_owned(),
        context_path: path.to_owned(),
        domain_name: domain.name.clone(),
        base_path: (!mapping.base_path.is_empty()).then(|| mapping.base_path.clone()),
    })
}

/// `a/b/c` → `a` and `/b/c`; `a` → `a` and `/`.
fn first_part(path: &str) -> (&str, &str) {
    match path.find('/') {
        Some(end) => (&path[..end], &path[end..]),
        None => (path, "/"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;
    use crate::snapshot::{BasePathMapping, RestApi, Snapshot, Stage};

    fn served() -> Served {
        let api = |id: &str, definition| RestApi {
            id: id.into(),
            definitions: HashMap::from([("d".into(), Arc::new(definition))]),
            stages: ["test", "prod"]
                .map(|name| Stage { name: name.into(), deployment_id: "d".into(), ..Default::default() })
                .into(),
            ..Default::default()
        };
        let mapping = |base: &str, stage: Option<&str>| BasePathMapping {
            base_path: base.into(),
            api_id: "abc".into(),
            stage: stage.map(str::to_owned),
        };
        let domain = |name: &str, mappings| DomainName { name: name.into(), mappings };
        let disabled = json!({ "x-amazon-apigateway-endpoint-configuration": { "disableExecuteApiEndpoint": true } });
        let snapshot = Snapshot {
            region: "eu-west-1".into(),
            rest_apis: vec![api("abc", json!({})), api("off", disabled)],
            domain_names: vec![
                domain(
                    "api.example.com",
                    vec![mapping("strings", Some("prod")), mapping("strings/v2", Some("test")), mapping("any", None)],
                ),
                domain("bare.example.com", vec![mapping("", Some("prod"))]),
            ],
            ..Default::default()
        };
        Served::new(snapshot, &mut HashMap::new())
    }

    #[test]
    fn every_way_to_a_stage() {
        let served = served();
        let own = "abc.execute-api.eu-west-1.amazonaws.com";
        for (host, path, stage, resource, event, context, domain) in [
            ("127.0.0.1", "/_aws/execute-api/abc/test/a/b", "test", "/a/b", "/a/b", "/test/a/b", own),
            ("127.0.0.1", "/_aws/execute-api/abc/test", "test", "/", "/", "/test/", own),
            ("127.0.0.1", "/_aws/execute-api/abc/test/", "test", "/", "/", "/test/", own),
            (own, "/prod/a", "prod", "/a", "/a", "/prod/a", own),
            ("ABC.execute-api.localhost", "/prod/a/", "prod", "/a/", "/a/", "/prod/a/", "abc.execute-api.localhost"),
            ("api.example.com", "/strings/a", "prod", "/a", "/strings/a", "/strings/a", "api.example.com"),
            ("API.example.com", "/strings", "prod", "/", "/strings", "/strings", "api.example.com"),
            ("api.example.com", "/strings/v2/a", "test", "/a", "/strings/v2/a", "/strings/v2/a", "api.example.com"),
            ("api.example.com", "/any/test/a", "test", "/a", "/any/test/a", "/any/test/a", "api.example.com"),
            ("bare.example.com", "/a", "prod", "/a", "/a", "/a", "bare.example.com"),
        ] {
            assert!(is_ours(&served, host, path));
            let address = find(&served, host, path).unwrap();
            let found = (
                address.stage.stage.name.as_str(),
                address.path.as_str(),
                address.event_path.as_str(),
                address.context_path.as_str(),
                address.domain_name.as_str(),
            );
            assert_eq!(found, (stage, resource, event, context, domain), "{host}{path}");
        }
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        let served = served();
        for (host, path, expected) in [
            ("127.0.0.1", "/_aws/execute-api/none/test/a", "there is no REST API none"),
            ("127.0.0.1", "/_aws/execute-api/abc/dev/a", "the REST API abc has no stage 'dev'"),
            ("abc.execute-api.x", "/", "the REST API abc has no stage ''"),
            ("api.example.com", "/stringsandmore", "no base path of api.example.com leads to /stringsandmore"),
            (
                "127.0.0.1",
                "/_aws/execute-api/off/test",
                "the API's execute-api endpoint is disabled: only custom domain names lead to it",
            ),
        ] {
            assert_eq!(find(&served, host, path).unwrap_err().to_string(), expected);
        }
        assert!(!is_ours(&served, "127.0.0.1:5000", "/"));
    }
}
