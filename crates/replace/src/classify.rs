//! Bytes to bit masks: which belong to ASCII words, and where the word of a rule, or a match of a regex rule, may start.
//!
//! The only `unsafe` of this crate is here: loading vectors from, and storing them to, arrays whose length says that they
//! are long enough; a prefetch; and calling a kernel after asking the processor whether it has what the kernel needs. Every
//! kernel gives the same masks, but for false positives of the fingerprint, which a look at the text removes.
#![allow(unsafe_code)]

use std::ops::Range;

use crate::filter::{BIT_5, End, Filter, HEAD, Head};
use crate::unicode::is_ascii_word;

/// Bytes per block: one bit each in a `u64`.
pub(crate) const BLOCK: usize = 64;
/// Blocks classified at a time.
pub(crate) const BLOCKS: usize = 64;
/// Bytes classified at a time.
pub(crate) const BATCH: usize = BLOCK * BLOCKS;
/// How many blocks are filtered at a time, where that is done in steps.
const STEP: usize = 32;
/// More words than this start in a block of text in few languages only; such a block is not filtered in steps.
const MANY: usize = BLOCK / 2;
/// How many words there may be in a step, and as many more as are written at once.
const ROOM: usize = MANY * STEP + 16;
/// Up to so many bytes, [`Masks::word_length`] tells all of a word's ASCII characters.
pub(crate) const MEASURED: usize = 56;
/// How many first bytes of a word the fingerprint looks at.
pub(crate) const FINGERPRINT: usize = 4;
/// A block and as many bytes after it as the fingerprint of its last byte needs.
const WINDOW: usize = BLOCK + FINGERPRINT - 1;

/// The masks of one batch. Bit `i % 64` of element `i / 64` speaks of byte `i`.
pub(crate) struct Masks {
    /// ASCII word characters, less those that a JSON escape makes something else. One block more than the batch has, so
    /// that a word's length can be read across the end.
    word: Bytes,
    /// Where words start that may be one of the rules': ASCII words that the fingerprint lets through, and the non-ASCII
    /// characters that [`Leads`] asks for, if no ASCII word character precedes them.
    start: [u64; BLOCKS],
    /// Those of them that the [`Filter`] keeps.
    pub(crate) kept: [u64; BLOCKS],
    /// Room for the hashes of the words of a batch, if a kernel needs it, and for a bit each. Eight kilobytes: to set them
    /// to zero takes longer than all the rest of a short text, of which a JSON document may have hundreds of thousands.
    hashes: Vec<u64>,
    has: [u8; ROOM / 8 + 8],
    /// Which elements of `kept` have a bit set: few.
    pub(crate) busy: u64,
}

const _: () = assert!(BLOCKS <= u64::BITS as usize, "`busy` has a bit for each block");

/// The bits of a batch and a block more, least significant first: so that those from any place on are one load away.
type Bytes = [u8; (BLOCKS + 1) * 8];

impl Masks {
    pub(crate) const fn new() -> Self {
        Self {
            word: [0; (BLOCKS + 1) * 8],
            start: [0; BLOCKS],
            busy: 0,
            kept: [0; BLOCKS],
            hashes: Vec::new(),
            has: [0; ROOM / 8 + 8],
        }
    }

    /// How many ASCII word characters there are from `place` in the batch on; more than [`MEASURED`] if it cannot tell.
    #[inline(always)]
    pub(crate) fn word_length(&self, place: usize) -> usize {
        let at = place % BATCH / 8;
        let bits = u64::from_le_bytes(self.word[at..at + 8].try_into().expect("8 elements are 8 elements"));
        (!(bits >> (place % 8))).trailing_zeros() as usize
    }

    /// How the word at `place` starts, in a text that has `bytes` there.
    #[inline(always)]
    fn head(&self, bytes: u64, place: usize) -> Head {
        Head::new(bytes, self.word_length(place) as u32)
    }

    /// The ASCII word characters of block `i`, a bit each.
    #[inline(always)]
    fn word(&self, i: usize) -> u64 {
        u64::from_le_bytes(self.word[i * 8..i * 8 + 8].try_into().expect("8 elements are 8 elements"))
    }

    #[inline(always)]
    fn set_word(&mut self, i: usize, word: u64) {
        self.word[i * 8..i * 8 + 8].copy_from_slice(&word.to_le_bytes());
    }
}

/// What one batch leaves to the next.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Carry {
    /// Whether an ASCII word character precedes.
    pub(crate) in_word: bool,
    /// Whether a backslash escapes the first byte.
    pub(crate) escaped: bool,
}

/// Which non-ASCII characters may start a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leads {
    /// None: all rules' words start with ASCII characters that nothing else folds to.
    None,
    /// Those whose UTF-8 starts like that of `ſ` or the Kelvin sign: some start with `s` or `k`.
    LongSAndKelvin,
    /// Any: some start with a non-ASCII character.
    All,
}

/// Where something may start that the fingerprint lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starts {
    /// At the first character of ASCII words, and at such other characters.
    Words(Leads),
    /// At any byte that has not ASCII word characters on both sides.
    NotWithinWords,
    /// At any byte.
    Anywhere,
}

const WORDS: u8 = 0;
const NOT_WITHIN_WORDS: u8 = 1;
const ANYWHERE: u8 = 2;

