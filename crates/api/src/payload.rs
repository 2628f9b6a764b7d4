//! `{"content": "<text>"}`, read without decoding the text.

use std::borrow::Cow;
use std::fmt;

use replace::JsonText;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Error;

/// The JSON text between the quotes of `content` in `body`.
///
/// As in JavaScript and Python the last of several members of that name counts, and everything else is ignored, as long
/// as all of `body` is JSON.
pub(crate) fn content(body: &[u8]) -> Result<JsonText<'_>, Error> {
    if let Some(text) = only_member(body) {
        return Ok(text);
    }
    // Once for all of it: serde_json does not look into strings that are ignored.
    let json = str::from_utf8(body).map_err(|_| Error::Undecodable)?;
    any_document(json)
}

/// The text in a document of the usual form: an object with this one member, whose text has no `\u` escapes. `None` for
/// everything else, right or wrong.
///
/// It is looked at once; serde_json and a check for UTF-8 before it take many times as long.
fn only_member(json: &[u8]) -> Option<JsonText<'_>> {
    let member = after(after(json, b"{")?, b"\"content\"")?;
    let (text, rest) = JsonText::read(after(after(member, b":")?, b"\"")?)?;
    let is_whole = after(rest, b"}")?.iter().all(|byte| WHITESPACE.contains(byte));
    let is_utf_8 = text.is_ascii() || str::from_utf8(text.as_bytes()).is_ok();
    (is_whole && is_utf_8 && !text.has_unicode_escapes()).then_some(text)
}

const WHITESPACE: &[u8] = b" \t\n\r";

/// What comes after `token`, which may have white space before it.
fn after<'a>(json: &'a [u8], token: &[u8]) -> Option<&'a [u8]> {
    let start = json.iter().position(|byte| !WHITESPACE.contains(byte))?;
    json[start..].strip_prefix(token)
}

/// The text in a document of any form.
fn any_document(json: &str) -> Result<JsonText<'_>, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let content = match (&mut deserializer).deserialize_map(Content).and_then(|c| deserializer.end().map(|()| c)) {
        Ok(content) => content.ok_or(Error::Malformed)?,
        // A document that is no object is reported as soon as that shows, with the rest of it unseen.
        Err(error) if error.is_data() && serde_json::from_str::<IgnoredAny>(json).is_ok() => {
            return Err(Error::Malformed);
        }
        Err(_) => return Err(Error::Undecodable),
    };
    let string = content.get().strip_prefix('"').ok_or(Error::Malformed)?;
    let (text, _) = JsonText::read(string.as_bytes()).ok_or(Error::Undecodable)?;
    if may_hold_surrogates(text) && serde_json::from_str::<Cow<'_, str>>(content.get()).is_err() {
        return Err(Error::Undecodable);
    }
    Ok(text)
}

/// Whether `text` may hold an escaped surrogate (`\uD800` to `\uDFFF`). A raw value was checked for the form of its
/// escapes only; one surrogate alone is no text, and could not be sent back as UTF-8.
fn may_hold_surrogates(text: JsonText<'_>) -> bool {
    if !text.has_unicode_escapes() {
        return false;
    }
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if let [b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] = rest[at + 1..] {
            return true;
        }
        // An escape has at least two bytes: the second may be a backslash itself.
        rest = &rest[at + 2..];
    }
    false
}

/// A visitor of our own, because a derived one would read an array as an object's values too.
struct Content;

impl<'de> Visitor<'de> for Content {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut content = None;
        while let Some(is_content) = members.next_key_seed(IsContent)? {
            if is_content {
                content = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(content)
    }
}

/// Whether a member's name is `content`, however it is escaped.
struct IsContent;

impl<'de> DeserializeSeed<'de> for IsContent {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<bool, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for IsContent {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == "content")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both ways make of `body`, which has to be the same.
    #[track_caller]
    fn content(body: &[u8]) -> Result<&str, Error> {
        let content = super::content(body);
        let json = str::from_utf8(body).map_err(|_| Error::Undecodable);
        assert_eq!(content, json.and_then(any_document), "{body:?}");
        content.map(|text| str::from_utf8(text.as_bytes()).unwrap())
    }

    #[test]
    fn the_usual_form_is_read_without_serde_json() {
        for body in [r#"{"content":"x"}"#, " { \"content\" :\t\"a\\n\\\\\\\"b é\" }\r\n", r#"{"content":""}"#] {
            assert!(only_member(body.as_bytes()).is_some(), "{body}");
            content(body.as_bytes()).unwrap();
        }
    }

    #[test]
    fn the_text_comes_as_it_was_written() {
        for (body, text) in [
            (r#"{"content":"ING"}"#, "ING"),
            (" \n{ \"a\": [1, {\"content\": 1}], \"content\" : \"x\" , \"b\":null}\t", "x"),
            (r#"{"content":""}"#, ""),
            (r#"{"content":"a\n\"b\" é \\ud800"}"#, r#"a\n\"b\" é \\ud800"#),
            (r#"{"content":"\ud83d\ude00"}"#, r#"\ud83d\ude00"#),
            (r#"{"\u0063ontent":"escaped name"}"#, "escaped name"),
            (r#"{"content":1,"content":"last"}"#, "last"),
            (
                r#"{"other":"\ud800","content":"a lone surrogate that is not looked at"}"#,
                "a lone surrogate that is not looked at",
            ),
        ] {
            assert_eq!(content(body.as_bytes()), Ok(text), "{body}");
        }
    }

    #[test]
    fn json_of_another_shape_is_malformed() {
        for body in [
            "null",
            "1",
            "true",
            r#""content""#,
            "[]",
            r#"["x"]"#,
            r#"[{"content":"x"}]"#,
            "{}",
            r#"{"Content":"x"}"#,
            r#"{"content":null}"#,
            r#"{"content":1}"#,
            r#"{"content":["x"]}"#,
            r#"{"content":{"content":"x"}}"#,
            r#"{"content":"x","content":2}"#,
        ] {
            assert_eq!(content(body.as_bytes()), Err(Error::Malformed), "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_undecodable() {
        for body in [
            "",
            " ",
            "{",
            "}",
            "content=x",
            r#"{"content":"x"} x"#,
            r#"{"content":"x"}{"content":"x"}"#,
            r#"{"content":"x",}"#,
            r#"{"content":"x"#,
            "{\"content\":\"a\nb\"}",
            r#"{"content":"\x"}"#,
            r#"{"content":"\u12"}"#,
            "{'content':'x'}",
            r#"{"content":"\ud800"}"#,
            r#"{"content":"\uDFFF x"}"#,
            r#"{"content":"\ud83d\ud83d"}"#,
            "[1,",
            r#"[1] x"#,
            "1 2",
            "nul",
            r#"{"content":1"#,
            r#"{"content":1} x"#,
            "\u{feff}{}",
            "NaN",
        ] {
            assert_eq!(content(body.as_bytes()), Err(Error::Undecodable), "{body}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_undecodable_wherever_they_are() {
        for body in [&b"{\"content\":\"\xff\"}"[..], b"{\"content\":\"x\",\"other\":\"\xc3\"}", b"\xff"] {
            assert_eq!(content(body), Err(Error::Undecodable), "{body:?}");
        }
    }
}
