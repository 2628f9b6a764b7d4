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

/// A media type without parameters, in lower case.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
