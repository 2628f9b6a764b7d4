//! Whole-word rules, found by their first word.
//!
//! A whole-word rule whose pattern has a word character can only match where the text has, as a complete word, the first
//! word of that pattern: `New York` only at a word `new`, `.NET` only round a word `net`. So the text is cut into words by
//! bit masks, and each word is looked up in a hash table, behind a bitmap filter that turns nearly all words away. With few
//! rules a fingerprint of the first three or four bytes ([`crate::classify`]) turns them away even before they are hashed.
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
const WORTH_IT: f64 = 0.5;
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

/// A rule that is found by its first word.
pub(crate) struct WordRule<'r> {
    /// The rule's place in the document.
    position: u32,
    rule: &'r Rule,
    /// Where in the pattern that word is.
    start: u32,
    end: u32,
}

impl<'r> WordRule<'r> {
    /// `None` for a rule that can match otherwise than round a complete word. One that may match inside words (`whole_word`
    /// off) cannot if its pattern itself has something else than a word character on both sides of the first word.
    pub(crate) fn new(position: u32, rule: &'r Rule) -> Option<Self> {
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
        complete.then_some(Self { position, rule, start: start as u32, end: end as u32 })
    }

    /// What precedes the word: no word character.
    pub(crate) fn prefix(&self) -> &'r str {
        &self.rule.pattern[..self.start as usize]
    }

    fn word(&self) -> &'r str {
        &self.rule.pattern[self.start as usize..self.end as usize]
    }

    fn suffix(&self) -> &'r str {
        &self.rule.pattern[self.end as usize..]
    }

    /// Whether the pattern is that word, and no more than that is to be looked at.
    fn is_plain(&self) -> bool {
        self.start == 0 && self.end as usize == self.rule.pattern.len() && !self.rule.case_sensitive
    }
}

/// Appends the comparable form of a word; returns where that starts.
fn comparable_word(word: &str, folded: &mut Vec<u8>) -> usize {
    let start = folded.len();
    if word.is_ascii() {
        folded.extend(word.bytes().map(comparable));
    } else {
        fold_into(word, folded);
        folded[start..].iter_mut().for_each(|byte| *byte = comparable(*byte));
    }
    start
}

