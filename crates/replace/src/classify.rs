//! Bytes to bit masks: which belong to ASCII words, and where the word of a rule may start.
//!
//! The only `unsafe` of this crate is here: loading vectors from arrays whose length says that they are long enough, and
//! calling a kernel after asking the processor whether it has what the kernel needs. Every kernel gives the same `word`,
//! `high`, `lead` and `backslash` masks; `first` may differ in false positives only, which a look at the text removes.
#![allow(unsafe_code)]

use crate::unicode::is_ascii_word;

/// Bytes per block: one bit each in a `u64`.
pub(crate) const BLOCK: usize = 64;
/// Blocks classified at a time.
pub(crate) const BLOCKS: usize = 16;
/// Bytes classified at a time.
pub(crate) const BATCH: usize = BLOCK * BLOCKS;
/// How many first bytes of a word the fingerprint looks at.
pub(crate) const FINGERPRINT: usize = 3;
/// A block and as many bytes after it as the fingerprint of its last byte needs.
const WINDOW: usize = BLOCK + FINGERPRINT - 1;

/// The masks of one batch. Bit `i % 64` of element `i / 64` speaks of byte `i`. One block beyond the batch is classified
/// too, so that a word's length can be read across the end.
pub(crate) struct Masks {
    /// ASCII word characters.
    pub(crate) word: [u64; BLOCKS + 1],
    /// Bytes of other than ASCII characters.
    pub(crate) high: [u64; BLOCKS + 1],
    /// Where the text may continue like one of the rules' words does; all ones without a fingerprint.
    pub(crate) first: [u64; BLOCKS],
    /// First bytes of the non-ASCII characters that [`Leads`] asks for.
    pub(crate) lead: [u64; BLOCKS],
    /// Backslashes.
    pub(crate) backslash: [u64; BLOCKS + 1],
    /// Whether `high` has any bit set.
    pub(crate) any_high: bool,
}

impl Masks {
    pub(crate) fn new() -> Self {
        Self {
            word: [0; BLOCKS + 1],
            high: [0; BLOCKS + 1],
            first: [0; BLOCKS],
            lead: [0; BLOCKS],
            backslash: [0; BLOCKS + 1],
            any_high: false,
        }
    }
}

/// Which non-ASCII characters may start a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leads {
    /// None: all rules' words start with ASCII characters that nothing else folds to.
    None,
    /// `ſ` and the Kelvin sign: some start with `s` or `k`.
    LongSAndKelvin,
    /// Any: some start with a non-ASCII character.
    All,
}

/// The masks of one block.
#[derive(Clone, Copy, Default)]
struct Bits {
    word: u64,
    high: u64,
    first: u64,
    lead: u64,
    backslash: u64,
}

/// How rules' words begin. Words are dealt to eight buckets, a bit each; a byte's entry has a bucket's bit if one of its
/// words may have that byte in that place. A word may start only where the three bytes have a bucket in common.
#[derive(Clone)]
pub(crate) struct Fingerprint {
    exact: [[u8; 256]; FINGERPRINT],
    /// The same by low and high half of the byte, for shuffles of sixteen entries.
    nibbles: [[[u8; 16]; 2]; FINGERPRINT],
}

impl Fingerprint {
    pub(crate) fn new(exact: [[u8; 256]; FINGERPRINT]) -> Self {
        let mut nibbles = [[[0; 16]; 2]; FINGERPRINT];
        for (table, [low, high]) in exact.iter().zip(&mut nibbles) {
            for (byte, buckets) in table.iter().enumerate() {
                low[byte & 15] |= buckets;
                high[byte >> 4] |= buckets;
            }
        }
        Self { exact, nibbles }
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
            if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi") {
                kernels.push(Self::Avx512);
            }
        }
        kernels
    }
}

/// Turns text into [`Masks`].
pub(crate) struct Classifier {
    kernel: Kernel,
    fingerprint: Option<Box<Fingerprint>>,
    leads: Leads,
}

