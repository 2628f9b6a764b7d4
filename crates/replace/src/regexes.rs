//! Regex rules.
//!
//! The fast engines of the regex library stop at the first non-ASCII byte when a pattern asks for Unicode word boundaries,
//! and whole-word rules ask at both ends. So the search is done in two steps. All patterns together, with every word
//! boundary taken out, find where some rule might start: what is left is a plain automaton, and taking conditions away
//! cannot lose a match. There, each rule's own pattern is tried, anchored at that place, boundaries and all.

use regex_automata::meta::{Builder, Config, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::util::{interpolate, syntax};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use crate::found::{Found, Span, Texts, What};
use crate::rules::{Rule, RulesError};
use crate::unicode::{word_after, word_before};

/// The longest text that a regex rule may match, in bytes. It makes matches the same whether a text is given whole or as a
/// stream, of which only so much is held back.
pub(crate) const LONGEST_MATCH: usize = 64 * 1024;

/// What one pattern may grow to when compiled, as a guard against `\w{1000}{1000}`; all together get ten times that.
const SIZE_LIMIT: usize = 10 << 20;

pub(crate) struct Regexes {
    anywhere: Regex,
    rules: Vec<One>,
    all_whole_word: bool,
}

struct One {
    exact: Regex,
    value: Span,
    rule: u32,
}

impl Regexes {
    pub(crate) fn new(rules: &[(u32, &Rule)], texts: &mut Texts) -> Result<Option<Self>, RulesError> {
        if rules.is_empty() {
            return Ok(None);
        }
        let mut without_boundaries = Vec::with_capacity(rules.len());
        let mut compiled = Vec::with_capacity(rules.len());
        for (position, rule) in rules {
            let refuse = |reason: String| RulesError::rule(*position as usize, rule, reason);
            let syntax = syntax::Config::new().case_insensitive(!rule.case_sensitive);
            let parsed = syntax::parse_with(&rule.pattern, &syntax)
                .map_err(|error| refuse(format!("not a regular expression: {}", one_line(&error.to_string()))))?;
            if parsed.properties().minimum_len() == Some(0) {
                return Err(refuse("the regular expression matches the empty text".into()));
            }
            let whole = if rule.whole_word { whole_words(&parsed) } else { parsed.clone() };
            let exact = Builder::new()
                .configure(Config::new().nfa_size_limit(Some(SIZE_LIMIT)))
                .build_from_hir(&whole)
                .map_err(|error| refuse(format!("the regular expression is too large: {error}")))?;
            without_boundaries.push(without_word_boundaries(&parsed));
            compiled.push(One { exact, value: texts.add(rule.replace.as_bytes()), rule: *position });
        }
        let anywhere = Builder::new()
            .configure(Config::new().nfa_size_limit(Some(10 * SIZE_LIMIT)))
            .build_many_from_hir(&without_boundaries)
            .map_err(|error| {
                let (position, rule) = rules[rules.len() - 1];
                let reason = format!("with it the regular expressions together are too large: {error}");
                RulesError::rule(position as usize, rule, reason)
            })?;
        let all_whole_word = rules.iter().all(|(_, rule)| rule.whole_word);
        Ok(Some(Self { anywhere, rules: compiled, all_whole_word }))
    }

    /// The first match that starts at `at` or later, and before `limit`.
    pub(crate) fn next(&self, text: &[u8], mut at: usize, limit: usize) -> Option<Found> {
        while at < limit {
            let start = self.anywhere.search(&Input::new(text).span(at..text.len()))?.start();
            if start >= limit {
                return None;
            }
            if !(self.all_whole_word && within_word(text, start)) {
                let to = text.len().min(start + LONGEST_MATCH);
                let anchored = Input::new(text).span(start..to).anchored(Anchored::Yes);
                let best = self
                    .rules
                    .iter()
                    .enumerate()
                    .filter_map(|(index, one)| {
                        let end = one.exact.search(&anchored)?.end();
                        Some(Found { start, end, rule: one.rule, what: What::Expansion(index as u32) })
                    })
                    .reduce(|best, found| if found.precedes(&best) { found } else { best });
                if best.is_some() {
                    return best;
                }
            }
            at = start + 1;
            if self.all_whole_word {
                // No match can start within a word: on to its end, so that a long word is not searched once per character.
                while at < limit && within_word(text, at) {
                    at += 1;
                }
            }
        }
        None
    }

    /// Appends what the match of rule `index` is replaced by.
    pub(crate) fn expand(&self, index: u32, text: &[u8], found: &Found, texts: &Texts, out: &mut Vec<u8>) {
        let One { exact, value, .. } = &self.rules[index as usize];
        let value = texts.get(*value);
        if !value.contains(&b'$') {
            out.extend_from_slice(value);
            return;
        }
        let mut captures: Captures = exact.create_captures();
        let to = text.len().min(found.start + LONGEST_MATCH);
        exact.search_captures(&Input::new(text).span(found.start..to).anchored(Anchored::Yes), &mut captures);
        let group = |index: usize, out: &mut Vec<u8>| {
            if let Some(span) = captures.get_group(index) {
                out.extend_from_slice(&text[span.range()]);
            }
        };
        let pattern = regex_automata::PatternID::ZERO;
        interpolate::bytes(value, group, |name| exact.group_info().to_index(pattern, name), out);
    }
}

/// Whether word characters stand on both sides of `at`, or a character itself does.
fn within_word(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) || (word_before(text, at) && word_after(text, at))
}

/// The pattern with the condition of whole words at either end: not within a word, that is, no word character before or
/// none after.
fn whole_words(hir: &Hir) -> Hir {
    let not_within =
        || Hir::alternation(vec![Hir::look(Look::WordStartHalfUnicode), Hir::look(Look::WordEndHalfUnicode)]);
    Hir::concat(vec![not_within(), hir.clone(), not_within()])
}

/// The pattern with every Unicode word boundary replaced by nothing.
fn without_word_boundaries(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Look(
            Look::WordUnicode
            | Look::WordUnicodeNegate
            | Look::WordStartUnicode
            | Look::WordEndUnicode
            | Look::WordStartHalfUnicode
            | Look::WordEndHalfUnicode,
        ) => Hir::empty(),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(without_word_boundaries(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Capture(capture) => {
            Hir::capture(Capture { sub: Box::new(without_word_boundaries(&capture.sub)), ..capture.clone() })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(without_word_boundaries).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(without_word_boundaries).collect()),
    }
}

/// The library's errors show the pattern and a caret on several lines; a log line needs their last one.
fn one_line(error: &str) -> &str {
    error.lines().last().unwrap_or(error).trim().trim_start_matches("error: ")
}
