//! The URI of a Lambda function, as integrations and authorizers have it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

const BEFORE: &str = ":lambda:path/2015-03-31/functions/";
const AFTER: &str = "/invocations";
const VARIABLE: &str = "${stageVariables.";

/// `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function ARN}/invocations`, whose function may hold
/// `${stageVariables.NAME}`.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/aws-api-gateway-stage-variables-reference.html>
#[derive(Debug, Clone)]
pub(crate) struct FunctionUri {
    function: String,
}

impl FunctionUri {
    /// # Errors
    /// Says what would be right.
    pub fn parse(uri: &str) -> Result<Self, String> {
        let function = uri.split_once(BEFORE).and_then(|(_, rest)| rest.strip_suffix(AFTER));
        function
            .filter(|function| !function.is_empty())
            .map(|function| Self { function: function.to_owned() })
            .ok_or_else(|| {
                format!("the URI '{uri}' names no function: give arn:aws:apigateway:REGION{BEFORE}FUNCTION_ARN{AFTER}")
            })
    }

    /// The function's ARN in a stage.
    ///
    /// # Errors
    /// Names the stage variable that is missing.
    pub fn arn(&self, stage_variables: &BTreeMap<String, String>) -> Result<Cow<'_, str>, String> {
        if !self.function.contains(VARIABLE) {
            return Ok(Cow::Borrowed(&self.function));
        }
        let mut arn = String::new();
        let mut rest = self.function.as_str();
        while let Some((before, after)) = rest.split_once(VARIABLE) {
            let (name, after) = after.split_once('}').ok_or_else(|| format!("'{}' lacks a '}}'", self.function))?;
            let value = stage_variables.get(name);
            arn.push_str(before);
            arn.push_str(value.ok_or_else(|| format!("the stage has no variable '{name}', which the URI needs"))?);
            rest = after;
        }
        arn.push_str(rest);
        Ok(Cow::Owned(arn))
    }
}

/// The URIs of all functions that `AWS_PROXY` integrations of a definition name.
pub(crate) fn of_integrations(definition: &Value) -> Vec<FunctionUri> {
    let operations = definition["paths"].as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object());
    let integrations = operations.flatten().map(|(_, operation)| &operation["x-amazon-apigateway-integration"]);
    let proxies = integrations
        .filter(|integration| integration["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("aws_proxy")));
    proxies.filter_map(|integration| FunctionUri::parse(integration["uri"].as_str()?).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stage_variables_stand_for_their_values() {
        let uri = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
            arn:aws:lambda:eu-west-1:123456789012:function:${stageVariables.name}:${stageVariables.alias}/invocations";
        let variables = BTreeMap::from([("name".into(), "replace".into()), ("alias".into(), "prod".into())]);
        let uri = FunctionUri::parse(uri).unwrap();
        assert_eq!(uri.arn(&variables).unwrap(), "arn:aws:lambda:eu-west-1:123456789012:function:replace:prod");
        let error = uri.arn(&BTreeMap::from([("name".into(), "replace".into())])).unwrap_err();
        assert_eq!(error, "the stage has no variable 'alias', which the URI needs");
    }

    #[test]
    fn what_names_no_function_is_refused() {
        for uri in ["", "https://example.com", "arn:aws:apigateway:eu-west-1:sqs:path/1/queue"] {
            assert!(FunctionUri::parse(uri).unwrap_err().contains("names no function"), "{uri}");
        }
    }
}
