//! One request's way: firewall, route, authorizer, key, throttles, validation, integration. The first one that refuses
//! ends it.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-to-api.html>

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use local_integrations::{Explain, Failure, MethodRequest};
use local_waf::{Action, Protected, RequestView};

use crate::address::Address;
use crate::clock::Civil;
use crate::context::Context;
use crate::definition::{ApiKeySource, Authorization, Method, MethodIntegration, Resource};
use crate::explanation::Explanation;
use crate::gateway::Inner;
use crate::gateway_response::{Refused, ResponseType};
use crate::headers;
use crate::policy::Decision;
use crate::served::Served;
use crate::{authorizer, function, resource_policy, validation};

/// How a request ends before its response is finished: refused by the gateway, or by the web ACL's own response.
pub(crate) enum Ended {
    Refused(Refused),
    Custom(Box<Response<Bytes>>),
}

impl From<Refused> for Ended {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// The way of one request.
pub(crate) struct Exchange<'a> {
    pub gateway: &'a Inner,
    pub served: &'a Served,
    pub explanation: &'a Explanation,
}

impl Exchange<'_> {
    /// `received`: how the body was received.
    pub async fn run(&self, context: &mut Context, received: Result<(), Refused>) -> Result<Response<Bytes>, Ended> {
        self.pass_firewall(context)?;
        let (resource, method) = self.route(context)?;
        received?;
        self.authorize(&method, context).await?;
        self.check_key(&resource, &method, context)?;
        self.check_throttles(&resource, &method, context)?;
        self.explain_method_request(&resource, context);
        validation::check(&method, context)?;
        Ok(self.integrate(&method, context).await?)
    }

    fn pass_firewall(&self, context: &mut Context) -> Result<(), Ended> {
        let Some(web_acl) = self.gateway.firewall.web_acl(&context.address.stage.arn) else { return Ok(()) };
        let inspected = context.body.len().min(web_acl.body_limit(Protected::ApiGatewayStage));
        let verdict = web_acl.evaluate(&RequestView {
            protected: Protected::ApiGatewayStage,
            method: context.method.as_str(),
            path: &context.address.context_path,
            query: &context.raw_query,
            headers: &context.headers,
            source_ip: context.source_ip,
            body: &context.body[..inspected],
            body_length: context.body.len() as u64,
        });
        let rule = verdict.rule.as_deref().unwrap_or("the default action");
        let outcome = match verdict.action {
            Action::Allow => "allows",
            Action::Block | Action::Respond(_) => "blocks",
        };
        self.explanation.say(format_args!("Web ACL {} {outcome} the request: {rule}", web_acl.name()));
        for counted in &verdict.counted {
            self.explanation.say(format_args!("Web ACL {} counts the request: {counted}", web_acl.name()));
        }
        context.waf_status = Some(if verdict.action == Action::Allow { 200 } else { 403 });
        match verdict.action {
            Action::Allow => {
                for (name, value) in verdict.inserted_headers {
                    let name = http::HeaderName::from_bytes(name.as_bytes());
                    if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_str(&value)) {
                        context.headers.insert(name, value);
                    }
                }
                Ok(())
            }
            Action::Block => {
                let cause = format!("The web ACL {} blocks the request: {rule}", web_acl.name());
                Err(Refused::new(ResponseType::WafFiltered, "Forbidden", cause).into())
            }
            Action::Respond(custom) => {
                let mut response = Response::new(custom.body);
                if let Ok(status) = http::StatusCode::from_u16(custom.status) {
                    *response.status_mut() = status;
                }
                for (name, value) in custom.headers {
                    let name = http::HeaderName::from_bytes(name.as_bytes());
                    if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_str(&value)) {
                        response.headers_mut().append(name, value);
                    }
                }
                Err(Ended::Custom(Box::new(response)))
            }
        }
    }

    fn route(&self, context: &mut Context) -> Result<(Arc<Resource>, Arc<Method>), Refused> {
        let Address { path, stage, .. } = &context.address;
        let route = stage.api.router.find(path, context.method.as_str()).ok_or_else(|| {
            let cause = format!("No resource at {path} has a method {}", context.method);
            Refused::new(ResponseType::MissingAuthenticationToken, "Missing Authentication Token", cause)
        })?;
        let found = (Arc::clone(&route.resource), Arc::clone(&route.method));
        context.route = Some(route);
        Ok(found)
    }

    async fn authorize(&self, method: &Method, context: &mut Context) -> Result<(), Refused> {
        let by_api = context.address.stage.api.policy.as_ref().map(|policy| resource_policy::decide(policy, context));
        if by_api == Some(Decision::Denied) {
            return Err(resource_policy::refusal(Decision::Denied, context));
        }
        match &method.authorization {
            Authorization::None => match by_api {
                Some(decision @ Decision::NotAllowed) => Err(resource_policy::refusal(decision, context)),
                _ => Ok(()),
            },
            Authorization::Lambda(lambda) => {
                let Inner { functions, authorizer_cache, .. } = self.gateway;
                let decision =
                    authorizer::authorize(lambda, context, functions.as_ref(), authorizer_cache, self.explanation)
                        .await?;
                match (decision, by_api) {
                    (Decision::Allowed, _) | (Decision::NotAllowed, Some(Decision::Allowed)) => Ok(()),
                    _ => Err(authorizer::refusal(decision, context)),
                }
            }
            // Without any signature AWS says the same; with one, nobody here could tell whether it is right.
            Authorization::Iam if context.header("authorization").is_none() => Err(Refused::new(
                ResponseType::MissingAuthenticationToken,
                "Missing Authentication Token",
                "The method wants a signed request (AWS_IAM), and this one is not",
            )),
            Authorization::Iam => {
                self.explanation.say(format_args!("AWS_IAM: the signature is not checked here"));
                Ok(())
            }
            Authorization::Unusable(problem) => {
                Err(Refused::by_authorizer(ResponseType::AuthorizerConfigurationError, problem.clone()))
            }
        }
    }

    /// The API key, and what its usage plan allows.
    fn check_key(&self, resource: &Resource, method: &Method, context: &mut Context) -> Result<(), Refused> {
        let stage = Arc::clone(&context.address.stage);
        let (api_id, stage_name) = (&stage.api_id, &stage.stage.name);
        if !method.api_key_required {
            self.explanation.say(format_args!(
                "API Key authorized because method '{} {}' does not require API Key. Request will not contribute to \
                 throttle or quota limits",
                method.verb, resource.path
            ));
            return Ok(());
        }
        let value = match stage.api.api_key_source {
            ApiKeySource::Header => context.header(headers::API_KEY.as_str()).map(|value| value.into_owned()),
            ApiKeySource::Authorizer => {
                let identity = context.authorizer.as_ref().and_then(|result| result.identity.as_ref());
                identity.and_then(|identity| identity.usage_identifier_key.clone())
            }
        };
        let forbidden = |cause: String| Refused::new(ResponseType::InvalidApiKey, "Forbidden", cause);
        let value = value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| forbidden("The method requires an API Key, and there is none".to_owned()))?;
        let (key, grant) =
            self.served.keys.find(&value, api_id, stage_name).map_err(|cause| forbidden(cause.to_owned()))?;
        self.explanation.say(format_args!(
            "Verifying Usage Plan for request: {}. API Key: {} API Stage: {api_id}/{stage_name}",
            context.request_id, key.id
        ));
        context.api_key = Some(Arc::clone(&key));

        let own = format!("{}/{}", resource.path, method.verb);
        let (scope, throttle) = match grant.method_throttles.get(&own) {
            Some(throttle) => (own.as_str(), Some(*throttle)),
            None => ("", grant.throttle),
        };
        if let Some(throttle) = throttle {
            let bucket = format!("plan {} {} {api_id}/{stage_name} {scope}", grant.plan_id, key.id);
            if !self.gateway.buckets.take(bucket, throttle, Instant::now()) {
                let cause = format!(
                    "Key throttle limit exceeded for API Key {}: {} requests per second, {} at once",
                    key.id, throttle.rate, throttle.burst
                );
                return Err(throttled(cause));
            }
        }
        if let Some(quota) = grant.quota
            && !self.gateway.usage.count(&grant.plan_id, &key.id, quota, Civil::at(context.arrived_at))
        {
            let cause =
                format!("Key quota exceeded for API Key {}: {} requests in a {:?}", key.id, quota.limit, quota.period);
            return Err(Refused::new(ResponseType::QuotaExceeded, "Limit Exceeded", cause));
        }
        self.explanation
            .say(format_args!("Usage Plan check succeeded for API Key {} and API Stage {api_id}/{stage_name}", key.id));
        Ok(())
    }

    /// What the stage allows the method, and the account all of them.
    fn check_throttles(&self, resource: &Resource, method: &Method, context: &Context) -> Result<(), Refused> {
        let stage = &context.address.stage;
        let now = Instant::now();
        if let Some((setting, throttle)) = stage.method_throttle(resource, method) {
            // A setting for all methods gives each of them a bucket of its own.
            let bucket = format!("stage {}/{} {}/{}", stage.api_id, stage.stage.name, resource.path, method.verb);
            if !self.gateway.buckets.take(bucket, throttle, now) {
                return Err(throttled(format!(
                    "Method throttle limit exceeded ({setting}): {} requests per second, {} at once",
                    throttle.rate, throttle.burst
                )));
            }
        }
        let account = self.served.account_throttle;
        if !self.gateway.buckets.take("account".to_owned(), account, now) {
            return Err(throttled(format!(
                "Account throttle limit exceeded: {} requests per second, {} at once",
                account.rate, account.burst
            )));
        }
        Ok(())
    }

    fn explain_method_request(&self, resource: &Resource, context: &Context) {
        let explanation = self.explanation;
        explanation.say(format_args!("Starting execution for request: {}", context.request_id));
        explanation.say(format_args!("HTTP Method: {}, Resource Path: {}", context.method, resource.path));
        let texts = |(name, value): (&'_ String, &'_ String)| (name.clone(), value.clone());
        let path: Vec<_> = context.route.iter().flat_map(|route| &route.parameters).map(texts).collect();
        explanation.pairs("Method request path", path.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let query = context.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        explanation.pairs("Method request query string", query);
        explanation.headers("Method request headers", &context.headers);
        explanation.body("Method request body before transformations", &context.body);
    }

    async fn integrate(&self, method: &Method, context: &mut Context) -> Result<Response<Bytes>, Refused> {
        let Inner { functions, integrations, .. } = self.gateway;
        match &method.integration {
            MethodIntegration::Function(integration) => {
                let policies = &self.served.function_policies;
                function::call(integration, method, context, functions.as_ref(), policies, self.explanation).await
            }
            MethodIntegration::Mapped(integration) => {
                let values = context.as_value();
                let stage = Arc::clone(&context.address.stage);
                let nothing = std::collections::BTreeMap::new();
                let request = MethodRequest {
                    method: &context.method,
                    path_parameters: context.route.as_ref().map_or(&nothing, |route| &route.parameters),
                    query: &context.query,
                    headers: &context.headers,
                    body: &context.body,
                    context: &values,
                    stage_variables: &stage.stage.variables,
                    binary_media_types: &stage.api.binary_media_types,
                };
                let outcome = integrations.call(integration, &request, self.explanation).await;
                context.integration.status = outcome.status;
                context.integration.latency = Some(outcome.latency);
                context.integration.request_id = outcome.request_id;
                outcome.result.map_err(|failure| {
                    context.integration.error = Some(failure.message().to_owned());
                    refused_by(&failure)
                })
            }
            MethodIntegration::Unusable(problem) => Err(Refused::new(
                ResponseType::ApiConfigurationError,
                "Internal server error",
                format!("Execution failed due to configuration error: {problem}"),
            )),
        }
    }
}

fn throttled(cause: String) -> Refused {
    Refused::new(ResponseType::Throttled, "Too Many Requests", cause)
}

/// What an integration's failure is to the client.
fn refused_by(failure: &Failure) -> Refused {
    let kind = ResponseType::named(failure.response_type()).unwrap_or(ResponseType::Default5xx);
    let refused = Refused::new(kind, "", failure.to_string());
    Refused { status: Some(failure.status()), details: Some(failure.message().to_owned()), ..refused }
}

/// The last lines of an explanation.
pub(crate) fn explain_end(explanation: &Explanation, context: &Context, response: &Response<Bytes>) {
    if let Some(refused) = &context.refused {
        explanation.say(format_args!("{}", refused.cause));
        explanation.say(format_args!(
            "Gateway response type: {} with status code: {}",
            refused.kind.name(),
            response.status().as_u16()
        ));
        explanation.body("Gateway response body", response.body());
    } else {
        explanation.body("Method response body after transformations", response.body());
    }
    explanation.headers("Method response headers", response.headers());
    if context.refused.is_none() {
        explanation.say(format_args!("Successfully completed execution"));
    }
    explanation.say(format_args!("Method completed with status: {}", response.status().as_u16()));
}
