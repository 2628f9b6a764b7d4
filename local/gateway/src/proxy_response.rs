//! The answer of a function to an `AWS_PROXY` integration, checked as strictly as API Gateway does.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format>

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use local_integrations::BinaryMediaTypes;
use serde_json::{Map, Value};

use crate::headers;

const DEFAULT_CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/json");

/// What API Gateway wants, in the words of its execution log.
const FORMAT: &str = "Lambda body or status code or headers are not as the proxy response format wants them";

/// Makes the response of a function's payload. `accept`: the request's header, whose first media type decides whether the
/// client gets bytes.
///
/// # Errors
/// Says what is malformed.
pub(crate) fn read(payload: &[u8], binary: &BinaryMediaTypes, accept: Option<&str>) -> Result<Response<Bytes>, String> {
    let value: Value = serde_json::from_slice(payload).map_err(|error| format!("the answer is no JSON: {error}"))?;
    let Value::Object(mut members) = value else { return Err(format!("{FORMAT}: the answer is no object")) };
    const MEMBERS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];
    if let Some(other) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("{FORMAT}: '{other}' is none of {}", MEMBERS.join(", ")));
    }
    let is_base64 = match members.get("isBase64Encoded") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(other) => return Err(format!("{FORMAT}: isBase64Encoded is {other}, neither true nor false")),
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status(&members)?;
    *response.headers_mut() = read_headers(&members)?;
    if !response.headers().contains_key(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, DEFAULT_CONTENT_TYPE);
    }
    let body = match members.remove("body") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(body)) => body,
        Some(other) => return Err(format!("{FORMAT}: the body is {}, no string", kind(&other))),
    };
    let first_accepted = accept.unwrap_or_default().split(',').next().unwrap_or_default();
    *response.body_mut() = if is_base64 && binary.holds(first_accepted) {
        BASE64_STANDARD.decode(&body).map_err(|error| format!("the body is no base64: {error}"))?.into()
    } else {
        body.into()
    };
    Ok(response)
}

fn status(members: &Map<String, Value>) -> Result<StatusCode, String> {
    let code = match members.get("statusCode") {
        None | Some(Value::Null) => Some(200),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    let status = code.and_then(|code| u16::try_from(code).ok()).and_then(|code| StatusCode::from_u16(code).ok());
    // The informational ones are HTTP's own business, not an answer.
    status.filter(|status| (200..600).contains(&status.as_u16())).ok_or_else(|| {
        format!("{FORMAT}: statusCode is {}, no status such as 200", members.get("statusCode").unwrap_or(&Value::Null))
    })
}

/// Both `headers` and `multiValueHeaders`: a name that is in both has the values of both, none of them twice.
fn read_headers(members: &Map<String, Value>) -> Result<HeaderMap, String> {
    let mut found = HeaderMap::new();
    for (name, values) in object(members, "multiValueHeaders")? {
        let Value::Array(values) = values else {
            return Err(format!("{FORMAT}: multiValueHeaders.{name} is {}, no list", kind(values)));
        };
        for value in values {
            add(&mut found, name, value)?;
        }
    }
    for (name, value) in object(members, "headers")? {
        add(&mut found, name, value)?;
    }
    Ok(found)
}

fn object<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, String> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Object(object)) => Ok(Some(object).into_iter().flatten()),
        Some(other) => Err(format!("{FORMAT}: {name} is {}, no object", kind(other))),
    }
}

