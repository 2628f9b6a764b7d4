//! Reading what is deployed, from an account that is a list of answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use local_aws_api::AwsApi;
use local_gateway::{Period, Snapshot, Throttle, read};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
    </GetCallerIdentityResult></GetCallerIdentityResponse>";

/// Answers each path with its document, and any other one with 404.
async fn snapshot(answers: &[(&str, Value)]) -> (Snapshot, Vec<String>) {
    let answers: HashMap<String, String> =
        answers.iter().map(|(path, answer)| ((*path).to_owned(), answer.to_string())).collect();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (answers, log) = (Arc::new(answers), Arc::clone(&asked));
    let server = tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            answer(connection, &answers, &log).await;
        }
    });
    let snapshot = read(&AwsApi::new(&endpoint, "eu-west-1").unwrap()).await.unwrap();
    server.abort();
    let asked = asked.lock().unwrap().clone();
    (snapshot, asked)
}

async fn answer(connection: TcpStream, answers: &HashMap<String, String>, asked: &Mutex<Vec<String>>) {
    let mut connection = BufReader::new(connection);
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.unwrap();
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap().to_owned();
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    connection.read_exact(&mut vec![0; length]).await.unwrap();
    let (status, body) = match answers.get(&path) {
        Some(body) => ("200 OK", body.as_str()),
        None if path == "/" => ("200 OK", IDENTITY),
        None => ("404 Not Found", r#"{"message":"not here"}"#),
    };
    asked.lock().unwrap().push(path);
    let text = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn everything_is_read_page_after_page() {
    let proxy = |function: &str| {
        json!({ "x-amazon-apigateway-any-method": { "x-amazon-apigateway-integration": {
            "type": "aws_proxy", "uri": crate::fixture::uri(function) } } })
    };
    let definition = json!({ "paths": { "/a": proxy("replace:${stageVariables.alias}"), "/b": proxy("open") } });
    let stage = json!({ "stageName": "test", "deploymentId": "d1", "variables": { "alias": "live" },
        "methodSettings": {
            "~1pets~1{id}/GET": { "throttlingRateLimit": 5.5, "throttlingBurstLimit": 2 },
            "*/*": { "throttlingRateLimit": -1.0, "throttlingBurstLimit": -1, "cachingEnabled": true } },
        "accessLogSettings": { "destinationArn": "arn", "format": "$context.requestId" } });
    let policy = json!({ "Version": "2012-10-17", "Statement": [] });
    let plan = json!({ "id": "p1", "name": "plan", "throttle": { "rateLimit": 10.0, "burstLimit": 3 },
        "quota": { "limit": 100, "offset": 2, "period": "WEEK" },
        "apiStages": [{ "apiId": "a1", "stage": "test", "throttle": { "/pets/GET": { "rateLimit": 1.0, "burstLimit": 1 } } }] });
    let (snapshot, _) = snapshot(&[
        ("/account", json!({ "throttleSettings": { "rateLimit": 100.0, "burstLimit": 50 } })),
        ("/restapis?limit=500", json!({ "item": [{ "id": "a1", "name": "one" }], "position": "next page" })),
        ("/restapis?limit=500&position=next%20page", json!({ "item": [{ "id": "gone", "name": "two" }] })),
        ("/restapis/a1/stages", json!({ "item": [stage] })),
        ("/_control_plane/apigateway/eu-west-1/a1/deployments/d1", definition.clone()),
        ("/2015-03-31/functions/replace/policy?Qualifier=live", json!({ "Policy": policy.to_string() })),
        ("/apikeys?includeValues=true&limit=500", json!({ "item": [{ "id": "k1", "name": "key", "value": "v", "enabled": false }] })),
        ("/usageplans?limit=500", json!({ "item": [plan] })),
        ("/usageplans/p1/keys?limit=500", json!({ "item": [{ "id": "k1" }] })),
        ("/domainnames?limit=500", json!({ "item": [{ "domainName": "api.example.com" }] })),
        (
            "/domainnames/api.example.com/basepathmappings?limit=500",
            json!({ "item": [{ "basePath": "(none)", "restApiId": "a1", "stage": "test" }, { "basePath": "v1", "restApiId": "a1" }] }),
        ),
    ])
    .await;

    assert_eq!((snapshot.region.as_str(), snapshot.account_id.as_str()), ("eu-west-1", "123456789012"));
    assert_eq!(snapshot.account_throttle, Some(Throttle { rate: 100.0, burst: 50 }));
    // The other one was deleted while this was read.
    let [api] = snapshot.rest_apis.as_slice() else { panic!("{:?}", snapshot.rest_apis) };
    assert_eq!((api.id.as_str(), api.name.as_str(), &*api.definitions["d1"]), ("a1", "one", &definition));
    let [stage] = api.stages.as_slice() else { panic!("{:?}", api.stages) };
    assert_eq!((stage.name.as_str(), stage.deployment_id.as_str()), ("test", "d1"));
    assert_eq!(stage.variables, BTreeMap::from([("alias".to_owned(), "live".to_owned())]));
    assert_eq!(
        stage.method_throttles,
        HashMap::from([("/pets/{id}/GET".to_owned(), Throttle { rate: 5.5, burst: 2 })])
    );
    assert_eq!(stage.access_log_format.as_deref(), Some("$context.requestId"));
    assert_eq!(stage.warnings, ["methodSettings */*: caching has no effect: nothing is cached here"]);

    let function = |name: &str| format!("arn:aws:lambda:eu-west-1:123456789012:function:{name}");
    let expected = [(function("replace:live"), Some(Arc::new(policy))), (function("open"), None)];
    assert_eq!(snapshot.function_policies, expected.into());

    let [key] = snapshot.api_keys.as_slice() else { panic!("{:?}", snapshot.api_keys) };
    assert_eq!((key.id.as_str(), key.value.as_str(), key.enabled), ("k1", "v", false));
    assert!(!format!("{key:?}").contains("value"), "a key's value is in no log");
    let [plan] = snapshot.usage_plans.as_slice() else { panic!("{:?}", snapshot.usage_plans) };
    assert_eq!(
        (plan.throttle, plan.key_ids.as_slice()),
        (Some(Throttle { rate: 10.0, burst: 3 }), &["k1".to_owned()][..])
    );
    let quota = plan.quota.unwrap();
    assert_eq!((quota.limit, quota.offset, quota.period), (100, 2, Period::Week));
    assert_eq!(plan.stages[0].method_throttles["/pets/GET"], Throttle { rate: 1.0, burst: 1 });

    let [domain] = snapshot.domain_names.as_slice() else { panic!("{:?}", snapshot.domain_names) };
    let mappings: Vec<_> = domain.mappings.iter().map(|one| (one.base_path.as_str(), one.stage.as_deref())).collect();
    assert_eq!((domain.name.as_str(), mappings), ("api.example.com", vec![("", Some("test")), ("v1", None)]));
}

#[tokio::test]
async fn an_empty_account_is_an_empty_snapshot() {
    let (snapshot, asked) = snapshot(&[]).await;
    assert!(snapshot.rest_apis.is_empty() && snapshot.api_keys.is_empty() && snapshot.account_throttle.is_none());
    assert!(asked.contains(&"/restapis?limit=500".to_owned()), "{asked:?}");
}
