//! Word characters and simple case folding, as the regex engine has them, by table.
//!
//! Texts are bytes that should be UTF-8. A byte that is not part of a valid character stands for itself: it belongs to no
//! word and equals no character, so it is never part of a literal match.

include!(concat!(env!("OUT_DIR"), "/unicode_tables.rs"));

const PAGE: usize = 64;

/// Whether `c` is a word character: `\w` of a Unicode regular expression.
#[inline]
pub(crate) fn is_word(c: char) -> bool {
    let page = WORD_PAGES[usize::from(WORD_INDEX[c as usize / PAGE])];
    page >> (c as usize % PAGE) & 1 == 1
}

/// Whether `byte` is an ASCII word character.
#[inline]
pub(crate) const fn is_ascii_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The representative of all characters that equal `c` under simple case folding. For ASCII letters it is the lower-case
/// one.
#[inline]
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let delta = FOLD_PAGES[usize::from(FOLD_INDEX[c as usize / PAGE])][c as usize % PAGE];
    char::from_u32((c as u32).wrapping_add_signed(delta)).unwrap_or(c)
}

/// Appends the folded form of `text`.
pub(crate) fn fold_into(text: &str, out: &mut Vec<u8>) {
    if text.is_ascii() {
        out.extend(text.bytes().map(|byte| byte.to_ascii_lowercase()));
    } else {
        let mut utf8 = [0; 4];
        for c in text.chars() {
            out.extend_from_slice(fold(c).encode_utf8(&mut utf8).as_bytes());
        }
    }
}

/// The character that starts at `at`, if there is a valid one.
#[inline]
pub(crate) fn char_at(text: &[u8], at: usize) -> Option<char> {
    let first = *text.get(at)?;
    if first.is_ascii() {
        return Some(char::from(first));
    }
    let rest =
        |place: usize| text.get(at + place).filter(|byte| **byte & 0xC0 == 0x80).map(|byte| u32::from(byte & 0x3F));
    let code = match first {
        0xC2..=0xDF => u32::from(first & 0x1F) << 6 | rest(1)?,
        // `from_u32` refuses surrogates, the bounds what is longer than it needs to be.
        0xE0..=0xEF => Some(u32::from(first & 0x0F) << 12 | rest(1)? << 6 | rest(2)?).filter(|code| *code >= 0x800)?,
        0xF0..=0xF4 => Some(u32::from(first & 0x07) << 18 | rest(1)? << 12 | rest(2)? << 6 | rest(3)?)
            .filter(|code| *code >= 0x10000)?,
        _ => return None,
    };
    char::from_u32(code)
}

/// The character that ends at `at`, if there is a valid one.
#[inline]
pub(crate) fn char_before(text: &[u8], at: usize) -> Option<char> {
    let last = *text.get(at.checked_sub(1)?)?;
    if last.is_ascii() {
        return Some(char::from(last));
    }
    let start = (at.saturating_sub(4)..at).rev().find(|start| text[*start] & 0xC0 != 0x80)?;
    char_at(text, start).filter(|c| start + c.len_utf8() == at)
}

/// Whether a word character ends at `at`.
#[inline]
pub(crate) fn word_before(text: &[u8], at: usize) -> bool {
    char_before(text, at).is_some_and(is_word)
}

/// Whether a word character starts at `at`.
#[inline]
pub(crate) fn word_after(text: &[u8], at: usize) -> bool {
    char_at(text, at).is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_a_word_character_exactly_when_the_regex_engine_says_so() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_word(c), regex_syntax::try_is_word_character(c).unwrap(), "{c:?}");
        }
    }

    #[test]
    fn folding_is_idempotent_and_keeps_words_words() {
        for c in '\0'..=char::MAX {
            assert_eq!(fold(fold(c)), fold(c), "{c:?}");
            assert_eq!(is_word(fold(c)), is_word(c), "{c:?}");
        }
    }

    #[test]
    fn characters_fold_together_as_unicode_has_it() {
        for (same, different) in
            [("kK\u{212A}", "x"), ("sSſ", "z"), ("σςΣ", "ο"), ("ßẞ", "s"), ("ǆǅǄ", "ǳ"), ("iI", "ıİ")]
        {
            let mut folds = same.chars().map(fold);
            let first = folds.next().unwrap();
            assert!(folds.all(|other| other == first), "{same}");
            assert!(different.chars().all(|other| fold(other) != first), "{different}");
        }
    }

    #[test]
    fn every_character_is_decoded_and_nothing_else() {
        for c in '\0'..=char::MAX {
            assert_eq!(char_at(c.encode_utf8(&mut [0; 4]).as_bytes(), 0), Some(c));
        }
        // All starts of up to three bytes, and of four the ones at the bounds.
        for first in 0x80..=0xFF {
            for second in [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF] {
                for third in [0x7F, 0x80, 0xBF, 0xC0] {
                    for fourth in [0x7F, 0x80, 0xBF, 0xC0] {
                        let bytes = [first, second, third, fourth];
                        let expected = (1..=4).find_map(|length| std::str::from_utf8(&bytes[..length]).ok());
                        assert_eq!(char_at(&bytes, 0), expected.and_then(|text| text.chars().next()), "{bytes:x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn broken_utf8_is_no_character() {
        for broken in [&b"\x80"[..], b"\xC3", b"\xC3(", b"\xE2\x82", b"\xED\xA0\x80", b"\xF5\x80\x80\x80", b"\xC0\x80"]
        {
            assert_eq!(char_at(broken, 0), None, "{broken:?}");
        }
        assert_eq!(char_before(b"\xC3\xA9\x80", 3), None, "a stray continuation byte is not part of the character");
        assert_eq!(char_before("é".as_bytes(), 2), Some('é'));
        assert_eq!(char_before(b"", 0), None);
    }
}