const NO_LEADS: u8 = Leads::None as u8;
/// Those that the fingerprint lets through. In the other cases it knows only of what starts with ASCII characters.
const LEADS_OF_FINGERPRINT: u8 = u8::MAX;
const ALL_LEADS: u8 = Leads::All as u8;
const LONG_S_AND_KELVIN: u8 = Leads::LongSAndKelvin as u8;

/// The masks of one block.
#[derive(Clone, Copy, Default)]
struct Bits {
    word: u64,
    first: u64,
    lead: u64,
    backslash: u64,
}

/// How rules' words begin. Words are dealt to buckets, a bit each; a byte's entry has a bucket's bit if one of its words
/// may have that byte in that place. A word may start only where all places have a bucket in common.
#[derive(Clone)]
pub(crate) struct Fingerprint {
    exact: [[u8; 256]; FINGERPRINT],
    /// The same by low and high half of the byte, for shuffles of sixteen entries.
    nibbles: [[[u8; 16]; 2]; FINGERPRINT],
    places: usize,
    /// Whether it alone turns nearly all words away.
    suffices: bool,
    /// Whether other than ASCII bytes may be in any place but the first.
    any_high: bool,
}

/// How many buckets a [`Fingerprint`] has. The eighth bit is for the vector code.
pub(crate) const BUCKETS: usize = 7;

impl Fingerprint {
    /// `places` is how many of the tables are looked at: 3, or all 4 where many words make each table let much through.
    /// With `suffices`, the words that it lets through are not looked up in the filter.
    pub(crate) fn new(exact: [[u8; 256]; FINGERPRINT], places: usize, suffices: bool) -> Self {
        let mut nibbles = [[[0; 16]; 2]; FINGERPRINT];
        for (table, [low, high]) in exact.iter().zip(&mut nibbles) {
            for (byte, buckets) in table.iter().enumerate() {
                low[byte & 15] |= buckets;
                high[byte >> 4] |= buckets;
            }
        }
        let any_high = exact[..places].iter().skip(1).any(|table| table[128..].iter().any(|buckets| *buckets != 0));
        Self { exact, nibbles, places, suffices, any_high }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// All that this processor can run, the fastest last.
    pub(crate) fn available() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut kernels = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                kernels.push(Self::Avx2);
            }
            let bytes = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512dq");
            let permutes = is_x86_feature_detected!("avx512vbmi") && is_x86_feature_detected!("avx512vbmi2");
            let shuffles = is_x86_feature_detected!("avx512bitalg");
            let bits = is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
            if bytes && permutes && shuffles && bits {
                kernels.push(Self::Avx512);
            }
        }
        kernels
    }
}

/// Sets `masks.kept` for the blocks of `busy`, word by word. `high` is which of 64 bytes are of other than ASCII characters.
#[inline(always)]
fn keep(filter: &Filter, text: &[u8], masks: &mut Masks, mut busy: u64, high: impl Fn(&[u8; BLOCK]) -> u64) {
    masks.busy = 0;
    while busy != 0 {
        let i = busy.trailing_zeros() as usize % BLOCKS;
        busy &= busy - 1;
        masks.kept[i] = keep_of_block(filter, &text[i * BLOCK..], masks, i, &high);
        masks.busy |= u64::from(masks.kept[i] != 0) << i;
    }
}

/// Of the words that start in block `i`, which `text` starts with, those that the filter may have.
#[inline(always)]
fn keep_of_block(filter: &Filter, text: &[u8], masks: &Masks, i: usize, high: impl Fn(&[u8; BLOCK]) -> u64) -> u64 {
    // The block and what the last of its words may need of the next. The end of a text is left to the exact look-up.
    let Some(window) = text.first_chunk::<{ BLOCK + HEAD }>() else { return masks.start[i] };
    let here = masks.word(i) | high(window.first_chunk().expect("it is longer"));
    let next = masks.word(i + 1) | u64::from(window[BLOCK] >> 7) | u64::from(window[BLOCK + 1] >> 7) << 1;
    let mut starts = masks.start[i] & long_enough(filter, here, next);
    let mut kept = 0;
    while starts != 0 {
        let bit = starts.trailing_zeros() as usize % BLOCK;
        starts &= starts - 1;
        let bytes = window[bit..bit + HEAD].try_into().expect("8 elements are 8 elements");
        let head = masks.head(u64::from_le_bytes(bytes), i * BLOCK + bit);
        kept |= u64::from(filter.has(head)) << bit;
    }
    kept
}

/// Where words start that are not shorter than any in the filter, which need not be hashed: that is one in five in most
/// languages. `here` and `next` are which bytes of a block and the next are in words, or may be.
#[inline(always)]
fn long_enough(filter: &Filter, here: u64, next: u64) -> u64 {
    let mut starts = u64::MAX;
    if filter.shortest() > 1 {
        starts &= here >> 1 | next << 63;
    }
    if filter.shortest() > 2 {
        starts &= here >> 2 | next << 62;
    }
    starts
}

/// Turns text into [`Masks`].
pub(crate) struct Classifier {
    kernel: Kernel,
    starts: Starts,
    filter: Filter,
    /// All zeros, and not looked at, if there is none.
    fingerprint: Box<Fingerprint>,
    /// How many bytes of a word are looked at: 0, 3 or 4.
    places: usize,
}

