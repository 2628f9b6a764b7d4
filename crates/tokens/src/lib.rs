//! Who may call: tokens as they are sent, as they are kept, and what becomes of each. No AWS, no HTTP.
//!
//! A token is 32 random bytes in hexadecimal behind `sy_`. Only its SHA-256 is kept, with a name, scopes, an expiry and a
//! flag: whoever reads the table learns no token. A plain hash is enough, because a token has 256 random bits; what people
//! choose for themselves would need a slow one. It is found by that hash, so how long a look-up takes says nothing about any
//! token that exists.
//!
//! | the header | decision |
//! |---|---|
//! | `Bearer sy_...` or `sy_...`, known, in force, with the scope | [`Decision::Allow`] with the token's name |
//! | empty or blank | [`Refusal::Empty`] |
//! | another scheme; no scheme where one is asked for | [`Refusal::Scheme`] |
//! | not a token, or none that is known | [`Refusal::Unknown`] |
//! | disabled | [`Refusal::Revoked`] |
//! | past its expiry | [`Refusal::Expired`] |
//! | without the scope | [`Refusal::Scope`] |
//!
//! A store that fails is neither: [`Gate::decide`] gives its error, and the caller must not let anybody in.

mod credential;
mod gate;

pub use credential::{Digest, Scheme, Token};
pub use gate::{Decision, Gate, Grant, Looking, Refusal, Store, StoreError};
