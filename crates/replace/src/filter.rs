//! A set of words by their first bytes, which turns nearly all words of a text away before they are looked up.
//!
//! What is looked at is a [`Head`]: the first eight bytes of a word as they stand in the text, all of one shape, so that
//! the vector code can make and test eight of them at once. Nothing else about a word matters here: neither how long it is
//! beyond them, nor what the letters mean that are not ASCII.

/// How many bytes of a word the filter looks at.
pub(crate) const HEAD: usize = 8;

/// What stands for the first byte after the ASCII letters of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum End {
    /// An ASCII character: the word ends here.
    Ascii = 0x80,
    /// The first byte of `ſ`, and of other letters. What it says is what it is.
    LongS = 0xC5,
    /// The first byte of the Kelvin sign, of other letters, and of punctuation.
    Kelvin = 0xE2,
    /// The first byte of any other character: of a letter, with which the word goes on, or not.
    Other = 0xC0,
}

impl End {
    #[inline(always)]
    pub(crate) const fn of(byte: u8) -> Self {
        match byte {
            0..0x80 => Self::Ascii,
            0xC5 => Self::LongS,
            0xE2 => Self::Kelvin,
            _ => Self::Other,
        }
    }
}

/// The bit that makes ASCII letters lower-case, in every byte.
pub(crate) const BIT_5: u64 = 0x2020_2020_2020_2020;

/// The first eight bytes of a word, ASCII with bit 5 set (see `comparable` in `words.rs`), least significant first. Of a
/// word that has fewer: those, and an [`End`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head(pub(crate) u64);

impl Head {
    /// Of the word that `bytes` start with, of which `length` are ASCII word characters.
    #[inline(always)]
    pub(crate) fn new(bytes: u64, length: u32) -> Self {
        if length as usize >= HEAD {
            return Self(bytes | BIT_5);
        }
        Self::ending(bytes, length, End::of((bytes >> (8 * length)) as u8))
    }

    /// The same for what has fewer than eight.
    #[inline(always)]
    fn ending(bytes: u64, length: u32, end: End) -> Self {
        let first = 1 << (8 * length);
        Self(((bytes | BIT_5) & (first - 1)) | (end as u64 * first))
    }

    /// What says where in a filter it is.
    #[inline(always)]
    pub(crate) fn hash(self) -> u64 {
        self.0.wrapping_mul(Self::FACTOR)
    }

    /// The golden ratio, as in Fibonacci hashing. Each byte changes the bits of the product from its own place on: all of them
    /// the highest, which choose an element.
    pub(crate) const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
}

/// A set of [`Head`]s: four bits of one element for each, which lets less than one word in a hundred through for nothing.
pub(crate) struct Filter {
    elements: Box<[u64]>,
    /// The shortest word, in characters.
    shortest: usize,
}

/// At least so many bits for each word of a rule: short ones have some heads each.
const FILTER_BITS: usize = 24;
/// At least so many elements: as many as the first cache has room for beside all else.
const SMALLEST: usize = 512;

impl Filter {
    /// Where in a hash the element's index starts, and where the places of its bits do: each in a byte of its own, as the
    /// instruction has it that tests eight bits of an element.
    const ELEMENT: u32 = 48;
    pub(crate) const BITS: [u32; 4] = [40, 32, 24, 16];

    /// An empty filter with room for `words`.
    pub(crate) fn new(words: usize) -> Self {
        let elements = (words * FILTER_BITS / 64).next_power_of_two().max(SMALLEST);
        Self { elements: vec![0; elements].into(), shortest: usize::MAX }
    }

