//! Text in JSON strings.

use crate::classify;
use crate::engine::Sink;
use crate::found::{Span, Texts};

/// Appends to the inside of a JSON string: what comes from the input has its escapes already, what is put in gets them.
pub(crate) struct Escaping<'a>(pub(crate) &'a mut Vec<u8>);

impl Sink for Escaping<'_> {
    #[inline]
    fn keep(&mut self, json: &[u8]) {
        self.0.extend_from_slice(json);
    }

    #[inline]
    fn insert(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| classify::is_special(*byte)) {
            self.0.extend_from_slice(&rest[..at]);
            escape(rest[at], self.0);
            rest = &rest[at + 1..];
        }
        self.0.extend_from_slice(rest);
    }

    #[inline]
    fn insert_span(&mut self, texts: &Texts, span: Span) {
        if span.is_plain() {
            texts.append_to(span, self.0);
        } else {
            self.insert(texts.get(span));
        }
    }
}

#[cold]
fn escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0C => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let hex = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// What stands between the quotes of a JSON string, with its escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonText<'a> {
    json: &'a [u8],
    escapes: Escapes,
    is_ascii: bool,
}

/// Which escapes a JSON string has, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Escapes {
    None,
    /// Those of two characters only: what they mean is never part of a word.
    Short,
    /// `\u` too, which may mean anything.
    Unicode,
}

impl<'a> JsonText<'a> {
    /// Reads a string from after its opening quote on: its text, and what comes after its closing quote.
    ///
    /// `None` if there is no such quote, or before it a control character or an escape that JSON does not have. What
    /// takes more than one look is left to the caller: whether the bytes are UTF-8 (they are if they are
    /// [ASCII](Self::is_ascii)), and what comes after a `\u` ([`has_unicode_escapes`](Self::has_unicode_escapes)).
    pub fn read(json: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (mut end, mut escapes, mut is_ascii) = (0, Escapes::None, true);
        loop {
            let plain = Plain::before_special(&json[end..]);
            end += plain.length;
            is_ascii &= plain.is_ascii;
            match json[end..] {
                [b'"', ..] => return Some((Self { json: &json[..end], escapes, is_ascii }, &json[end + 1..])),
                [b'\\', b'u', ..] => escapes = Escapes::Unicode,
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => {
                    escapes = escapes.max(Escapes::Short);
                }
                _ => return None,
            }
            end += 2;
        }
    }

    /// As it was written.
    pub fn as_bytes(self) -> &'a [u8] {
        self.json
    }

    /// Whether all of it is ASCII, and with that UTF-8.
    pub fn is_ascii(self) -> bool {
        self.is_ascii
    }

    /// Whether there is a `\u` in it.
    pub fn has_unicode_escapes(self) -> bool {
        self.escapes == Escapes::Unicode
    }

    pub(crate) fn escapes(self) -> Escapes {
        self.escapes
    }
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
        let (mut length, mut is_ascii) = classify::plain(bytes);
        for byte in bytes[length..].iter().take_while(|byte| !classify::is_special(**byte)) {
            length += 1;
            is_ascii &= byte.is_ascii();
        }
        Self { length, is_ascii }
    }
}

/// Whether a JSON string can hold `pattern` in one way only (leaving `\u` aside): no character of it is, or may be,
/// escaped.
pub(crate) fn stands_as_it_is(pattern: &str) -> bool {
    !pattern.bytes().any(|byte| classify::is_special(byte) || byte == b'/')
}

/// The text that the inside of a JSON string means.
pub(crate) fn decode(json: &[u8]) -> Vec<u8> {
    let quoted = [b"\"", json, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).expect("the caller has parsed this string").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_byte_is_found_wherever_it_is() {
        for length in 0..300 {
            assert_eq!(Plain::before_special(&vec![b'x'; length]), Plain { length, is_ascii: true });
            for (at, special) in (0..length).flat_map(|at| [(at, b'"'), (at, b'\\'), (at, b'\n'), (at, 0)]) {
                let mut bytes = vec![b'x'; length];
                bytes[at] = special;
                assert_eq!(Plain::before_special(&bytes), Plain { length: at, is_ascii: true });
            }
            for at in 0..length {
                let mut bytes = vec![b'x'; length];
                bytes[at] = 0xC3;
                assert_eq!(Plain::before_special(&bytes), Plain { length, is_ascii: false });
            }
        }
        assert_eq!(Plain::before_special("é\\é".as_bytes()), Plain { length: 2, is_ascii: false });
        assert_eq!(Plain::before_special("x\"é".as_bytes()), Plain { length: 1, is_ascii: true });
        assert_eq!(Plain::before_special(b"\x7f"), Plain { length: 1, is_ascii: true });
    }

    #[test]
    fn a_string_is_read_to_its_closing_quote() {
        for (json, text, escapes, rest) in [
            (r#""}"#, "", Escapes::None, "}"),
            (r#"ING and é", "x""#, "ING and é", Escapes::None, r#", "x""#),
            (r#"a\n\"b\\" "#, r#"a\n\"b\\"#, Escapes::Short, " "),
            (r#"\u0041\n""#, r#"\u0041\n"#, Escapes::Unicode, ""),
            (r#"\n\u0041""#, r#"\n\u0041"#, Escapes::Unicode, ""),
            (r#"\\u0041""#, r#"\\u0041"#, Escapes::Short, ""),
        ] {
            let expected = JsonText { json: text.as_bytes(), escapes, is_ascii: text.is_ascii() };
            assert_eq!(JsonText::read(json.as_bytes()), Some((expected, rest.as_bytes())), "{json}");
        }
    }

    #[test]
    fn what_is_no_string_is_not_read() {
        for json in ["", "ING", "\\", "\\\"", "\\x\"", "a\nb\"", "\u{1f}\""] {
            assert_eq!(JsonText::read(json.as_bytes()), None, "{json:?}");
        }
    }
}
