//! What a definition says and this gateway does not do.

use std::fmt;

/// One thing in a definition that has no effect here, or another one than in AWS.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// Where it stands, such as `paths./pets.get`.
    pub place: String,
    /// What it is, and what becomes of it.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.text)
    }
}

/// Collects warnings while a definition is read.
#[derive(Debug, Default)]
pub(crate) struct Warnings(pub Vec<Warning>);

impl Warnings {
    pub fn say(&mut self, place: impl fmt::Display, text: impl fmt::Display) {
        self.0.push(Warning { place: place.to_string(), text: text.to_string() });
    }
}
