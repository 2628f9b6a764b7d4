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
//! inside words go to Aho-Corasick (`substrings.rs`), regular expressions, where they may match, to the engines of the
//! `regex` crate (`regexes.rs`). `classify.rs` has the vector code, and the only `unsafe`.
//!
//! # Speed
//!
//! `make bench/engine` measures it, as a share of what `memcpy` does: a megabyte of prose, of which one word in a hundred
//! matches. What the time goes into, on a core with AVX-512 (Zen 4, 3.7 GHz, 48 GB/s of `memcpy`):
//!
//! | rules | per megabyte | of which |
//! |---|---|---|
//! | 5 | 87 µs | 33 to classify (seven cycles for 64 bytes), 22 to copy, which is `memcpy`'s own time, the rest 17 ns for each of 1,900 matches |
//! | 100 | 272 µs | 60 to classify, with four places of the fingerprint; 120 to filter the third of all words that it lets through; 75 for the matches, some of them of two words or long ones |
//! | 1,000 | 365 µs | 30 to classify, 180 to filter, of which half is the gather: ten cycles for eight words that are at hand, and no instruction does it faster; 80 for the matches |
//! | 100,000 | 660 µs | 350 to filter: the filter is larger than the first cache, and words of two letters, which short rules ask for, are a fifth more; 200 for the matches, which are 105 ns each: three lines of memory that only the third cache has, though they are asked for ahead |
//!
//! Each figure is the least of 41 rounds. From 1,000 to 100,000 rules the time grows 1.8-fold: what is added is the distance
//! of memory, which counts for more the less there is besides.

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
mod table;
mod unicode;
mod words;

pub use engine::Engine;
pub use json::JsonText;
pub use rules::{Kind, MAX_RULES, Rule, Rules, RulesError};
pub use stream::Stream;
