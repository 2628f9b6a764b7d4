//! A deployment's definition: OpenAPI 3 with `x-amazon-apigateway-*` extensions, read once into what serves requests.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html>

mod authorizer;
mod function_uri;
mod gateway_responses;
mod method;
mod model;
mod warning;

use std::collections::HashMap;
use std::sync::Arc;

use local_integrations::BinaryMediaTypes;
use serde_json::Value;

pub(crate) use authorizer::{Authorizer, AuthorizerKind, IdentitySource};
pub(crate) use function_uri::{FunctionUri, of_integrations};
pub(crate) use gateway_responses::GatewayResponses;
pub(crate) use method::{Authorization, FunctionIntegration, Method, MethodIntegration, ParameterPlace};
pub(crate) use model::Model;
pub use warning::Warning;
pub(crate) use warning::Warnings;

use crate::identifiers::stable_id;
use crate::policy::Policy;
use crate::routing::Router;

const EXTENSION: &str = "x-amazon-apigateway-";
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
const VERBS: [&str; 7] = ["get", "put", "post", "delete", "options", "head", "patch"];

/// What one deployment defines. It never changes.
#[derive(Debug)]
pub struct Api {
    pub(crate) router: Router,
    pub(crate) gateway_responses: GatewayResponses,
    pub(crate) binary_media_types: BinaryMediaTypes,
    pub(crate) api_key_source: ApiKeySource,
    /// The resource policy.
    pub(crate) policy: Option<Policy>,
    /// Only custom domain names lead to the API.
    pub(crate) execute_api_endpoint_disabled: bool,
    warnings: Vec<Warning>,
}

/// Where a request has its API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApiKeySource {
    /// In the header `x-api-key`.
    Header,
    /// In `usageIdentifierKey` of the authorizer's answer.
    Authorizer,
}

/// A path, and its methods.
#[derive(Debug)]
pub(crate) struct Resource {
    /// With variables: `/pets/{id}`.
    pub path: String,
    /// AWS numbers resources and a definition does not: this one is made from the path.
    pub id: String,
    methods: HashMap<String, Arc<Method>>,
}

impl Resource {
    /// The method for a verb: its own, or else `ANY`.
    pub fn method(&self, verb: &str) -> Option<&Arc<Method>> {
        self.methods.get(verb).or_else(|| self.methods.get("ANY"))
    }
}

/// What the methods of a definition refer to.
pub(crate) struct Parts<'a> {
    pub schemas: &'a Value,
    pub security_schemes: &'a Value,
    pub security: &'a Value,
    pub authorizers: HashMap<String, Result<Arc<Authorizer>, String>>,
    pub validators: HashMap<String, Validator>,
    pub default_validator: Option<String>,
    pub models: HashMap<String, Option<Arc<Model>>>,
    pub warnings: Warnings,
}

/// `x-amazon-apigateway-request-validators`, one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Validator {
    pub body: bool,
    pub parameters: bool,
}

impl Api {
    /// Reads a definition. What is not understood is a warning, and a method that cannot be carried out answers as AWS
    /// does for a configuration error: the rest of the API is served.
    pub fn parse(document: &Value) -> Self {
        let components = &document["components"];
        let mut parts = Parts {
            schemas: &components["schemas"],
            security_schemes: &components["securitySchemes"],
            security: &document["security"],
            authorizers: HashMap::new(),
            validators: HashMap::new(),
            default_validator: document["x-amazon-apigateway-request-validator"].as_str().map(str::to_owned),
            models: HashMap::new(),
            warnings: Warnings::default(),
        };
        parts.read_authorizers();
        parts.read_validators(&document["x-amazon-apigateway-request-validators"]);
        let gateway_responses =
            GatewayResponses::parse(&document["x-amazon-apigateway-gateway-responses"], &mut parts.warnings);
        let binary_media_types = document["x-amazon-apigateway-binary-media-types"].as_array();
        let binary_media_types = binary_media_types.into_iter().flatten().filter_map(Value::as_str);
        let mut api = Self {
            router: Router::default(),
            gateway_responses,
            binary_media_types: BinaryMediaTypes::new(binary_media_types),
            api_key_source: api_key_source(document, &mut parts.warnings),
            policy: policy(document, &mut parts.warnings),
            execute_api_endpoint_disabled: document["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]
                == Value::Bool(true),
            warnings: Vec::new(),
        };
        warn_of_extensions(document, &mut parts.warnings);
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let resource = parts.resource(path, item);
            if let Err(problem) = api.router.add(Arc::new(resource)) {
                parts.warnings.say(format_args!("paths.{path}"), format_args!("{problem}; the path is not served"));
            }
        }
        api.warnings = parts.warnings.0;
        api
    }

