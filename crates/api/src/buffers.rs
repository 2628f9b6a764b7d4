//! Large buffers, used again.
//!
//! A megabyte from the allocator is fresh pages from the kernel, which have to be found, cleared and mapped one by one,
//! and are gone again with the request: for a body of that size it is a third of all the work. So each thread keeps the
//! last few. Small buffers are the allocator's own business, which it does well.

use std::cell::RefCell;

use bytes::Bytes;

/// Below this the allocator has memory at hand.
const LEAST: usize = 64 * 1024;
/// Larger ones are not kept: most requests do not need them.
const MOST: usize = 2 * 1024 * 1024;
/// A request needs two: one for what comes in, one for what goes out.
const KEPT_PER_THREAD: usize = 2;

thread_local! {
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer that is kept for the next when it is dropped, by whichever thread that happens on.
pub(crate) struct Buffer(pub(crate) Vec<u8>);

impl Buffer {
    /// An empty buffer for `capacity` bytes, or a little more.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let kept = if (LEAST..=MOST).contains(&capacity) { KEPT.with_borrow_mut(Vec::pop) } else { None };
        let mut buffer = kept.unwrap_or_default();
        buffer.reserve(capacity);
        Self(buffer)
    }

    /// The bytes, to be sent; the buffer is kept when the last of them is gone.
    pub(crate) fn into_bytes(mut self) -> Bytes {
        if self.0.capacity() < LEAST { std::mem::take(&mut self.0).into() } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !(LEAST..=MOST).contains(&self.0.capacity()) {
            return;
        }
        let mut buffer = std::mem::take(&mut self.0);
        buffer.clear();
        // A thread that is ending keeps nothing.
        _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT_PER_THREAD {
                kept.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> usize {
        KEPT.with_borrow(Vec::len)
    }

    #[test]
    fn a_large_buffer_is_used_again_once_its_bytes_are_gone() {
        let mut buffer = Buffer::with_capacity(LEAST);
        buffer.0.extend_from_slice(b"first");
        let address = buffer.0.as_ptr();
        let bytes = buffer.into_bytes();
        let part = bytes.slice(1..3);
        drop(bytes);
        assert_eq!((kept(), &part[..]), (0, &b"ir"[..]));
        drop(part);
        let again = Buffer::with_capacity(LEAST);
        assert_eq!((again.0.as_ptr(), again.0.len(), kept()), (address, 0, 0));
    }

    #[test]
    fn only_so_much_is_kept() {
        drop([LEAST - 1, MOST + 1].map(Buffer::with_capacity));
        assert_eq!(kept(), 0);
        drop([LEAST; 5].map(Buffer::with_capacity));
        assert_eq!(kept(), KEPT_PER_THREAD);
    }
}
