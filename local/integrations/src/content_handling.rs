//! Bodies between text and binary.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::definition::ContentHandling;
use crate::{BinaryMediaTypes, Failure};

/// The table "API request content type conversions": what the integration gets of a request's body.
///
/// # Errors
/// A text that is to be binary must be base64.
pub(crate) fn request_body(
    body: &Bytes,
    content_type: &str,
    binary: &BinaryMediaTypes,
    handling: Option<ContentHandling>,
) -> Result<Bytes, Failure> {
    match (binary.holds(content_type), handling) {
        (true, Some(ContentHandling::ConvertToText)) => Ok(STANDARD.encode(body).into()),
        (true, _) => Ok(body.clone()),
        (false, Some(ContentHandling::ConvertToBinary)) => decode(body),
        (false, _) => Ok(text(body)),
    }
}

/// The table "API response content type conversions": what the client gets of an endpoint's body. Of the request's
/// `Accept`, only the first media type counts.
///
/// # Errors
/// A text that is to be binary must be base64.
pub(crate) fn response_body(
    body: &Bytes,
    content_type: &str,
    accept: &str,
    binary: &BinaryMediaTypes,
    handling: Option<ContentHandling>,
) -> Result<Bytes, Failure> {
    let wants_binary = || binary.holds(accept.split(',').next().unwrap_or_default());
    match (binary.holds(content_type), handling) {
        (true, Some(ContentHandling::ConvertToBinary)) => Ok(body.clone()),
        (true, Some(ContentHandling::ConvertToText)) => Ok(STANDARD.encode(body).into()),
        (true, None) if wants_binary() => Ok(body.clone()),
        (true, None) => Ok(STANDARD.encode(body).into()),
        (false, Some(ContentHandling::ConvertToBinary)) => decode(body),
        (false, Some(ContentHandling::ConvertToText)) => Ok(text(body)),
        (false, None) if wants_binary() => decode(body),
        (false, None) => Ok(text(body)),
    }
}

/// A "UTF8-encoded string": what is no UTF-8 is lost. So a binary body of a type that is not in the list arrives broken,
/// in AWS as well.
fn text(body: &Bytes) -> Bytes {
    match std::str::from_utf8(body) {
        Ok(_) => body.clone(),
        Err(_) => String::from_utf8_lossy(body).into_owned().into(),
    }
}

/// A function answers with JSON, so the base64 of one comes in quotation marks.
fn decode(body: &Bytes) -> Result<Bytes, Failure> {
    let text = body.trim_ascii();
    let unquoted = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let decoded = STANDARD.decode(unquoted.unwrap_or(text));
    decoded
        .map(Bytes::from)
        .map_err(|cause| Failure::ApiConfiguration(format!("Unable to base64 decode the body: {cause}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContentHandling::{ConvertToBinary, ConvertToText};

    /// What a body of the table's "text data" or "binary data" becomes.
    const TEXT: &[u8] = b"aGk=";
    const DECODED: &[u8] = b"hi";
    const BINARY: &[u8] = &[0xff, 0x68, 0x69];
    const ENCODED: &[u8] = b"/2hp";
    /// Binary data that was taken for text.
    const REPLACED: &[u8] = "\u{fffd}hi".as_bytes();

    fn png() -> BinaryMediaTypes {
        BinaryMediaTypes::new(["image/png"])
    }

    fn none() -> BinaryMediaTypes {
        BinaryMediaTypes::default()
    }

    /// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    #[test]
    fn requests() {
        for (body, content_type, types, handling, expected) in [
            (TEXT, "any/type", none(), None, TEXT),
            (BINARY, "image/png", none(), None, REPLACED),
            (TEXT, "any/type", none(), Some(ConvertToBinary), DECODED),
            (TEXT, "any/type", none(), Some(ConvertToText), TEXT),
            (TEXT, "text/plain", png(), None, TEXT),
            (TEXT, "text/plain", png(), Some(ConvertToBinary), DECODED),
            (TEXT, "text/plain", png(), Some(ConvertToText), TEXT),
            (BINARY, "image/png", png(), None, BINARY),
            (BINARY, "image/png", png(), Some(ConvertToBinary), BINARY),
            (BINARY, "image/png", png(), Some(ConvertToText), ENCODED),
        ] {
            let converted = request_body(&Bytes::from_static(body), content_type, &types, handling);
            assert_eq!(converted, Ok(Bytes::from_static(expected)), "{content_type} {types:?} {handling:?}");
        }
    }

    /// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
    #[test]
    fn responses() {
        for (body, content_type, accept, types, handling, expected) in [
            (TEXT, "text/plain", "text/plain", none(), None, TEXT),
            (BINARY, "image/png", "text/plain", none(), None, REPLACED),
            (TEXT, "text/plain", "text/plain", none(), Some(ConvertToBinary), DECODED),
            (TEXT, "text/plain", "text/plain", none(), Some(ConvertToText), TEXT),
            (TEXT, "text/plain", "text/plain", png(), None, TEXT),
            (TEXT, "text/plain", "text/plain", png(), Some(ConvertToBinary), DECODED),
            (TEXT, "text/plain", "text/plain", png(), Some(ConvertToText), TEXT),
            (TEXT, "text/plain", "image/png", png(), None, DECODED),
            (TEXT, "text/plain", "image/png", png(), Some(ConvertToBinary), DECODED),
            (TEXT, "text/plain", "image/png", png(), Some(ConvertToText), TEXT),
            (BINARY, "image/png", "text/plain", png(), None, ENCODED),
            (BINARY, "image/png", "text/plain", png(), Some(ConvertToBinary), BINARY),
            (BINARY, "image/png", "text/plain", png(), Some(ConvertToText), ENCODED),
            (BINARY, "image/png", "image/png", png(), None, BINARY),
            (BINARY, "image/png", "image/png", png(), Some(ConvertToBinary), BINARY),
            (BINARY, "image/png", "image/png", png(), Some(ConvertToText), ENCODED),
            // Only the first media type of Accept counts.
            (BINARY, "image/png", "text/html, image/png", png(), None, ENCODED),
            (BINARY, "image/png", "image/png, text/html", png(), None, BINARY),
        ] {
            let converted = response_body(&Bytes::from_static(body), content_type, accept, &types, handling);
            let case = format!("{content_type} {accept} {types:?} {handling:?}");
            assert_eq!(converted, Ok(Bytes::from_static(expected)), "{case}");
        }
    }

    #[test]
    fn the_base64_of_a_function_is_a_json_string() {
        let body = Bytes::from_static(b" \"aGk=\"\n");
        let converted = response_body(&body, "application/json", "*/*", &none(), Some(ConvertToBinary));
        assert_eq!(converted, Ok(Bytes::from_static(DECODED)));
    }

    #[test]
    fn what_is_no_base64_cannot_become_binary() {
        let converted = request_body(&Bytes::from_static(b"{}"), "a/b", &none(), Some(ConvertToBinary));
        assert_eq!(converted.map_err(|failure| failure.response_type()), Err("API_CONFIGURATION_ERROR"));
    }
}
