//! The engine against `memcpy`, aho-corasick, and the loops over regular expressions that people write.

use std::collections::HashSet;
use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};

use aho_corasick::AhoCorasick;
use anyhow::Context;
use replace::{Engine, Kind, Rule, Rules};
use rustix::time::{ClockId, clock_gettime};

use crate::report::{Report, Target, median};

const MEGABYTE: usize = 1 << 20;
/// Figures are medians over this many rounds; in each, every candidate runs once.
const ROUNDS: usize = 15;
/// The same for the loops in other languages, which take a second each.
const LOOP_ROUNDS: usize = 5;
/// In a round, a candidate runs for some slices of about this long, of which the least counts: after another process has run,
/// the caches are that one's, which is not what is measured.
const SLICE_NS: f64 = 2e6;
const SLICES: usize = 4;

pub(crate) fn run() -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(42);
    let rules: Vec<Vec<Rule>> = [5, 100, 1_000, 10_000, 100_000].map(|count| literal_rules(count, &mut random)).into();
    let mut report =
        Report::new("engine", "Engine: 1 MB of mixed prose, 1 % of words match; share of memcpy (same run, CPU time)");

    // Each set of rules has a text of its own, in which one word in a hundred is one of its patterns.
    let mut cases: Vec<Case> = rules.iter().map(|rules| Case::new(rules, &mut random)).collect::<Result<_, _>>()?;
    let regexes = regex_rules();
    for letters in [ASCII_WORDS, MIXED_WORDS] {
        let engine = Engine::new(&regexes.iter().cloned().collect())?;
        let text = prose(letters, &["1234 AB", "2024-05-17", "10.50 EUR"], &mut random);
        cases.push(Case { engine, text, out: Vec::new() });
    }
    let copy = cases[0].text.clone();
    let mut copied = vec![0; copy.len()];
    let mut shares = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        let memcpy = per_byte(copy.len(), || {
            black_box(&mut copied).copy_from_slice(black_box(&copy));
        });
        for (case, shares) in cases.iter_mut().zip(&mut shares) {
            let Case { engine, text, out } = case;
            let time = per_byte(text.len(), || {
                out.clear();
                black_box(engine.replace_into(black_box(text), black_box(out)));
            });
            shares.push(memcpy / time);
        }
    }
    let shares: Vec<f64> = shares.into_iter().map(median).collect();
    let [five, hundred, many @ .., regex_ascii, regex_mixed] = &shares[..] else { unreachable!("seven cases") };
    report.figure("5 rules", *five, "of memcpy", Target::AtLeast(0.25));
    report.figure("100 rules", *hundred, "of memcpy", Target::AtLeast(0.08));
    for (share, count) in many.iter().zip(["1,000", "10,000", "100,000"]) {
        report.figure(&format!("{count} rules"), *share, "of memcpy", Target::AtLeast(0.025));
    }
    let flat = many.iter().copied().fold(0.0, f64::max) / many.iter().copied().fold(f64::MAX, f64::min);
    report.figure("1,000 to 100,000 rules: fastest / slowest", flat, "x", Target::AtMost(1.25));
    report.figure("10 regex rules, ASCII text", *regex_ascii, "of memcpy", Target::AtLeast(0.012));
    report.figure("10 regex rules, text with non-ASCII letters", *regex_mixed, "of memcpy", Target::AtLeast(0.012));
    report.figure("10 regex rules: ASCII / non-ASCII", regex_ascii / regex_mixed, "x", Target::AtMost(1.2));

    build(&mut report, &rules[4])?;
    loops(&mut report, &mut cases[0], &rules[0])?;
    report.write()
}

struct Case {
    engine: Engine,
    text: Vec<u8>,
    out: Vec<u8>,
}

impl Case {
    fn new(rules: &[Rule], random: &mut fastrand::Rng) -> anyhow::Result<Self> {
        let engine = Engine::new(&rules.iter().cloned().collect())?;
        let patterns: Vec<&str> = rules.iter().map(|rule| &*rule.pattern).collect();
        Ok(Self { engine, text: prose(MIXED_WORDS, &patterns, random), out: Vec::new() })
    }
}

