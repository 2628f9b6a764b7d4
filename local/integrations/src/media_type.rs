//! Media types of bodies: which are binary, and what a `Content-Type` names.

/// An API's `x-amazon-apigateway-binary-media-types`.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BinaryMediaTypes(Vec<String>);

impl BinaryMediaTypes {
    /// From the API's list, such as `["image/png", "*/*"]`.
    pub fn new(types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(types.into_iter().map(|name| essence(&name.into())).collect())
    }

    /// Whether the list has no entry: the API has no binary support.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a body of this `Content-Type` is binary. Parameters (`; charset=...`) do not count. Wildcards are taken as a
    /// whole (`*/*`) or for the subtype (`image/*`).
    pub fn holds(&self, content_type: &str) -> bool {
        let wanted = essence(content_type);
        self.0.iter().any(|listed| match listed.strip_suffix("/*") {
            Some("*") => true,
            Some(kind) => wanted.strip_prefix(kind).is_some_and(|rest| rest.starts_with('/')),
            None => *listed == wanted,
        })
    }
}

/// The media type of a body whose message has no `Content-Type`.
pub(crate) const DEFAULT_MEDIA_TYPE: &str = "application/json";

/// A media type without parameters, in lower case.
pub(crate) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The text of a header, and nothing if it is not there or no text.
pub(crate) fn header_text<'a>(headers: &'a http::HeaderMap, name: &http::HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The `Content-Type` of a message, or the one that API Gateway assumes.
pub(crate) fn content_type(headers: &http::HeaderMap) -> &str {
    match header_text(headers, &http::header::CONTENT_TYPE) {
        "" => DEFAULT_MEDIA_TYPE,
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
    #[test]
    fn binary_types_are_listed() {
        for (listed, content_type, expected) in [
            (vec!["image/png"], "image/png", true),
            (vec!["image/png"], "IMAGE/PNG; name=x", true),
            (vec!["image/png"], "image/jpeg", false),
            (vec!["image/*"], "image/jpeg", true),
            (vec!["image/*"], "imagex/jpeg", false),
            (vec!["*/*"], "", true),
            (vec!["*/*"], "text/plain", true),
            (vec!["a/b", "c/d"], "c/d", true),
            (vec![], "image/png", false),
        ] {
            assert_eq!(
                BinaryMediaTypes::new(listed.clone()).holds(content_type),
                expected,
                "{listed:?} {content_type}"
            );
        }
    }
}
