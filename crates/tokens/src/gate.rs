//! What becomes of a token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::{Digest, Scheme, Token};

/// What is kept of one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who it was given to; the principal of what is done with it.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// From when on it is not, in seconds since 1970; never, if there is none.
    pub expires_at: Option<u64>,
    /// It was taken back.
    pub disabled: bool,
}

/// A look-up on its way.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Result<Option<Grant>, StoreError>> + Send + 'a>>;

/// Where tokens are kept.
pub trait Store: Send + Sync {
    /// What is kept of the token with this digest; none, if it is not known.
    fn find(&self, digest: Digest) -> Looking<'_>;
}

/// The store gave no answer that can be relied on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// For that reason.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// What is decided for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Let in, as this principal.
    Allow {
        /// The token's name.
        principal: String,
    },
    /// Keep out.
    Deny(Refusal),
}

/// Why somebody is kept out. Its text is a hint for that person: what was wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The header holds nothing.
    Empty,
    /// Another scheme, or none where one is needed.
    Scheme,
    /// No token that is known.
    Unknown,
    /// Past its expiry.
    Expired,
    /// Taken back.
    Revoked,
    /// Good for something else only.
    Scope(String),
}

impl fmt::Display for Refusal {
    // The texts stand in JSON strings that API Gateway fills in without escaping: no quotation mark, no backslash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("The header is empty: send Bearer and a token"),
            Self::Scheme => f.write_str("The scheme is missing or wrong: send Bearer and a token"),
            Self::Unknown => f.write_str("The token is not known: check it, or ask for a new one"),
            Self::Expired => f.write_str("The token has expired: ask for a new one"),
            Self::Revoked => f.write_str("The token was revoked: ask for a new one"),
            Self::Scope(scope) => write!(f, "The token lacks the scope {scope}: ask for one that has it"),
        }
    }
}

/// Decides who may come in for one scope.
pub struct Gate {
    store: Box<dyn Store>,
    scope: String,
    scheme: Scheme,
}

impl Gate {
    /// For what needs `scope`, by the tokens in `store`.
    #[must_use]
    pub fn new(store: Box<dyn Store>, scope: String, scheme: Scheme) -> Self {
        Self { store, scope, scheme }
    }

    /// What becomes of a request with this header, `now` seconds after 1970.
    ///
    /// # Errors
    /// When the store fails. Nobody is let in then.
    pub async fn decide(&self, header: &str, now: u64) -> Result<Decision, StoreError> {
        let token = match Token::read(header, self.scheme) {
            Ok(token) => token,
            Err(refusal) => return Ok(Decision::Deny(refusal)),
        };
        let Some(grant) = self.store.find(token.digest()).await? else {
            return Ok(Decision::Deny(Refusal::Unknown));
        };
        Ok(match self.refusal(&grant, now) {
            Some(refusal) => Decision::Deny(refusal),
            None => Decision::Allow { principal: grant.name },
        })
    }

    fn refusal(&self, grant: &Grant, now: u64) -> Option<Refusal> {
        if grant.disabled {
            Some(Refusal::Revoked)
        } else if grant.expires_at.is_some_and(|expiry| expiry <= now) {
            Some(Refusal::Expired)
        } else if !grant.scopes.contains(&self.scope) {
            Some(Refusal::Scope(self.scope.clone()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000;

    struct Kept(Result<Option<Grant>, &'static str>);

    impl Store for Kept {
        fn find(&self, digest: Digest) -> Looking<'_> {
            let known = Token::read("sy_1", Scheme::Optional).unwrap().digest() == digest;
            let answer = self.0.clone().map(|grant| grant.filter(|_| known)).map_err(StoreError::new);
            Box::pin(async { answer })
        }
    }

    fn grant() -> Grant {
        Grant {
            name: "alice".into(),
            scopes: vec!["events".into(), "publish".into()],
            expires_at: None,
            disabled: false,
        }
    }

    async fn decide(grant: Grant, header: &str) -> Decision {
        let gate = Gate::new(Box::new(Kept(Ok(Some(grant)))), "publish".into(), Scheme::Optional);
        gate.decide(header, NOW).await.unwrap()
    }

    #[tokio::test]
    async fn a_token_in_force_comes_in_as_its_name() {
        let allowed = Decision::Allow { principal: "alice".into() };
        assert_eq!(decide(grant(), "Bearer sy_1").await, allowed);
        assert_eq!(decide(Grant { expires_at: Some(NOW + 1), ..grant() }, "sy_1").await, allowed);
    }

    #[tokio::test]
    async fn each_reason_to_keep_somebody_out_has_its_hint() {
        let table = [
            (grant(), " ", Refusal::Empty, "empty"),
            (grant(), "Basic sy_1", Refusal::Scheme, "scheme"),
            (grant(), "sy_2", Refusal::Unknown, "not known"),
            (Grant { expires_at: Some(NOW), ..grant() }, "sy_1", Refusal::Expired, "expired"),
            (Grant { disabled: true, expires_at: Some(NOW), ..grant() }, "sy_1", Refusal::Revoked, "revoked"),
            (
                Grant { scopes: vec!["private".into()], ..grant() },
                "sy_1",
                Refusal::Scope("publish".into()),
                "scope publish",
            ),
        ];
        for (grant, header, refusal, words) in table {
            assert_eq!(decide(grant, header).await, Decision::Deny(refusal.clone()));
            let hint = refusal.to_string();
            assert!(hint.contains(words) && !hint.contains(['"', '\\', '\n']), "{hint}");
        }
    }

    #[tokio::test]
    async fn nobody_comes_in_when_the_store_fails() {
        let gate = Gate::new(Box::new(Kept(Err("no answer"))), "publish".into(), Scheme::Optional);
        assert_eq!(gate.decide("sy_1", NOW).await.unwrap_err().to_string(), "no answer");
        assert_eq!(gate.decide("", NOW).await.unwrap(), Decision::Deny(Refusal::Empty), "without asking the store");
    }
}
