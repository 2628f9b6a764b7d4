//! Releases of containers, as CodeDeploy tells of them: for the page.

use std::sync::{Mutex, PoisonError};

use local_aws_api::{AwsApi, Error};
use serde_json::{Value, json};
use tracing::debug;

const CODEDEPLOY: &str = "CodeDeploy_20141006";
/// So many are shown, the latest.
const SHOWN: usize = 3;

/// The latest deployments.
#[derive(Debug, Default)]
pub struct Deployments(Mutex<Vec<Value>>);

impl Deployments {
    /// Asks CodeDeploy. What it said before is shown if it does not answer.
    pub async fn read(&self, api: &AwsApi) {
        match read(api).await {
            Ok(deployments) => *self.0.lock().unwrap_or_else(PoisonError::into_inner) = deployments,
            Err(error) => debug!(target: "data_plane", "{error}"),
        }
    }

    /// `[{"id", "status", "events": [{"name", "status"}]}]`, the latest first.
    pub fn shown(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn read(api: &AwsApi) -> Result<Vec<Value>, Error> {
    let call =
        async |operation: &str, body: Value| api.json("codedeploy", &format!("{CODEDEPLOY}.{operation}"), &body).await;
    let listed = call("ListDeployments", json!({})).await?;
    let ids: Vec<&Value> = listed["deployments"].as_array().into_iter().flatten().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let described = call("BatchGetDeployments", json!({ "deploymentIds": ids })).await?;
    let mut deployments: Vec<&Value> = described["deploymentsInfo"].as_array().into_iter().flatten().collect();
    deployments.sort_by(|one, other| created(other).total_cmp(&created(one)));
    let mut shown = Vec::new();
    for deployment in deployments.into_iter().take(SHOWN) {
        let id = &deployment["deploymentId"];
        let targets = call("ListDeploymentTargets", json!({ "deploymentId": id })).await?;
        let asked = json!({ "deploymentId": id, "targetIds": targets["targetIds"] });
        let targets = call("BatchGetDeploymentTargets", asked).await?;
        let events = targets["deploymentTargets"][0]["ecsTarget"]["lifecycleEvents"].as_array().cloned();
        let event = |event: Value| json!({ "name": event["lifecycleEventName"], "status": event["status"] });
        shown.push(json!({
            "id": id,
            "status": deployment["status"],
            "message": deployment["errorInformation"]["message"],
            "events": events.unwrap_or_default().into_iter().map(event).collect::<Vec<_>>(),
        }));
    }
    Ok(shown)
}

/// In seconds since 1970.
fn created(deployment: &Value) -> f64 {
    deployment["createTime"].as_f64().unwrap_or_default()
}
