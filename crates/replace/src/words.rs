//! Whole-word rules, found by their first word.
//!
//! A whole-word rule whose pattern has a word character can only match where the text has, as a complete word, the first
//! word of that pattern: `New York` only at a word `new`, `.NET` only round a word `net`. So the text is cut into words by
//! bit masks, and each word is looked up in a hash table, behind a bitmap filter that turns nearly all words away. With few
//! rules a fingerprint of the first three or four bytes ([`crate::classify`]) turns them away even before they are hashed.
//!
//! Where there are many rules, memory is far away. So a word is looked up in three steps, some words at a time, and what
//! the next step needs is asked for before other work is done: its slot in the table ([`Scanner::ask`]), its record
//! ([`Scanner::probe`]), and then whether it is the very word ([`Scanner::decide`]).
//!
//! Leftmost first comes for free: what precedes the first word in a pattern has no word character in it, so it lies
//! between that word and the one before, and matches start in the order of their first words.

use std::collections::HashMap;

use crate::classify::{
    BLOCK, BLOCKS, BUCKETS, Carry, Classifier, FINGERPRINT, Fingerprint, Kernel, Leads, MEASURED, Masks, Starts,
};
use crate::filter::Filter;
use crate::found::{Found, Known, Record, Span, Texts, What};
use crate::rules::{Rule, RulesError};
use crate::table::{CHUNK, Hash, Table, chunks};
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
    table: Table,
    candidates: Box<[Candidate]>,
    /// The longest first word, in bytes of its folded form.
    longest_word: usize,
    /// Whether all first words fold to ASCII: then no word with another letter is one of them.
    all_ascii: bool,
}

/// Marks a record's rule as the index of a first candidate, where more than the word must be looked at, or several rules
/// share it.
const GROUP: u32 = 1 << 31;

/// The form in which words are compared: folded, and ASCII with bit 5 set, which lets the scanner fold sixteen bytes with
/// one instruction. Among word characters this changes `_` only, into a byte that no other has.
#[inline]
fn comparable(byte: u8) -> u8 {
    if byte.is_ascii() { byte | 0x20 } else { byte }
}

