//! Large buffers, used again.
//!
//! A megabyte from the allocator is fresh pages from the kernel, which have to be found, cleared and mapped one by one,
//! and are gone again with the request: for a body of that size it is a third of all the work. So the last few are kept.
//! Small buffers are the allocator's own business, which it does well.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Below this the allocator has memory at hand.
const LEAST: usize = 64 * 1024;
/// Larger ones are not kept: most requests do not need them.
const MOST: usize = 2 * 1024 * 1024;
/// A request needs two, one for what comes in and one for what goes out: enough for four at once.
const KEPT: usize = 8;

/// One for all threads, as a request need not end on the thread that it began on.
static POOL: Pool = Pool::new();

struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// A panic while the lock was held leaves whole buffers, so the lock is as good as before.
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer that is kept for the next when it is dropped, by whichever thread that happens on.
pub(crate) struct Buffer {
    pub(crate) bytes: Vec<u8>,
    pool: &'static Pool,
}

impl Buffer {
    /// An empty buffer for `capacity` bytes, or a little more.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self::of(&POOL, capacity)
    }

    fn of(pool: &'static Pool, capacity: usize) -> Self {
        let kept = if (LEAST..=MOST).contains(&capacity) { pool.lock().pop() } else { None };
        let mut bytes = kept.unwrap_or_default();
        bytes.reserve(capacity);
        Self { bytes, pool }
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
        let mut kept = self.pool.lock();
        if kept.len() < KEPT {
            kept.push(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(pool: &'static Pool) -> usize {
        pool.lock().len()
    }

    #[test]
    fn a_large_buffer_is_used_again_once_its_bytes_are_gone() {
        static POOL: Pool = Pool::new();
        let mut buffer = Buffer::of(&POOL, LEAST);
        buffer.bytes.extend_from_slice(b"first");
        let address = buffer.bytes.as_ptr();
        let bytes = buffer.into_bytes();
        let part = bytes.slice(1..3);
        drop(bytes);
        assert_eq!((kept(&POOL), &part[..]), (0, &b"ir"[..]));
        // On another thread, as it may happen.
        std::thread::spawn(|| drop(part)).join().unwrap();
        let again = Buffer::of(&POOL, LEAST);
        assert_eq!((again.bytes.as_ptr(), again.bytes.len(), kept(&POOL)), (address, 0, 0));
    }

    #[test]
    fn only_so_much_is_kept() {
        static POOL: Pool = Pool::new();
        drop([LEAST - 1, MOST + 1].map(|capacity| Buffer::of(&POOL, capacity)));
        assert_eq!(kept(&POOL), 0);
        drop([LEAST; KEPT + 3].map(|capacity| Buffer::of(&POOL, capacity)));
        assert_eq!(kept(&POOL), KEPT);
    }
}
