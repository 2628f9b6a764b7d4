//! Rules in, a matcher out.

mod rules;

pub use rules::{Kind, MAX_RULES, Rule, Rules, RulesError};

/// Placeholder shape, being written: the final engine has the same public face.
pub struct Engine(Rules);

impl Engine {
    /// Builds the matcher.
    pub fn new(rules: &Rules) -> Result<Self, RulesError> {
        if rules.len() > MAX_RULES {
            return Err(RulesError::too_many(rules.len()));
        }
        if let Some((i, r)) = rules.iter().enumerate().find(|(_, r)| r.pattern.is_empty()) {
            return Err(RulesError::rule(i, r, "the text to match is empty"));
        }
        Ok(Self(rules.clone()))
    }

    /// The number of rules.
    pub fn rules(&self) -> usize {
        self.0.len()
    }

    /// Appends `text` with every match replaced to `out`; returns the number of replacements. `text` should be UTF-8;
    /// bytes that are not are copied as they are and belong to no word.
    pub fn replace_into(&self, text: &[u8], out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(text);
        0
    }

    /// Appends to `out` the JSON text (no quotes around it) of what the JSON string body `json` (the valid text between
    /// the quotes) is replaced by; returns the number of replacements.
    pub fn replace_json_into(&self, json: &[u8], out: &mut Vec<u8>) -> usize {
        out.extend_from_slice(json);
        0
    }
}

/// A text that comes in pieces.
pub struct Stream<E: std::ops::Deref<Target = Engine>> {
    engine: E,
}

impl<E: std::ops::Deref<Target = Engine>> Stream<E> {
    /// A new text.
    pub fn new(engine: E) -> Self {
        Self { engine }
    }

    /// Takes the next piece; appends to `out` what is decided. Returns the number of replacements made.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> usize {
        self.engine.replace_into(piece, out)
    }

    /// The text has ended: appends the rest to `out`.
    pub fn finish(self, out: &mut Vec<u8>) -> usize {
        let _ = out;
        0
    }
}
