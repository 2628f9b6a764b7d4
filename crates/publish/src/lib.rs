//! What becomes of a published body: processed once, with a receipt. No AWS, no HTTP.
//!
//! A body is captured before any of this runs: it is an object under the id of its request, and a message tells of it, at
//! least once. [`Processor::process`] takes one message. Words are replaced in text and in the string values of JSON; any
//! other content passes as it is. The result is written beside the body, under the same id.
//!
//! # Once
//!
//! A message may come twice, at the same time or after days, and a process may die at any point. So each body has one
//! receipt, and each step is a conditional write of it:
//!
//! | receipt | a message comes | then |
//! |---|---|---|
//! | none, or failed | [`Begun::Attempt`]: processing, and leased for as long as an attempt may take | the body is processed |
//! | processing, lease running | [`Begun::Busy`] | the message comes back later |
//! | processing, lease over | [`Begun::Attempt`]: whoever had it died | the body is processed again |
//! | done | [`Begun::Done`] | nothing: the message was a second one |
//!
//! An attempt that takes longer than its lease finds, when it is done, that the receipt is another's, and leaves it. What it
//! wrote is what the other writes: a result depends on the body and the map alone, and goes under a name that depends on
//! the id alone.
//!
//! # Failing
//!
//! An attempt that fails writes the reason into the receipt and gives the message back. After as many attempts as the queue
//! allows the message is in the error queue, and the receipt says why.

mod content;
mod json_strings;
mod notification;
mod process;
mod receipt;

pub use content::Content;
pub use notification::{NotANotification, captured};
pub use process::{Attempt, Bodies, Body, Failure, Outcome, Processor, Reading};
pub use receipt::{Begun, Id, Receipt, Receipts, Status, StoreError, Storing};
