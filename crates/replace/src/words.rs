//! Whole-word rules, found by their first word.
//!
//! A whole-word rule whose pattern has a word character can only match where the text has, as a complete word, the first
//! word of that pattern: `New York` only at a word `new`, `.NET` only round a word `net`. So the text is cut into words by
//! bit masks, and each word is looked up in a hash table, behind a bitmap filter that turns nearly all words away. With few
//! rules a fingerprint of the first three bytes ([`crate::classify`]) turns them away even before they are hashed.
//!
//! Leftmost first comes for free: what precedes the first word in a pattern has no word character in it, so it lies
//! between that word and the one before, and matches start in the order of their first words.

use std::collections::HashMap;

use crate::classify::{
    BLOCK, BLOCKS, BUCKETS, Carry, Classifier, FINGERPRINT, Fingerprint, Kernel, Leads, Masks, SHORT, Starts, prefetch,
};
use crate::filter::Filter;
use crate::found::{Found, Span, Texts, What};
use crate::rules::{Rule, RulesError};
use crate::unicode::{char_at, char_before, fold, fold_into, is_ascii_word, is_word, word_after, word_before};

/// A fingerprint that lets more than this share of words through costs more than it saves.
const WORTH_IT: f64 = 0.8;
/// One that lets through less than this needs no filter after it.
const SUFFICES: f64 = 0.005;
/// Nor is one worth its making that so many beginnings have a part in.
const MANY_BEGINNINGS: usize = 8_192;
/// Up to this many, three bytes tell them from other words well enough.
const SHORT_FINGERPRINT: usize = 16;

/// The index over all whole-word rules.
pub(crate) struct Words {
    classifier: Classifier,
    table: Box<[Entry]>,
    groups: Box<[Group]>,
    candidates: Box<[Candidate]>,
    /// The longest first word, in bytes of its folded form.
    longest_word: usize,
    /// Whether all first words fold to ASCII: then no word with another letter is one of them.
    all_ascii: bool,
}

/// A slot of the open-addressing table. Two of them are a cache line, and none is on two.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Entry {
    /// The [`Key`] of its word.
    bits: [u64; 2],
    length: u32,
    /// A plain entry's rule, or with [`GROUP`] the index of a group.
    rule: u32,
    /// What to insert, for a plain entry.
    value: Span,
}

const _: () = assert!(size_of::<Entry>() == 32);

impl Entry {
    #[inline]
    fn is_empty(&self) -> bool {
        self.length == 0
    }

    #[inline]
    fn is_of(&self, word: Key) -> bool {
        self.length == word.length && self.bits == word.bits
    }
}

const GROUP: u32 = 1 << 31;

/// A folded word: its bytes where they fit, their hash otherwise. Length 0: none.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    /// The first eight bytes and the next, or the halves of the hash.
    bits: [u64; 2],
    length: u32,
}

impl Key {
    #[inline]
    fn new(folded: &[u8]) -> Self {
        let length = folded.len() as u32;
        if folded.len() <= SHORT {
            let mut bytes = [0; SHORT];
            bytes[..folded.len()].copy_from_slice(folded);
            return Self::short(u128::from_le_bytes(bytes), length);
        }
        let [low, high] = folded.chunks(SHORT).fold([u64::from(length), 0], |[low, high], chunk| {
            let mut bytes = [0; SHORT];
            bytes[..chunk.len()].copy_from_slice(chunk);
            let state = u128::from(high) << 64 | u128::from(low);
            let mixed = state.rotate_left(41) ^ u128::from_le_bytes(bytes);
            [mix(!mixed as u64, mixed as u64), mix(mixed as u64, (mixed >> 64) as u64)]
        });
        Self { bits: [low, high], length }
    }

    /// Of a word that fits, as an integer.
    #[inline]
    fn short(bytes: u128, length: u32) -> Self {
        Self { bits: [bytes as u64, (bytes >> 64) as u64], length }
    }

    #[inline]
    fn hash(self) -> u64 {
        let [low, high] = self.bits;
        mix((low ^ 0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(self.length)), high ^ 0xD6E8_FEB8_6659_FD93)
    }
}

/// Both halves of a 128-bit product: cheap, and every input bit reaches every output bit.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The form in which words are compared: folded, and ASCII with bit 5 set, which lets the scanner fold sixteen bytes with
/// one instruction. Among word characters this changes `_` only, into a byte that no other has.
#[inline]
fn comparable(byte: u8) -> u8 {
    if byte.is_ascii() { byte | 0x20 } else { byte }
}

