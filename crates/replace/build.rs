//! Writes the tables of `src/unicode.rs`: which characters belong to words, and what each folds to.
//!
//! Both are computed from `regex-syntax`, at build time, for two reasons. Literal and regex rules then agree on every
//! character, whatever Unicode version that crate carries. And nothing is computed when a process starts: filling such
//! tables takes milliseconds, which is as long as a whole Lambda start.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Characters per page of a two-stage table: the second stage stores each distinct page once.
const PAGE: usize = 64;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut words = vec![0u64; 0x110000 / PAGE];
    let mut deltas = vec![[0i32; PAGE]; 0x110000 / PAGE];
    for c in '\0'..=char::MAX {
        let (page, at) = (c as usize / PAGE, c as usize % PAGE);
        if regex_syntax::try_is_word_character(c).expect("built with the feature unicode-perl") {
            words[page] |= 1 << at;
        }
        deltas[page][at] = folded(c) as i32 - c as i32;
    }

    let mut out = String::new();
    write_two_stages(&mut out, "WORD", "u64", &words, |page| format!("{page:#x}"));
    write_two_stages(&mut out, "FOLD", &format!("[i32; {PAGE}]"), &deltas, |page| format!("{page:?}"));
    let path = Path::new(&std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("unicode_tables.rs");
    std::fs::write(path, out).expect("the tables are written");
}

/// The one character that stands for all that are equal to `c` under simple case folding: the ASCII lower-case letter
/// where there is one, the smallest code point otherwise.
fn folded(c: char) -> char {
    let mut orbit = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    orbit.try_case_fold_simple().expect("built with the feature unicode-case");
    let all = || orbit.iter().flat_map(|range| range.start()..=range.end());
    all().find(char::is_ascii_lowercase).or_else(|| all().next()).unwrap_or(c)
}

fn write_two_stages<T: PartialEq + Eq + std::hash::Hash>(
    out: &mut String,
    name: &str,
    kind: &str,
    pages: &[T],
    literal: impl Fn(&T) -> String,
) {
    let mut distinct: Vec<&T> = Vec::new();
    let mut place = HashMap::new();
    let index: Vec<usize> = pages
        .iter()
        .map(|page| {
            *place.entry(page).or_insert_with(|| {
                distinct.push(page);
                distinct.len() - 1
            })
        })
        .collect();
    let last = distinct.len();
    let width = if last <= 256 { "u8" } else { "u16" };
    writeln!(out, "static {name}_INDEX: [{width}; {}] = {index:?};", index.len()).expect("writing to a string");
    let rows: Vec<String> = distinct.into_iter().map(literal).collect();
    writeln!(out, "static {name}_PAGES: [{kind}; {last}] = [{}];", rows.join(",")).expect("writing to a string");
}
