//! The engine: all three kinds of search, joined.

use crate::classify::Kernel;
use crate::found::{Found, Span, Texts, What};
use crate::json::{self, JsonText};
use crate::regexes::{self, Regexes};
use crate::rules::{Kind, MAX_RULES, Rules, RulesError};
use crate::substrings::{self, Substrings};
use crate::words::{Scanner, WordRule, Words};

/// A matcher for a set of [`Rules`]. Built once, used by any number of threads.
pub struct Engine {
    texts: Texts,
    words: Words,
    substrings: Option<Substrings>,
    regexes: Option<Regexes>,
    rules: usize,
    pub(crate) reach: Reach,
    /// Whether replacing in a JSON string without `\u` escapes, as it stands, is replacing in the text that it means.
    transparent_to_json: bool,
}

/// How much of a text round a place must be known to decide what starts there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// What may precede a first word in a match, in bytes.
    pub(crate) before: usize,
    /// The longest match and a character more, in bytes.
    pub(crate) after: usize,
}

/// A character in UTF-8 takes up to this many bytes; simple folding can turn one of one byte into one of three.
const LONGEST_CHARACTER: usize = 4;

/// Where output goes: as it is, or as the inside of a JSON string.
pub(crate) trait Sink {
    /// Text between matches, as it stands in the input.
    fn keep(&mut self, text: &[u8]);
    /// What a match is replaced by.
    fn insert(&mut self, text: &[u8]);
    /// The same, if it is one of `texts`.
    fn insert_span(&mut self, texts: &Texts, span: Span);
}

impl Sink for &mut Vec<u8> {
    #[inline]
    fn keep(&mut self, text: &[u8]) {
        self.extend_from_slice(text);
    }

    #[inline]
    fn insert(&mut self, text: &[u8]) {
        self.extend_from_slice(text);
    }

    #[inline(always)]
    fn insert_span(&mut self, texts: &Texts, span: Span) {
        texts.append_to(span, self);
    }
}

impl Engine {
    /// Builds the matcher. An error names the rule at fault.
    pub fn new(rules: &Rules) -> Result<Self, RulesError> {
        let fastest = *Kernel::available().last().expect("the scalar kernel runs everywhere");
        Self::with_kernel(rules, fastest)
    }

    pub(crate) fn with_kernel(rules: &Rules, kernel: Kernel) -> Result<Self, RulesError> {
        if rules.len() > MAX_RULES {
            return Err(RulesError::too_many(rules.len()));
        }
        let (mut whole_word, mut anywhere, mut regex) = (Vec::with_capacity(rules.len()), Vec::new(), Vec::new());
        let mut reach = Reach { before: 0, after: 0 };
        let mut transparent_to_json = true;
        for (position, rule) in (0..).zip(rules) {
            if rule.pattern.is_empty() {
                return Err(RulesError::rule(position as usize, rule, "the text to match is empty"));
            }
            if rule.kind == Kind::Regex {
                regex.push((position, rule));
                continue;
            }
            let characters = if rule.pattern.is_ascii() { rule.pattern.len() } else { rule.pattern.chars().count() };
            reach.after = reach.after.max(characters * LONGEST_CHARACTER);
            match WordRule::new(position, rule) {
                Some(word_rule) => {
                    reach.before = reach.before.max(word_rule.prefix().len() * LONGEST_CHARACTER);
                    whole_word.push(word_rule);
                    transparent_to_json &= json::stands_as_it_is(&rule.pattern);
                }
                None => anywhere.push((position, rule)),
            }
        }
        if !regex.is_empty() {
            reach.after = reach.after.max(regexes::LONGEST_MATCH);
        }
        // One more, to see what follows a match.
        reach.after += LONGEST_CHARACTER;

        let mut texts = Texts::default();
        let words = Words::new(&whole_word, &mut texts, kernel)?;
        substrings::refuse_duplicates(&anywhere)?;
        for (position, rule) in &anywhere {
            if let Some(earlier) = words.same(rule, &texts) {
                let first = rules.iter().nth(earlier as usize).expect("it is one of the rules");
                let ((later, second), (earlier, first)) = if earlier < *position {
                    ((*position, *rule), (earlier, first))
                } else {
                    ((earlier, first), (*position, *rule))
                };
                return Err(RulesError::duplicate(later, second, earlier, first));
            }
        }
        let substrings = Substrings::new(&anywhere, &mut texts);
        let regexes = Regexes::new(&regex, &mut texts, kernel)?;
        texts.finish();
        let transparent_to_json = transparent_to_json && substrings.is_none() && regexes.is_none();
        Ok(Self { texts, words, substrings, regexes, rules: rules.len(), reach, transparent_to_json })
    }

