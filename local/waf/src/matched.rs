//! Whether a statement matches: yes, no, or not to be said.

/// WAF leaves a rule out when what it looks at is not there (a forwarded address without its header, say), and so does
/// this crate for what it cannot evaluate. Such a statement must not match because a Not stands around it, so there is a
/// third value, and And, Or and Not work as in Kleene's logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    Yes,
    No,
    NotApplied,
}

impl Matched {
    pub fn all(statements: impl Iterator<Item = Self>) -> Self {
        let mut result = Self::Yes;
        for matched in statements {
            match matched {
                Self::No => return Self::No,
                Self::NotApplied => result = Self::NotApplied,
                Self::Yes => {}
            }
        }
        result
    }

    pub fn any(statements: impl Iterator<Item = Self>) -> Self {
        !Self::all(statements.map(|matched| !matched))
    }
}

impl std::ops::Not for Matched {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::NotApplied => Self::NotApplied,
        }
    }
}

impl From<bool> for Matched {
    fn from(matched: bool) -> Self {
        if matched { Self::Yes } else { Self::No }
    }
}