/// Build time against aho-corasick's, and what the engine holds.
fn build(report: &mut Report, rules: &[Rule]) -> anyhow::Result<()> {
    let rules: Rules = rules.iter().cloned().collect();
    let mut ratios = Vec::new();
    let mut held = 0;
    for _ in 0..5 {
        let region = stats_alloc::Region::new(crate::ALLOCATOR);
        let start = cpu_ns();
        let engine = Engine::new(&rules)?;
        let ours = cpu_ns() - start;
        let change = region.change();
        held = change.bytes_allocated as i64 - change.bytes_deallocated as i64;
        drop(engine);
        let start = cpu_ns();
        let peer = AhoCorasick::builder().ascii_case_insensitive(true).build(rules.iter().map(|rule| &rule.pattern))?;
        ratios.push((cpu_ns() - start) / ours);
        drop(peer);
    }
    report.figure("100,000 rules: aho-corasick's build time / ours", median(ratios), "x", Target::AtLeast(30.0));
    report.figure("100,000 rules: memory held", held as f64 / 1e6, "MB", Target::AtMost(10.0));
    Ok(())
}

/// The loop with one regular expression per rule, in the languages it is mostly written in.
fn loops(report: &mut Report, case: &mut Case, rules: &[Rule]) -> anyhow::Result<()> {
    let Case { engine, text, out } = case;
    let map: serde_json::Map<_, _> =
        rules.iter().map(|rule| (rule.pattern.clone(), rule.replace.clone().into())).collect();
    let input = serde_json::to_vec(&serde_json::json!({ "rules": map, "text": std::str::from_utf8(text)? }))?;
    let python = include_str!("../peers/regex_loop.py");
    let node = include_str!("../peers/regex_loop.js");
    for (name, command, flag, script, target) in
        [("Python", "python3", "-c", python, 1_000.0), ("Node.js", "node", "-e", node, 100.0)]
    {
        let mut ratios = Vec::new();
        while ratios.len() < LOOP_ROUNDS
            && let Some(peer) = loop_ns(command, [flag, script], &input)?
        {
            let ours = text.len() as f64
                * per_byte(text.len(), || {
                    out.clear();
                    black_box(engine.replace_into(black_box(text), black_box(out)));
                });
            ratios.push(peer / ours);
        }
        if ratios.is_empty() {
            println!("  {name}: '{command}' is not installed, so this peer is left out");
            continue;
        }
        let what = format!("5 rules: regex loop in {name} / ours");
        report.figure(&what, median(ratios), "x", Target::AtLeast(target));
    }
    Ok(())
}

/// What a script says that its loop took; none if there is no `command` to run it.
fn loop_ns(command: &str, script: [&str; 2], input: &[u8]) -> anyhow::Result<Option<f64>> {
    let peer = Command::new(command).args(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut peer) = peer else { return Ok(None) };
    peer.stdin.take().context("a pipe was asked for")?.write_all(input)?;
    let output = peer.wait_with_output()?;
    anyhow::ensure!(output.status.success(), "the loop run by {command} failed: {}", output.status);
    Ok(Some(String::from_utf8(output.stdout)?.trim().parse().context("it prints nanoseconds")?))
}

/// CPU nanoseconds per byte of `work`, which handles `bytes`: the least of some slices.
fn per_byte(bytes: usize, mut work: impl FnMut()) -> f64 {
    let start = cpu_ns();
    work();
    let once = (cpu_ns() - start).max(1.0);
    let times = (SLICE_NS / once).clamp(1.0, 10_000.0) as usize;
    let slices = (0..SLICES).map(|_| {
        let start = cpu_ns();
        for _ in 0..times {
            work();
        }
        (cpu_ns() - start) / (times * bytes) as f64
    });
    slices.fold(f64::MAX, f64::min)
}

fn cpu_ns() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

const ASCII_WORDS: &str = "the of and to in is that for it as was with be by on not he his but at are this have from or had \
    an they which one you were all her she there would their we him been has when who will no more if out so said what \
    up its about into than them can only other time new some could these two may first then do any like my now over such \
    our man me even most made after also did many before must through years where much your way well down should because \
    each just those people how too little state good very make world still own see men work long get here between both \
    life being under never day same another know while last might us great old year off come since against go came right \
    used take three banking account transfer yesterday office opened customer interest mortgage savings payment";