/// The rules that share a first word.
struct Group {
    /// The comparable form of that word, if it is too long to be its own key.
    word: Span,
    first: u32,
    count: u32,
}

/// One rule of a group, without its first word.
struct Candidate {
    /// Folded text before the first word: no word character in it.
    prefix: Span,
    /// Folded text after it.
    suffix: Span,
    value: Span,
    /// The pattern as it stands, if case matters.
    exact: Option<Span>,
    /// Whether no word character may follow.
    ends_word: bool,
    rule: u32,
}

impl Candidate {
    #[inline]
    fn found(&self, start: usize, end: usize) -> Found {
        Found { start, end, rule: self.rule, what: What::Text(self.value) }
    }
}

/// A pattern cut at its first word.
struct Cut<'p> {
    prefix: &'p str,
    word: &'p str,
    suffix: &'p str,
}

/// Cuts a pattern, if it can only match round a complete word. One that may match inside words (`whole_word` off) still
/// can where the pattern itself has something else than a word character on both sides.
fn cut(rule: &Rule) -> Option<Cut<'_>> {
    let pattern = rule.pattern.as_str();
    let (start, end) = if pattern.is_ascii() {
        let start = pattern.bytes().position(is_ascii_word)?;
        let length = pattern[start..].bytes().position(|byte| !is_ascii_word(byte));
        (start, length.map_or(pattern.len(), |length| start + length))
    } else {
        let start = pattern.find(is_word)?;
        (start, pattern[start..].find(|c| !is_word(c)).map_or(pattern.len(), |length| start + length))
    };
    let complete = rule.whole_word || (start > 0 && end < pattern.len());
    complete.then(|| Cut { prefix: &pattern[..start], word: &pattern[start..end], suffix: &pattern[end..] })
}

/// Where the first word starts in the pattern of a rule that is found by it, counted in bytes; none for a rule that is not.
pub(crate) fn first_word(rule: &Rule) -> Option<usize> {
    cut(rule).map(|cut| cut.prefix.len())
}

fn comparable_word(word: &str, folded: &mut Vec<u8>) {
    folded.clear();
    fold_into(word, folded);
    folded.iter_mut().for_each(|byte| *byte = comparable(*byte));
}

