//! A match, and the texts that rules are made of.

use crate::classify::prefetch;

/// A place in [`Texts`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    offset: u32,
    length: u32,
}

/// What is a few bytes, and the size of a vector that every x86-64 processor of today copies at once.
const FEW: usize = 32;

/// All texts of an engine in one allocation: 100,000 rules are not 200,000 strings.
#[derive(Default)]
pub(crate) struct Texts(Vec<u8>);

impl Texts {
    pub(crate) fn add(&mut self, text: &[u8]) -> Span {
        let span = Span { offset: self.0.len() as u32, length: text.len() as u32 };
        self.0.extend_from_slice(text);
        // Rules come from documents of some megabytes; past four gigabytes nothing here would hold.
        assert!(u32::try_from(self.0.len()).is_ok(), "the texts of all rules together exceed 4 GiB");
        span
    }

    #[inline]
    pub(crate) fn get(&self, span: Span) -> &[u8] {
        &self.0[span.offset as usize..][..span.length as usize]
    }

    /// To be called when all are added.
    pub(crate) fn finish(&mut self) {
        // So that a few bytes from any place on can be copied without asking how many there are.
        self.0.extend_from_slice(&[0; FEW]);
        self.0.shrink_to_fit();
    }

    /// Appends a text to `out`. Most are of a few bytes: copying as many always costs less than copying just those.
    #[inline]
    pub(crate) fn append_to(&self, span: Span, out: &mut Vec<u8>) {
        let (offset, length) = (span.offset as usize, span.length as usize);
        match self.0[offset..].first_chunk::<FEW>() {
            Some(few) if length <= FEW => {
                let end = out.len() + length;
                out.extend_from_slice(few);
                out.truncate(end);
            }
            _ => out.extend_from_slice(self.get(span)),
        }
    }

    /// To be called some time before a text is needed.
    #[inline]
    pub(crate) fn prefetch(&self, span: Span) {
        prefetch(&self.0, span.offset as usize);
    }
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
    Expansion(u32),
}

impl Found {
    /// Whether this match is taken where both are possible: leftmost first, at one start the longest, then document order.
    pub(crate) fn precedes(&self, other: &Self) -> bool {
        (self.start, std::cmp::Reverse(self.end), self.rule) < (other.start, std::cmp::Reverse(other.end), other.rule)
    }
}
