//! Configuration by environment.
//!
//! Each concern (the server, the map, ...) parses its own struct from an [`Env`] once, at start. A value that does not
//! fit is a [`BadVariable`]: it names the variable, what it held and what it should hold, and ends the process with
//! [`EXIT_BAD_CONFIGURATION`].

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// `EX_USAGE` of BSD's `sysexits.h`: the command was used wrongly. Supervisors can tell it from a crash.
pub const EXIT_BAD_CONFIGURATION: u8 = 64;

/// A snapshot of environment variables. A variable set to the empty string counts as absent, because that is how
/// Terraform, ECS and `docker run -e` hand over "nothing".
pub struct Env(HashMap<String, String>);

impl Env {
    /// The variables of this process. A value that is not UTF-8 is read with replacement characters, so that the error
    /// for it can be printed.
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
                .collect(),
        )
    }

    /// The value of `name`, if it is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of `name`, which must be there; `expected` completes the sentence "it should be ...".
    pub fn require(&self, name: &'static str, expected: &'static str) -> Result<&str, BadVariable> {
        self.get(name).ok_or_else(|| BadVariable::new(name, "", expected))
    }

    /// The value of `name` parsed as `T`; `expected` completes the sentence "it should be ...".
    pub fn parse<T: FromStr>(&self, name: &'static str, expected: &'static str) -> Result<Option<T>, BadVariable> {
        self.parse_if(name, expected, |_| true)
    }

    /// Like [`Env::parse`], for values that must also satisfy `fits`.
    pub fn parse_if<T: FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<Option<T>, BadVariable> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.trim().parse() {
            Ok(parsed) if fits(&parsed) => Ok(Some(parsed)),
            _ => Err(BadVariable::new(name, value, expected)),
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A variable whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct BadVariable {
    name: &'static str,
    value: Option<String>,
    expected: String,
}

impl BadVariable {
    /// `name` held `value`, but should be `expected`.
    pub fn new(name: &'static str, value: &str, expected: impl Into<String>) -> Self {
        Self { name, value: Some(value.to_owned()), expected: expected.into() }
    }

    /// The same for a variable whose value is a secret, and is therefore not repeated.
    pub fn secret(name: &'static str, expected: impl Into<String>) -> Self {
        Self { name, value: None, expected: expected.into() }
    }
}

impl fmt::Display for BadVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value:?} cannot be used: it should be {}", self.name, self.expected),
            None => write!(f, "{} cannot be used: it should be {}", self.name, self.expected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_is_named_with_what_would_be_right() {
        let env = Env::from_iter([("PORT", "80a")]);
        let error = env.parse::<u16>("PORT", "a TCP port from 0 to 65535").unwrap_err();
        assert_eq!(error.to_string(), r#"PORT="80a" cannot be used: it should be a TCP port from 0 to 65535"#);
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let error = BadVariable::secret("API_KEY", "visible ASCII characters");
        assert_eq!(error.to_string(), "API_KEY cannot be used: it should be visible ASCII characters");
    }

    #[test]
    fn what_is_required_and_absent_is_named() {
        let env = Env::from_iter([("TABLE", "tokens"), ("BUCKET", "")]);
        assert_eq!(env.require("TABLE", "a table"), Ok("tokens"));
        let error = env.require("BUCKET", "a bucket").unwrap_err();
        assert_eq!(error.to_string(), r#"BUCKET="" cannot be used: it should be a bucket"#);
    }

    #[test]
    fn empty_is_absent() {
        assert_eq!(Env::from_iter([("PORT", "")]).parse::<u16>("PORT", "a port"), Ok(None));
    }

    #[test]
    fn out_of_range_is_refused() {
        let env = Env::from_iter([("SECONDS", "0")]);
        assert!(env.parse_if::<u64>("SECONDS", "at least 1", |s| *s >= 1).is_err());
    }
}
