//! Identifiers that a request gets when it arrives.

use std::fmt::Write;

const BASE64_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Letters of an extended request ID, before the `=` at its end.
const EXTENDED_LETTERS: usize = 15;

/// `$context.requestId`: a version 4 UUID.
pub(crate) fn request_id() -> String {
    let random = (fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62);
    let digits = format!("{random:032x}");
    let mut id = String::with_capacity(36);
    for (index, digit) in digits.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
}

/// `$context.extendedRequestId`, which is sent as `x-amz-apigw-id`: `AbCdEfGhIjKlMnO=`.
pub(crate) fn extended_request_id() -> String {
    let letter = |_| char::from(BASE64_LETTERS[fastrand::usize(..BASE64_LETTERS.len())]);
    (0..EXTENDED_LETTERS).map(letter).chain(['=']).collect()
}

/// `Root=1-67891233-abcdef012345678912345678`: the second in which the trace began, and 96 random bits.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
pub(crate) fn trace_id(epoch_milliseconds: u64) -> String {
    let mut id = String::with_capacity(40);
    // Writing to a String cannot fail.
    let _ = write!(id, "Root=1-{:08x}-{:024x}", epoch_milliseconds / 1000, fastrand::u128(..) >> 32);
    id
}

/// The six letters and digits that stand for something that a definition does not number, such as a resource: the same
/// ones for the same name, so that a log can be searched for them.
pub(crate) fn stable_id(name: &str) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // FNV-1a: short, and the same on every machine.
    let mut hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (0..6)
        .map(|_| {
            let digit = DIGITS[(hash % 36) as usize];
            hash /= 36;
            char::from(digit)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_version_4_uuid() {
        for _ in 0..100 {
            let id = request_id();
            let parts: Vec<&str> = id.split('-').collect();
            assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
            assert!(parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']), "{id}");
        }
    }

    #[test]
    fn an_extended_request_id_is_sixteen_long() {
        let id = extended_request_id();
        assert!(id.len() == 16 && id.ends_with('='), "{id}");
    }

    #[test]
    fn a_trace_id_begins_with_the_second() {
        let id = trace_id(0x6789_1233 * 1000);
        assert!(id.starts_with("Root=1-67891233-") && id.len() == 40, "{id}");
    }

    #[test]
    fn a_stable_id_depends_on_the_name_alone() {
        assert_eq!(stable_id("/string/replace"), stable_id("/string/replace"));
        assert_ne!(stable_id("/string/replace"), stable_id("/"));
        assert_eq!(stable_id("/").len(), 6);
    }
}