impl Classifier {
    pub(crate) fn new(kernel: Kernel, starts: Starts, filter: Filter, fingerprint: Option<Fingerprint>) -> Self {
        // Seen from outside, a kernel can only come from `available`: this is what makes calling it sound.
        assert!(Kernel::available().contains(&kernel), "{kernel:?} cannot run here");
        let places = fingerprint.as_ref().map_or(0, |fingerprint| fingerprint.places);
        let fingerprint = Box::new(fingerprint.unwrap_or_else(|| Fingerprint::new([[0; 256]; FINGERPRINT], 0, false)));
        Self { kernel, starts, filter, fingerprint, places }
    }

    /// Classifies the first batch of `text`; returns the number of its blocks.
    #[inline]
    pub(crate) fn fill<const JSON: bool>(&self, text: &[u8], masks: &mut Masks, carry: &mut Carry) -> usize {
        // What is the same for all blocks is settled before the loop over them is chosen.
        match (self.starts, self.places) {
            (Starts::Words(Leads::None), 0) => self.fill_as::<JSON, WORDS, 0, NO_LEADS>(text, masks, carry),
            (Starts::Words(Leads::LongSAndKelvin), 0) => {
                self.fill_as::<JSON, WORDS, 0, LONG_S_AND_KELVIN>(text, masks, carry)
            }
            (Starts::Words(Leads::All), 0) => self.fill_as::<JSON, WORDS, 0, ALL_LEADS>(text, masks, carry),
            (Starts::Words(Leads::None), 3) => self.fill_as::<JSON, WORDS, 3, NO_LEADS>(text, masks, carry),
            (Starts::Words(Leads::LongSAndKelvin), 3) => {
                self.fill_as::<JSON, WORDS, 3, LONG_S_AND_KELVIN>(text, masks, carry)
            }
            (Starts::Words(Leads::All), 3) => self.fill_as::<JSON, WORDS, 3, ALL_LEADS>(text, masks, carry),
            (Starts::Words(Leads::None), _) => self.fill_as::<JSON, WORDS, 4, NO_LEADS>(text, masks, carry),
            (Starts::Words(Leads::LongSAndKelvin), _) => {
                self.fill_as::<JSON, WORDS, 4, LONG_S_AND_KELVIN>(text, masks, carry)
            }
            (Starts::Words(Leads::All), _) => self.fill_as::<JSON, WORDS, 4, ALL_LEADS>(text, masks, carry),
            (Starts::NotWithinWords, _) => {
                self.fill_as::<false, NOT_WITHIN_WORDS, 4, LEADS_OF_FINGERPRINT>(text, masks, carry)
            }
            (Starts::Anywhere, _) => self.fill_as::<false, ANYWHERE, 4, LEADS_OF_FINGERPRINT>(text, masks, carry),
        }
    }

    #[inline]
    fn fill_as<const JSON: bool, const STARTS: u8, const FIRST: usize, const LEADS: u8>(
        &self,
        text: &[u8],
        masks: &mut Masks,
        carry: &mut Carry,
    ) -> usize {
        let (filter, fingerprint) = (&self.filter, &self.fingerprint);
        match self.kernel {
            Kernel::Scalar => scalar::fill::<JSON, STARTS, FIRST, LEADS>(filter, fingerprint, text, masks, carry),
            // SAFETY: `new` has made sure that the processor has the features which the functions ask for.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe {
                avx2::fill::<JSON, STARTS, FIRST, LEADS>(filter, fingerprint, text, masks, carry)
            },
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe {
                avx512::fill::<JSON, STARTS, FIRST, LEADS>(filter, fingerprint, text, masks, carry)
            },
        }
    }
}

/// Whether a byte ends or escapes something in a JSON string, or must be escaped there.
#[inline(always)]
pub(crate) fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// How many bytes at the start of `bytes` are not [special](is_special), in whole steps, and whether they are ASCII.
#[inline]
pub(crate) fn plain(bytes: &[u8]) -> (usize, bool) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn avx2(bytes: &[u8]) -> (usize, bool) {
            plain_steps(bytes)
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function asks for.
            return unsafe { avx2(bytes) };
        }
    }
    plain_steps(bytes)
}

/// [`plain`], by long steps and then by short ones.
#[inline(always)]
fn plain_steps(bytes: &[u8]) -> (usize, bool) {
    let (long, is_ascii) = plain_steps_of::<128>(bytes);
    let (short, is_rest_ascii) = plain_steps_of::<LANES>(&bytes[long..]);
    (long + short, is_ascii && is_rest_ascii)
}

/// Bytes of a vector.
const LANES: usize = 32;

/// For the compiler to make vector instructions of: no early end within a step, and a result for each lane.
#[inline(always)]
fn plain_steps_of<const STEP: usize>(bytes: &[u8]) -> (usize, bool) {
    let (mut length, mut seen) = (0, [0; LANES]);
    for step in bytes.as_chunks::<STEP>().0 {
        // The least in each lane of what is below 0x21 for control characters and quotes alone (of 0x20 to 0x23, the
        // exclusive or with 2 makes 0x22, 0x23, 0x20, 0x21), and of what is 0 for backslashes alone.
        let (mut low, mut backslash, mut all) = ([u8::MAX; LANES], [u8::MAX; LANES], seen);
        for vector in step.as_chunks::<LANES>().0 {
            for (lane, byte) in vector.iter().enumerate() {
                low[lane] = low[lane].min(byte ^ 2);
                backslash[lane] = backslash[lane].min(byte ^ b'\\');
                all[lane] |= byte;
            }
        }
        let special = low
            .iter()
            .zip(backslash)
            .fold(0, |any, (low, backslash)| any | u8::from(*low < 0x21) | u8::from(backslash == 0));
        if special != 0 {
            break;
        }
        seen = all;
        length += STEP;
    }
    (length, seen.is_ascii())
}

