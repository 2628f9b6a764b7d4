//! A match, and the texts that rules are made of.

use crate::classify::{is_special, prefetch};
use crate::table::CHUNK;

/// A place in [`Texts`]: one number, offset below and length above, since what is stored as two and loaded as one waits for
/// the store to be done. The highest bit says whether the text has bytes that a JSON string has escaped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span(u64);

/// In a span's upper half.
const SPECIAL: u32 = 1 << 31;

impl Span {
    #[inline]
    fn new(offset: usize, upper: u32) -> Self {
        Self(offset as u64 | u64::from(upper) << 32)
    }

    /// The upper half of a span of `text`.
    fn upper(text: &[u8]) -> u32 {
        let special = if text.iter().any(|byte| is_special(*byte)) { SPECIAL } else { 0 };
        text.len() as u32 | special
    }

    #[inline]
    fn offset(self) -> usize {
        self.0 as u32 as usize
    }

    #[inline]
    fn len(self) -> usize {
        ((self.0 >> 32) as u32 & !SPECIAL) as usize
    }

    /// Whether the text stands in a JSON string as it is.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        (self.0 >> 32) as u32 & SPECIAL == 0
    }
}

/// A word with what belongs to it, in [`Texts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Record(u32);

/// What a record says.
pub(crate) struct Known {
    pub(crate) rule: u32,
    /// Of the word, in bytes.
    pub(crate) length: usize,
    /// The first bytes of the word, and what follows it where it is shorter.
    pub(crate) start: u128,
    pub(crate) value: Span,
}

/// A record starts with three numbers of four bytes: rule, length of the word, upper half of the value's span. The word
/// follows, then the value.
const HEADER: usize = 12;

/// What is a few bytes, and the size of a vector that every x86-64 processor of today copies at once.
const FEW: usize = 32;
const _: () = assert!(HEADER + CHUNK <= FEW, "a record is read with what `finish` adds");

/// All texts of an engine in one allocation: 100,000 rules are not 200,000 strings.
#[derive(Default)]
pub(crate) struct Texts(Vec<u8>);

impl Texts {
    pub(crate) fn add(&mut self, text: &[u8]) -> Span {
        let span = Span::new(self.0.len(), Span::upper(text));
        self.append(text);
        span
    }

    fn append(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
        // Rules come from documents of some megabytes; past two gigabytes nothing here would hold.
        assert!(i32::try_from(self.0.len()).is_ok(), "the texts of all rules together exceed 2 GiB");
    }

    #[inline]
    pub(crate) fn get(&self, span: Span) -> &[u8] {
        &self.0[span.offset()..][..span.len()]
    }

    /// To be called when all are added.
    pub(crate) fn finish(&mut self) {
        // So that a few bytes from any place on can be copied without asking how many there are.
        self.0.extend_from_slice(&[0; FEW]);
        self.0.shrink_to_fit();
    }

    /// Appends a text to `out`. Most are of a few bytes: copying as many always costs less than copying just those.
    #[inline(always)]
    pub(crate) fn append_to(&self, span: Span, out: &mut Vec<u8>) {
        let (offset, length) = (span.offset(), span.len());
        match self.0[offset..].first_chunk::<FEW>() {
            Some(few) if length <= FEW => {
                let end = out.len() + length;
                out.extend_from_slice(few);
                out.truncate(end);
            }
            _ => out.extend_from_slice(self.get(span)),
        }
    }

    pub(crate) fn add_record(&mut self, rule: u32, word: &[u8], value: &[u8]) -> Record {
        let record = Record(self.0.len() as u32);
        for number in [rule, word.len() as u32, Span::upper(value)] {
            self.0.extend_from_slice(&number.to_le_bytes());
        }
        self.append(word);
        self.append(value);
        record
    }

    pub(crate) fn set_rule(&mut self, record: Record, rule: u32) {
        self.0[record.0 as usize..][..4].copy_from_slice(&rule.to_le_bytes());
    }

    pub(crate) fn rule(&self, record: Record) -> u32 {
        number(self.header(record), 0)
    }

    pub(crate) fn word(&self, record: Record) -> &[u8] {
        let length = number(self.header(record), 1);
        &self.0[record.0 as usize + HEADER..][..length as usize]
    }

    fn header(&self, record: Record) -> &[u8; HEADER] {
        self.0[record.0 as usize..].first_chunk().expect("a record has a header")
    }

    /// All that a record says, with a look at one place. To be called when all are added.
    #[inline]
    pub(crate) fn read(&self, record: Record) -> Known {
        let bytes: &[u8; HEADER + CHUNK] =
            self.0[record.0 as usize..].first_chunk().expect("no text is nearer to the end than a few bytes");
        let (header, start) = bytes.split_first_chunk().expect("it is longer");
        let (word, length) = (record.0 as usize + HEADER, number(header, 1) as usize);
        Known {
            rule: number(header, 0),
            length,
            start: u128::from_le_bytes(start.try_into().expect("it is a chunk")),
            value: Span::new(word + length, number(header, 2)),
        }
    }

    /// To be called some time before a record is needed.
    #[inline]
    pub(crate) fn prefetch(&self, record: Record) {
        prefetch(&self.0, record.0 as usize);
    }
}

#[inline]
fn number(header: &[u8; HEADER], which: usize) -> u32 {
    u32::from_le_bytes(header[which * 4..which * 4 + 4].try_into().expect("4 bytes are 4 bytes"))
}

/// A match of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The rule's place in the document.
    pub(crate) rule: u32,
    pub(crate) what: What,
}

/// What a match is replaced by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// This text.
    Text(Span),
    /// What the regex of this index expands to.
    Expansion(usize),
}

impl Found {
    /// Whether this match is taken where both are possible: leftmost first, at one start the longest, then document order.
    pub(crate) fn precedes(&self, other: &Self) -> bool {
        (self.start, std::cmp::Reverse(self.end), self.rule) < (other.start, std::cmp::Reverse(other.end), other.rule)
    }
}