impl Words {
    /// Indexes rules, in document order.
    pub(crate) fn new(rules: &[WordRule], texts: &mut Texts, kernel: Kernel) -> Result<Self, RulesError> {
        let slots = (rules.len() * 5 / 4).next_power_of_two().max(16);
        let mut table = vec![Entry::default(); slots].into_boxed_slice();
        let mut filter = Filter::new(rules.len());
        let mut beginnings = Beginnings::new();
        let mut sharing = Sharing::default();
        let mut longest_word = 0;
        let (mut folded, mut words) = (Vec::new(), Vec::with_capacity(AHEAD));
        for (index, rule) in (0..).zip(rules) {
            // Some words at a time, so that their slots come from memory together.
            if (index as usize).is_multiple_of(AHEAD) {
                folded.clear();
                words.clear();
                for rule in rules[index as usize..].iter().take(AHEAD) {
                    let start = comparable_word(rule.word(), &mut folded);
                    let key = Key::new(&folded[start..]);
                    prefetch(&table, key.hash() as usize & (slots - 1));
                    words.push((start..folded.len(), key));
                }
            }
            let (range, key) = &words[index as usize % AHEAD];
            let (folded, key) = (&folded[range.clone()], *key);
            longest_word = longest_word.max(folded.len());
            filter.add(folded);
            beginnings.add(rule.word());

            let plain = rule.is_plain() && folded.len() <= SHORT;
            let mut slot = key.hash() as usize & (slots - 1);
            loop {
                let entry = &mut table[slot];
                if entry.is_empty() {
                    (entry.bits, entry.length) = (key.bits, key.length);
                    if plain {
                        entry.value = texts.add(rule.rule.replace.as_bytes());
                        entry.rule = rule.position;
                    } else {
                        entry.rule = GROUP | sharing.add_word(folded, index);
                    }
                    break;
                }
                if entry.is_of(key) {
                    if entry.rule & GROUP == 0 {
                        let other = rules.partition_point(|other| other.position < entry.rule);
                        if plain {
                            let other = &rules[other];
                            return Err(RulesError::duplicate(rule.position, rule.rule, other.position, other.rule));
                        }
                        entry.rule = GROUP | sharing.add_word(folded, other as u32);
                    }
                    // Two long words may have one hash: the second gets a slot of its own, further on.
                    if sharing.word(entry.rule & !GROUP) == folded {
                        sharing.add_rule(entry.rule & !GROUP, index);
                        break;
                    }
                }
                slot = (slot + 1) & (slots - 1);
            }
        }

        let mut candidates = Vec::with_capacity(sharing.rules.len());
        let mut groups = Vec::with_capacity(sharing.words.len());
        let mut once = HashMap::new();
        let mut add_folded = |text: &str, texts: &mut Texts| {
            // Most patterns end like others, or with nothing at all.
            if text.is_empty() {
                return Span::default();
            }
            folded.clear();
            fold_into(text, &mut folded);
            if let Some(span) = once.get(&folded) {
                return *span;
            }
            let span = texts.add(&folded);
            once.insert(folded.clone(), span);
            span
        };
        for shared in 0..sharing.words.len() as u32 {
            let first = candidates.len();
            let word = sharing.word(shared);
            let word = if word.len() > SHORT { texts.add(word) } else { Span::default() };
            for index in sharing.rules(shared) {
                let rule = &rules[index as usize];
                let Rule { replace, pattern, case_sensitive, whole_word, .. } = rule.rule;
                candidates.push(Candidate {
                    prefix: add_folded(rule.prefix(), texts),
                    suffix: add_folded(rule.suffix(), texts),
                    value: texts.add(replace.as_bytes()),
                    exact: case_sensitive.then(|| texts.add(pattern.as_bytes())),
                    ends_word: *whole_word && rule.suffix().chars().next_back().is_some_and(is_word),
                    rule: rule.position,
                });
            }
            let parts = |candidate: &Candidate| (texts.get(candidate.prefix), texts.get(candidate.suffix));
            let group = &mut candidates[first..];
            group.sort_by(|a, b| parts(a).cmp(&parts(b)).then(a.rule.cmp(&b.rule)));
            if let Some(pair) = group.windows(2).find(|pair| parts(&pair[0]) == parts(&pair[1])) {
                let place = |position| &rules[rules.partition_point(|other| other.position < position)];
                let (earlier, later) = (place(pair[0].rule), place(pair[1].rule));
                return Err(RulesError::duplicate(later.position, later.rule, earlier.position, earlier.rule));
            }
            groups.push(Group { word, first: first as u32, count: group.len() as u32 });
        }

        let starts = Starts::Words(beginnings.leads);
        let all_ascii = beginnings.all_ascii;
        Ok(Self {
            classifier: Classifier::new(kernel, starts, filter, beginnings.fingerprint()),
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
        let as_words = WordRule::new(0, &as_words)?;
        let (prefix, word, suffix) = (as_words.prefix(), as_words.word(), as_words.suffix());
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

/// Rules that share a first word, or have one that needs a group for another reason, while the index is built.
#[derive(Default)]
struct Sharing {
    /// The comparable forms of the words, in one piece.
    bytes: Vec<u8>,
    words: Vec<SharedWord>,
    /// Indices of rules, each with the number of the word's rule before it.
    rules: Vec<(u32, Option<u32>)>,
}

struct SharedWord {
    start: usize,
    end: usize,
    last_rule: Option<u32>,
}

impl Sharing {
    /// Returns the word's number.
    fn add_word(&mut self, word: &[u8], rule: u32) -> u32 {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(word);
        self.words.push(SharedWord { start, end: self.bytes.len(), last_rule: None });
        let number = self.words.len() as u32 - 1;
        self.add_rule(number, rule);
        number
    }

    fn add_rule(&mut self, word: u32, rule: u32) {
        let last = &mut self.words[word as usize].last_rule;
        self.rules.push((rule, *last));
        *last = Some(self.rules.len() as u32 - 1);
    }

    fn word(&self, word: u32) -> &[u8] {
        let SharedWord { start, end, .. } = self.words[word as usize];
        &self.bytes[start..end]
    }

    /// The indices of the word's rules, the last first.
    fn rules(&self, word: u32) -> impl Iterator<Item = u32> {
        let before = |at: &u32| self.rules[*at as usize].1;
        std::iter::successors(self.words[word as usize].last_rule, before).map(|at| self.rules[at as usize].0)
    }
}

/// How the rules' first words begin.
struct Beginnings {
    /// Those of ASCII characters, as an open-addressing table: lower-case, filled up with NUL where the word is shorter.
    /// 100,000 words have far fewer beginnings.
    ascii: Vec<u32>,
    count: usize,
    /// Others that start with an ASCII character.
    mixed: Vec<[char; FINGERPRINT]>,
    leads: Leads,
    all_ascii: bool,
}

impl Beginnings {
    fn new() -> Self {
        Self { ascii: vec![0; 4 * MANY_BEGINNINGS], count: 0, mixed: Vec::new(), leads: Leads::None, all_ascii: true }
    }

    fn add(&mut self, word: &str) {
        if let Some(letter) = word.bytes().next().filter(u8::is_ascii) {
            if matches!(letter.to_ascii_lowercase(), b's' | b'k') && self.leads == Leads::None {
                self.leads = Leads::LongSAndKelvin;
            }
        } else {
            self.add_other(word);
            return;
        }
        if !word.is_ascii() {
            self.add_other(word);
            return;
        }
        if self.count > MANY_BEGINNINGS {
            return;
        }
        let mut bytes = [0; FINGERPRINT];
        bytes.iter_mut().zip(word.bytes()).for_each(|(to, byte)| *to = byte.to_ascii_lowercase());
        let beginning = u32::from_le_bytes(bytes);
        let mask = self.ascii.len() - 1;
        let mut slot = (beginning.wrapping_mul(0x9E37_79B1) >> 8) as usize & mask;
        while self.ascii[slot] != beginning {
            if self.ascii[slot] == 0 {
                self.ascii[slot] = beginning;
                self.count += 1;
                break;
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Adds a word with other than ASCII characters.
    #[cold]
    fn add_other(&mut self, word: &str) {
        let mut characters = word.chars().map(fold);
        let beginning: [char; FINGERPRINT] = std::array::from_fn(|_| characters.next().unwrap_or('\0'));
        self.all_ascii &= word.chars().map(fold).all(|c| c.is_ascii());
        match beginning[0] {
            's' | 'k' if self.leads == Leads::None => self.leads = Leads::LongSAndKelvin,
            c if !c.is_ascii() => self.leads = Leads::All,
            _ => {}
        }
        // What starts with another than an ASCII character is found by its lead byte instead.
        if beginning[0].is_ascii() {
            self.mixed.push(beginning);
        }
    }

    /// The fingerprint of the rules' first words, if it is worth its cost.
    fn fingerprint(self) -> Option<Fingerprint> {
        let of_ascii = |beginning: u32| beginning.to_le_bytes().map(char::from);
        let ascii = self.ascii.into_iter().filter(|beginning| *beginning != 0).map(of_ascii);
        let mut beginnings: Vec<[char; FINGERPRINT]> = ascii.chain(self.mixed).collect();
        beginnings.sort_unstable();
        beginnings.dedup();
        if beginnings.len() > MANY_BEGINNINGS { None } else { fingerprint(&beginnings) }
    }
}

/// The fingerprint of words that begin so, if it is worth its cost.
fn fingerprint(beginnings: &[[char; FINGERPRINT]]) -> Option<Fingerprint> {
    let mut exact = [[0; 256]; FINGERPRINT];
    let mut forms = HashMap::new();
    for (index, beginning) in beginnings.iter().enumerate() {
        let bucket = 1 << (index * BUCKETS / beginnings.len());
        if let Some(bytes) = only_in_ascii(beginning) {
            bytes.iter().zip(&mut exact).for_each(|(byte, table)| {
                table[usize::from(*byte)] |= bucket;
                table[usize::from(byte.to_ascii_uppercase())] |= bucket;
            });
            continue;
        }
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

/// The characters as bytes, if all are there and no other than ASCII characters fold to any of them.
fn only_in_ascii(beginning: &[char; FINGERPRINT]) -> Option<[u8; FINGERPRINT]> {
    let is_simple = |c: &char| c.is_ascii() && !matches!(c, '\0' | 's' | 'k');
    beginning.iter().all(is_simple).then(|| beginning.map(|c| c as u8))
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
    /// Words that are being looked up: where each starts, how many ASCII word characters it starts with, and its key.
    asked: [(usize, usize, Key); AHEAD],
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
            asked: [(0, 0, Key::default()); AHEAD],
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
    #[inline(always)]
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
    #[inline(never)]
    fn look_up(&mut self) -> bool {
        (self.count, self.next_hit) = (0, 0);
        while self.count == 0 {
            if self.words_left == 0 && self.busy == 0 {
                if self.next_base >= self.limit {
                    return false;
                }
                self.fill();
            }
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
                self.asked[count] = (start, length, key);
                count += 1;
            }
            for asked in 0..count {
                let (start, length, key) = self.asked[asked];
                let hit = if key.length > 0 { self.resolve(start, key) } else { self.resolve_slow(start, length) };
                if let Some((end, entry)) = hit {
                    if entry.rule & GROUP == 0 {
                        self.texts.prefetch(entry.value);
                    }
                    self.hits[self.count] = Hit { start, end, entry };
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
            WordRule::new(0, &rule).map(|rule| [rule.prefix(), rule.word(), rule.suffix()].map(str::to_owned))
        };
        assert_eq!(parts("New York", true), Some(["", "New", " York"].map(Into::into)));
        assert_eq!(parts(".NET", true), Some([".", "NET", ""].map(Into::into)));
        assert_eq!(parts("++", true), None);
        assert_eq!(parts("New York", false), None);
        assert_eq!(parts("(c) x", false), Some(["(", "c", ") x"].map(Into::into)));
    }
}