/// One rule of those that share a first word.
struct Candidate {
    /// Of the first of a group: how many are in it.
    count: u32,
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
        let mut table = Table::new(rules.len());
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
                    let hash = Hash::new(&folded[start..]);
                    table.prefetch(hash);
                    words.push((start..folded.len(), hash));
                }
            }
            let (range, hash) = &words[index as usize % AHEAD];
            let (folded, hash) = (&folded[range.clone()], *hash);
            longest_word = longest_word.max(folded.len());
            filter.add(folded);
            beginnings.add(rule.word());

            let Some(record) = table.records(hash).find(|record| texts.word(*record) == folded) else {
                let record = if rule.is_plain() {
                    texts.add_record(rule.position, folded, rule.rule.replace.as_bytes())
                } else {
                    let record = texts.add_record(0, folded, &[]);
                    texts.set_rule(record, GROUP | sharing.add_word(record, index));
                    record
                };
                table.insert(hash, record);
                continue;
            };
            let other = texts.rule(record);
            if other & GROUP != 0 {
                sharing.add_rule(other & !GROUP, index);
                continue;
            }
            let other = rules.partition_point(|rule| rule.position < other);
            if rule.is_plain() {
                let other = &rules[other];
                return Err(RulesError::duplicate(rule.position, rule.rule, other.position, other.rule));
            }
            let word = sharing.add_word(record, other as u32);
            sharing.add_rule(word, index);
            texts.set_rule(record, GROUP | word);
        }

        let mut candidates = Vec::with_capacity(sharing.rules.len());
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
            for index in sharing.rules(shared) {
                let rule = &rules[index as usize];
                let Rule { replace, pattern, case_sensitive, whole_word, .. } = rule.rule;
                candidates.push(Candidate {
                    count: 0,
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
            group[0].count = group.len() as u32;
            texts.set_rule(sharing.words[shared as usize].record, GROUP | first as u32);
        }

        let starts = Starts::Words(beginnings.leads);
        let all_ascii = beginnings.all_ascii;
        Ok(Self {
            classifier: Classifier::new(kernel, starts, filter, beginnings.fingerprint()),
            table,
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
        let rule = texts.rule(self.find(&folded, texts)?);
        if rule & GROUP == 0 {
            return (prefix.is_empty() && suffix.is_empty()).then_some(rule);
        }
        self.group(rule)
            .iter()
            .find(|candidate| {
                texts.get(candidate.prefix) == folded_prefix && texts.get(candidate.suffix) == folded_suffix
            })
            .map(|candidate| candidate.rule)
    }

    /// The record of a word in its comparable form.
    fn find(&self, word: &[u8], texts: &Texts) -> Option<Record> {
        self.table.records(Hash::new(word)).find(|record| texts.word(*record) == word)
    }

    fn group(&self, rule: u32) -> &[Candidate] {
        let group = &self.candidates[(rule & !GROUP) as usize..];
        &group[..group[0].count as usize]
    }
}

/// Rules that share a first word, or have one that needs a group for another reason, while the index is built.
#[derive(Default)]
struct Sharing {
    words: Vec<SharedWord>,
    /// Indices of rules, each with the number of the word's rule before it.
    rules: Vec<(u32, Option<u32>)>,
}

struct SharedWord {
    record: Record,
    last_rule: Option<u32>,
}

impl Sharing {
    /// Returns the word's number.
    fn add_word(&mut self, record: Record, rule: u32) -> u32 {
        self.words.push(SharedWord { record, last_rule: None });
        let number = self.words.len() as u32 - 1;
        self.add_rule(number, rule);
        number
    }

    fn add_rule(&mut self, word: u32, rule: u32) {
        let last = &mut self.words[word as usize].last_rule;
        self.rules.push((rule, *last));
        *last = Some(self.rules.len() as u32 - 1);
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
    /// Words whose slots are on their way from memory.
    asked: [Asked; AHEAD],
    asked_count: usize,
    /// Words that were found, and which of them comes next.
    hits: [Hit; AHEAD],
    count: usize,
    next_hit: usize,
}

/// How many words are looked up at a time. Each waits for memory, where there are many rules: so they wait together.
const AHEAD: usize = 16;

/// A complete word of the text that may be the first word of some rules.
#[derive(Clone, Copy, Default)]
struct Asked {
    start: usize,
    end: usize,
    hash: Hash,
}

/// One that has the hash of a rule's.
#[derive(Clone, Copy, Default)]
struct Hit {
    start: usize,
    end: usize,
    record: Record,
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
            // As a constant it is written where it belongs, instead of copied there.
            masks: const { Masks::new() },
            busy: 0,
            block: 0,
            words_left: 0,
            asked: [Asked::default(); AHEAD],
            asked_count: 0,
            hits: [Hit::default(); AHEAD],
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
                let hit = self.hits[self.next_hit];
                self.next_hit += 1;
                if let Some(found) = self.decide(hit, at) {
                    return Some(found);
                }
            }
            if !self.look_up() {
                return None;
            }
        }
    }

    /// Looks up the next words, until some may be found; none are when the text has ended.
    #[inline(never)]
    fn look_up(&mut self) -> bool {
        loop {
            self.probe();
            self.ask();
            if self.count > 0 {
                return true;
            }
            if self.asked_count == 0 && self.next_base >= self.limit {
                return false;
            }
        }
    }

    /// Hashes the next words of a batch, and asks for their slots.
    #[inline]
    fn ask(&mut self) {
        if self.words_left == 0 && self.busy == 0 && self.next_base < self.limit {
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
            let (end, hash) = if self.text.get(start + length).is_some_and(|byte| !byte.is_ascii()) || length > MEASURED
            {
                let Some(other) = self.hash_of_other(start, length) else { continue };
                other
            } else if length > CHUNK {
                (start + length, Hash::of_chunks(length, self.chunks(start, length)))
            } else {
                (start + length, Hash::of_chunks(length, std::iter::once(self.load(start, length))))
            };
            self.words.table.prefetch(hash);
            self.asked[count] = Asked { start, end, hash };
            count += 1;
        }
        self.asked_count = count;
    }

    /// Looks at the slots that were asked for, and asks for the records that may be those of their words.
    #[inline]
    fn probe(&mut self) {
        let mut count = 0;
        for asked in 0..self.asked_count {
            let Asked { start, end, hash } = self.asked[asked];
            let Some(record) = self.words.table.records(hash).next() else { continue };
            if start > 0 && !self.text[start - 1].is_ascii() && word_before(self.text, start) {
                continue;
            }
            self.texts.prefetch(record);
            self.hits[count] = Hit { start, end, record };
            count += 1;
        }
        (self.count, self.next_hit) = (count, 0);
    }

    /// Where a word ends that is long or not all ASCII, and its hash.
    #[inline(never)]
    fn hash_of_other(&self, start: usize, length: usize) -> Option<(usize, Hash)> {
        let (folded, end) = self.fold(start, length)?;
        Some((end, Hash::new(folded.bytes())))
    }

    /// What is known of a word, if it is one of the rules'.
    #[inline(always)]
    fn verify(&self, Hit { start, end, record }: Hit) -> Option<Known> {
        let known = self.texts.read(record);
        let length = end - start;
        if known.length == length && length <= CHUNK {
            let bytes = known.start & first_bytes(length);
            // In the comparable form of a character that is not ASCII, bit 5 may be off.
            let is_ascii = bytes & u128::from_le_bytes([0x80; CHUNK]) == 0;
            if is_ascii && bytes == self.load(start, length) {
                return Some(known);
            }
        }
        self.verify_other(start, end, record)
    }

    /// The same for a word that is long or not all ASCII, or has the hash of another.
    #[inline(never)]
    fn verify_other(&self, start: usize, end: usize, record: Record) -> Option<Known> {
        let word = self.texts.word(record);
        let is_ascii = word.len() == end - start && word.is_ascii();
        if is_ascii && self.chunks(start, word.len()).eq(chunks(word)) {
            return Some(self.texts.read(record));
        }
        let ascii = self.text[start..end].iter().position(|byte| !byte.is_ascii()).unwrap_or(end - start);
        let (folded, _) = self.fold(start, ascii)?;
        let record = if folded.bytes() == word { record } else { self.words.find(folded.bytes(), self.texts)? };
        Some(self.texts.read(record))
    }

    /// The comparable form of ASCII word characters, as [`chunks`].
    #[inline]
    fn chunks(&self, start: usize, length: usize) -> impl Iterator<Item = u128> {
        (0..length).step_by(CHUNK).map(move |at| self.load(start + at, (length - at).min(CHUNK)))
    }

    /// The comparable form of a word of any kind that starts with so many ASCII word characters, and where it ends; none if
    /// it can be no rule's.
    fn fold(&self, start: usize, length: usize) -> Option<(Folded, usize)> {
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
        (end > start).then_some((folded, end))
    }

    /// The match that a record's rules have at the word `start..end`, of which no word character lies before or after.
    #[inline(always)]
    fn decide(&self, hit: Hit, at: usize) -> Option<Found> {
        let Known { rule, value, .. } = self.verify(hit)?;
        let Hit { start, end, .. } = hit;
        if rule & GROUP == 0 {
            return (start >= at).then_some(Found { start, end, rule, what: What::Text(value) });
        }
        // Not handed through as it is: then the other match, too, would be written to memory to be read back.
        let Found { start, end, rule, what } = self.decide_group(self.words.group(rule), start, end, at)?;
        Some(Found { start, end, rule, what })
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
        let bytes = self.text.get(start..start + CHUNK).and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.map_or_else(|| self.load_last(start), u128::from_le_bytes);
        const BIT_5: u128 = u128::from_le_bytes([0x20; CHUNK]);
        (bytes | BIT_5) & first_bytes(length)
    }

    /// The last bytes of the text, which are not enough to be loaded at once.
    #[cold]
    fn load_last(&self, start: usize) -> u128 {
        let rest = &self.text[start..];
        let mut bytes = [0; CHUNK];
        bytes[..rest.len()].copy_from_slice(rest);
        u128::from_le_bytes(bytes)
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

/// The bits of the first `length` bytes of a chunk.
#[inline(always)]
fn first_bytes(length: usize) -> u128 {
    // Shifting 128 bits takes ten instructions.
    static BYTES: [u8; 2 * CHUNK] = {
        let mut bytes = [0; 2 * CHUNK];
        let mut i = 0;
        while i < CHUNK {
            bytes[i] = u8::MAX;
            i += 1;
        }
        bytes
    };
    let bytes = BYTES[CHUNK - length..].first_chunk().expect("the length is that of a chunk at most");
    u128::from_le_bytes(*bytes)
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
    use crate::engine::Engine;
    use crate::rules::Rules;

    /// Two words that the table cannot tell apart, where there are few: found among a million, of 2^35 hashes.
    fn twins(start: &str) -> [String; 2] {
        let word = |number: u32| format!("{start}{number:06x}");
        let table = Table::new(2);
        let places = (0..1_000_000).map(|number| (table.place(Hash::new(word(number).as_bytes())), number));
        let mut places: Vec<_> = places.collect();
        places.sort_unstable();
        let pair = places.windows(2).find(|pair| pair[0].0 == pair[1].0).expect("there are about fourteen");
        [word(pair[0].1), word(pair[1].1)]
    }

    #[test]
    fn words_with_the_hash_of_another_are_themselves() {
        for start in ["n", "ofmorethansixteenbytes"] {
            let twins = twins(start);
            let replace = |rules: &[usize]| {
                let rules: Rules = rules.iter().map(|i| Rule::literal(&*twins[*i], format!("<{i}>"))).collect();
                let mut out = Vec::new();
                let text = format!("{} {}, {}", twins[0], twins[1], twins[0].to_uppercase());
                Engine::new(&rules).unwrap().replace_into(text.as_bytes(), &mut out);
                String::from_utf8(out).unwrap()
            };
            let [one, other] = &twins;
            assert_eq!(replace(&[0, 1]), "<0> <1>, <0>");
            assert_eq!(replace(&[1, 0]), "<0> <1>, <0>");
            assert_eq!(replace(&[0]), format!("<0> {other}, <0>"));
            assert_eq!(replace(&[1]), format!("{one} <1>, {}", one.to_uppercase()));
        }
    }

    #[test]
    fn words_of_any_length_are_found_at_any_place() {
        use crate::classify::BATCH;
        for length in (1..40).chain([MEASURED - 1, MEASURED, MEASURED + 1, 63, 64, 65, 128, 200]) {
            let word: String = ('a'..='z').cycle().take(length).collect();
            let engine = Engine::new(&[Rule::literal(&*word, "<m>")].into_iter().collect()).unwrap();
            for before in (0..=BLOCK).chain(BATCH - 2 * BLOCK..=BATCH) {
                let dots = ".".repeat(before);
                let [text, expected] = [&*word.to_uppercase(), "<m>"]
                    .map(|found| format!("{dots}{found} {word}s {} {found}é{found}, {found}", &word[1..]));
                let expected = expected.replace("<m>é<m>", &format!("{0}é{0}", word.to_uppercase()));
                let mut out = Vec::new();
                engine.replace_into(text.as_bytes(), &mut out);
                assert_eq!(String::from_utf8(out).unwrap(), expected, "{length} bytes after {before}");
            }
        }
    }

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
