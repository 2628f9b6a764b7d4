//! A map in an SSM parameter.

use aws_sdk_ssm::Client;
use env::{BadVariable, Env};
use mapping::{Fetched, Fetching, Source, SourceError, Version};
use replace::Rules;

use crate::{AwsError, connection};

/// An SSM parameter that holds the map as JSON: 4 KB of it, or 8 KB in the advanced tier. `SecureString` parameters are
/// decrypted.
pub struct SsmParameter {
    client: Client,
    parameter: String,
    name: String,
}

impl SsmParameter {
    /// The parameter called `parameter`; it is first read by [`Source::fetch`].
    pub fn new(parameter: &str, env: &Env) -> Result<Self, BadVariable> {
        let client = Client::new(&connection::config(env, "AWS_ENDPOINT_URL_SSM")?);
        Ok(Self { client, parameter: parameter.to_owned(), name: format!("ssm:{parameter}") })
    }
}

impl Source for SsmParameter {
    fn fetch<'a>(&'a self, serving: Option<&'a Version>) -> Fetching<'a> {
        Box::pin(async move {
            let answer = self
                .client
                .get_parameter()
                .name(&self.parameter)
                .with_decryption(true)
                .send()
                .await
                .map_err(|error| SourceError::unavailable(AwsError::new("GetParameter", &error)))?;
            let (version, value) = answer
                .parameter()
                .and_then(|parameter| Some((parameter.version(), parameter.value()?)))
                .ok_or_else(|| SourceError::unavailable("GetParameter: the answer holds no value"))?;
            let version = Version::new(version);
            if serving == Some(&version) {
                return Ok(Fetched::Unchanged);
            }
            Ok(Fetched::Changed { version, rules: Rules::from_json(value.as_bytes())? })
        })
    }

    fn name(&self) -> &str {
        &self.name
    }
}
