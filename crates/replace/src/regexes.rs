//! Regex rules.
//!
//! The fast engines of the regex library stop at the first non-ASCII byte when a pattern asks for Unicode word boundaries,
//! and whole-word rules ask at both ends. So the search is done in two steps: first where some rule might start, then, with
//! each rule that might, its own pattern, anchored at that place, boundaries and all.
//!
//! For the first step the word boundaries are taken out; taking conditions away cannot lose a match. Most patterns tell
//! enough of themselves in their first bytes ([`crate::prefixes`]) for the vector code that finds words to find those
//! ([`crate::classify`]), several times as fast as an automaton. The others, as `\w+@`, are searched for by the library.

use regex_automata::meta::{BuildError, Builder, Config, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::util::{interpolate, syntax};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Capture, Hir, HirKind, Look, Repetition};

use crate::classify::{BLOCK, BLOCKS, BUCKETS, Carry, Classifier, FINGERPRINT, Fingerprint, Kernel, Masks, Starts};
use crate::filter::Filter;
use crate::found::{Found, Span, Texts, What};
use crate::prefixes::{PLACES, Prefix};
use crate::rules::{Rule, RulesError};
use crate::unicode::{is_ascii_word, word_after, word_before};

/// The longest text that a regex rule may match, in bytes. It makes matches the same whether a text is given whole or as a
/// stream, of which only so much is held back.
pub(crate) const LONGEST_MATCH: usize = 64 * 1024;

/// What one pattern may grow to when compiled, as a guard against `\w{1000}{1000}`; all together get ten times that.
const SIZE_LIMIT: usize = 10 << 20;

/// A pattern of which more than this share of words might be the start is left to the library.
const TELLING: f64 = 0.05;

pub(crate) struct Regexes {
    rules: Vec<One>,
    /// Those that are found by their first bytes.
    telling: Option<Telling>,
    others: Vec<Other>,
    all_whole_word: bool,
}

struct One {
    exact: Regex,
    value: Span,
    rule: u32,
    whole_word: bool,
}

/// Rules that are found by their first bytes.
struct Telling {
    classifier: Classifier,
    /// By place and byte: the rules that may have it there, a bit each; of more than 64, several share one.
    places: Box<[[u64; 256]; PLACES]>,
    /// The indices of the rules that share a bit.
    sharing: Vec<Vec<usize>>,
}

/// Rules that the library finds the possible starts of, boundaries aside.
struct Other {
    anywhere: Regex,
    rules: Vec<usize>,
}

impl Telling {
    /// Of rules by their indices.
    fn new(mut rules: Vec<(usize, Prefix)>, all_whole_word: bool, kernel: Kernel) -> Option<Self> {
        if rules.is_empty() {
            return None;
        }
        // So that those which share a bit, or a bucket, are like each other.
        rules.sort_by(|(_, a), (_, b)| a.cmp(b));
        let bits = rules.len().min(64);
        let mut places = Box::new([[0; 256]; PLACES]);
        let mut first = [[0; 256]; FINGERPRINT];
        let mut sharing = vec![Vec::new(); bits];
        for (order, (index, prefix)) in rules.iter().enumerate() {
            let (bit, bucket) = (order * bits / rules.len(), order * BUCKETS / rules.len());
            sharing[bit].push(*index);
            for byte in 0..=255 {
                for place in (0..PLACES).filter(|place| prefix.allows(*place, byte)) {
                    places[place][usize::from(byte)] |= 1 << bit;
                    if let Some(table) = first.get_mut(place) {
                        table[usize::from(byte)] |= 1 << bucket;
                    }
                }
            }
        }
        let starts = if all_whole_word { Starts::NotWithinWords } else { Starts::Anywhere };
        let fingerprint = Fingerprint::new(first, FINGERPRINT, true);
        let classifier = Classifier::new(kernel, starts, Filter::new(0), Some(fingerprint));
        Some(Self { classifier, places, sharing })
    }

    /// The bits of the rules that may match at `start`.
    #[inline]
    fn rules_at(&self, text: &[u8], start: usize) -> u64 {
        let byte = |place| text.get(start + place).copied().unwrap_or_default();
        (0..PLACES).fold(u64::MAX, |rules, place| rules & self.places[place][usize::from(byte(place))])
    }
}