impl Words {
    /// Indexes rules that have a [`first_word`]; they come with their place in the document.
    pub(crate) fn new(rules: &[(u32, &Rule)], texts: &mut Texts, kernel: Kernel) -> Result<Self, RulesError> {
        let slots = (rules.len() * 5 / 4).next_power_of_two().max(16);
        let mut table = vec![Entry::default(); slots].into_boxed_slice();
        let mut filter = Filter::new(rules.len());
        let mut sharing: Vec<Sharing> = Vec::new();
        let mut folded = Vec::new();
        let (mut longest_word, mut all_ascii) = (0, true);
        for (index, (position, rule)) in rules.iter().enumerate() {
            let Cut { prefix, word, suffix } = cut(rule).expect("only such rules come here");
            comparable_word(word, &mut folded);
            longest_word = longest_word.max(folded.len());
            all_ascii &= folded.is_ascii();
            let key = Key::new(&folded);
            let hash = key.hash();
            filter.add(&folded);

            let plain = prefix.is_empty() && suffix.is_empty() && !rule.case_sensitive && folded.len() <= SHORT;
            let mut slot = hash as usize & (slots - 1);
            loop {
                let entry = &mut table[slot];
                if entry.is_empty() {
                    (entry.bits, entry.length) = (key.bits, key.length);
                    if plain {
                        entry.value = texts.add(rule.replace.as_bytes());
                        entry.rule = *position;
                    } else {
                        entry.rule = GROUP | sharing.len() as u32;
                        sharing.push(Sharing::new(&folded, index));
                    }
                    break;
                }
                if entry.is_of(key) {
                    if entry.rule & GROUP == 0 {
                        let other = rules.partition_point(|(position, _)| *position < entry.rule);
                        if plain {
                            return Err(RulesError::duplicate(*position, rule, entry.rule, rules[other].1));
                        }
                        entry.rule = GROUP | sharing.len() as u32;
                        sharing.push(Sharing::new(&folded, other));
                    }
                    let shared = &mut sharing[(entry.rule & !GROUP) as usize];
                    // Two long words may have one hash: the second gets a slot of its own, further on.
                    if *shared.word == *folded {
                        shared.rules.push(index);
                        break;
                    }
                }
                slot = (slot + 1) & (slots - 1);
            }
        }

        let mut candidates = Vec::with_capacity(sharing.iter().map(|shared| shared.rules.len()).sum());
        let mut groups = Vec::with_capacity(sharing.len());
        let mut once = HashMap::new();
        for shared in &sharing {
            let first = candidates.len() as u32;
            let word = if shared.word.len() > SHORT { texts.add(&shared.word) } else { Span::default() };
            for index in &shared.rules {
                let (position, rule) = rules[*index];
                let Cut { prefix, suffix, .. } = cut(rule).expect("only such rules come here");
                let mut add_folded = |text: &str| {
                    folded.clear();
                    fold_into(text, &mut folded);
                    // Most patterns end like others, or with nothing at all.
                    *once.entry(folded.clone()).or_insert_with(|| texts.add(&folded))
                };
                candidates.push(Candidate {
                    prefix: add_folded(prefix),
                    suffix: add_folded(suffix),
                    value: texts.add(rule.replace.as_bytes()),
                    exact: rule.case_sensitive.then(|| texts.add(rule.pattern.as_bytes())),
                    ends_word: rule.whole_word && suffix.chars().next_back().is_some_and(is_word),
                    rule: position,
                });
            }
            let parts = |candidate: &Candidate| (texts.get(candidate.prefix), texts.get(candidate.suffix));
            let group = &mut candidates[first as usize..];
            group.sort_by(|a, b| parts(a).cmp(&parts(b)).then(a.rule.cmp(&b.rule)));
            if let Some(pair) = group.windows(2).find(|pair| parts(&pair[0]) == parts(&pair[1])) {
                let place = |position| &rules[rules.partition_point(|(other, _)| *other < position)];
                let ((first, earlier), (second, later)) = (place(pair[0].rule), place(pair[1].rule));
                return Err(RulesError::duplicate(*second, later, *first, earlier));
            }
            groups.push(Group { word, first, count: shared.rules.len() as u32 });
        }

        let classifier = Classifier::new(kernel, Starts::Words(leads(rules)), filter, fingerprint(rules));
        Ok(Self {
            classifier,
            table,
            groups: groups.into_boxed_slice(),
            candidates: candidates.into_boxed_slice(),
            longest_word,
            all_ascii,
        })
    }

    /// The rule whose pattern equals `pattern` under folding, if there is one.
    pub(crate) fn same(&self, rule: &Rule, texts: &Texts) -> Option<u32> {
        let as_words = Rule { whole_word: true, ..rule.clone() };
        let Cut { prefix, word, suffix } = cut(&as_words)?;
        let (mut folded, mut folded_prefix, mut folded_suffix) = (Vec::new(), Vec::new(), Vec::new());
        comparable_word(word, &mut folded);
        fold_into(prefix, &mut folded_prefix);
        fold_into(suffix, &mut folded_suffix);
        let entry = self.look_up(Key::new(&folded), texts, |word| *word == *folded)?;
        if entry.rule & GROUP == 0 {
            return (prefix.is_empty() && suffix.is_empty()).then_some(entry.rule);
        }
        self.group(entry)
            .iter()
            .find(|candidate| {
                texts.get(candidate.prefix) == folded_prefix && texts.get(candidate.suffix) == folded_suffix
            })
            .map(|candidate| candidate.rule)
    }

    /// To be called some time before the word is looked up.
    #[inline]
    fn prefetch(&self, key: Key) {
        prefetch(&self.table, key.hash() as usize & (self.table.len() - 1));
    }

    fn group(&self, entry: &Entry) -> &[Candidate] {
        let Group { first, count, .. } = self.groups[(entry.rule & !GROUP) as usize];
        &self.candidates[first as usize..][..count as usize]
    }