    /// What the definition says and this gateway does not do.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl Parts<'_> {
    fn read_authorizers(&mut self) {
        for (name, scheme) in self.security_schemes.as_object().into_iter().flatten() {
            if scheme.get("x-amazon-apigateway-authorizer").is_none() {
                continue;
            }
            let place = format!("components.securitySchemes.{name}");
            let authorizer = Authorizer::parse(name, scheme, &place, &mut self.warnings);
            if let Err(problem) = &authorizer {
                self.warnings.say(&place, format_args!("{problem}; its methods answer AUTHORIZER_CONFIGURATION_ERROR"));
            }
            self.authorizers.insert(name.clone(), authorizer.map(Arc::new));
        }
    }

    fn read_validators(&mut self, source: &Value) {
        for (name, validator) in source.as_object().into_iter().flatten() {
            let set = |member: &str| validator[member] == Value::Bool(true);
            let validator =
                Validator { body: set("validateRequestBody"), parameters: set("validateRequestParameters") };
            self.validators.insert(name.clone(), validator);
        }
    }

    fn resource(&mut self, path: &str, item: &Value) -> Resource {
        let shared: Vec<&Value> = item["parameters"].as_array().into_iter().flatten().collect();
        let mut methods = HashMap::new();
        for (member, operation) in item.as_object().into_iter().flatten() {
            let verb = match member.as_str() {
                ANY_METHOD => "ANY".to_owned(),
                verb if VERBS.contains(&verb) => verb.to_ascii_uppercase(),
                "parameters" | "summary" | "description" | "servers" => continue,
                _ => {
                    self.warnings
                        .say(format_args!("paths.{path}"), format_args!("{member} is no method and is not served"));
                    continue;
                }
            };
            let method = Method::parse(path, &verb, operation, &shared, self);
            methods.insert(verb, Arc::new(method));
        }
        Resource { path: path.to_owned(), id: stable_id(path), methods }
    }

    /// The model that a media type's `schema` names or is; `None` for one that does not compile.
    pub fn model(&mut self, schema: &Value, place: &str) -> Option<Arc<Model>> {
        let key = schema.to_string();
        if let Some(known) = self.models.get(&key) {
            return known.clone();
        }
        let model = Model::compile(schema, self.schemas)
            .map_err(|problem| {
                self.warnings.say(place, format_args!("the model does not compile, bodies are not checked: {problem}"))
            })
            .ok()
            .map(Arc::new);
        self.models.insert(key, model.clone());
        model
    }
}

fn api_key_source(document: &Value, warnings: &mut Warnings) -> ApiKeySource {
    let place = "x-amazon-apigateway-api-key-source";
    match document[place].as_str() {
        None | Some("HEADER") => ApiKeySource::Header,
        Some("AUTHORIZER") => ApiKeySource::Authorizer,
        Some(other) => {
            warnings.say(place, format_args!("'{other}' is neither HEADER nor AUTHORIZER: HEADER it is"));
            ApiKeySource::Header
        }
    }
}

fn policy(document: &Value, warnings: &mut Warnings) -> Option<Policy> {
    let place = "x-amazon-apigateway-policy";
    let policy = Policy::parse(document.get(place)?);
    policy.map_err(|problem| warnings.say(place, format_args!("{problem}: it has no effect"))).ok()
}

/// Says which of the document's own extensions have no effect.
fn warn_of_extensions(document: &Value, warnings: &mut Warnings) {
    for (member, _) in document.as_object().into_iter().flatten() {
        let Some(name) = member.strip_prefix(EXTENSION) else { continue };
        match name {
            "request-validator"
            | "request-validators"
            | "gateway-responses"
            | "binary-media-types"
            | "api-key-source"
            | "endpoint-configuration"
            | "documentation"
            | "policy" => {}
            "minimum-compression-size" => warnings.say(member, "responses are not compressed here"),
            "security-policy" | "importexport-version" => warnings.say(member, "has no effect: there is no TLS here"),
            _ => warnings.say(member, "is not known and has no effect"),
        }
    }
}
