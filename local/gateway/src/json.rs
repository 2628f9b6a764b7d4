//! Writes JSON objects member by member: an event for every request is too much for a tree of values.

use serde::Serialize;

/// What stands in an event where a request has no query, say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Nothing {
    Null,
    EmptyObject,
}

/// An object that is being written.
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> ObjectWriter<'a> {
    /// Begins one. [`end`](Self::end) closes it.
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Writes a name; the value is to follow.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        value(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub fn member(&mut self, name: &str, member: impl Serialize) {
        value(self.name(name), &member);
    }

    /// A member that `write` writes.
    pub fn nested(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.name(name));
    }

    /// An object, or what stands for one without members.
    pub fn object(&mut self, name: &str, nothing: Nothing, is_empty: bool, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        let out = self.name(name);
        if let (true, Nothing::Null) = (is_empty, nothing) {
            out.extend_from_slice(b"null");
        } else {
            let mut object = ObjectWriter::begin(out);
            write(&mut object);
            object.end();
        }
    }

    pub fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes one value.
pub(crate) fn value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Strings, numbers, lists and trees of values: none of them can fail, and neither can a Vec.
    let written = serde_json::to_writer(&mut *out, value);
    debug_assert!(written.is_ok(), "{written:?}");
}
