//! What an authorizer's function says.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html>

use std::collections::BTreeMap;

use serde_json::Value;

use crate::gateway_response::{Refused, ResponseType};
use crate::policy::Policy;

/// Who calls, and what the caller may do.
#[derive(Debug)]
pub(crate) struct Identity {
    pub principal_id: String,
    pub policy: Policy,
    /// `$context.authorizer.*`; API Gateway makes strings of numbers and booleans.
    pub context: BTreeMap<String, String>,
    /// The API key, where the API's key source is AUTHORIZER.
    pub usage_identifier_key: Option<String>,
}

impl Identity {
    /// # Errors
    /// Says what is wrong with the answer.
    pub fn parse(payload: &[u8]) -> Result<Self, String> {
        let answer: Value =
            serde_json::from_slice(payload).map_err(|error| format!("the authorizer's answer is no JSON: {error}"))?;
        let principal_id = match &answer["principalId"] {
            Value::String(id) => id.clone(),
            id @ (Value::Number(_) | Value::Bool(_)) => id.to_string(),
            _ => return Err("the authorizer's answer has no principalId".to_owned()),
        };
        let policy = match &answer["policyDocument"] {
            Value::Null => return Err("the authorizer's answer has no policyDocument".to_owned()),
            document => {
                Policy::parse(document).map_err(|problem| format!("the authorizer's policyDocument: {problem}"))?
            }
        };
        let mut context = BTreeMap::new();
        match &answer["context"] {
            Value::Null => {}
            Value::Object(members) => {
                for (name, value) in members {
                    let text = match value {
                        Value::String(text) => text.clone(),
                        Value::Number(_) | Value::Bool(_) => value.to_string(),
                        Value::Null => continue,
                        _ => {
                            return Err(format!(
                                "the authorizer's context.{name} is {value}: give a string, a number or a boolean"
                            ));
                        }
                    };
                    context.insert(name.clone(), text);
                }
            }
            other => return Err(format!("the authorizer's context is {other}: give an object")),
        }
        let usage_identifier_key = answer["usageIdentifierKey"].as_str().map(str::to_owned);
        Ok(Self { principal_id, policy, context, usage_identifier_key })
    }
}

/// What a failed authorizer means: a function that fails with the message `Unauthorized` says that the caller is unknown.
pub(super) fn failure(payload: &[u8]) -> Refused {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    match error["errorMessage"].as_str() {
        Some("Unauthorized") => {
            Refused::new(ResponseType::Unauthorized, "Unauthorized", "the authorizer said Unauthorized")
        }
        message => Refused::by_authorizer(
            ResponseType::AuthorizerFailure,
            format!("the authorizer failed: {}", message.unwrap_or("it gave no message")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_read_as_strictly_as_in_aws() {
        let policy = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
        let answer = json!({ "principalId": "me", "policyDocument": policy, "usageIdentifierKey": "k",
            "context": { "text": "a", "number": 7, "flag": true, "nothing": null } });
        let identity = Identity::parse(answer.to_string().as_bytes()).unwrap();
        let context = [("flag", "true"), ("number", "7"), ("text", "a")];
        assert_eq!(identity.context, context.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!((identity.principal_id.as_str(), identity.usage_identifier_key.as_deref()), ("me", Some("k")));
        for (answer, expected) in [
            (json!({ "policyDocument": policy }), "has no principalId"),
            (json!({ "principalId": "me" }), "has no policyDocument"),
            (json!({ "principalId": "me", "policyDocument": {} }), "policyDocument: the policy has no Statement"),
            (json!({ "principalId": "me", "policyDocument": policy, "context": { "a": [] } }), "context.a is []"),
            (json!({ "principalId": "me", "policyDocument": policy, "context": "a" }), "context is \"a\""),
            (json!("Unauthorized"), "has no principalId"),
        ] {
            let error = Identity::parse(answer.to_string().as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{answer}: {error}");
        }
        assert!(Identity::parse(b"{").unwrap_err().contains("is no JSON"));
    }

    #[test]
    fn one_message_means_that_the_caller_is_unknown() {
        for (payload, expected) in [
            (r#"{"errorMessage":"Unauthorized"}"#, ResponseType::Unauthorized),
            (r#"{"errorMessage":"unauthorized"}"#, ResponseType::AuthorizerFailure),
            (r#"{"errorMessage":"boom","errorType":"Error"}"#, ResponseType::AuthorizerFailure),
            ("", ResponseType::AuthorizerFailure),
        ] {
            assert_eq!(failure(payload.as_bytes()).kind, expected, "{payload}");
        }
    }
}