/// Asks for an element to be fetched from memory, without waiting for it.
#[inline(always)]
pub(crate) fn prefetch<T>(elements: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(element) = elements.get(index) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: this reads nothing that a program could see, and every x86-64 processor has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(element).cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (elements, index);
}

/// The loop over blocks, written once; each kernel compiles it with its own processor features.
macro_rules! fill {
    ($(#[$features:meta])?) => {
        $(#[$features])?
        pub(super) fn fill<const JSON: bool, const STARTS: u8, const FIRST: usize, const LEADS: u8>(
            filter: &Filter,
            fingerprint: &Fingerprint,
            text: &[u8],
            masks: &mut Masks,
            carry: &mut Carry,
        ) -> usize {
            let kernel = Tables::new(fingerprint);
            let blocks = text.len().div_ceil(BLOCK).min(BLOCKS);
            let mut in_word = u64::from(carry.in_word);
            let mut escaped = carry.escaped;
            let block = |i: usize| match text.get(i * BLOCK..i * BLOCK + WINDOW) {
                Some(window) => kernel.block::<JSON, FIRST, LEADS>(window.try_into().expect("it has this length")),
                None => kernel.block::<JSON, FIRST, LEADS>(&padded(text.get(i * BLOCK..).unwrap_or_default())),
            };
            for i in 0..blocks {
                let mut bits = block(i);
                if JSON {
                    bits.word &= !escapes(bits.backslash, &mut escaped);
                }
                let follows = bits.word << 1 | in_word;
                in_word = bits.word >> 63;
                masks.set_word(i, bits.word);
                masks.start[i] = match STARTS {
                    WORDS => !follows & (bits.word & bits.first | bits.lead),
                    NOT_WITHIN_WORDS => !(follows & bits.word) & bits.first | bits.lead,
                    _ => bits.first | bits.lead,
                };
            }
            *carry = Carry { in_word: in_word != 0, escaped };
            let mut beyond = block(blocks);
            if JSON {
                beyond.word &= !escapes(beyond.backslash, &mut escaped);
            }
            masks.set_word(blocks, beyond.word);
            let busy = kernel.busy(&masks.start) & (u64::MAX >> (BLOCKS - blocks));
            if fingerprint.suffices {
                (masks.kept, masks.busy) = (masks.start, busy);
            } else {
                kernel.keep(filter, text, masks, busy);
            }
            blocks
        }
    };
}

/// Which elements have a bit set.
#[inline(always)]
fn busy(starts: &[u64; BLOCKS]) -> u64 {
    (0..BLOCKS).fold(0, |busy, i| busy | u64::from(starts[i] != 0) << i)
}

/// What is left of a text, filled up with zeros.
#[cold]
fn padded(rest: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    window[..rest.len()].copy_from_slice(rest);
    window
}

/// Which bytes a backslash escapes, by arithmetic on whole runs of backslashes (Langdale and Lemire, "Parsing gigabytes of
/// JSON per second", 2019, section 3.1.1). `carry` says whether the first byte is escaped by the block before.
#[inline]
fn escapes(backslash: u64, carry: &mut bool) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let before = u64::from(*carry);
    let backslash = backslash & !before;
    let follows = backslash << 1 | before;
    let odd_starts = backslash & !EVEN & !follows;
    let (ends, overflow) = odd_starts.overflowing_add(backslash);
    *carry = overflow;
    (EVEN ^ ends << 1) & follows
}

/// The first bytes of `ſ` and of the Kelvin sign in UTF-8.
const LONG_S: u8 = 0xC5;
const KELVIN: u8 = 0xE2;

mod scalar {
    use super::*;

    struct Tables<'a>(&'a Fingerprint);

    impl<'a> Tables<'a> {
        fn new(fingerprint: &'a Fingerprint) -> Self {
            Self(fingerprint)
        }

        #[inline]
        fn block<const JSON: bool, const FIRST: usize, const LEADS: u8>(&self, window: &[u8; WINDOW]) -> Bits {
            let mut bits = Bits::default();
            for (i, byte) in window[..BLOCK].iter().copied().enumerate() {
                bits.word |= u64::from(is_ascii_word(byte)) << i;
                if JSON {
                    bits.backslash |= u64::from(byte == b'\\') << i;
                }
            }
            let [first, second, third, fourth] = &self.0.exact;
            bits.first = if FIRST > 0 {
                (0..BLOCK).fold(0, |bits, i| {
                    let buckets = first[usize::from(window[i])]
                        & second[usize::from(window[i + 1])]
                        & third[usize::from(window[i + 2])]
                        & if FIRST > 3 { fourth[usize::from(window[i + 3])] } else { 0xFF };
                    bits | u64::from(buckets != 0) << i
                })
            } else {
                !0
            };
            if LEADS != NO_LEADS && LEADS != LEADS_OF_FINGERPRINT {
                let all = LEADS == ALL_LEADS;
                bits.lead = (0..BLOCK).fold(0, |bits, i| {
                    let is_lead = if all { window[i] >= 0xC0 } else { window[i] == LONG_S || window[i] == KELVIN };
                    bits | u64::from(is_lead) << i
                });
            }
            bits
        }

        #[inline]
        fn keep(&self, filter: &Filter, text: &[u8], masks: &mut Masks, busy: u64) {
            keep(filter, text, masks, busy, high);
        }

        #[inline]
        fn busy(&self, starts: &[u64; BLOCKS]) -> u64 {
            busy(starts)
        }
    }

    fn high(block: &[u8; BLOCK]) -> u64 {
        (0..BLOCK).fold(0, |bits, i| bits | u64::from(block[i] >> 7) << i)
    }

    fill!();
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::*;
    use std::arch::x86_64::*;

    /// A byte is an ASCII word character if the entries of its two halves have a bit in common.
    static WORD: [[u8; 16]; 2] = {
        let mut halves = [[0; 16]; 2];
        let mut low = 0;
        while low < 16 {
            // Bits: 0-9; A-O and a-o; P-Z and p-z; _
            halves[0][low] =
                (low < 10) as u8 | ((low > 0) as u8) << 1 | ((low < 11) as u8) << 2 | ((low == 15) as u8) << 3;
            low += 1;
        }
        halves[1][3] = 1;
        halves[1][4] = 2;
        halves[1][6] = 2;
        halves[1][5] = 4 | 8;
        halves[1][7] = 4;
        halves
    };

    struct Tables {
        word: [__m256i; 2],
        fingerprint: [[__m256i; 2]; FINGERPRINT],
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn twice(table: &[u8; 16]) -> __m256i {
        // SAFETY: 16 bytes are read, and the array has 16.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load<const AT: usize, const LENGTH: usize>(bytes: &[u8; LENGTH]) -> __m256i {
        const { assert!(AT + 32 <= LENGTH) };
        // SAFETY: 32 bytes are read from `AT` on, which the assertion keeps inside the array.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().add(AT).cast()) }
    }

    /// The entries that both halves of each byte have in common.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn look_up(bytes: __m256i, [low, high]: &[__m256i; 2]) -> __m256i {
        let nibble = _mm256_set1_epi8(15);
        _mm256_and_si256(
            _mm256_shuffle_epi8(*low, _mm256_and_si256(bytes, nibble)),
            _mm256_shuffle_epi8(*high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn non_zero(low: __m256i, high: __m256i) -> u64 {
        let zero = _mm256_setzero_si256();
        !join(_mm256_cmpeq_epi8(low, zero), _mm256_cmpeq_epi8(high, zero))
    }

    /// The top bit of each byte.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn join(low: __m256i, high: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
    }

    impl Tables {
        #[inline]
        #[target_feature(enable = "avx2")]
        fn new(fingerprint: &Fingerprint) -> Self {
            let pair = |[low, high]: &[[u8; 16]; 2]| [twice(low), twice(high)];
            let [first, second, third, fourth] = &fingerprint.nibbles;
            Self { word: pair(&WORD), fingerprint: [pair(first), pair(second), pair(third), pair(fourth)] }
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn block<const JSON: bool, const FIRST: usize, const LEADS: u8>(&self, window: &[u8; WINDOW]) -> Bits {
            let (low, high) = (load::<0, WINDOW>(window), load::<32, WINDOW>(window));
            let mut bits = Bits {
                word: non_zero(look_up(low, &self.word), look_up(high, &self.word)),
                first: !0,
                ..Bits::default()
            };
            let equal = |low, high, byte: u8| {
                let byte = _mm256_set1_epi8(byte.cast_signed());
                join(_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte))
            };
            if JSON {
                bits.backslash = equal(low, high, b'\\');
            }
            if FIRST > 0 {
                let [first, second, third, fourth] = &self.fingerprint;
                let buckets = |[a, b, c, d]: [__m256i; FINGERPRINT]| {
                    let three =
                        _mm256_and_si256(_mm256_and_si256(look_up(a, first), look_up(b, second)), look_up(c, third));
                    if FIRST > 3 { _mm256_and_si256(three, look_up(d, fourth)) } else { three }
                };
                bits.first = non_zero(
                    buckets([low, load::<1, WINDOW>(window), load::<2, WINDOW>(window), load::<3, WINDOW>(window)]),
                    buckets([high, load::<33, WINDOW>(window), load::<34, WINDOW>(window), load::<35, WINDOW>(window)]),
                );
            }
            // Not only where `high` has bits: in mixed text that would be guessed wrongly every other time.
            bits.lead = match LEADS {
                NO_LEADS | LEADS_OF_FINGERPRINT => 0,
                ALL_LEADS => {
                    // The unsigned maximum of a byte and 0xC0 is the byte itself where it is at least 0xC0.
                    let least = _mm256_set1_epi8(0xC0_u8.cast_signed());
                    join(
                        _mm256_cmpeq_epi8(_mm256_max_epu8(low, least), low),
                        _mm256_cmpeq_epi8(_mm256_max_epu8(high, least), high),
                    )
                }
                _ => equal(low, high, LONG_S) | equal(low, high, KELVIN),
            };
            bits
        }

        #[inline]
        #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
        fn keep(&self, filter: &Filter, text: &[u8], masks: &mut Masks, busy: u64) {
            let high = |block: &[u8; BLOCK]| join(load::<0, BLOCK>(block), load::<32, BLOCK>(block));
            keep(filter, text, masks, busy, high);
        }

        #[inline]
        fn busy(&self, starts: &[u64; BLOCKS]) -> u64 {
            busy(starts)
        }
    }

    fill!(#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]);
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::*;
    use std::arch::x86_64::*;

    static WORD: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = (is_ascii_word(byte as u8) as u8) << BUCKETS;
            byte += 1;
        }
        table
    };

    /// A table of 128 entries, looked up by the low seven bits of a byte.
    type Half = [__m512i; 2];

    struct Tables {
        /// The first table also has, as the top bit, whether a byte belongs to ASCII words.
        fingerprint: [Half; FINGERPRINT],
        /// The first table for other than ASCII bytes.
        first_high: Half,
        any_high: bool,
        /// Whether most blocks have more than eight words to be looked up.
        usually_many: bool,
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn load<const AT: usize, const LENGTH: usize>(bytes: &[u8; LENGTH]) -> __m512i {
        const { assert!(AT + 64 <= LENGTH) };
        // SAFETY: 64 bytes are read from `AT` on, which the assertion keeps inside the array.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().add(AT).cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load_words(words: &[u64; 8]) -> __m512i {
        // SAFETY: 64 bytes are read, and 8 elements have 64.
        unsafe { _mm512_loadu_si512(words.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn look_up(bytes: __m512i, [low, high]: &Half) -> __m512i {
        _mm512_permutex2var_epi8(*low, bytes, *high)
    }

    /// The same, with all bits for other than ASCII bytes: words with such a letter in the second or third place pass the
    /// fingerprint more often than they should, and text with many of them costs no more than other text.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn look_up_or_any(bytes: __m512i, table: &Half) -> __m512i {
        let any = _mm512_set1_epi8(-1);
        _mm512_mask_mov_epi8(look_up(bytes, table), _mm512_movepi8_mask(bytes), any)
    }

    impl Tables {
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn new(fingerprint: &Fingerprint) -> Self {
            let half = |table: &[u8; 256]| [load::<0, 256>(table), load::<64, 256>(table)];
            let Fingerprint { any_high, places, .. } = *fingerprint;
            let usually_many = places == 0;
            let [first, second, third, fourth] = &fingerprint.exact;
            let [a, b] = half(first);
            let [word_a, word_b] = half(&WORD);
            let first = [_mm512_or_si512(a, word_a), _mm512_or_si512(b, word_b)];
            let first_high = [load::<128, 256>(&fingerprint.exact[0]), load::<192, 256>(&fingerprint.exact[0])];
            let fingerprint = [first, half(second), half(third), half(fourth)];
            Self { fingerprint, first_high, any_high, usually_many }
        }

        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn block<const JSON: bool, const FIRST: usize, const LEADS: u8>(&self, window: &[u8; WINDOW]) -> Bits {
            let bytes = load::<0, WINDOW>(window);
            let [first, second, third, fourth] = &self.fingerprint;
            let buckets = look_up(bytes, first);
            let mut bits =
                Bits { word: _mm512_movepi8_mask(_mm512_andnot_si512(bytes, buckets)), first: !0, ..Bits::default() };
            let equal = |bytes, byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
            if JSON {
                bits.backslash = equal(bytes, b'\\');
            }
            if FIRST > 0 {
                let look_up =
                    |bytes, table| if self.any_high { look_up_or_any(bytes, table) } else { look_up(bytes, table) };
                let (next, after) = (load::<1, WINDOW>(window), load::<2, WINDOW>(window));
                let buckets = if LEADS == LEADS_OF_FINGERPRINT {
                    let [low, high] = self.first_high;
                    let of_high = _mm512_permutex2var_epi8(low, bytes, high);
                    _mm512_mask_mov_epi8(buckets, _mm512_movepi8_mask(bytes), of_high)
                } else {
                    buckets
                };
                let fits = _mm512_and_si512(buckets, look_up(next, second));
                let third = look_up(after, third);
                bits.first = if FIRST > 3 {
                    let fourth = look_up(load::<3, WINDOW>(window), fourth);
                    _mm512_test_epi8_mask(_mm512_and_si512(fits, third), fourth)
                } else {
                    _mm512_test_epi8_mask(fits, third)
                };
            }
            bits.lead = match LEADS {
                NO_LEADS | LEADS_OF_FINGERPRINT => 0,
                ALL_LEADS => _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8(0xC0_u8.cast_signed())),
                _ => equal(bytes, LONG_S) | equal(bytes, KELVIN),
            };
            bits
        }

        /// As [`keep`], eight words at a time: in three steps, so that none waits for the one before.
        #[inline(never)]
        #[target_feature(
            enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,avx512bitalg,bmi1,bmi2,lzcnt,popcnt"
        )]
        fn keep(&self, filter: &Filter, text: &[u8], masks: &mut Masks, busy: u64) {
            masks.hashes.resize(ROOM, 0);
            // The last block or two of a text are left to the end.
            let full = (text.len() / BLOCK).saturating_sub(1).min(BLOCKS);
            let mut kept_any = 0;
            let mut left_out = 0;
            for from in (0..full).step_by(STEP) {
                let blocks = from..full.min(from + STEP);
                let (count, many) = self.hash(filter, text, masks, blocks.clone());
                left_out |= many;
                for (hashes, has) in masks.hashes.chunks_exact(8).zip(&mut masks.has).take(count.div_ceil(8)) {
                    *has = look_up_hashes(filter, hashes.try_into().expect("8 elements are 8 elements"));
                }
                let mut at = 0;
                for i in blocks {
                    let starts = masks.kept[i];
                    let has = masks.has[at / 8..at / 8 + 8].try_into().expect("8 elements are 8 elements");
                    let kept = _pdep_u64(u64::from_le_bytes(has) >> (at % 8), starts);
                    masks.kept[i] = kept;
                    kept_any |= u64::from(kept != 0) << i;
                    at += starts.count_ones() as usize;
                }
            }
            masks.busy = kept_any;
            let mut left = left_out | busy & u64::MAX.unbounded_shl(full as u32);
            while left != 0 {
                let i = left.trailing_zeros() as usize % BLOCKS;
                left &= left - 1;
                masks.kept[i] = keep_of_block(filter, &text[i * BLOCK..], masks, i, |block| {
                    _mm512_movepi8_mask(load::<0, BLOCK>(block))
                });
                masks.busy |= u64::from(masks.kept[i] != 0) << i;
            }
        }

        /// Hashes the heads of the words that start in `blocks`, to `masks.hashes`; returns how many they are, and which
        /// blocks have too many. Which words they are is in `masks.kept` then.
        #[inline]
        #[target_feature(
            enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,avx512bitalg,bmi1,bmi2,lzcnt,popcnt"
        )]
        fn hash(&self, filter: &Filter, text: &[u8], masks: &mut Masks, blocks: Range<usize>) -> (usize, u64) {
            let (mut all, mut left_out) = (0, 0);
            let (texts, _) = text.as_chunks::<BLOCK>();
            let mut next = comparable(&texts[blocks.start], masks.word(blocks.start));
            for i in blocks {
                let here = next;
                next = comparable(&texts[i + 1], masks.word(i + 1));
                let mut starts = masks.start[i] & long_enough(filter, here.1, next.1);
                let mut count = starts.count_ones() as usize;
                if count > MANY {
                    left_out |= 1 << i;
                    (starts, count) = (0, 0);
                }
                masks.kept[i] = starts;
                let mut places = _mm512_maskz_compress_epi8(starts, load::<0, 64>(&COUNT));
                let mut done = 0;
                loop {
                    let each_byte = _mm512_add_epi8(
                        _mm512_permutexvar_epi8(load::<0, 64>(&EIGHT_TIMES), places),
                        load::<0, 64>(&COUNT_TO_EIGHT),
                    );
                    let bytes = _mm512_permutex2var_epi8(here.0, each_byte, next.0);
                    // All bits up to the first one that marks an end; all, if there is none.
                    let ends = _mm512_and_si512(bytes, _mm512_set1_epi8(0x80_u8.cast_signed()));
                    let less = _mm512_sub_epi64(ends, _mm512_set1_epi64(1));
                    let heads = _mm512_and_si512(bytes, _mm512_xor_si512(ends, less));
                    let hashes = _mm512_mullo_epi64(heads, _mm512_set1_epi64(Head::FACTOR.cast_signed()));
                    store(&mut masks.hashes, all + done, hashes);
                    done += 8;
                    // Without a fingerprint there are nine to sixteen in nearly every block: no use in guessing.
                    if done >= count && (done == 16 || !self.usually_many) {
                        break;
                    }
                    places = _mm512_alignr_epi64::<1>(places, places);
                }
                all += count;
            }
            (all, left_out)
        }

        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn busy(&self, starts: &[u64; BLOCKS]) -> u64 {
            starts.chunks_exact(8).rev().fold(0, |busy, starts| {
                let starts = load_words(starts.try_into().expect("8 elements are 8 elements"));
                busy << 8 | u64::from(_mm512_test_epi64_mask(starts, starts))
            })
        }
    }

    /// Sets eight elements from `at` on.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(words: &mut [u64], at: usize, eight: __m512i) {
        let to: &mut [u64; 8] = words[at..].first_chunk_mut().expect("there is room for the words of a batch");
        // SAFETY: 64 bytes are written, and 8 elements have 64.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), eight) }
    }

    /// 0, 1, 2, ...
    static COUNT: [u8; 64] = {
        let mut count = [0; 64];
        let mut i = 0;
        while i < 64 {
            count[i] = i as u8;
            i += 1;
        }
        count
    };
    /// 0 to 7, again and again.
    static COUNT_TO_EIGHT: [u8; 64] = {
        let mut count = [0; 64];
        let mut i = 0;
        while i < 64 {
            count[i] = i as u8 % 8;
            i += 1;
        }
        count
    };
    /// Eight times 0, eight times 1, ...
    static EIGHT_TIMES: [u8; 64] = {
        let mut count = [0; 64];
        let mut i = 0;
        while i < 64 {
            count[i] = i as u8 / 8;
            i += 1;
        }
        count
    };

    /// The bytes of a block as a [`Head`] has them, those that belong to no word marked as its end; and which are in words,
    /// or may be.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn comparable(block: &[u8; BLOCK], words: u64) -> (__m512i, u64) {
        let bytes = load::<0, BLOCK>(block);
        let high = _mm512_movepi8_mask(bytes);
        let [low_ends, high_ends] = [load::<0, 128>(&ENDS), load::<64, 128>(&ENDS)];
        let ascii = _mm512_set1_epi8((End::Ascii as u8).cast_signed());
        let ends = _mm512_mask_mov_epi8(ascii, high, _mm512_permutex2var_epi8(low_ends, bytes, high_ends));
        let lower = _mm512_or_si512(bytes, _mm512_set1_epi64(BIT_5.cast_signed()));
        (_mm512_mask_mov_epi8(ends, words, lower), words | high)
    }

    /// The [`End`]s of bytes from 0x80 on.
    static ENDS: [u8; 128] = {
        let mut ends = [0; 128];
        let mut i = 0;
        while i < 128 {
            ends[i] = End::of(i as u8 + 128) as u8;
            i += 1;
        }
        ends
    };

    /// Which of eight heads, by their hashes, the filter may have. Eight loads take half as long as one gather of eight does
    /// on Zen 4, and shuffling bits a quarter of shifting and masking them.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512bitalg")]
    fn look_up_hashes(filter: &Filter, hashes: &[u64; 8]) -> u8 {
        let elements = hashes.map(|hash| filter.element(hash));
        let places = _mm512_shuffle_epi8(load_words(hashes), load::<0, 64>(&PLACES));
        let bits = _mm512_bitshuffle_epi64_mask(load_words(&elements), places);
        _mm512_cmpeq_epi64_mask(_mm512_movm_epi8(bits), _mm512_set1_epi64(-1))
    }

    /// Which byte of sixteen says where a bit is: those of each hash that do, repeated to make eight.
    static PLACES: [u8; 64] = {
        let mut bytes = [0; 64];
        let mut i = 0;
        while i < 64 {
            let hash = i / 8 % 2;
            bytes[i] = hash as u8 * 8 + (Filter::BITS[i % Filter::BITS.len()] / 8) as u8;
            i += 1;
        }
        bytes
    };

    fill!(
        #[target_feature(
            enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,avx512bitalg,bmi1,bmi2,lzcnt,popcnt"
        )]
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of every kind, at every place of a block and across its end.
    fn text() -> Vec<u8> {
        let mut text: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        for piece in ["“ING”", "ſkill", "\u{212A}ilo", "\\\"abn", "ABN_9 ", "é", "中ing文"] {
            for pad in 0..BLOCK {
                text.extend(std::iter::repeat_n(b'.', pad));
                text.extend(piece.bytes());
            }
        }
        text
    }

    fn filter() -> Filter {
        let mut filter = Filter::new(3);
        ["ing", "kilo", "abn\x7f9"].iter().for_each(|word| filter.add(word.as_bytes()));
        filter
    }

    impl Masks {
        fn kept_of(&self, i: usize) -> u64 {
            if self.busy >> i & 1 == 1 { self.kept[i] } else { 0 }
        }
    }

    #[test]
    fn all_kernels_agree() {
        let mut exact = [[0; 256]; FINGERPRINT];
        for (bucket, word) in ["ing", "abn", "\u{e9}x"].iter().enumerate() {
            for (table, byte) in exact.iter_mut().zip(word.bytes()) {
                table[usize::from(byte)] |= 1 << bucket;
                table[usize::from(byte.to_ascii_uppercase())] |= 1 << bucket;
            }
        }
        let text = text();
        for leads in [Leads::None, Leads::LongSAndKelvin, Leads::All] {
            for fingerprint in [None, Some(Fingerprint::new(exact, 3, false)), Some(Fingerprint::new(exact, 4, true))] {
                for length in [0, 1, 63, 64, 65, 66, 67, 500, BATCH - 1, BATCH, BATCH + 1, text.len()] {
                    let text = &text[..length];
                    let reference =
                        Classifier::new(Kernel::Scalar, Starts::Words(leads), filter(), fingerprint.clone());
                    for kernel in Kernel::available() {
                        let classifier = Classifier::new(kernel, Starts::Words(leads), filter(), fingerprint.clone());
                        let (mut carry, mut reference_carry) = (Carry::default(), Carry::default());
                        for text in text.chunks(BATCH) {
                            let (mut expected, mut got) = (Masks::new(), Masks::new());
                            let blocks = reference.fill::<true>(text, &mut expected, &mut reference_carry);
                            assert_eq!(classifier.fill::<true>(text, &mut got, &mut carry), blocks);
                            assert_eq!(got.word, expected.word, "{kernel:?}");
                            for (expected, got) in expected.start.iter().zip(got.start) {
                                assert_eq!(expected & !got, 0, "{kernel:?} lost a start");
                            }
                            for i in 0..blocks {
                                let [expected, got] = [&expected, &got].map(|masks| masks.kept_of(i));
                                assert_eq!(expected & !got, 0, "{kernel:?} lost a word");
                                assert!(fingerprint.is_some() || got == expected, "{kernel:?} kept a word more");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn escapes_are_found_at_every_offset() {
        for text in [r"\n", r"\\n", r"\\\n", r"a\\\\b\tc", r"\\\\\\\\\\\\"] {
            for pad in 0..130 {
                let text = format!("{}{text}{}", "x".repeat(pad), "y".repeat(70));
                let mut expected = vec![false; text.len()];
                let mut after_backslash = false;
                for (i, byte) in text.bytes().enumerate() {
                    expected[i] = after_backslash;
                    after_backslash = byte == b'\\' && !after_backslash;
                }
                let mut carry = false;
                for (block, expected) in text.as_bytes().chunks(64).zip(expected.chunks(64)) {
                    let backslash = (0..block.len()).fold(0, |bits, i| bits | u64::from(block[i] == b'\\') << i);
                    let got = escapes(backslash, &mut carry);
                    for (i, expected) in expected.iter().enumerate() {
                        assert_eq!(got >> i & 1 == 1, *expected, "{text:?} at {i}");
                    }
                }
            }
        }
    }
}