fn add(headers: &mut HeaderMap, name: &str, value: &Value) -> Result<(), String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null => return Ok(()),
        other => return Err(format!("{FORMAT}: the header '{name}' is {}, no string", kind(other))),
    };
    let Some(mapped) = headers::of_response(name) else { return Ok(()) };
    let header =
        HeaderName::from_bytes(mapped.as_bytes()).map_err(|_| format!("{FORMAT}: '{name}' is no header's name"))?;
    let text =
        HeaderValue::from_str(&text).map_err(|_| format!("{FORMAT}: the header '{name}' holds a control character"))?;
    if !headers.get_all(&header).iter().any(|known| known == text) {
        headers.append(header, text);
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn response(answer: &Value) -> Response<Bytes> {
        read(answer.to_string().as_bytes(), &BinaryMediaTypes::default(), None).unwrap()
    }

    #[test]
    fn no_member_is_required() {
        for (answer, status, body) in [
            (json!({}), 200, ""),
            (json!({ "statusCode": 201 }), 201, ""),
            (json!({ "statusCode": "404", "body": "no" }), 404, "no"),
            (json!({ "statusCode": 200, "body": null, "headers": null, "multiValueHeaders": null }), 200, ""),
        ] {
            let response = response(&answer);
            assert_eq!((response.status().as_u16(), &response.body()[..]), (status, body.as_bytes()), "{answer}");
            assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        }
    }

    #[test]
    fn headers_of_both_kinds_are_merged() {
        let response = response(&json!({
            "headers": { "X-A": "1", "X-B": "own", "X-Flag": true, "Content-Type": "text/plain" },
            "multiValueHeaders": { "X-A": ["1", "2"], "Set-Cookie": ["a=1", "b=2"] },
        }));
        let all = |name: &str| -> Vec<_> {
            response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
        };
        assert_eq!(all("x-a"), ["1", "2"]);
        assert_eq!(all("x-b"), ["own"]);
        assert_eq!(all("x-flag"), ["true"]);
        assert_eq!(all("set-cookie"), ["a=1", "b=2"]);
        assert_eq!(all("content-type"), ["text/plain"]);
    }

    #[test]
    fn what_is_malformed_is_said() {
        for (answer, expected) in [
            (json!("text"), "the answer is no object"),
            (json!(null), "the answer is no object"),
            (json!({ "status": 200 }), "'status' is none of"),
            (json!({ "errorMessage": "x" }), "'errorMessage' is none of"),
            (json!({ "statusCode": "ok" }), "statusCode is \"ok\""),
            (json!({ "statusCode": 99 }), "statusCode is 99"),
            (json!({ "statusCode": 101 }), "statusCode is 101"),
            (json!({ "body": { "a": 1 } }), "the body is an object"),
            (json!({ "body": 7 }), "the body is a number"),
            (json!({ "headers": "x" }), "headers is a string"),
            (json!({ "headers": { "a": [1] } }), "the header 'a' is a list"),
            (json!({ "headers": { "a b": "1" } }), "'a b' is no header's name"),
            (json!({ "headers": { "a": "1\n2" } }), "holds a control character"),
            (json!({ "multiValueHeaders": { "a": "1" } }), "multiValueHeaders.a is a string"),
            (json!({ "isBase64Encoded": "true" }), "isBase64Encoded is \"true\""),
        ] {
            let error = read(answer.to_string().as_bytes(), &BinaryMediaTypes::default(), None).unwrap_err();
            assert!(error.contains(expected), "{answer}: {error}");
        }
        let error = read(b"{", &BinaryMediaTypes::default(), None).unwrap_err();
        assert!(error.starts_with("the answer is no JSON"), "{error}");
    }

    #[test]
    fn bytes_go_to_those_who_accept_them_first() {
        let answer = json!({ "body": "AAEC", "isBase64Encoded": true }).to_string();
        let png = || BinaryMediaTypes::new(["image/png"]);
        for (types, accept, expected) in [
            (png(), Some("image/png"), &[0, 1, 2][..]),
            (png(), Some("image/png, text/html"), &[0, 1, 2]),
            (png(), Some("text/html, image/png"), b"AAEC"),
            (png(), None, b"AAEC"),
            (BinaryMediaTypes::default(), Some("image/png"), b"AAEC"),
            (BinaryMediaTypes::new(["*/*"]), None, &[0, 1, 2]),
            (BinaryMediaTypes::new(["*/*"]), Some("text/html"), &[0, 1, 2]),
        ] {
            let response = read(answer.as_bytes(), &types, accept).unwrap();
            assert_eq!(&response.body()[..], expected, "{types:?} {accept:?}");
        }
        let answer = json!({ "body": "no base64!", "isBase64Encoded": true }).to_string();
        assert!(read(answer.as_bytes(), &png(), Some("image/png")).unwrap_err().contains("no base64"));
    }
}
