//! What a request's headers say about its body.

use http::{HeaderMap, header};

use crate::Error;

/// Whether the body is text, as opposed to JSON, which is what anything but `text/plain` is read as; an error if it is
/// in an encoding or charset that is not supported.
pub(crate) fn is_supported_text(headers: &HeaderMap) -> Result<bool, Error> {
    for encoding in headers.get_all(header::CONTENT_ENCODING) {
        let mut encodings = encoding.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if encodings.any(|encoding| !(encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity"))) {
            return Err(Error::UnsupportedMediaType);
        }
    }
    let Some(content_type) = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes()) else { return Ok(false) };
    let (essence, parameters) = split_once(content_type, b';');
    if Parameters(parameters).any(|(name, value)| name.eq_ignore_ascii_case(b"charset") && !is_utf_8(&value)) {
        return Err(Error::UnsupportedMediaType);
    }
    Ok(essence.trim_ascii().eq_ignore_ascii_case(b"text/plain"))
}

/// UTF-8 under either of its names, or ASCII, which is a part of it.
fn is_utf_8(charset: &[u8]) -> bool {
    [&b"utf-8"[..], b"utf8", b"us-ascii"].iter().any(|supported| charset.eq_ignore_ascii_case(supported))
}

/// The parameters of a media type: `a=b; c="d;e"`. What does not look like one is skipped.
struct Parameters<'a>(&'a [u8]);

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().position(|byte| matches!(byte, b'=' | b';')).unwrap_or(self.0.len());
        let (name, rest) = (self.0[..end].trim_ascii(), &self.0[end..]);
        let Some(rest) = rest.strip_prefix(b"=") else {
            self.0 = rest.get(1..).unwrap_or_default();
            return Some((name, Vec::new()));
        };
        let Some(quoted) = rest.trim_ascii_start().strip_prefix(b"\"") else {
            let (value, rest) = split_once(rest, b';');
            self.0 = rest;
            return Some((name, value.trim_ascii().to_vec()));
        };
        let (mut value, mut bytes) = (Vec::new(), quoted.iter());
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' => value.extend(bytes.next()),
                byte => value.push(*byte),
            }
        }
        self.0 = split_once(bytes.as_slice(), b';').1;
        Some((name, value))
    }
}

/// What is before the first `separator` and what is after it.
fn split_once(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == separator) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn read(headers: &[(HeaderName, &str)]) -> Result<bool, Error> {
        is_supported_text(&headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect())
    }

    #[test]
    fn text_plain_is_text_whatever_its_parameters() {
        for value in [
            "text/plain",
            "Text/PLAIN",
            "text/plain;charset=utf-8",
            "text/plain; charset=UTF-8",
            r#"text/plain; charset="utf-8""#,
            "text/plain ; format=flowed; Charset=us-ascii",
            r#"text/plain; x="a;charset=latin1"; charset=utf-8"#,
            r#"text/plain; x="\";charset=latin1""#,
            "text/plain;",
            "text/plain; ; x",
            "text/plain; charset=utf8",
        ] {
            assert_eq!(read(&[(header::CONTENT_TYPE, value)]), Ok(true), "{value}");
        }
    }

    #[test]
    fn anything_else_is_json() {
        for value in
            ["", "application/json", "application/x-www-form-urlencoded", "text/html", "text/plain2", "nonsense"]
        {
            assert_eq!(read(&[(header::CONTENT_TYPE, value)]), Ok(false), "{value}");
        }
        assert_eq!(read(&[]), Ok(false));
    }

    #[test]
    fn another_charset_is_not_supported() {
        for value in [
            "text/plain; charset=iso-8859-1",
            "text/plain; charset=utf-16",
            "text/plain; charset=",
            "text/plain; charset",
            r#"text/plain; charset="latin1""#,
            r#"text/plain; x="y"; charset=latin1"#,
            "text/plain; charset=utf-8; charset=latin1",
            "application/json; charset=latin1",
        ] {
            assert_eq!(read(&[(header::CONTENT_TYPE, value)]), Err(Error::UnsupportedMediaType), "{value}");
        }
    }

    #[test]
    fn a_content_encoding_is_not_supported() {
        for value in ["gzip", "br", "identity, gzip", "deflate"] {
            assert_eq!(read(&[(header::CONTENT_ENCODING, value)]), Err(Error::UnsupportedMediaType), "{value}");
        }
        for value in ["identity", "", "Identity, identity"] {
            assert_eq!(read(&[(header::CONTENT_ENCODING, value)]), Ok(false), "{value}");
        }
    }
}