    /// The entry of a word; `is` compares the whole word where the key holds its hash only.
    #[inline]
    fn look_up(&self, key: Key, texts: &Texts, is: impl Fn(&[u8]) -> bool) -> Option<&Entry> {
        let mask = self.table.len() - 1;
        let mut slot = key.hash() as usize & mask;
        loop {
            let entry = &self.table[slot & mask];
            if entry.is_of(key) {
                let inline = key.length as usize <= SHORT;
                if inline || is(texts.get(self.groups[(entry.rule & !GROUP) as usize].word)) {
                    return Some(entry);
                }
            }
            if entry.is_empty() {
                return None;
            }
            slot += 1;
        }
    }
}

/// Rules that share a first word, while the index is built.
struct Sharing {
    word: Box<[u8]>,
    rules: Vec<usize>,
}

impl Sharing {
    fn new(word: &[u8], rule: usize) -> Self {
        Self { word: word.into(), rules: vec![rule] }
    }
}

/// Which non-ASCII characters the first words of the rules may start with.
fn leads(rules: &[(u32, &Rule)]) -> Leads {
    let mut leads = Leads::None;
    for (_, rule) in rules {
        match cut(rule).and_then(|cut| cut.word.chars().next()).map(fold) {
            Some('s' | 'k') => leads = Leads::LongSAndKelvin,
            Some(c) if !c.is_ascii() => return Leads::All,
            _ => {}
        }
    }
    leads
}

/// The fingerprint of the rules' first words, if it is worth its cost.
fn fingerprint(rules: &[(u32, &Rule)]) -> Option<Fingerprint> {
    // How the words begin, filled up with NUL where they are shorter: 100,000 words have far fewer beginnings. Words that
    // start with another than an ASCII character are found by their lead byte instead.
    let mut beginnings: Vec<[char; FINGERPRINT]> = rules
        .iter()
        .map(|(_, rule)| {
            let mut characters = cut(rule).expect("only such rules come here").word.chars().map(fold);
            std::array::from_fn(|_| characters.next().unwrap_or('\0'))
        })
        .filter(|beginning: &[char; FINGERPRINT]| beginning[0].is_ascii())
        .collect();
    beginnings.sort_unstable();
    beginnings.dedup();
    if beginnings.len() > MANY_BEGINNINGS {
        return None;
    }
    let mut exact = [[0; 256]; FINGERPRINT];
    let mut forms = HashMap::new();
    for (index, beginning) in beginnings.iter().enumerate() {
        let bucket = 1 << (index * BUCKETS / beginnings.len());
        let mut variants = vec![Vec::new()];
        for c in beginning.iter().take_while(|c| **c != '\0') {
            let forms = forms.entry(*c).or_insert_with(|| folding_to(*c));
            variants = forms
                .iter()
                .flat_map(|form| {
                    variants.iter().map(|start| [start, form.encode_utf8(&mut [0; 4]).as_bytes()].concat())
                })
                .collect();
        }
        for variant in variants.iter().filter(|variant| variant[0].is_ascii()) {
            for (place, table) in exact.iter_mut().enumerate() {
                match variant.get(place) {
                    Some(byte) => table[usize::from(*byte)] |= bucket,
                    // The word has ended: anything but an ASCII word character follows, and then anything at all.
                    None => (0..=255)
                        .filter(|byte| place > variant.len() || !is_ascii_word(*byte))
                        .for_each(|byte| table[usize::from(byte)] |= bucket),
                }
            }
        }
    }
    let places = if beginnings.len() > SHORT_FINGERPRINT { FINGERPRINT } else { 3 };
    let through = lets_through(&exact[..places]);
    (through < WORTH_IT).then(|| Fingerprint::new(exact, places, through < SUFFICES))
}

/// The share of words that a fingerprint lets through, if all letters were equally frequent everywhere.
fn lets_through(tables: &[[u8; 256]]) -> f64 {
    let letters = |table: &[u8; 256], bucket: usize| {
        (b'a'..=b'z').filter(|letter| table[usize::from(*letter)] >> bucket & 1 == 1).count() as f64 / 26.0
    };
    (0..BUCKETS).map(|bucket| tables.iter().map(|table| letters(table, bucket)).product::<f64>()).sum()
}

/// All characters that fold to what `c` folds to.
fn folding_to(c: char) -> Vec<char> {
    use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    class.try_case_fold_simple().expect("the feature unicode-case is on, as build.rs needs it");
    class.iter().flat_map(|range| range.start()..=range.end()).collect()
}

