//! What API Gateway asks a Lambda authorizer, and what it wants to hear.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>

use serde::{Deserialize, Serialize};
use tokens::Refusal;

/// The event of a TOKEN authorizer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    authorization_token: String,
    method_arn: String,
}

/// The event names no stage.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("methodArn is not an ARN of a method: arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>")]
pub struct NoStage;

impl Request {
    /// The identity header as it was sent.
    pub fn token(&self) -> &str {
        &self.authorization_token
    }

    /// All methods of the stage that was called.
    ///
    /// API Gateway caches a policy by the token alone: one for a single method would keep the same caller out of the next.
    pub fn stage(&self) -> Result<String, NoStage> {
        let mut parts = self.method_arn.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(api), Some(stage), Some(_)) if api.starts_with("arn:") && !stage.is_empty() => {
                Ok(format!("{api}/{stage}/*"))
            }
            _ => Err(NoStage),
        }
    }
}

/// The answer: an IAM policy, and what templates may show of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    principal_id: String,
    policy_document: Document,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: String,
}

#[derive(Serialize)]
struct Context {
    key: String,
}

impl Policy {
    /// Lets the principal use the whole stage.
    pub fn allow(principal: String, stage: String) -> Self {
        Self { principal_id: principal, policy_document: Document::new("Allow", stage), context: None }
    }

    /// Keeps somebody out of the whole stage; `context.key` says why, and the API's 403 shows it.
    pub fn deny(stage: String, refusal: &Refusal) -> Self {
        Self {
            principal_id: "nobody".to_owned(),
            policy_document: Document::new("Deny", stage),
            context: Some(Context { key: refusal.to_string() }),
        }
    }
}

impl Document {
    fn new(effect: &'static str, resource: String) -> Self {
        Self { version: "2012-10-17", statement: [Statement { action: "execute-api:Invoke", effect, resource }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(method_arn: &str) -> Request {
        serde_json::from_value(json!({
            "type": "TOKEN", "authorizationToken": "Bearer sy_1", "methodArn": method_arn,
        }))
        .unwrap()
    }

    #[test]
    fn a_policy_is_for_the_whole_stage() {
        let request = request("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/beta/POST/publish");
        assert_eq!(request.token(), "Bearer sy_1");
        let stage = request.stage().unwrap();
        assert_eq!(stage, "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/beta/*");
        let policy = serde_json::to_value(Policy::allow("alice".into(), stage)).unwrap();
        let expected = json!({
            "principalId": "alice",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/beta/*",
                }],
            },
        });
        assert_eq!(policy, expected);
    }

    #[test]
    fn a_refusal_brings_its_hint() {
        let policy = serde_json::to_value(Policy::deny("arn:x/beta/*".into(), &Refusal::Revoked)).unwrap();
        assert_eq!(policy["policyDocument"]["Statement"][0]["Effect"], "Deny");
        assert_eq!(policy["context"]["key"], Refusal::Revoked.to_string());
    }

    #[test]
    fn an_event_without_a_stage_is_an_error() {
        for arn in
            ["", "arn:aws:execute-api:eu-west-1:1:api", "api/beta/GET/", "arn:aws:execute-api:eu-west-1:1:api//GET/"]
        {
            assert_eq!(request(arn).stage(), Err(NoStage), "{arn:?}");
        }
    }
}
