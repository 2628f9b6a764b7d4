//! API Gateway's proxy event (REST, v1) as a request to a router, and the router's response as an answer to it.

mod answer;
mod path;

pub use answer::Answer;
pub use path::of as path;