/// Finds whole-word matches in a text, from left to right.
pub(crate) struct Scanner<'a, const JSON: bool> {
    words: &'a Words,
    texts: &'a Texts,
    text: &'a [u8],
    /// First words are looked for before this.
    limit: usize,
    /// Where the batch in `masks` starts, and the next one.
    base: usize,
    next_base: usize,
    carry: Carry,
    masks: Masks,
    /// Blocks of the batch whose words are still to be looked up, a bit each.
    busy: u64,
    /// Where the present block starts, and its words that are still to be looked up, a bit each.
    block: usize,
    words_left: u64,
    /// Words that were looked up and found, and which of them comes next.
    hits: [Hit<'a>; AHEAD],
    count: usize,
    next_hit: usize,
}

/// How many words are looked up at a time. Each waits for memory, where there are many rules: so they wait together.
const AHEAD: usize = 16;

/// A complete word of the text that is the first word of some rules.
#[derive(Clone, Copy)]
struct Hit<'a> {
    start: usize,
    end: usize,
    entry: &'a Entry,
}

impl<'a, const JSON: bool> Scanner<'a, JSON> {
    /// `text[from..limit]` is searched for first words; all of `text` is context. With `JSON`, `text` is what stands
    /// between the quotes of a JSON string, without `\u`: the characters of its escapes belong to no word.
    pub(crate) fn new(words: &'a Words, texts: &'a Texts, text: &'a [u8], from: usize, limit: usize) -> Self {
        Self {
            words,
            texts,
            text,
            limit,
            base: from,
            next_base: from,
            carry: Carry { in_word: from > 0 && is_ascii_word(text[from - 1]), escaped: false },
            masks: Masks::new(),
            busy: 0,
            block: 0,
            words_left: 0,
            hits: [Hit { start: 0, end: 0, entry: &words.table[0] }; AHEAD],
            count: 0,
            next_hit: 0,
        }
    }

    /// Has the word of the last match looked at once more: that match was overtaken by one of another kind, and with what
    /// is left of the text before the word another rule may match there.
    pub(crate) fn again(&mut self) {
        self.next_hit -= 1;
    }

    /// The next match that starts at `at` or later.
    #[inline]
    pub(crate) fn next(&mut self, at: usize) -> Option<Found> {
        loop {
            while self.next_hit < self.count {
                let Hit { start, end, entry } = self.hits[self.next_hit];
                self.next_hit += 1;
                if let Some(found) = self.decide(entry, start, end, at) {
                    return Some(found);
                }
            }
            if !self.look_up() {
                return None;
            }
        }
    }

    /// Looks up the next words, until some are found; none are when the text has ended.
    fn look_up(&mut self) -> bool {
        (self.count, self.next_hit) = (0, 0);
        while self.count == 0 {
            if self.words_left == 0 && self.busy == 0 {
                if self.next_base >= self.limit {
                    return false;
                }
                self.fill();
            }
            let mut keys = [(0, 0, Key::default()); AHEAD];
            let mut count = 0;
            while count < AHEAD {
                if self.words_left == 0 {
                    if self.busy == 0 {
                        break;
                    }
                    let i = self.busy.trailing_zeros() as usize % BLOCKS;
                    self.busy &= self.busy - 1;
                    self.block = i * BLOCK;
                    self.words_left = self.masks.kept[i];
                }
                let bit = self.words_left.trailing_zeros() as usize;
                self.words_left &= self.words_left - 1;
                let place = self.block + bit;
                if self.base + place >= self.limit {
                    (self.words_left, self.busy) = (0, 0);
                    break;
                }
                let start = self.base + place;
                let length = self.masks.word_length(place);
                let key = if length > SHORT || self.text.get(start + length).is_some_and(|byte| !byte.is_ascii()) {
                    Key::default()
                } else {
                    Key::short(self.load(start, length), length as u32)
                };
                self.words.prefetch(key);
                keys[count] = (start, length, key);
                count += 1;
            }
            for (start, length, key) in &keys[..count] {
                let hit = if key.length > 0 { self.resolve(*start, *key) } else { self.resolve_slow(*start, *length) };
                if let Some((end, entry)) = hit {
                    if entry.rule & GROUP == 0 {
                        self.texts.prefetch(entry.value);
                    }
                    self.hits[self.count] = Hit { start: *start, end, entry };
                    self.count += 1;
                }
            }
        }
        true
    }

