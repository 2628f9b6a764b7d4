//! Texts that come in pieces.

use std::ops::Deref;

use crate::engine::{Engine, Reach};

/// Replaces in a text of any length that comes in pieces of any length, in constant memory: what is held back is what may
/// still become a match, some bytes for literal rules and up to 64 KiB with regular expressions. The result is the same as
/// for the whole text at once, wherever it is cut.
pub struct Stream<E: Deref<Target = Engine>> {
    engine: E,
    /// What is still undecided, after a character of context.
    held: Vec<u8>,
    /// Where the undecided part starts.
    from: usize,
}

/// What precedes the undecided part is needed to tell whether a word starts there: one character.
const CONTEXT: usize = 4;

impl<E: Deref<Target = Engine>> Stream<E> {
    /// A new text.
    pub fn new(engine: E) -> Self {
        Self { engine, held: Vec::new(), from: 0 }
    }

    /// Takes the next piece, and appends to `out` what it decides. Returns the number of replacements in that.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> usize {
        self.held.extend_from_slice(piece);
        let Reach { before, after } = self.engine.reach;
        let limit = self.held.len().saturating_sub(before + after);
        if limit <= self.from {
            return 0;
        }
        let (count, end) = self.engine.run::<false>(&self.held, self.from, limit, &mut &mut *out);
        let decided = end.max(limit);
        out.extend_from_slice(&self.held[end..decided]);
        let keep = decided.saturating_sub(CONTEXT);
        self.held.drain(..keep);
        self.from = decided - keep;
        count
    }

    /// The text has ended: appends the rest to `out`. Returns the number of replacements in it.
    pub fn finish(self, out: &mut Vec<u8>) -> usize {
        let (count, end) = self.engine.run::<false>(&self.held, self.from, self.held.len(), &mut &mut *out);
        out.extend_from_slice(&self.held[end..]);
        count
    }
}
