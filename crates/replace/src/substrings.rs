//! Literal rules that may match inside words, and those without a word character: found wherever they stand, by the
//! Aho-Corasick algorithm.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind};

use crate::found::{Found, Span, Texts, What};
use crate::rules::{Rule, RulesError};
use crate::unicode::{char_at, fold, fold_into};

/// Refuses rules whose patterns are equal under folding.
pub(crate) fn refuse_duplicates(rules: &[(u32, &Rule)]) -> Result<(), RulesError> {
    let mut seen = HashMap::new();
    for (position, rule) in rules {
        let mut folded = Vec::new();
        fold_into(&rule.pattern, &mut folded);
        if let Some((earlier, first)) = seen.insert(folded, (*position, *rule)) {
            return Err(RulesError::duplicate(*position, rule, earlier, first));
        }
    }
    Ok(())
}

/// The rules, those for which case does not matter and those for which it does.
pub(crate) struct Substrings {
    folded: Option<Automaton>,
    exact: Option<Automaton>,
}

struct Automaton {
    search: AhoCorasick,
    rules: Vec<(u32, Span)>,
}

impl Automaton {
    fn new(patterns: Vec<Vec<u8>>, rules: Vec<(u32, Span)>) -> Option<Self> {
        (!rules.is_empty()).then(|| {
            let search = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(patterns)
                .expect("100,000 patterns are far from what the automaton's numbers can hold");
            Self { search, rules }
        })
    }

    fn find(&self, text: &[u8], from: usize, to: usize) -> Option<(std::ops::Range<usize>, u32, Span)> {
        let input = Input::new(text).span(from..to).anchored(Anchored::No);
        let found = self.search.find(input)?;
        let (rule, value) = self.rules[found.pattern().as_usize()];
        Some((found.range(), rule, value))
    }
}

impl Substrings {
    pub(crate) fn new(rules: &[(u32, &Rule)], texts: &mut Texts) -> Option<Self> {
        let mut patterns = [Vec::new(), Vec::new()];
        let mut numbered = [Vec::new(), Vec::new()];
        for (position, rule) in rules {
            let mut pattern = Vec::new();
            if rule.case_sensitive {
                pattern.extend_from_slice(rule.pattern.as_bytes());
            } else {
                fold_into(&rule.pattern, &mut pattern);
            }
            let kind = usize::from(rule.case_sensitive);
            patterns[kind].push(pattern);
            numbered[kind].push((*position, texts.add(rule.replace.as_bytes())));
        }
        let [(folded, folded_rules), (exact, exact_rules)] = {
            let [a, b] = patterns;
            let [x, y] = numbered;
            [(a, x), (b, y)]
        };
        (!rules.is_empty())
            .then(|| Self { folded: Automaton::new(folded, folded_rules), exact: Automaton::new(exact, exact_rules) })
    }

    /// A search in `text[from..]`.
    pub(crate) fn search<'a>(&'a self, text: &'a [u8], from: usize) -> Search<'a> {
        let folded = self.folded.as_ref().map(|automaton| (automaton, FoldedText::new(text, from)));
        Search { text, folded, exact: self.exact.as_ref() }
    }
}

pub(crate) struct Search<'a> {
    text: &'a [u8],
    folded: Option<(&'a Automaton, FoldedText)>,
    exact: Option<&'a Automaton>,
}

impl Search<'_> {
    /// The first match that starts at `at` or later, and before `limit`.
    pub(crate) fn next(&self, at: usize, limit: usize) -> Option<Found> {
        let exact = self.exact.and_then(|automaton| automaton.find(self.text, at, self.text.len()));
        let folded = self.folded.as_ref().and_then(|(automaton, folded)| {
            let (range, rule, value) = automaton.find(&folded.text, folded.folded(at), folded.text.len())?;
            Some((folded.original(range.start)..folded.original(range.end), rule, value))
        });
        exact
            .into_iter()
            .chain(folded)
            .map(|(range, rule, value)| Found { start: range.start, end: range.end, rule, what: What::Text(value) })
            .filter(|found| found.start < limit)
            .reduce(|best, found| if found.precedes(&best) { found } else { best })
    }
}

/// A text with its case folded, and where its characters stand in the original: folding may change a character's length,
/// as that of the Kelvin sign, of three bytes, which folds to `k`.
struct FoldedText {
    text: Vec<u8>,
    /// Ends of the characters whose length changed: here in `text`, there in the original. Between them offsets keep
    /// their distance.
    changes: Vec<(usize, usize)>,
}

impl FoldedText {
    /// Folds `original[from..]`.
    fn new(original: &[u8], from: usize) -> Self {
        let mut text = Vec::with_capacity(original.len() - from);
        let mut changes = vec![(0, from)];
        let mut at = from;
        while at < original.len() {
            if original[at].is_ascii() {
                let run = original[at..].iter().position(|byte| !byte.is_ascii()).unwrap_or(original.len() - at);
                text.extend(original[at..at + run].iter().map(u8::to_ascii_lowercase));
                at += run;
            } else if let Some(c) = char_at(original, at) {
                let folded = fold(c);
                text.extend_from_slice(folded.encode_utf8(&mut [0; 4]).as_bytes());
                at += c.len_utf8();
                if folded.len_utf8() != c.len_utf8() {
                    changes.push((text.len(), at));
                }
            } else {
                text.push(original[at]);
                at += 1;
            }
        }
        Self { text, changes }
    }

    /// Where the character boundary `at` of the folded text is in the original.
    fn original(&self, at: usize) -> usize {
        let (here, there) = self.changes[self.changes.partition_point(|(here, _)| *here <= at) - 1];
        there + (at - here)
    }

    /// Where the character boundary `at` of the original is in the folded text.
    fn folded(&self, at: usize) -> usize {
        let (here, there) = self.changes[self.changes.partition_point(|(_, there)| *there <= at) - 1];
        (here + (at - there)).min(self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_survive_characters_that_change_their_length() {
        let original = "a\u{212A}b\u{1E9E}cé\u{2C65}d";
        let folded = FoldedText::new(original.as_bytes(), 0);
        assert_eq!(std::str::from_utf8(&folded.text).unwrap().chars().count(), original.chars().count());
        let mut at = 0;
        for (offset, c) in original.char_indices() {
            assert_eq!(folded.original(at), offset, "{c:?}");
            assert_eq!(folded.folded(offset), at, "{c:?}");
            at += fold(c).len_utf8();
        }
        assert_eq!(folded.original(at), original.len());
        assert_eq!(folded.folded(original.len()), at);
    }
}