    /// The number of rules.
    pub fn rules(&self) -> usize {
        self.rules
    }

    /// The room that is made in `out` for the result of a text of `length` bytes: a sixteenth more, as replacements are
    /// usually longer. Whoever brings a buffer with so much room has none of it copied, unless there is more to put in.
    pub const fn room(length: usize) -> usize {
        length + length / 16 + 64
    }

    /// Appends `text`, with every match replaced, to `out`; returns the number of replacements.
    ///
    /// `text` should be UTF-8. Bytes that are not are copied as they are: they belong to no word and to no match.
    pub fn replace_into(&self, text: &[u8], out: &mut Vec<u8>) -> usize {
        out.reserve(Self::room(text.len()));
        let (count, end) = self.run::<false>(text, 0, text.len(), &mut &mut *out);
        out.extend_from_slice(&text[end..]);
        count
    }

    /// [`Engine::replace_into`] for text that stands in a JSON string, which has to be valid; what is appended to `out`
    /// has its escapes as well.
    ///
    /// Nothing is decoded where that can be seen not to matter, which is nearly always: it saves two passes over the text.
    pub fn replace_json_into(&self, text: JsonText<'_>, out: &mut Vec<u8>) -> usize {
        let json = text.as_bytes();
        out.reserve(Self::room(json.len()));
        let mut sink = json::Escaping(out);
        let (count, end) = match text.escapes() {
            json::Escapes::None => self.run::<false>(json, 0, json.len(), &mut sink),
            json::Escapes::Short if self.transparent_to_json => self.run::<true>(json, 0, json.len(), &mut sink),
            _ => return self.replace_decoded_json(json, out),
        };
        out.extend_from_slice(&json[end..]);
        count
    }

    fn replace_decoded_json(&self, json: &[u8], out: &mut Vec<u8>) -> usize {
        let text = json::decode(json);
        let mut replaced = Vec::new();
        let count = self.replace_into(&text, &mut replaced);
        json::Escaping(out).insert(&replaced);
        count
    }

    /// Replaces every match that starts in `text[from..limit]`; what comes before `from` and after `limit` is context.
    /// Returns the number of replacements and how far `text` is written to `sink`: up to the end of the last match.
    #[inline]
    pub(crate) fn run<const JSON: bool>(
        &self,
        text: &[u8],
        from: usize,
        limit: usize,
        sink: &mut impl Sink,
    ) -> (usize, usize) {
        let mut words =
            Scanner::<JSON>::new(&self.words, &self.texts, text, from, text.len().min(limit + self.reach.before));
        if self.substrings.is_some() || self.regexes.is_some() {
            return self.run_all(&mut words, text, from, limit, sink);
        }
        let (mut count, mut at) = (0, from);
        while let Some(found) = words.next(at).filter(|found| found.start < limit) {
            sink.keep(&text[at..found.start]);
            self.insert(text, &found, sink);
            at = found.end;
            count += 1;
        }
        (count, at)
    }

