//! Text in JSON strings.

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
        while let Some(at) = rest.iter().position(|byte| needs_escape(*byte)) {
            self.0.extend_from_slice(&rest[..at]);
            escape(rest[at], self.0);
            rest = &rest[at + 1..];
        }
        self.0.extend_from_slice(rest);
    }

    #[inline]
    fn insert_span(&mut self, texts: &Texts, span: Span) {
        self.insert(texts.get(span));
    }
}

#[inline]
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
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

/// Which escapes a JSON string has.
pub(crate) enum Escapes {
    None,
    /// Those of two characters only: what they mean is never part of a word.
    Short,
    /// `\u` too, which may mean anything.
    Unicode,
}

pub(crate) fn escapes(json: &[u8]) -> Escapes {
    let mut backslashes = memchr::memchr_iter(b'\\', json);
    let mut kind = Escapes::None;
    while let Some(at) = backslashes.next() {
        kind = Escapes::Short;
        match json.get(at + 1) {
            Some(b'u') => return Escapes::Unicode,
            // The second of a pair starts no escape.
            Some(b'\\') => drop(backslashes.next()),
            _ => {}
        }
    }
    kind
}

/// Whether a JSON string can hold `pattern` in one way only (leaving `\u` aside): no character of it is, or may be,
/// escaped.
pub(crate) fn stands_as_it_is(pattern: &str) -> bool {
    !pattern.bytes().any(|byte| needs_escape(byte) || byte == b'/')
}

/// The text that the inside of a JSON string means.
pub(crate) fn decode(json: &[u8]) -> Vec<u8> {
    let quoted = [b"\"", json, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).expect("the caller has parsed this string").into_bytes()
}
