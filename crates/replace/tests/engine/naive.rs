//! The semantics once more, as plainly as they can be written: every rule is tried at every character.

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use replace::{Kind, Rule};

/// All characters that equal `c` when case is folded, by the regex library's own word for it.
fn folds_together(a: char, b: char) -> bool {
    use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(&b);
    }
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(a, a)]);
    class.case_fold_simple();
    class.iter().any(|range| (range.start()..=range.end()).contains(&b))
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(regex_syntax::is_word_character)
}

/// Where a match of `rule` that starts at `start` ends.
fn end_of_match(rule: &Rule, text: &str, start: usize) -> Option<usize> {
    match rule.kind {
        Kind::Literal => {
            let mut end = start;
            for expected in rule.pattern.chars() {
                let c = text[end..].chars().next()?;
                if c != expected && (rule.case_sensitive || !folds_together(c, expected)) {
                    return None;
                }
                end += c.len_utf8();
            }
            (!rule.whole_word || (!within_word(text, start) && !within_word(text, end))).then_some(end)
        }
        // The library itself, with its own word boundaries.
        Kind::Regex => {
            let not_within = r"(?:\b{start-half}|\b{end-half})";
            let pattern = if rule.whole_word {
                format!("{not_within}(?:{}){not_within}", rule.pattern)
            } else {
                rule.pattern.clone()
            };
            let regex = Regex::builder()
                .syntax(syntax::Config::new().case_insensitive(!rule.case_sensitive))
                .build(&pattern)
                .unwrap();
            regex.find(Input::new(text).range(start..).anchored(Anchored::Yes)).map(|found| found.end())
        }
    }
}

/// Whether word characters stand on both sides. For a literal rule this says what the documentation says: where its first
/// character is a word character, the one before must not be one.
fn within_word(text: &str, at: usize) -> bool {
    is_word(text[..at].chars().next_back()) && is_word(text[at..].chars().next())
}

/// `text` with everything replaced. Regex values are taken to be literal.
pub(crate) fn replace(rules: &[Rule], text: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let mut best: Option<(usize, &Rule)> = None;
        for rule in rules {
            if let Some(end) = end_of_match(rule, text, at)
                && best.is_none_or(|(longest, _)| end > longest)
            {
                best = Some((end, rule));
            }
        }
        match best {
            Some((end, rule)) => {
                out.push_str(&rule.replace);
                at = end;
            }
            None => {
                out.push(c);
                at += c.len_utf8();
            }
        }
    }
    out
}