    /// The same with all kinds of rules: of the next match of each kind, the first is taken.
    fn run_all<const JSON: bool>(
        &self,
        words: &mut Scanner<JSON>,
        text: &[u8],
        from: usize,
        limit: usize,
        sink: &mut impl Sink,
    ) -> (usize, usize) {
        let substrings = self.substrings.as_ref().map(|substrings| substrings.search(text, from));
        let (mut count, mut at) = (0, from);
        let mut next_word = words.next(at);
        let mut next_substring = substrings.as_ref().and_then(|search| search.next(at, limit));
        let mut regexes = self.regexes.as_ref().map(|regexes| regexes.search(text, from, limit));
        let mut next_regex = regexes.as_mut().and_then(|search| search.next(at));
        loop {
            let best = [&next_word, &next_substring, &next_regex]
                .into_iter()
                .flatten()
                .reduce(|best, found| if found.precedes(best) { found } else { best });
            let Some(found) = best.filter(|found| found.start < limit).cloned() else { return (count, at) };
            sink.keep(&text[at..found.start]);
            self.insert(text, &found, sink);
            at = found.end;
            count += 1;
            let passed = |next: &Option<Found>| next.as_ref().is_some_and(|next| next.start < at);
            if passed(&next_word) {
                words.again();
                next_word = words.next(at);
            }
            if passed(&next_substring) {
                next_substring = substrings.as_ref().and_then(|search| search.next(at, limit));
            }
            if passed(&next_regex) {
                next_regex = regexes.as_mut().and_then(|search| search.next(at));
            }
        }
    }

    #[inline(always)]
    fn insert(&self, text: &[u8], found: &Found, sink: &mut impl Sink) {
        match found.what {
            What::Text(value) => sink.insert_span(&self.texts, value),
            What::Expansion(index) => self.insert_expansion(text, found.start, index, sink),
        }
    }

    #[inline(never)]
    fn insert_expansion(&self, text: &[u8], start: usize, index: usize, sink: &mut impl Sink) {
        let mut expanded = Vec::new();
        if let Some(regexes) = &self.regexes {
            regexes.expand(index, text, start, &self.texts, &mut expanded);
        }
        sink.insert(&expanded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rule;

    /// The tests from outside run the fastest kernel only; here each must give what the portable one gives.
    #[test]
    fn all_kernels_replace_alike() {
        let pieces = [
            "ing",
            "ABN",
            "ſks",
            "\u{212A}ilo",
            "é",
            "“ing”",
            " ",
            " ",
            ". ",
            "x",
            "new york",
            "\n",
            "straße",
            "_",
            "9",
        ];
        let mut state = 1_u64;
        let mut random = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        // Few rules have a short fingerprint, more a long one, and many none; those with `é` look at all lead bytes.
        for (count, more) in
            [(1, &[][..]), (20, &["sks", "new york"][..]), (20, &["é", "straße"][..]), (30_000, &["kilo"][..])]
        {
            let made_up = (0..count).map(|i| Rule::literal(format!("{}{i}", ["ab", "ing", "x", "kw"][i % 4]), "<m>"));
            let rules: Rules =
                made_up.chain(["ing", "ABN"].iter().chain(more).map(|word| Rule::literal(*word, "<r>"))).collect();
            let regexes: Rules = [("ing|\\d+", true), ("K\\w", true), ("[éß“]\\w?", false), ("\\w+\\. x", true)]
                .map(|(pattern, whole_word)| Rule { kind: Kind::Regex, whole_word, ..Rule::literal(pattern, "<e>") })
                .into_iter()
                .chain(rules.iter().take(count % 7).cloned())
                .collect();
            for rules in [&rules, &regexes] {
                let engines: Vec<Engine> =
                    Kernel::available().into_iter().map(|kernel| Engine::with_kernel(rules, kernel).unwrap()).collect();
                for _ in 0..200 {
                    let text: String = (0..random(900)).map(|_| pieces[random(pieces.len())]).collect();
                    let mut outs = engines.iter().map(|engine| {
                        let mut out = Vec::new();
                        engine.replace_into(text.as_bytes(), &mut out);
                        String::from_utf8(out).unwrap()
                    });
                    let portable = outs.next().expect("the scalar kernel runs everywhere");
                    assert!(outs.all(|out| out == portable), "{count} rules: {text:?}");
                }
            }
        }
    }
}
