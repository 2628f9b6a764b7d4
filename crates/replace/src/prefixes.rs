//! What the matches of a regular expression may start with, byte by byte.

use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::Hir;

/// How many first bytes are known.
pub(crate) const PLACES: usize = 8;

/// An expression that can be in more states than this at once is not followed further: that would take longer than it saves.
const MOST_STATES: usize = 20_000;

/// The bytes that matches may have in each of their first places. In the places after a match that may be shorter, anything
/// is possible.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix([[bool; 256]; PLACES]);

impl Prefix {
    /// Of the matches of `hir`. `None` if that is too large an automaton to say.
    pub(crate) fn of(hir: &Hir, size_limit: usize) -> Option<Self> {
        let config = Config::new().nfa_size_limit(Some(size_limit)).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_from_hir(hir).ok()?;
        let mut places = [[true; 256]; PLACES];
        let mut states = vec![nfa.start_anchored()];
        for place in &mut places {
            let (reached, may_end) = without_input(&nfa, states);
            if may_end || reached.len() > MOST_STATES {
                break;
            }
            *place = [false; 256];
            states = Vec::new();
            for state in reached {
                match nfa.state(state) {
                    State::ByteRange { trans } => follow(place, &mut states, trans.start, trans.end, trans.next),
                    State::Sparse(sparse) => {
                        sparse.transitions.iter().for_each(|t| follow(place, &mut states, t.start, t.end, t.next));
                    }
                    State::Dense(dense) => {
                        let next = |byte| dense.matches_byte(byte).map(|next| (byte, next));
                        let each = (0..=255).filter_map(next);
                        each.for_each(|(byte, next)| follow(place, &mut states, byte, byte, next));
                    }
                    _ => {}
                }
            }
        }
        Some(Self(places))
    }

    /// Whether a match may have `byte` in a place.
    pub(crate) fn allows(&self, place: usize, byte: u8) -> bool {
        self.0[place][usize::from(byte)]
    }

    /// How many of all words would do for the first three places, if all letters were equally frequent everywhere.
    pub(crate) fn share_of_words(&self) -> f64 {
        let letters =
            |place: &[bool; 256]| place[usize::from(b'a')..=usize::from(b'z')].iter().filter(|is| **is).count();
        self.0[..3].iter().map(|place| letters(place) as f64 / 26.0).product()
    }
}

fn follow(place: &mut [bool; 256], states: &mut Vec<StateID>, start: u8, end: u8, next: StateID) {
    place[usize::from(start)..=usize::from(end)].fill(true);
    states.push(next);
}

/// The states that are reached from `states` without reading, and whether one of them is a match. What a look-around asks
/// for is taken as given.
fn without_input(nfa: &NFA, mut states: Vec<StateID>) -> (Vec<StateID>, bool) {
    let mut seen = vec![false; nfa.states().len()];
    let (mut reached, mut may_end) = (Vec::new(), false);
    while let Some(state) = states.pop() {
        if std::mem::replace(&mut seen[state.as_usize()], true) {
            continue;
        }
        match nfa.state(state) {
            State::Look { next, .. } | State::Capture { next, .. } => states.push(*next),
            State::Union { alternates } => states.extend_from_slice(alternates),
            State::BinaryUnion { alt1, alt2 } => states.extend([*alt1, *alt2]),
            State::Match { .. } => may_end = true,
            State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) | State::Fail => reached.push(state),
        }
    }
    (reached, may_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(pattern: &str) -> Prefix {
        let syntax = regex_automata::util::syntax::Config::new().case_insensitive(true);
        Prefix::of(&regex_automata::util::syntax::parse_with(pattern, &syntax).unwrap(), 1 << 20).unwrap()
    }

    /// The ASCII bytes that are possible in each place, up to where anything is.
    fn ascii(pattern: &str) -> Vec<String> {
        let Prefix(places) = prefix(pattern);
        let known = places.iter().take_while(|place| place.contains(&false));
        known.map(|place| (0..128_u8).filter(|byte| place[usize::from(*byte)]).map(char::from).collect()).collect()
    }

    #[test]
    fn places_are_known_up_to_the_shortest_match() {
        assert_eq!(ascii("nl"), ["Nn", "Ll"]);
        assert_eq!(ascii("colou?r"), ["Cc", "Oo", "Ll", "Oo", "RUru"]);
        assert_eq!(ascii("(?:van|von) der"), ["Vv", "AOao", "Nn", " ", "Dd", "Ee", "Rr"]);
        assert_eq!(ascii(r"\b0{2,4}-|^x-y"), ["0Xx", "-0", "-0Yy"].map(String::from)[..3]);
        assert_eq!(ascii(r"\d?x"), ["0123456789Xx"]);
    }

    #[test]
    fn what_folds_to_ascii_is_seen() {
        assert!(prefix("kx").allows(0, 0xE2));
        assert!(prefix("xs").allows(1, 0xC5) && !prefix("xs").allows(0, 0xC5));
    }

    #[test]
    fn letters_anywhere_are_no_help() {
        assert_eq!(prefix(r"\w+@").share_of_words(), 1.0);
        assert!(prefix("v").share_of_words() < 0.04);
        assert_eq!(prefix(r"\d{4}").share_of_words(), 0.0);
    }
}
