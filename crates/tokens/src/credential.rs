//! A token as a client sends it, and its hash.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::Refusal;

const SCHEME: &str = "Bearer";

/// A header longer than this holds no token; it is not hashed.
const MAX_CHARACTERS: usize = 512;

/// Whether a token must be announced by its scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `Bearer <token>` and the bare token are both taken.
    Optional,
    /// `Bearer <token>` only, as in RFC 6750.
    Required,
}

/// A token as it was sent. Its text cannot be printed.
pub struct Token<'a>(&'a str);

impl<'a> Token<'a> {
    /// Reads a header's value.
    ///
    /// # Errors
    /// [`Refusal::Empty`], [`Refusal::Scheme`], or [`Refusal::Unknown`] for what cannot be a token at all.
    pub fn read(header: &'a str, scheme: Scheme) -> Result<Self, Refusal> {
        let mut words = header.split_ascii_whitespace();
        let token = match (words.next(), words.next(), words.next()) {
            (None, ..) => return Err(Refusal::Empty),
            (Some(word), None, _) if word.eq_ignore_ascii_case(SCHEME) => return Err(Refusal::Empty),
            (Some(word), Some(token), None) if word.eq_ignore_ascii_case(SCHEME) => token,
            (Some(token), None, _) if scheme == Scheme::Optional => token,
            _ => return Err(Refusal::Scheme),
        };
        if token.len() > MAX_CHARACTERS { Err(Refusal::Unknown) } else { Ok(Self(token)) }
    }

    /// What the token is kept as.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

/// The SHA-256 of a token, shown in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, scheme: Scheme) -> Result<String, Refusal> {
        Token::read(header, scheme).map(|token| token.0.to_owned())
    }

    #[test]
    fn a_token_comes_with_its_scheme_or_without() {
        for header in ["Bearer sy_1", "bearer sy_1", "  BEARER \t sy_1  ", "sy_1", " sy_1 "] {
            assert_eq!(read(header, Scheme::Optional).as_deref(), Ok("sy_1"), "{header:?}");
        }
        assert_eq!(read("Bearer sy_1", Scheme::Required).as_deref(), Ok("sy_1"));
    }

    #[test]
    fn what_holds_no_token_says_why() {
        for header in ["", " ", "\t", "Bearer", "bearer "] {
            assert_eq!(read(header, Scheme::Optional), Err(Refusal::Empty), "{header:?}");
        }
        for header in ["Basic dTpw", "Bearer a b", "Token sy_1"] {
            assert_eq!(read(header, Scheme::Optional), Err(Refusal::Scheme), "{header:?}");
        }
        assert_eq!(read("sy_1", Scheme::Required), Err(Refusal::Scheme));
        assert_eq!(read(&"x".repeat(513), Scheme::Optional), Err(Refusal::Unknown));
    }

    #[test]
    fn a_digest_is_the_sha_256_in_hexadecimal() {
        let digest = Token::read("abc", Scheme::Optional).unwrap().digest();
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_token_is_not_printed() {
        assert!(!format!("{:?}", Token::read("sy_secret", Scheme::Optional)).contains("secret"));
    }
}
