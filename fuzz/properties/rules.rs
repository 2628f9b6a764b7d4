//! Whatever the rules and the text: nothing panics, and where the rules are accepted, the text comes out the same as a
//! whole, as a stream cut anywhere, and as JSON written in any way.
//!
//! An input is three parts, divided by the first two line feeds: how the stream is cut, the rules as JSON, the text.
//! Each byte of the first is the length of a piece, counted from `0`; they are used again and again until the text
//! ends. A `+` before them stands for a text that is repeated until it is longer than what a stream holds back.

use replace::{Engine, JsonText, Rules, Stream};

/// A stream holds back 64 KiB if there are regular expressions.
const LONGER_THAN_HELD: usize = 70_000;

pub fn check(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let (Some(cuts), Some(rules), Some(text)) = (parts.next(), parts.next(), parts.next()) else { return };
    let Ok(rules) = Rules::from_json(rules) else { return };
    let Ok(engine) = Engine::new(&rules) else { return };
    assert_eq!(engine.rules(), rules.len());
    match cuts.strip_prefix(b"+") {
        Some(cuts) if !text.is_empty() => {
            check_text(&engine, &text.repeat(LONGER_THAN_HELD / text.len() + 1), cuts);
        }
        _ => check_text(&engine, text, cuts),
    }
}

fn check_text(engine: &Engine, text: &[u8], cuts: &[u8]) {
    let mut whole = Vec::new();
    let count = engine.replace_into(text, &mut whole);

    let (mut streamed, mut counted) = (Vec::new(), 0);
    let mut stream = Stream::new(engine);
    let mut rest = text;
    // Lengths of nothing but 0 never come to an end: there are at most so many pieces, and the rest is the last.
    for length in cuts.iter().map(|byte| usize::from(byte.wrapping_sub(b'0'))).cycle().take(2 * text.len()) {
        let (piece, after) = rest.split_at(length.min(rest.len()));
        counted += stream.push(piece, &mut streamed);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    counted += stream.push(rest, &mut streamed);
    counted += stream.finish(&mut streamed);
    assert_eq!((lossy(&streamed), counted), (lossy(&whole), count), "as a stream");
    assert_eq!(streamed, whole, "as a stream");

    let Ok(text) = str::from_utf8(text) else { return };
    let expected = str::from_utf8(&whole).expect("UTF-8 stays UTF-8");
    let quoted = serde_json::to_string(text).expect("a string is JSON");
    let plain = &quoted[1..];
    let solidus = plain.replace('/', "\\/");
    let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>() + "\"";
    for json in [plain, &solidus, &escaped] {
        let mut out = vec![b'"'];
        let (text, _) = JsonText::read(json.as_bytes()).expect("a string");
        let counted = engine.replace_json_into(text, &mut out);
        out.push(b'"');
        let decoded: String = serde_json::from_slice(&out).expect("JSON stays JSON");
        assert_eq!((&*decoded, counted), (expected, count), "as JSON");
    }
}

fn lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