impl Regexes {
    pub(crate) fn new(rules: &[(u32, &Rule)], texts: &mut Texts, kernel: Kernel) -> Result<Option<Self>, RulesError> {
        if rules.is_empty() {
            return Ok(None);
        }
        let mut compiled = Vec::with_capacity(rules.len());
        let (mut telling, mut others, mut hard) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (position, rule)) in rules.iter().enumerate() {
            let refuse = |reason: String| RulesError::rule(*position as usize, rule, reason);
            let syntax = syntax::Config::new().case_insensitive(!rule.case_sensitive);
            let parsed = syntax::parse_with(&rule.pattern, &syntax)
                .map_err(|error| refuse(format!("not a regular expression: {}", one_line(&error.to_string()))))?;
            if parsed.properties().minimum_len() == Some(0) {
                return Err(refuse("the regular expression matches the empty text".into()));
            }
            let whole = if rule.whole_word { whole_words(&parsed) } else { parsed.clone() };
            let too_large = |error: BuildError| refuse(format!("the regular expression is too large: {error}"));
            let exact = limited(SIZE_LIMIT).build_from_hir(&whole).map_err(too_large)?;
            let value = texts.add(rule.replace.as_bytes());
            compiled.push(One { exact, value, rule: *position, whole_word: rule.whole_word });

            let without_boundaries = without_word_boundaries(&parsed);
            match Prefix::of(&without_boundaries, SIZE_LIMIT) {
                Some(prefix) if prefix.share_of_words() < TELLING => telling.push((index, prefix)),
                _ => {
                    let anywhere = limited(SIZE_LIMIT).build_from_hir(&without_boundaries).map_err(too_large)?;
                    if anywhere.is_accelerated() {
                        others.push(Other { anywhere, rules: vec![index] });
                    } else {
                        hard.push((index, without_boundaries));
                    }
                }
            }
        }
        if !hard.is_empty() {
            // One search for all of them.
            let (indices, patterns): (Vec<usize>, Vec<Hir>) = hard.into_iter().unzip();
            let anywhere = limited(10 * SIZE_LIMIT).build_many_from_hir(&patterns).map_err(|error| {
                let (position, rule) = rules[indices[indices.len() - 1]];
                let reason = format!("with it the regular expressions together are too large: {error}");
                RulesError::rule(position as usize, rule, reason)
            })?;
            others.push(Other { anywhere, rules: indices });
        }
        let all_whole_word = rules.iter().all(|(_, rule)| rule.whole_word);
        let telling = Telling::new(telling, all_whole_word, kernel);
        Ok(Some(Self { rules: compiled, telling, others, all_whole_word }))
    }

    /// A search for matches that start in `text[from..limit]`.
    pub(crate) fn search<'a>(&'a self, text: &'a [u8], from: usize, limit: usize) -> Search<'a> {
        let telling = self.telling.as_ref().map(|telling| Candidates::new(&telling.classifier, text, from, limit));
        Search { regexes: self, text, limit, telling, others: vec![None; self.others.len()] }
    }

    /// Appends what the match of rule `index` that starts at `start` is replaced by.
    pub(crate) fn expand(&self, index: usize, text: &[u8], start: usize, texts: &Texts, out: &mut Vec<u8>) {
        let One { exact, value, .. } = &self.rules[index];
        let value = texts.get(*value);
        if !value.contains(&b'$') {
            out.extend_from_slice(value);
            return;
        }
        let mut captures: Captures = exact.create_captures();
        let to = text.len().min(start + LONGEST_MATCH);
        exact.search_captures(&Input::new(text).span(start..to).anchored(Anchored::Yes), &mut captures);
        let group = |index: usize, out: &mut Vec<u8>| {
            if let Some(span) = captures.get_group(index) {
                out.extend_from_slice(&text[span.range()]);
            }
        };
        let pattern = regex_automata::PatternID::ZERO;
        interpolate::bytes(value, group, |name| exact.group_info().to_index(pattern, name), out);
    }
}

fn limited(size: usize) -> Builder {
    let mut builder = Builder::new();
    builder.configure(Config::new().nfa_size_limit(Some(size)));
    builder
}

/// Finds matches from left to right.
pub(crate) struct Search<'a> {
    regexes: &'a Regexes,
    text: &'a [u8],
    limit: usize,
    telling: Option<Candidates<'a>>,
    /// Where each of the others might start next, as far as that is known; the end of the text stands for nowhere.
    others: Vec<Option<usize>>,
}

