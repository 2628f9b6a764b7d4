//! What is done to a component of a request before it is looked at.
//! <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-transformation.html>

use std::borrow::Cow;

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use serde_json::Value;

/// Padding is often left away where people try to hide something.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Those that are here. The others of WAF's are read as an error, so that a rule that needs them is known not to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    None,
    Base64Decode,
    CmdLine,
    CompressWhiteSpace,
    HexDecode,
    HtmlEntityDecode,
    Lowercase,
    NormalizePath,
    NormalizePathWin,
    RemoveNulls,
    RemoveWhitespace,
    ReplaceComments,
    ReplaceNulls,
    Trim,
    TrimLeft,
    TrimRight,
    Uppercase,
    UrlDecode,
}

/// Transformations in the order in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transformations(Vec<Kind>);

impl Transformations {
    /// From `[{"Priority": 0, "Type": "LOWERCASE"}]`.
    pub fn parse(definition: &Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry {
            priority: i64,
            r#type: Value,
        }
        let mut entries =
            Vec::<Entry>::deserialize(definition).map_err(|error| format!("TextTransformations: {error}"))?;
        entries.sort_by_key(|entry| entry.priority);
        let kind = |entry: Entry| {
            Kind::deserialize(&entry.r#type).map_err(|_| format!("the text transformation {} is absent", entry.r#type))
        };
        entries.into_iter().map(kind).collect::<Result<_, _>>().map(Self)
    }

    pub fn apply<'a>(&self, text: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
        self.0.iter().fold(text, |text, kind| kind.apply(text))
    }
}

impl Kind {
    fn apply(self, text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
        let changed = match self {
            Self::None => return text,
            Self::Base64Decode => match BASE64.decode(&text) {
                Ok(decoded) => decoded,
                Err(_) => return text,
            },
            Self::CmdLine => command_line(&text),
            Self::CompressWhiteSpace => compress_white_space(&text),
            Self::HexDecode => match hex_decode(&text) {
                Some(decoded) => decoded,
                None => return text,
            },
            Self::HtmlEntityDecode => html_entity_decode(&text),
            Self::Lowercase => text.to_ascii_lowercase(),
            Self::NormalizePath => normalize_path(&text),
            Self::NormalizePathWin => {
                let slashes: Vec<u8> = text.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
                normalize_path(&slashes)
            }
            Self::RemoveNulls => text.iter().copied().filter(|byte| *byte != 0).collect(),
            Self::RemoveWhitespace => text.iter().copied().filter(|byte| !is_space(*byte)).collect(),
            Self::ReplaceComments => replace_comments(&text),
            Self::ReplaceNulls => text.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect(),
            Self::Trim => text.trim_ascii().to_vec(),
            Self::TrimLeft => text.trim_ascii_start().to_vec(),
            Self::TrimRight => text.trim_ascii_end().to_vec(),
            Self::Uppercase => text.to_ascii_uppercase(),
            Self::UrlDecode => url_decode(&text),
        };
        Cow::Owned(changed)
    }
}

/// Form feed, tab, newline, return, vertical tab and space. A non-breaking space is two bytes in UTF-8 and is left alone.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d)
}

fn compress_white_space(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    for byte in text {
        if !is_space(*byte) {
            result.push(*byte);
        } else if result.last() != Some(&b' ') {
            result.push(b' ');
        }
    }
    result
}

fn command_line(text: &[u8]) -> Vec<u8> {
    let mut result: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'\\' | b'"' | b'\'' | b'^' => {}
            b'/' | b'(' => {
                while result.last() == Some(&b' ') {
                    result.pop();
                }
                result.push(*byte);
            }
            b',' | b';' | b' ' => {
                if result.last() != Some(&b' ') {
                    result.push(b' ');
                }
            }
            _ => result.push(byte.to_ascii_lowercase()),
        }
    }
    result
}

fn hex_decode(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.chunks_exact(2);
    if !digits.remainder().is_empty() {
        return None;
    }
    digits.map(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?)).collect()
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// `%41` and `+`; what is no escape stays.
fn url_decode(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) if hex_digit(*high).is_some() && hex_digit(*low).is_some() => {
                result.extend(hex_digit(*high).zip(hex_digit(*low)).map(|(high, low)| high << 4 | low));
                rest = after;
            }
            (b'+', _) => result.push(b' '),
            _ => result.push(*first),
        }
    }
    result
}

