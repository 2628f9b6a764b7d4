//! `x-amazon-apigateway-gateway-responses`, read.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-gateway-responses.html>

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::warning::Warnings;
use crate::gateway_response::ResponseType;

/// What the API's author wants to be sent in place of the default responses.
#[derive(Debug, Default)]
pub(crate) struct GatewayResponses(HashMap<ResponseType, GatewayResponse>);

/// One customised gateway response.
#[derive(Debug, Clone, Default)]
pub(crate) struct GatewayResponse {
    pub status: Option<u16>,
    /// Header name → where its value comes from: `'literal'`, `method.request.header.Origin`, `context.requestId`.
    pub headers: Vec<(String, String)>,
    /// Media type → template.
    pub templates: BTreeMap<String, String>,
}

impl GatewayResponses {
    pub fn parse(source: &Value, warnings: &mut Warnings) -> Self {
        let mut responses = HashMap::new();
        for (name, response) in source.as_object().into_iter().flatten() {
            let place = format!("x-amazon-apigateway-gateway-responses.{name}");
            match ResponseType::named(name) {
                Some(kind) => {
                    responses.insert(kind, parse(response, &place, warnings));
                }
                None => warnings.say(&place, "is no gateway response type of AWS's: it is never sent"),
            }
        }
        Self(responses)
    }

    /// What is to be sent for a type: its own response or else that of its class, `DEFAULT_4XX` or `DEFAULT_5XX`.
    pub fn find(&self, kind: ResponseType, status: u16) -> Option<&GatewayResponse> {
        let class = if status < 500 { ResponseType::Default4xx } else { ResponseType::Default5xx };
        self.0.get(&kind).or_else(|| self.0.get(&class))
    }
}

fn parse(source: &Value, place: &str, warnings: &mut Warnings) -> GatewayResponse {
    let mut response = GatewayResponse::default();
    for (member, value) in source.as_object().into_iter().flatten() {
        match member.as_str() {
            "statusCode" => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                response.status = text.parse().ok().filter(|status| (100..600).contains(status));
                if response.status.is_none() {
                    warnings.say(place, format_args!("statusCode {value} is no status: the type's own is sent"));
                }
            }
            "responseTemplates" => response.templates = texts(value, place, warnings),
            "responseParameters" => {
                for (target, value) in texts(value, place, warnings) {
                    match target.strip_prefix("gatewayresponse.header.") {
                        Some(name) => response.headers.push((name.to_owned(), value)),
                        None => warnings.say(
                            place,
                            format_args!("responseParameters.{target} has no effect: give gatewayresponse.header.NAME"),
                        ),
                    }
                }
            }
            _ => warnings.say(place, format_args!("{member} is not known and has no effect")),
        }
    }
    response
}

fn texts(source: &Value, place: &str, warnings: &mut Warnings) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for (name, value) in source.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(text) => {
                texts.insert(name.clone(), text.to_owned());
            }
            None => warnings.say(place, format_args!("{name} is {value}, not a string: it has no effect")),
        }
    }
    texts
}