    /// Looks up an ASCII word of at most [`SHORT`] bytes that no non-ASCII character follows. Returns where it ends, too.
    #[inline]
    fn resolve(&self, start: usize, key: Key) -> Option<(usize, &'a Entry)> {
        let entry = self.words.look_up(key, self.texts, |_| true)?;
        if start > 0 && !self.text[start - 1].is_ascii() && word_before(self.text, start) {
            return None;
        }
        Some((start + key.length as usize, entry))
    }

    /// Looks up a word of any kind that starts with so many ASCII word characters. Kept out of the loop that calls it, which
    /// is long enough.
    #[inline(never)]
    fn resolve_slow(&self, start: usize, length: usize) -> Option<(usize, &'a Entry)> {
        if start > 0 && !self.text[start - 1].is_ascii() && word_before(self.text, start) {
            return None;
        }
        let mut folded = Folded::new();
        let mut end = start;
        if let Some(bytes) = self.text[start..].first_chunk()
            && length <= bytes.len()
        {
            folded.start_with(bytes, length);
            end += length;
        }
        while let Some(byte) = self.text.get(end) {
            if is_ascii_word(*byte) {
                folded.push(comparable(*byte));
                end += 1;
            } else if byte.is_ascii() {
                break;
            } else {
                let Some(c) = char_at(self.text, end).filter(|c| is_word(*c)) else { break };
                let mut utf8 = [0; 4];
                let folded_char = fold(c);
                if self.words.all_ascii && !folded_char.is_ascii() {
                    return None;
                }
                for byte in folded_char.encode_utf8(&mut utf8).bytes() {
                    folded.push(comparable(byte));
                }
                end += c.len_utf8();
            }
            if folded.length > self.words.longest_word {
                return None;
            }
        }
        if end == start {
            return None;
        }
        let key = Key::new(folded.bytes());
        let entry = self.words.look_up(key, self.texts, |word| word == folded.bytes())?;
        Some((end, entry))
    }

    /// The match that an entry's rules have at the word `start..end`, of which no word character lies before or after.
    #[inline]
    fn decide(&self, entry: &Entry, start: usize, end: usize, at: usize) -> Option<Found> {
        if entry.rule & GROUP == 0 {
            return (start >= at).then_some(Found { start, end, rule: entry.rule, what: What::Text(entry.value) });
        }
        self.decide_group(self.words.group(entry), start, end, at)
    }

    #[inline(never)]
    fn decide_group(&self, mut group: &[Candidate], start: usize, end: usize, at: usize) -> Option<Found> {
        if let [only] = group {
            let from = self.starts_with(self.texts.get(only.prefix), start).filter(|from| *from >= at)?;
            let to = self.goes_on_with(self.texts.get(only.suffix), end)?;
            return self.fits(only, from, to).then(|| only.found(from, to));
        }
        let mut best: Option<Found> = None;
        // Candidates are in order of prefix, then suffix.
        while let [first, ..] = group {
            let prefix = self.texts.get(first.prefix);
            let same = group.partition_point(|candidate| self.texts.get(candidate.prefix) == prefix);
            let (candidates, rest) = group.split_at(same);
            group = rest;
            let Some(from) = self.starts_with(prefix, start).filter(|from| *from >= at) else { continue };
            if best.as_ref().is_some_and(|best| best.start < from) {
                continue;
            }
            let found = self.longest(candidates, from, end);
            if found.as_ref().is_some_and(|found| best.as_ref().is_none_or(|best| found.precedes(best))) {
                best = found;
            }
        }
        best
    }

    /// Where the text before `start` that equals `prefix` begins.
    fn starts_with(&self, prefix: &[u8], start: usize) -> Option<usize> {
        let mut from = start;
        let mut left = prefix.len();
        while left > 0 {
            let expected = char_before(prefix, left)?;
            let c = char_before(self.text, from)?;
            if fold(c) != expected {
                return None;
            }
            left -= expected.len_utf8();
            from -= c.len_utf8();
        }
        Some(from)
    }

    /// Where the text from `end` on that equals `suffix` ends.
    fn goes_on_with(&self, suffix: &[u8], mut end: usize) -> Option<usize> {
        let mut rest = suffix;
        while let [first, after @ ..] = rest {
            let byte = *self.text.get(end)?;
            if byte.is_ascii() {
                if byte.to_ascii_lowercase() != *first {
                    return None;
                }
                rest = after;
                end += 1;
            } else {
                let c = char_at(self.text, end)?;
                rest = rest.strip_prefix(fold(c).encode_utf8(&mut [0; 4]).as_bytes())?;
                end += c.len_utf8();
            }
        }
        Some(end)
    }