/// The same with a word in twenty from languages that need more than ASCII.
const MIXED_WORDS: &str = "the of and to in is that for it as was with be by on not he his but at are this have from or had \
    an they which one you were all her she there would their we him been has when who will no more if out so said what \
    up its about into than them can only other time new some could these two may first then do any like my now over such \
    our man me even most made after also did many before must through years where much your way well down should because \
    each just those people how too little state good very make world still own see men work long get here between both \
    life being under never day same another know while last might us great old year off come since against go came right \
    used take three banking account transfer yesterday office opened customer interest mortgage savings payment \
    über straße señor façade geïnteresseerd coöperatie één λόγος слово";

/// A megabyte of words with punctuation, of which one in a hundred is from `patterns`.
fn prose(words: &str, patterns: &[&str], random: &mut fastrand::Rng) -> Vec<u8> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut text = String::with_capacity(MEGABYTE + 64);
    let mut sentence = 0;
    while text.len() < MEGABYTE {
        let word = if random.u32(..100) == 0 {
            patterns[random.usize(..patterns.len())]
        } else {
            words[random.usize(..words.len())]
        };
        if sentence == 0 {
            text.extend(word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)));
        } else {
            text.push_str(word);
        }
        sentence += 1;
        match random.u32(..40) {
            0..3 if sentence > 4 => {
                text.push_str(if random.u32(..6) == 0 { ".\n" } else { ". " });
                sentence = 0;
            }
            3..5 => text.push_str(", "),
            5 => text.push_str(" - "),
            6 => text.push_str(&format!(" {} ", random.u32(..2030))),
            _ => text.push(' '),
        }
    }
    text.into_bytes()
}

/// `count` names: made-up words that the prose does not have, one in twenty of two words, one in a hundred with a letter
/// beyond ASCII. The first five are the map that is built in.
fn literal_rules(count: usize, random: &mut fastrand::Rng) -> Vec<Rule> {
    const ONSETS: &[&str] = &[
        "", "b", "br", "c", "ch", "cl", "d", "dr", "f", "fr", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "p", "pr",
        "qu", "r", "s", "sch", "sl", "st", "t", "th", "tr", "v", "w", "wh", "x", "y", "z",
    ];
    const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "aa", "ee", "ei", "ie", "ij", "oo", "ou", "ui", "y"];
    const CODAS: &[&str] =
        &["", "", "b", "ck", "d", "f", "k", "l", "m", "n", "nd", "ng", "p", "r", "rs", "s", "st", "t"];
    let mut rules: Vec<Rule> = Rules::built_in().iter().cloned().collect();
    let mut taken: HashSet<String> = MIXED_WORDS.split_whitespace().map(str::to_owned).collect();
    while rules.len() < count {
        let mut name = String::new();
        for _ in 0..random.usize(2..5) {
            for parts in [ONSETS, VOWELS, CODAS] {
                name.push_str(parts[random.usize(..parts.len())]);
            }
        }
        match random.u32(..100) {
            0..5 => name.push_str(" bank"),
            5 => name.push('é'),
            _ => {}
        }
        if taken.insert(name.clone()) {
            rules.push(Rule::literal(name.clone(), format!("{name} NV")));
        }
    }
    rules
}

fn regex_rules() -> Vec<Rule> {
    [
        (r"\d{4} ?[A-Z]{2}", "<postcode>"),
        (r"\d{4}-\d{2}-\d{2}", "<date>"),
        (r"\d+[.,]\d{2} (?:EUR|USD)", "<amount>"),
        (r"(\w+)@(\w+)\.(?:com|nl)", "$1 at $2"),
        (r"NL\d{2}[A-Z]{4}\d{10}", "<iban>"),
        (r"colou?rs?", "hue"),
        (r"(?:van|von) der \w+", "<name>"),
        (r"0\d{9}", "<phone>"),
        (r"https?://\S+", "<link>"),
        (r"v(\d+)\.(\d+)", "version $1"),
    ]
    .map(|(pattern, replace)| Rule { kind: Kind::Regex, ..Rule::literal(pattern, replace) })
    .into()
}