impl Classifier {
    pub(crate) fn new(kernel: Kernel, fingerprint: Option<Fingerprint>, leads: Leads) -> Self {
        // Seen from outside, a kernel can only come from `available`: this is what makes calling it sound.
        assert!(Kernel::available().contains(&kernel), "{kernel:?} cannot run here");
        Self { kernel, fingerprint: fingerprint.map(Box::new), leads }
    }

    /// Classifies the batch that starts at `base`; returns the number of its blocks.
    #[inline]
    pub(crate) fn fill<const JSON: bool>(&self, text: &[u8], base: usize, masks: &mut Masks) -> usize {
        match self.kernel {
            Kernel::Scalar => scalar::fill::<JSON>(self, text, base, masks),
            // SAFETY: `new` has made sure that the processor has the features which the functions ask for.
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => unsafe { avx2::fill::<JSON>(self, text, base, masks) },
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => unsafe { avx512::fill::<JSON>(self, text, base, masks) },
        }
    }
}

/// The loop over blocks, written once; each kernel compiles it with its own processor features.
macro_rules! fill {
    ($(#[$features:meta])?) => {
        $(#[$features])?
        pub(super) fn fill<const JSON: bool>(
            classifier: &Classifier,
            text: &[u8],
            base: usize,
            masks: &mut Masks,
        ) -> usize {
            let kernel = Tables::new(classifier);
            let blocks = (text.len() - base).div_ceil(BLOCK).min(BLOCKS);
            let mut any_high = 0;
            for i in 0..=blocks {
                let at = base + i * BLOCK;
                let bits = match text.get(at..at + WINDOW).and_then(|window| window.try_into().ok()) {
                    Some(window) => kernel.block::<JSON>(window),
                    None => {
                        let mut window = [0; WINDOW];
                        let rest = text.get(at..).unwrap_or_default();
                        window[..rest.len()].copy_from_slice(rest);
                        kernel.block::<JSON>(&window)
                    }
                };
                masks.word[i] = bits.word;
                masks.high[i] = bits.high;
                if JSON {
                    masks.backslash[i] = bits.backslash;
                }
                any_high |= bits.high;
                if i < BLOCKS {
                    masks.first[i] = bits.first;
                    masks.lead[i] = bits.lead;
                }
            }
            masks.any_high = any_high != 0;
            blocks
        }
    };
}

/// `ſ` and the Kelvin sign in UTF-8.
const LONG_S: [u8; 2] = [0xC5, 0xBF];
const KELVIN: [u8; 3] = [0xE2, 0x84, 0xAA];

mod scalar {
    use super::*;

    struct Tables<'a> {
        fingerprint: Option<&'a Fingerprint>,
        leads: Leads,
    }

    impl<'a> Tables<'a> {
        fn new(classifier: &'a Classifier) -> Self {
            Self { fingerprint: classifier.fingerprint.as_deref(), leads: classifier.leads }
        }

        #[inline]
        fn block<const JSON: bool>(&self, window: &[u8; WINDOW]) -> Bits {
            let mut bits = Bits::default();
            for i in 0..BLOCK {
                let byte = window[i];
                bits.word |= u64::from(is_ascii_word(byte)) << i;
                bits.high |= u64::from(byte >> 7) << i;
                if JSON {
                    bits.backslash |= u64::from(byte == b'\\') << i;
                }
            }
            bits.first = match self.fingerprint {
                None => !0,
                Some(Fingerprint { exact: [first, second, third], .. }) => (0..BLOCK).fold(0, |bits, i| {
                    let buckets = first[usize::from(window[i])]
                        & second[usize::from(window[i + 1])]
                        & third[usize::from(window[i + 2])];
                    bits | u64::from(buckets != 0) << i
                }),
            };
            if bits.high != 0 && self.leads != Leads::None {
                let all = self.leads == Leads::All;
                bits.lead = (0..BLOCK).fold(0, |bits, i| {
                    let is_lead =
                        if all { window[i] >= 0xC0 } else { window[i..i + 2] == LONG_S || window[i..i + 3] == KELVIN };
                    bits | u64::from(is_lead) << i
                });
            }
            bits
        }
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
        fingerprint: Option<[[__m256i; 2]; FINGERPRINT]>,
        leads: Leads,
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn twice(table: &[u8; 16]) -> __m256i {
        // SAFETY: 16 bytes are read, and the array has 16.
        _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) })
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load<const AT: usize>(window: &[u8; WINDOW]) -> __m256i {
        const { assert!(AT + 32 <= WINDOW) };
        // SAFETY: 32 bytes are read from `AT` on, which the assertion keeps inside the array.
        unsafe { _mm256_loadu_si256(window.as_ptr().add(AT).cast()) }
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
        fn new(classifier: &Classifier) -> Self {
            let pair = |[low, high]: &[[u8; 16]; 2]| [twice(low), twice(high)];
            Self {
                word: pair(&WORD),
                fingerprint: classifier.fingerprint.as_ref().map(|fingerprint| {
                    let [first, second, third] = &fingerprint.nibbles;
                    [pair(first), pair(second), pair(third)]
                }),
                leads: classifier.leads,
            }
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn block<const JSON: bool>(&self, window: &[u8; WINDOW]) -> Bits {
            let (low, high) = (load::<0>(window), load::<32>(window));
            let mut bits = Bits {
                word: non_zero(look_up(low, &self.word), look_up(high, &self.word)),
                high: join(low, high),
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
            if let Some([first, second, third]) = &self.fingerprint {
                let buckets = |a, b, c| {
                    _mm256_and_si256(_mm256_and_si256(look_up(a, first), look_up(b, second)), look_up(c, third))
                };
                bits.first = non_zero(
                    buckets(low, load::<1>(window), load::<2>(window)),
                    buckets(high, load::<33>(window), load::<34>(window)),
                );
            }
            if bits.high != 0 {
                bits.lead = match self.leads {
                    Leads::None => 0,
                    Leads::All => {
                        // The unsigned maximum of a byte and 0xC0 is the byte itself where it is at least 0xC0.
                        let least = _mm256_set1_epi8(0xC0_u8.cast_signed());
                        join(
                            _mm256_cmpeq_epi8(_mm256_max_epu8(low, least), low),
                            _mm256_cmpeq_epi8(_mm256_max_epu8(high, least), high),
                        )
                    }
                    Leads::LongSAndKelvin => {
                        let (low1, high1) = (load::<1>(window), load::<33>(window));
                        let (low2, high2) = (load::<2>(window), load::<34>(window));
                        equal(low, high, LONG_S[0]) & equal(low1, high1, LONG_S[1])
                            | equal(low, high, KELVIN[0])
                                & equal(low1, high1, KELVIN[1])
                                & equal(low2, high2, KELVIN[2])
                    }
                };
            }
            bits
        }
    }

    fill!(#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]);
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::*;
    use std::arch::x86_64::*;

    static WORD: [u8; 128] = {
        let mut table = [0; 128];
        let mut byte = 0;
        while byte < 128 {
            table[byte] = if is_ascii_word(byte as u8) { 0xFF } else { 0 };
            byte += 1;
        }
        table
    };

    /// A table of 128 entries, looked up by the low seven bits of a byte.
    type Half = [__m512i; 2];

    struct Tables {
        word: Half,
        /// Per place: entries of ASCII bytes, entries of other bytes.
        fingerprint: Option<[[Half; 2]; FINGERPRINT]>,
        leads: Leads,
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn load<const AT: usize, const LENGTH: usize>(bytes: &[u8; LENGTH]) -> __m512i {
        const { assert!(AT + 64 <= LENGTH) };
        // SAFETY: 64 bytes are read from `AT` on, which the assertion keeps inside the array.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().add(AT).cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn look_up(bytes: __m512i, [low, high]: &Half) -> __m512i {
        _mm512_permutex2var_epi8(*low, bytes, *high)
    }

    /// The entries of all bytes, ASCII or not.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn look_up_any(bytes: __m512i, [ascii, other]: &[Half; 2]) -> __m512i {
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), look_up(bytes, ascii), look_up(bytes, other))
    }

    impl Tables {
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn new(classifier: &Classifier) -> Self {
            Self {
                word: [load::<0, 128>(&WORD), load::<64, 128>(&WORD)],
                fingerprint: classifier.fingerprint.as_ref().map(|fingerprint| {
                    let halves = |table: &[u8; 256]| {
                        [
                            [load::<0, 256>(table), load::<64, 256>(table)],
                            [load::<128, 256>(table), load::<192, 256>(table)],
                        ]
                    };
                    let [first, second, third] = &fingerprint.exact;
                    [halves(first), halves(second), halves(third)]
                }),
                leads: classifier.leads,
            }
        }

        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
        fn block<const JSON: bool>(&self, window: &[u8; WINDOW]) -> Bits {
            let bytes = load::<0, WINDOW>(window);
            let high = _mm512_movepi8_mask(bytes);
            let mut bits = Bits {
                word: _mm512_movepi8_mask(look_up(bytes, &self.word)) & !high,
                high,
                first: !0,
                ..Bits::default()
            };
            let equal = |bytes, byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()));
            if JSON {
                bits.backslash = equal(bytes, b'\\');
            }
            if let Some([first, second, third]) = &self.fingerprint {
                let (next, after) = (load::<1, WINDOW>(window), load::<2, WINDOW>(window));
                let [a, b, c] = if high | _mm512_movepi8_mask(after) == 0 {
                    [look_up(bytes, &first[0]), look_up(next, &second[0]), look_up(after, &third[0])]
                } else {
                    [look_up_any(bytes, first), look_up_any(next, second), look_up_any(after, third)]
                };
                bits.first = _mm512_test_epi8_mask(_mm512_and_si512(a, b), c);
            }
            if high != 0 {
                bits.lead = match self.leads {
                    Leads::None => 0,
                    Leads::All => _mm512_cmpge_epu8_mask(bytes, _mm512_set1_epi8(0xC0_u8.cast_signed())),
                    Leads::LongSAndKelvin => {
                        let (next, after) = (load::<1, WINDOW>(window), load::<2, WINDOW>(window));
                        equal(bytes, LONG_S[0]) & equal(next, LONG_S[1])
                            | equal(bytes, KELVIN[0]) & equal(next, KELVIN[1]) & equal(after, KELVIN[2])
                    }
                };
            }
            bits
        }
    }

    fill!(#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,bmi1,bmi2,lzcnt,popcnt")]);
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
            for fingerprint in [None, Some(Fingerprint::new(exact))] {
                for length in [0, 1, 63, 64, 65, 66, 67, 500, BATCH - 1, BATCH, BATCH + 1, text.len()] {
                    let text = &text[..length];
                    let reference = Classifier::new(Kernel::Scalar, fingerprint.clone(), leads);
                    for kernel in Kernel::available() {
                        let classifier = Classifier::new(kernel, fingerprint.clone(), leads);
                        for base in (0..length).step_by(BATCH) {
                            let (mut expected, mut got) = (Masks::new(), Masks::new());
                            let blocks = reference.fill::<true>(text, base, &mut expected);
                            assert_eq!(classifier.fill::<true>(text, base, &mut got), blocks);
                            assert_eq!(got.word, expected.word, "{kernel:?} at {base}");
                            assert_eq!(got.high, expected.high, "{kernel:?} at {base}");
                            assert_eq!(got.lead, expected.lead, "{kernel:?} at {base}");
                            assert_eq!(got.backslash, expected.backslash, "{kernel:?} at {base}");
                            assert_eq!(got.any_high, expected.any_high);
                            for i in 0..blocks {
                                assert_eq!(expected.first[i] & !got.first[i], 0, "{kernel:?} lost a start at {base}");
                            }
                        }
                    }
                }
            }
        }
    }
}