    /// Whether `text[from..end]`, which equals the pattern of `candidate` under folding, is a match.
    #[inline]
    fn fits(&self, candidate: &Candidate, from: usize, end: usize) -> bool {
        let exact = candidate.exact.is_none_or(|exact| self.text[from..end] == *self.texts.get(exact));
        exact && !(candidate.ends_word && word_after(self.text, end))
    }

    /// The longest of `candidates`, which are sorted by suffix, whose suffix follows at `end`.
    fn longest(&self, mut candidates: &[Candidate], from: usize, mut end: usize) -> Option<Found> {
        let mut best = None;
        let mut depth = 0;
        loop {
            // Those whose suffix is all read come first. One at most for a suffix, as equal patterns are refused.
            while let [candidate, rest @ ..] = candidates
                && self.texts.get(candidate.suffix).len() == depth
            {
                if self.fits(candidate, from, end) {
                    best = Some(candidate.found(from, end));
                }
                candidates = rest;
            }
            if candidates.is_empty() {
                return best;
            }
            let Some(c) = char_at(self.text, end) else { return best };
            let mut utf8 = [0; 4];
            for byte in fold(c).encode_utf8(&mut utf8).bytes() {
                // Within the characters of a folded text, no suffix ends.
                let at = |candidate: &Candidate| self.texts.get(candidate.suffix)[depth];
                let low = candidates.partition_point(|candidate| at(candidate) < byte);
                let high = candidates.partition_point(|candidate| at(candidate) <= byte);
                candidates = &candidates[low..high];
                depth += 1;
                if candidates.is_empty() {
                    return best;
                }
            }
            end += c.len_utf8();
        }
    }

    /// The comparable form of the `length` bytes at `start`, as an integer.
    #[inline]
    fn load(&self, start: usize, length: usize) -> u128 {
        let bytes = match self.text.get(start..start + SHORT).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => u128::from_le_bytes(bytes),
            None => {
                let mut bytes = [0; SHORT];
                let rest = &self.text[start..];
                bytes[..rest.len()].copy_from_slice(rest);
                u128::from_le_bytes(bytes)
            }
        };
        const BIT_5: u128 = u128::from_le_bytes([0x20; SHORT]);
        (bytes | BIT_5) & !u128::MAX.unbounded_shl(8 * length as u32)
    }

    /// Classifies the next batch.
    fn fill(&mut self) {
        self.base = self.next_base;
        let classifier = &self.words.classifier;
        let blocks = classifier.fill::<JSON>(&self.text[self.base..], &mut self.masks, &mut self.carry);
        self.next_base = self.base + blocks * BLOCK;
        self.busy = self.masks.busy;
    }
}

/// A word's comparable form: on the stack if it is of usual length.
struct Folded {
    short: [u8; 64],
    length: usize,
    long: Vec<u8>,
}

impl Folded {
    fn new() -> Self {
        Self { short: [0; 64], length: 0, long: Vec::new() }
    }

    /// Takes the first `length` of `bytes`, which are ASCII word characters.
    #[inline]
    fn start_with(&mut self, bytes: &[u8; 64], length: usize) {
        self.short = bytes.map(|byte| byte | 0x20);
        self.length = length;
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.short.get_mut(self.length) {
            *place = byte;
        } else {
            if self.long.is_empty() {
                self.long.extend_from_slice(&self.short);
            }
            self.long.push(byte);
        }
        self.length += 1;
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.length] } else { &self.long }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_where_they_are_complete() {
        let parts = |pattern: &str, whole_word| {
            let rule = Rule { whole_word, ..Rule::literal(pattern, "") };
            cut(&rule).map(|cut| [cut.prefix, cut.word, cut.suffix].map(str::to_owned))
        };
        assert_eq!(parts("New York", true), Some(["", "New", " York"].map(Into::into)));
        assert_eq!(parts(".NET", true), Some([".", "NET", ""].map(Into::into)));
        assert_eq!(parts("++", true), None);
        assert_eq!(parts("New York", false), None);
        assert_eq!(parts("(c) x", false), Some(["(", "c", ") x"].map(Into::into)));
    }
}