impl Search<'_> {
    /// The first match that starts at `at` or later. What is given for `at` may not become less.
    pub(crate) fn next(&mut self, mut at: usize) -> Option<Found> {
        let Regexes { telling, others, all_whole_word, .. } = self.regexes;
        while at < self.limit {
            let candidate = self.telling.as_mut().and_then(|candidates| candidates.next(at));
            for (other, next) in others.iter().zip(&mut self.others) {
                if next.is_none_or(|next| next < at) {
                    let found = other.anywhere.search(&Input::new(self.text).span(at..self.text.len()));
                    *next = Some(found.map_or(self.text.len(), |found| found.start()));
                }
            }
            let other = self.others.iter().flatten().copied().min();
            let start = candidate.into_iter().chain(other).min().filter(|start| *start < self.limit)?;
            let within_word = within_word(self.text, start);
            if !(*all_whole_word && within_word) {
                let to = self.text.len().min(start + LONGEST_MATCH);
                let anchored = Input::new(self.text).span(start..to).anchored(Anchored::Yes);
                let mut best: Option<Found> = None;
                let mut attempt = |index: usize| {
                    let One { exact, rule, whole_word, .. } = &self.regexes.rules[index];
                    if *whole_word && within_word {
                        return;
                    }
                    let Some(found) = exact.search(&anchored) else { return };
                    let found = Found { start, end: found.end(), rule: *rule, what: What::Expansion(index) };
                    if best.as_ref().is_none_or(|best| found.precedes(best)) {
                        best = Some(found);
                    }
                };
                if let Some(telling) = telling
                    && candidate == Some(start)
                {
                    let mut rules = telling.rules_at(self.text, start);
                    while rules != 0 {
                        telling.sharing[rules.trailing_zeros() as usize].iter().for_each(|index| attempt(*index));
                        rules &= rules - 1;
                    }
                }
                for (other, next) in others.iter().zip(&self.others) {
                    if *next == Some(start) {
                        other.rules.iter().for_each(|index| attempt(*index));
                    }
                }
                if best.is_some() {
                    return best;
                }
            }
            at = start + 1;
            if *all_whole_word && other == Some(start) {
                // No match can start within a word: on to its end, so that a long word is not searched once per character.
                while at < self.limit && self::within_word(self.text, at) {
                    at += 1;
                }
            }
        }
        None
    }
}

/// Places where a [`Classifier`] says that something may start, from left to right.
struct Candidates<'a> {
    classifier: &'a Classifier,
    text: &'a [u8],
    limit: usize,
    /// Where the batch in `masks` starts, and the next one.
    base: usize,
    next_base: usize,
    carry: Carry,
    masks: Masks,
    /// Blocks of the batch that are still to be looked at, a bit each; where the present one starts; what is left of it.
    busy: u64,
    block: usize,
    left: u64,
}

impl<'a> Candidates<'a> {
    fn new(classifier: &'a Classifier, text: &'a [u8], from: usize, limit: usize) -> Self {
        Self {
            classifier,
            text,
            limit,
            base: from,
            next_base: from,
            carry: Carry { in_word: from > 0 && is_ascii_word(text[from - 1]), escaped: false },
            masks: const { Masks::new() },
            busy: 0,
            block: from,
            left: 0,
        }
    }

    /// The next one at `at` or later. It is given again if it is asked for again.
    #[inline]
    fn next(&mut self, at: usize) -> Option<usize> {
        loop {
            while self.left != 0 {
                let start = self.block + self.left.trailing_zeros() as usize;
                if start >= at {
                    return Some(start);
                }
                self.left &= self.left - 1;
            }
            if self.busy != 0 {
                let i = self.busy.trailing_zeros() as usize % BLOCKS;
                self.busy &= self.busy - 1;
                self.block = self.base + i * BLOCK;
                self.left = self.masks.kept[i];
            } else if self.next_base < self.limit {
                self.base = self.next_base;
                let blocks = self.classifier.fill::<false>(&self.text[self.base..], &mut self.masks, &mut self.carry);
                self.next_base = self.base + blocks * BLOCK;
                self.busy = self.masks.busy;
            } else {
                return None;
            }
        }
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
