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
//! | 5 | 89 µs | 43 to classify (nine cycles for 64 bytes), 19 to copy, which is `memcpy`'s own time, the rest 15 ns for each of 1,900 matches |
//! | 100 | 239 µs | 67 to classify, with four places of the fingerprint; 100 to filter the words that it lets through; 46 for the matches, some of them of two words or long ones |
//! | 1,000 | 290 µs | 75 to classify; 125 to filter two thirds of all words; 56 for the matches |
//! | 10,000 | 292 µs | there is no fingerprint, which would let through nearly all, so 30 fewer to classify and as many more to filter |
//! | 100,000 | 341 µs | 180 to filter, in half a megabyte of the second cache; 85 for the matches, whose slots and records only the third cache has |
//!
//! Each figure is the least of 41 rounds, a profile gave the parts. From 1,000 to 100,000 rules the time grows 1.2-fold: by
//! 50 µs, of which 30 are 16 ns for each match. Memory is asked for a batch ahead; but asking takes time itself where the
//! processor does not remember the page's address, and here it remembers some 2,500 pages of 4 KiB (chasing pointers: 6 ns
//! a line in 2,048 pages, 22 ns in 3,072). That is why slots are small and a record is all in one place. Caches that other
//! programs use as well cost 100,000 rules more than 1,000: up to 1.4-fold was seen on a busy machine.

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