    /// Adds the comparable form of a rule's word (see `words.rs`), however it may be written in a text.
    pub(crate) fn add(&mut self, word: &[u8]) {
        self.shortest = self.shortest.min(word.iter().filter(|byte| **byte & 0xC0 != 0x80).count());
        let mut bytes = 0;
        for (length, byte) in (0..).zip(word.iter().take(HEAD)) {
            // Here a text may have a character of several bytes: of the ASCII letters, these are what `ſ` and the Kelvin
            // sign fold to.
            let ends: &[End] = match byte {
                b's' => &[End::LongS],
                b'k' => &[End::Kelvin],
                0..0x80 => &[],
                _ => &[End::LongS, End::Kelvin, End::Other],
            };
            ends.iter().for_each(|end| self.add_head(Head::ending(bytes, length, *end)));
            if !byte.is_ascii() {
                return;
            }
            bytes |= u64::from(*byte) << (8 * length);
        }
        if word.len() >= HEAD {
            self.add_head(Head(bytes));
            return;
        }
        // `LongS` too: in broken text, that byte may stand alone.
        for end in [End::Ascii, End::LongS, End::Kelvin, End::Other] {
            self.add_head(Head::ending(bytes, word.len() as u32, end));
        }
    }

    fn add_head(&mut self, head: Head) {
        let hash = head.hash();
        let index = self.index(hash);
        self.elements[index] |= Self::bits(hash);
    }

    /// Whether a word that starts so may be in it.
    #[inline(always)]
    pub(crate) fn has(&self, head: Head) -> bool {
        let hash = head.hash();
        let bits = Self::bits(hash);
        self.element(hash) & bits == bits
    }

    /// The element that has the bits of the heads with this hash.
    #[inline(always)]
    pub(crate) fn element(&self, hash: u64) -> u64 {
        self.elements[self.index(hash)]
    }

    #[inline(always)]
    fn index(&self, hash: u64) -> usize {
        (hash >> Self::ELEMENT) as usize & (self.elements.len() - 1)
    }

    #[inline(always)]
    fn bits(hash: u64) -> u64 {
        Self::BITS.iter().fold(0, |bits, at| bits | 1 << (hash >> at & 63))
    }

    /// The shortest word, in characters.
    #[inline(always)]
    pub(crate) fn shortest(&self) -> usize {
        self.shortest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The head of a text's first word.
    fn head(text: &str) -> Head {
        let length = text.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'_').unwrap_or(text.len());
        let mut bytes = [b'.'; HEAD];
        text.bytes().zip(&mut bytes).for_each(|(from, to)| *to = from);
        Head::new(u64::from_le_bytes(bytes), length as u32)
    }

    #[test]
    fn a_word_is_had_however_it_is_written() {
        for (folded, texts) in [
            ("abn", &["abn", "ABN", "aBn.", "abn”", "abn\u{A0}", "abn…", "abn、"][..]),
            ("kilos", &["kilos", "\u{212A}ilos", "KILO\u{17F}", "kilo\u{17F} x", "\u{212A}ILO\u{17F}"]),
            ("stra\u{DF}e", &["stra\u{DF}e", "STRA\u{1E9E}E", "\u{17F}tra\u{DF}e"]),
            ("a\x7f9", &["a_9", "A_9,"]),
            ("rekening", &["rekening", "Rekening ", "re\u{212A}ening", "REKENING\u{A0}"]),
            ("rekeningen", &["rekeningen", "rekeningen "]),
            ("один", &["один", "Один"]),
        ] {
            let mut filter = Filter::new(1);
            filter.add(folded.as_bytes());
            for text in texts {
                assert!(filter.has(head(text)), "{folded} as {text}");
            }
        }
    }

    #[test]
    fn other_words_are_mostly_not_had() {
        let word = |number: u32| format!("{:x}", number.wrapping_mul(0x9E37_79B1));
        let mut filter = Filter::new(10_000);
        (0..10_000).for_each(|number| filter.add(word(number).as_bytes()));
        assert!((0..10_000).all(|number| filter.has(head(&word(number)))));
        let had = (10_000..20_000).filter(|number| filter.has(head(&word(*number)))).count();
        assert!(had < 1_000, "{had} of 10,000");
    }

    #[test]
    fn what_follows_a_word_in_part_is_told_apart() {
        let mut filter = Filter::new(1);
        filter.add(b"theks");
        assert!(!filter.has(head("the ")) && !filter.has(head("the\u{A0}")) && !filter.has(head("theé")));
        assert!(filter.has(head("the\u{212A}s")));
    }
}
