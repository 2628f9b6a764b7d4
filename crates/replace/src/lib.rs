//! The replacement engine: [`Rules`] in, an [`Engine`] out. No I/O, no AWS, no HTTP.
//!
//! ```
//! use replace::{Engine, Rules};
//!
//! let rules = Rules::from_json(br#"{"ABN": "ABN AMRO", "C++": "Rust"}"#)?;
//! let engine = Engine::new(&rules)?;
//! let mut out = Vec::new();
//! assert_eq!(engine.replace_into("abn wrote it in C++, not in ABNs".as_bytes(), &mut out), 2);
//! assert_eq!(out, b"ABN AMRO wrote it in Rust, not in ABNs");
//! # Ok::<_, replace::RulesError>(())
//! ```
//!
//! # What is replaced
//!
//! One pass: the leftmost match first, at one start the longest, then the rule that comes first in the document. What is
//! put in is never looked at again. Text outside matches stays byte for byte what it was.
//!
//! Case is folded by Unicode simple case folding (one character to one), unless a rule says `case_sensitive`.
//!
//! A rule matches whole words unless it says otherwise: where its first (last) character is a word character, `\w` of a
//! Unicode regular expression, the character before (after) the match must not be one. For a regular expression that is
//! the first (last) character of what it matched.
//!
//! The value of a literal rule is put in as it stands. In that of a regex rule, `$1`, `$name`, `${name}` insert groups and
//! `$$` a dollar sign, as the `regex` crate has it. A regex rule tries its alternatives in order, as that crate does, and
//! matches at most 64 KiB, so that a stream gives what the whole text gives.
//!
//! Every row is a test (`tests/engine/semantics.rs`):
//!
#![doc = include_str!("../semantics.md")]
//!
//! # What is refused
//!
//! [`Engine::new`] and [`Rules::from_json`] refuse, naming the rule: an empty pattern, two patterns of literal rules that are
//! equal under folding (whatever their `case_sensitive`), a regular expression that is invalid or matches the empty text,
//! more than [`MAX_RULES`] rules, members that are not strings or not known. A document in which a key is given twice is
//! refused too.
//!
//! # How
//!
//! Whole-word rules, nearly all there are, are found by their first word: see `words.rs`. Literal rules that may match
//! inside words go to Aho-Corasick (`substrings.rs`), regular expressions to the engines of the `regex` crate
//! (`regexes.rs`). `classify.rs` has the vector code, and the only `unsafe`.

mod classify;
mod engine;
mod filter;
mod found;
mod json;
mod prefixes;
mod regexes;
mod rules;
mod stream;
mod substrings;
mod unicode;
mod words;

pub use engine::Engine;
pub use rules::{Kind, MAX_RULES, Rule, Rules, RulesError};
pub use stream::Stream;
