//! Buffers for bodies, used again.
//!
//! A megabyte from the allocator is fresh pages from the kernel, which have to be found, cleared and mapped one by one,
//! and are gone again with the request: for a body of that size it is a third of all the work. Ten kilobytes are a search
//! through its lists. So each thread keeps the last few. Smaller buffers are the allocator's own business, which it does
//! well.

use std::cell::RefCell;

use bytes::Bytes;

/// Below this the allocator has memory at hand.
const LEAST: usize = 1024;
/// Larger ones are not kept: most requests do not need them.
const MOST: usize = 2 * 1024 * 1024;
/// A large request needs two, one for what comes in and one for what goes out: enough for two at once.
const KEPT: usize = 4;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that is kept for the next when it is dropped, by whichever thread that happens on.
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
}

impl Buffer {
    /// An empty buffer for `capacity` bytes, or a little more.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let kept = if (LEAST..=MOST).contains(&capacity) { POOL.with_borrow_mut(Vec::pop) } else { None };
        let mut bytes = kept.unwrap_or_default();
        bytes.reserve(capacity);
        Self { bytes }
    }

    /// The bytes, to be sent; the buffer is kept when the last of them is gone.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        if self.bytes.capacity() < LEAST { std::mem::take(&mut self.bytes).into() } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !(LEAST..=MOST).contains(&self.bytes.capacity()) {
            return;
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        // A thread that is ending keeps nothing.
        _ = POOL.try_with(|pool| {
            let mut kept = pool.borrow_mut();
            if kept.len() < KEPT {
                kept.push(bytes);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn kept() -> usize {
        POOL.with_borrow(Vec::len)
    }

    #[test]
    fn a_buffer_is_used_again_once_its_bytes_are_gone() {
        let used = || {
            let mut buffer = Buffer::with_capacity(LEAST);
            buffer.bytes.extend_from_slice(b"first");
            let address = buffer.bytes.as_ptr().addr();
            let bytes = buffer.into_bytes();
            let part = bytes.slice(1..3);
            drop(bytes);
            assert_eq!((kept(), &part[..]), (0, &b"ir"[..]));
            drop(part);
            let again = Buffer::with_capacity(LEAST);
            assert_eq!((again.bytes.as_ptr().addr(), again.bytes.len(), kept()), (address, 0, 0));
        };
        thread::spawn(used).join().unwrap();
    }

    #[test]
    fn the_thread_that_drops_a_buffer_keeps_it() {
        let bytes = Buffer::with_capacity(LEAST).into_bytes();
        let dropped = move || {
            drop(bytes);
            kept()
        };
        assert_eq!(thread::spawn(dropped).join().unwrap(), 1);
    }

    #[test]
    fn only_so_much_is_kept() {
        let kept = || {
            drop([LEAST - 1, MOST + 1].map(Buffer::with_capacity));
            let few = kept();
            drop([LEAST; KEPT + 3].map(Buffer::with_capacity));
            (few, kept())
        };
        assert_eq!(thread::spawn(kept).join().unwrap(), (0, KEPT));
    }
}
