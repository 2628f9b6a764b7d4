//! Secrets of a task: what `valueFrom` of a container definition names, fetched when the task starts.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html>
//!
//! A value goes into the process's environment and nowhere else; no error and no log line holds one.

use local_aws_api::AwsApi;
use serde_json::{Value, json};

/// Why a task cannot be given a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused, or has no such thing.
    #[error("{name}: {cause}")]
    Refused {
        /// `valueFrom`.
        name: String,
        /// What it said.
        cause: Box<local_aws_api::Error>,
    },
    /// `valueFrom` is none of the forms that ECS takes, or what it leads to has not what it says.
    #[error("{name}: {problem}")]
    Unusable {
        /// `valueFrom`.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// The value of a secret.
///
/// # Errors
/// When there is no such value.
pub async fn fetch(api: &AwsApi, value_from: &str) -> Result<String, Error> {
    let refused = |cause| Error::Refused { name: value_from.to_owned(), cause: Box::new(cause) };
    let unusable = |problem| Error::Unusable { name: value_from.to_owned(), problem };
    match Reference::parse(value_from, api.region()).map_err(unusable)? {
        Reference::Parameter(name) => {
            let asked = json!({ "Name": name, "WithDecryption": true });
            let answer = api.json("ssm", "AmazonSSM.GetParameter", &asked).await.map_err(refused)?;
            text(&answer["Parameter"]["Value"]).ok_or_else(|| unusable("the parameter has no value"))
        }
        Reference::Secret { id, json_key, version_stage, version_id } => {
            let mut asked = json!({ "SecretId": id });
            for (member, value) in [("VersionStage", version_stage), ("VersionId", version_id)] {
                if let Some(value) = value {
                    asked[member] = value.into();
                }
            }
            let answer = api.json("secretsmanager", "secretsmanager.GetSecretValue", &asked).await.map_err(refused)?;
            let secret = text(&answer["SecretString"]).ok_or_else(|| unusable("the secret has no text"))?;
            let Some(key) = json_key else { return Ok(secret) };
            let document: Value = serde_json::from_str(&secret).map_err(|_| unusable("the secret is not JSON"))?;
            match &document[key] {
                Value::Null => Err(unusable("the secret's JSON has no such key")),
                Value::String(value) => Ok(value.clone()),
                other => Ok(other.to_string()),
            }
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[derive(Debug, PartialEq, Eq)]
enum Reference {
    Parameter(String),
    Secret { id: String, json_key: Option<String>, version_stage: Option<String>, version_id: Option<String> },
}

impl Reference {
    fn parse(value_from: &str, region: &str) -> Result<Self, &'static str> {
        if !value_from.starts_with("arn:") {
            return Ok(Self::Parameter(value_from.to_owned()));
        }
        let parts: Vec<_> = value_from.split(':').collect();
        if parts.get(3).is_some_and(|of| *of != region) {
            return Err("it is in another region than the task");
        }
        match (parts.get(2).copied(), parts.get(5).copied()) {
            (Some("ssm"), Some(resource)) => {
                let name = resource.strip_prefix("parameter/").ok_or("it is no ARN of a parameter")?;
                // The slash before a name with levels is the one after `parameter`.
                let is_path = name.contains('/');
                Ok(Self::Parameter(if is_path { format!("/{name}") } else { name.to_owned() }))
            }
            (Some("secretsmanager"), Some("secret")) if parts.len() >= 7 => {
                let part =
                    |index: usize| parts.get(index).filter(|part| !part.is_empty()).map(|part| (*part).to_owned());
                Ok(Self::Secret {
                    id: parts[..7].join(":"),
                    json_key: part(7),
                    version_stage: part(8),
                    version_id: part(9),
                })
            }
            _ => Err("it is the ARN of neither an SSM parameter nor a secret of Secrets Manager"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn each_form_of_value_from() {
        let parse = |text: &str| Reference::parse(text, "eu-west-1");
        let parameter = |name: &str| Ok(Reference::Parameter(name.to_owned()));
        assert_eq!(parse("arn:aws:ssm:eu-west-1:123456789012:parameter/my/key"), parameter("/my/key"));
        assert_eq!(parse("arn:aws:ssm:eu-west-1:123456789012:parameter/key"), parameter("key"));
        assert_eq!(parse("/my/key"), parameter("/my/key"));
        let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf";
        let expected = |json_key: Option<&str>, version_stage: Option<&str>| {
            let [json_key, version_stage] = [json_key, version_stage].map(|part| part.map(str::to_owned));
            Ok(Reference::Secret { id: secret.to_owned(), json_key, version_stage, version_id: None })
        };
        assert_eq!(parse(secret), expected(None, None));
        assert_eq!(parse(&format!("{secret}:password::")), expected(Some("password"), None));
        assert_eq!(parse(&format!("{secret}::AWSPREVIOUS:")), expected(None, Some("AWSPREVIOUS")));
        assert!(parse("arn:aws:ssm:us-east-1:123456789012:parameter/key").is_err());
        assert!(parse("arn:aws:s3:eu-west-1:123456789012:bucket").is_err());
    }
}
