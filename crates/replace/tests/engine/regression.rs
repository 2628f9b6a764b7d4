//! Bugs that were here once.

use replace::{Engine, Rule, Rules};

use super::{engine, replace};

/// The scanner had moved on from the word `A` when another rule took the blank before it.
#[test]
fn a_word_right_after_a_match_that_another_rule_overlaps_is_found() {
    let engine = engine(r#"{" A": "<0>", "A": "<1>", "  ": "<2>"}"#);
    assert_eq!(replace(&engine, b"  A"), b"<2><1>");
}

/// The fingerprint was made of the first of many words only.
#[test]
fn every_one_of_many_rules_is_found() {
    for count in [1, 16, 17, 399, 400, 401, 802, 803, 2_000, 10_000] {
        let word = |i: usize| {
            let letters: String =
                (0..5).map(|place| char::from(b'a' + (i * 7919 / 23_usize.pow(place) % 23) as u8)).collect();
            format!("{letters}{i}")
        };
        let rules: Rules = (0..count).map(|i| Rule::literal(word(i), format!("<{i}>"))).collect();
        let engine = Engine::new(&rules).unwrap();
        let text: String = (0..count).map(|i| word(i) + " ").collect();
        let expected: String = (0..count).map(|i| format!("<{i}> ")).collect();
        assert_eq!(String::from_utf8(replace(&engine, text.as_bytes())).unwrap(), expected, "{count} rules");
    }
}

/// Such a word's length was used to shift by before it was seen to be too long.
#[test]
fn words_longer_than_a_block_beside_other_than_ascii_text_are_read() {
    let engine = engine(r#"{"ABN": "x"}"#);
    for length in 60..140 {
        let text = format!("é {} abn é", "a".repeat(length));
        assert_eq!(replace(&engine, text.as_bytes()), text.replace("abn", "x").into_bytes(), "{length}");
    }
}

/// The filter took it that some bytes can only be the first of letters.
#[test]
fn a_word_before_a_broken_character_is_found() {
    let engine = engine(r#"{"ABN": "x", "Straße": "y", "kiosk": "z"}"#);
    for byte in 0x80..=0xFF {
        let text = |abn: &str, kiosk: &str| {
            let mut text = [abn.as_bytes(), &[byte], b" ", kiosk.as_bytes(), &[byte]].concat();
            text.extend(std::iter::repeat_n(b'.', 200));
            text
        };
        assert_eq!(replace(&engine, &text("abn", "kiosk")), text("x", "z"), "{byte:x}");
    }
}
