//! What is done with a body, by its content type.

use replace::{Engine, Stream};

use crate::json_strings;

/// What kind of body it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Words are replaced throughout.
    Text,
    /// Words are replaced in string values; names and all else stay byte for byte.
    Json,
    /// Nothing is replaced.
    Other,
}

/// The body says that it is JSON, and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the content type says JSON, but the body is not: {0}")]
pub struct NotJson(String);

impl Content {
    /// By a content type: `text/*`, `application/json` and `*+json` in UTF-8. Other charsets are passed as they are, because
    /// words in them would be overlooked or, worse, found where there are none.
    #[must_use]
    pub fn of(content_type: &str) -> Self {
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let charset = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        if !matches!(charset.as_deref(), None | Some("utf-8" | "utf8" | "us-ascii")) {
            return Self::Other;
        }
        match essence.split_once('/') {
            Some(("application", "json")) => Self::Json,
            Some((_, subtype)) if subtype.ends_with("+json") => Self::Json,
            Some(("text", "json")) => Self::Json,
            Some(("text", _)) => Self::Text,
            _ => Self::Other,
        }
    }

    /// A body of this kind that comes in pieces.
    pub(crate) fn rewrite(self, engine: &Engine) -> Rewrite<'_> {
        match self {
            Self::Text => Rewrite::Text(Stream::new(engine), Vec::new()),
            Self::Json => Rewrite::Json(engine, Vec::new()),
            Self::Other => Rewrite::Other(Vec::new()),
        }
    }
}

/// A body on its way through. Text is replaced piece by piece; JSON is looked at when it is whole.
pub(crate) enum Rewrite<'e> {
    Text(Stream<&'e Engine>, Vec<u8>),
    Json(&'e Engine, Vec<u8>),
    Other(Vec<u8>),
}

impl Rewrite<'_> {
    pub(crate) fn push(&mut self, piece: &[u8]) {
        match self {
            Self::Text(stream, out) => {
                stream.push(piece, out);
            }
            Self::Json(_, whole) | Self::Other(whole) => whole.extend_from_slice(piece),
        }
    }

    /// The result.
    pub(crate) fn finish(self) -> Result<Vec<u8>, NotJson> {
        match self {
            Self::Text(stream, mut out) => {
                stream.finish(&mut out);
                Ok(out)
            }
            Self::Json(engine, whole) => {
                let mut out = Vec::with_capacity(whole.len() + whole.len() / 16);
                json_strings::replace_into(engine, &whole, &mut out).map_err(|error| NotJson(error.to_string()))?;
                Ok(out)
            }
            Self::Other(whole) => Ok(whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn the_content_type_decides() {
        let table = [
            ("text/plain", Content::Text),
            ("Text/HTML; charset=UTF-8", Content::Text),
            ("text/csv;header=present; charset=\"utf-8\"", Content::Text),
            ("text/plain; charset=iso-8859-1", Content::Other),
            ("application/json", Content::Json),
            ("application/problem+json; charset=utf-8", Content::Json),
            ("application/json; charset=utf-16", Content::Other),
            ("application/octet-stream", Content::Other),
            ("image/png", Content::Other),
            ("json", Content::Other),
            ("", Content::Other),
        ];
        for (content_type, content) in table {
            assert_eq!(Content::of(content_type), content, "{content_type:?}");
        }
    }
}