fn html_entity_decode(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let entity = (*first == b'&').then(|| after.iter().position(|byte| *byte == b';')).flatten();
        match entity.and_then(|end| Some((end, character_of(std::str::from_utf8(&after[..end]).ok()?)?))) {
            Some((end, character)) => {
                result.extend(character.encode_utf8(&mut [0; 4]).bytes());
                rest = &after[end + 1..];
            }
            None => {
                result.push(*first);
                rest = after;
            }
        }
    }
    result
}

fn character_of(entity: &str) -> Option<char> {
    match entity {
        "quot" => Some('"'),
        "nbsp" => Some('\u{a0}'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

/// Removes `//`, `/./` and `/x/../`, except a `..` at the beginning.
fn normalize_path(text: &[u8]) -> Vec<u8> {
    let absolute = text.first() == Some(&b'/');
    let last = text.split(|byte| *byte == b'/').next_back().unwrap_or_default();
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in text.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|parent| *parent != b"..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let mut result = if absolute { vec![b'/'] } else { Vec::new() };
    result.extend(parts.join(&b'/'));
    if matches!(last, b"" | b".") && !parts.is_empty() {
        result.push(b'/');
    }
    result
}

/// Each `/* ... */`, also one that does not end, becomes a space; a `*/` alone stays.
fn replace_comments(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.windows(2).position(|pair| pair == b"/*") {
        result.extend_from_slice(&rest[..start]);
        result.push(b' ');
        let comment = &rest[start + 2..];
        rest = match comment.windows(2).position(|pair| pair == b"*/") {
            Some(end) => &comment[end + 2..],
            None => &[],
        };
    }
    result.extend_from_slice(rest);
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn transformed(kind: &str, text: &str) -> String {
        let transformations = Transformations::parse(&json!([{"Priority": 0, "Type": kind}])).unwrap();
        String::from_utf8(transformations.apply(text.as_bytes().into()).into_owned()).unwrap()
    }

    /// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-transformation.html>
    #[test]
    fn each_does_what_the_developer_guide_says() {
        for (kind, text, expected) in [
            ("NONE", " A%41 ", " A%41 "),
            ("BASE64_DECODE", "YXR0YWNr", "attack"),
            ("BASE64_DECODE", "YXR0YWNrcw", "attacks"),
            ("BASE64_DECODE", "!", "!"),
            ("CMD_LINE", r#"C^md  "/c" ,; (DIR)"#, "cmd/c(dir)"),
            ("COMPRESS_WHITE_SPACE", "a \t\r\n\u{b}\u{c} b", "a b"),
            ("HEX_DECODE", "61626364", "abcd"),
            ("HEX_DECODE", "616", "616"),
            ("HTML_ENTITY_DECODE", "&quot;&lt;&gt;&#x61;&#98;&nbsp;&none;&", "\"<>ab\u{a0}&none;&"),
            ("LOWERCASE", "ÄBC", "Äbc"),
            ("NORMALIZE_PATH", "/a//b/./c/../d", "/a/b/d"),
            ("NORMALIZE_PATH", "../a/", "../a/"),
            ("NORMALIZE_PATH_WIN", r"\a\.\b", "/a/b"),
            ("REMOVE_NULLS", "a\0b", "ab"),
            ("REMOVE_WHITESPACE", " a \t b", "ab"),
            ("REPLACE_COMMENTS", "a/* x *//*y*/b*/c/* open", "a  b*/c "),
            ("REPLACE_NULLS", "a\0b", "a b"),
            ("TRIM", " a ", "a"),
            ("TRIM_LEFT", " a ", "a "),
            ("TRIM_RIGHT", " a ", " a"),
            ("UPPERCASE", "abc", "ABC"),
            ("URL_DECODE", "%41+b%zz%4", "A b%zz%4"),
        ] {
            assert_eq!(transformed(kind, text), expected, "{kind} of {text:?}");
        }
    }

    #[test]
    fn the_lowest_priority_comes_first() {
        let transformations = Transformations::parse(
            &json!([{"Priority": 1, "Type": "LOWERCASE"}, {"Priority": 0, "Type": "URL_DECODE"}]),
        );
        assert_eq!(&*transformations.unwrap().apply(b"%41"[..].into()), b"a");
    }

    #[test]
    fn an_absent_one_is_named() {
        let error = Transformations::parse(&json!([{"Priority": 0, "Type": "JS_DECODE"}])).unwrap_err();
        assert!(error.contains("JS_DECODE"), "{error}");
    }
}
