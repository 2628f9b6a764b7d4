//! `{"content": "<text>"}`, read without decoding the text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Error;

/// The JSON text between the quotes of `content` in `body`.
///
/// As in JavaScript and Python the last of several members of that name counts, and everything else is ignored, as long
/// as all of `body` is JSON.
pub(crate) fn content(body: &[u8]) -> Result<&[u8], Error> {
    if let Some(text) = only_member(body) {
        return Ok(text);
    }
    // Once for all of it: serde_json does not look into strings that are ignored.
    let json = str::from_utf8(body).map_err(|_| Error::Undecodable)?;
    any_document(json).map(str::as_bytes)
}

/// The text in a document of the usual form: an object with this one member, whose text has no `\u` escapes. `None` for
/// everything else, right or wrong.
///
/// It is looked at once, 64 bytes at a time; serde_json and a check for UTF-8 before it take four times as long.
fn only_member(json: &[u8]) -> Option<&[u8]> {
    let member = after(after(json, b"{")?, b"\"content\"")?;
    let text = after(after(member, b":")?, b"\"")?;
    let (mut end, mut is_ascii) = (0, true);
    loop {
        let plain = Plain::before_special(&text[end..]);
        end += plain.length;
        is_ascii &= plain.is_ascii;
        match text[end..] {
            [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => end += 2,
            [b'"', ..] => break,
            _ => return None,
        }
    }
    let (text, rest) = (&text[..end], after(&text[end + 1..], b"}")?);
    let is_whole = rest.iter().all(|byte| WHITESPACE.contains(byte));
    (is_whole && (is_ascii || str::from_utf8(text).is_ok())).then_some(text)
}

const WHITESPACE: &[u8] = b" \t\n\r";

/// What comes after `token`, which may have white space before it.
fn after<'a>(json: &'a [u8], token: &[u8]) -> Option<&'a [u8]> {
    let start = json.iter().position(|byte| !WHITESPACE.contains(byte))?;
    json[start..].strip_prefix(token)
}

/// Bytes that mean nothing in a JSON string but themselves.
#[derive(Debug, PartialEq, Eq)]
struct Plain {
    length: usize,
    is_ascii: bool,
}

impl Plain {
    /// Those at the start of `bytes`.
    fn before_special(bytes: &[u8]) -> Self {
        const BLOCK: usize = 64;
        let is_special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
        let (mut length, mut all) = (0, 0);
        for block in bytes.chunks_exact(BLOCK) {
            // No early end within a block: so the compiler makes vector instructions of it.
            let fold = |(any, all), byte: &u8| (any | is_special(*byte), all | byte);
            let (any_special, all_of_block) = block.iter().fold((false, 0), fold);
            if any_special {
                break;
            }
            length += BLOCK;
            all |= all_of_block;
        }
        for byte in bytes[length..].iter().take_while(|byte| !is_special(**byte)) {
            length += 1;
            all |= byte;
        }
        Self { length, is_ascii: all.is_ascii() }
    }
}

/// The text in a document of any form.
fn any_document(json: &str) -> Result<&str, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let content = match (&mut deserializer).deserialize_map(Content).and_then(|c| deserializer.end().map(|()| c)) {
        Ok(content) => content.ok_or(Error::Malformed)?,
        // A document that is no object is reported as soon as that shows, with the rest of it unseen.
        Err(error) if error.is_data() && serde_json::from_str::<IgnoredAny>(json).is_ok() => {
            return Err(Error::Malformed);
        }
        Err(_) => return Err(Error::Undecodable),
    };
    let text = content.get().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(Error::Malformed)?;
    if may_hold_surrogates(text) && serde_json::from_str::<Cow<'_, str>>(content.get()).is_err() {
        return Err(Error::Undecodable);
    }
    Ok(text)
}

/// Whether `json` may hold an escaped surrogate (`\uD800` to `\uDFFF`). A raw value was checked for the form of its
/// escapes only; one surrogate alone is no text, and could not be sent back as UTF-8.
fn may_hold_surrogates(json: &str) -> bool {
    // `memchr` steps over text without escapes at the speed of memory; most text has none.
    let mut rest = json.as_bytes();
    while let Some(at) = memchr::memchr(b'\\', rest) {
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
        let content = super::content(body).map(|text| str::from_utf8(text).unwrap());
        let json = str::from_utf8(body).map_err(|_| Error::Undecodable);
        assert_eq!(content, json.and_then(any_document), "{body:?}");
        content
    }

    #[test]
    fn a_special_byte_is_found_wherever_it_is() {
        for length in 0..100 {
            assert_eq!(Plain::before_special(&vec![b'x'; length]), Plain { length, is_ascii: true });
            for (at, special) in (0..length).flat_map(|at| [(at, b'"'), (at, b'\\'), (at, b'\n'), (at, 0)]) {
                let mut bytes = vec![b'x'; length];
                bytes[at] = special;
                assert_eq!(Plain::before_special(&bytes), Plain { length: at, is_ascii: true });
            }
        }
        for text in
            ["é".repeat(100), "x".repeat(63) + "é", "x".repeat(64) + "中" + &"x".repeat(64), "\u{80}".to_owned()]
        {
            let plain = Plain { length: text.len(), is_ascii: false };
            assert_eq!(Plain::before_special(text.as_bytes()), plain);
            assert_eq!(Plain::before_special((text + "\\é").as_bytes()), plain);
        }
        assert_eq!(Plain::before_special(b"\x7f"), Plain { length: 1, is_ascii: true });
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
