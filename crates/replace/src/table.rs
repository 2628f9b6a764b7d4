//! Words by their hashes.
//!
//! With 100,000 rules each match waits for memory, and for the addresses of its pages, which a processor knows of some
//! megabytes only. So a slot is as small as it can be, and all that is known of a word, itself included, is in one place
//! elsewhere: its [`Record`].

use crate::classify::prefetch;
use crate::found::Record;

/// How many bytes of a word are taken at a time.
pub(crate) const CHUNK: usize = 16;

/// A word's comparable form (see `words.rs`), the last chunk filled up with zeros.
#[inline]
pub(crate) fn chunks(word: &[u8]) -> impl Iterator<Item = u128> {
    let (chunks, rest) = word.as_chunks::<CHUNK>();
    let mut last = [0; CHUNK];
    last[..rest.len()].copy_from_slice(rest);
    let last = (!rest.is_empty()).then_some(last);
    chunks.iter().copied().chain(last).map(u128::from_le_bytes)
}

/// The hash of a word's comparable form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) fn new(word: &[u8]) -> Self {
        Self::of_chunks(word.len(), chunks(word))
    }

    /// Of a word of so many bytes, from its [`chunks`].
    #[inline]
    pub(crate) fn of_chunks(length: usize, chunks: impl Iterator<Item = u128>) -> Self {
        let start = (length as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self(chunks.fold(start, |hash, chunk| mix(chunk as u64 ^ hash, (chunk >> 64) as u64 ^ 0xD6E8_FEB8_6659_FD93)))
    }

    /// What a slot keeps of it: never 0. The other half says which slot.
    #[inline]
    fn tag(self) -> u32 {
        (self.0 >> 32) as u32 | 1
    }
}

/// Both halves of a 128-bit product: cheap, and every input bit reaches every output bit.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// Records by the hashes of their words: an open-addressing table.
pub(crate) struct Table(Box<[Slot]>);

#[derive(Clone, Copy, Default)]
struct Slot {
    /// 0: empty.
    tag: u32,
    record: Record,
}

impl Table {
    /// An empty table with room for so many words.
    pub(crate) fn new(words: usize) -> Self {
        Self(vec![Slot::default(); (words * 5 / 4).next_power_of_two().max(16)].into())
    }

    pub(crate) fn insert(&mut self, hash: Hash, record: Record) {
        let slot = self.slots_from(hash).find(|slot| self.0[*slot].tag == 0).expect("a quarter of the slots is empty");
        self.0[slot] = Slot { tag: hash.tag(), record };
    }

    /// The records of words that may have this hash: of the one that has, if there is one, and hardly ever of another.
    #[inline]
    pub(crate) fn records(&self, hash: Hash) -> impl Iterator<Item = Record> {
        self.slots_from(hash)
            .map(|slot| self.0[slot])
            .take_while(|slot| slot.tag != 0)
            .filter(move |slot| slot.tag == hash.tag())
            .map(|slot| slot.record)
    }

    /// To be called some time before.
    #[inline]
    pub(crate) fn prefetch(&self, hash: Hash) {
        prefetch(&self.0, hash.0 as usize & (self.0.len() - 1));
    }

    /// All that the table looks at in a hash.
    #[cfg(test)]
    pub(crate) fn place(&self, hash: Hash) -> (u32, Option<usize>) {
        (hash.tag(), self.slots_from(hash).next())
    }

    /// Where to look, in turn.
    #[inline]
    fn slots_from(&self, hash: Hash) -> impl Iterator<Item = usize> + use<> {
        let mask = self.0.len() - 1;
        (0..).map(move |step: usize| (hash.0 as usize).wrapping_add(step) & mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::Texts;

    #[test]
    fn words_with_one_hash_are_all_found() {
        let mut texts = Texts::default();
        let mut table = Table::new(4);
        let [one, other] = [Hash::new(b"one"), Hash::new(b"other")];
        let mut records = [one, other, one, one].map(|hash| {
            let record = texts.add_record(0, b"any", b"");
            table.insert(hash, record);
            record
        });
        assert_eq!(table.records(other).collect::<Vec<_>>(), [records[1]]);
        records.swap(0, 1);
        assert_eq!(table.records(one).collect::<Vec<_>>(), records[1..]);
        assert_eq!(table.records(Hash::new(b"none")).count(), 0);
    }

    #[test]
    fn hashes_tell_lengths_apart() {
        let words = [&b""[..], &b"\0"[..], &[0; 15], &[0; 16], &[0; 17], &[0; 32], &[0; 33]];
        for (i, word) in words.iter().enumerate() {
            assert!(words[..i].iter().all(|other| Hash::new(other) != Hash::new(word)), "{} bytes", word.len());
        }
    }
}
