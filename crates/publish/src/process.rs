//! One message, from the queue to the receipt.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use replace::Engine;

use crate::content::NotJson;
use crate::{Begun, Content, Id, NotANotification, Receipts, StoreError, Storing, captured};

/// A captured body, and what is known of it.
pub struct Body {
    /// Who sent it.
    pub principal: String,
    /// What the sender said that it is; empty, if nothing.
    pub content_type: String,
    /// Its bytes, piece by piece.
    pub pieces: Box<dyn Reading>,
}

/// Bytes that come in pieces.
pub trait Reading: Send {
    /// The next piece; none at the end.
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, StoreError>> + Send + '_>>;
}

/// Where bodies and their results are.
pub trait Bodies: Send + Sync {
    /// A captured body; none, if there is no such object any more.
    fn read<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<Body>>;

    /// Puts the result beside the body.
    fn write_result<'a>(&'a self, id: &'a Id, content_type: &'a str, result: Bytes) -> Storing<'a, ()>;

    /// Who sent a body; none, if there is no such object.
    fn principal<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<String>>;

    /// A link by which anybody who has it can fetch the result for that long.
    fn result_link<'a>(&'a self, id: &'a Id, valid_for: Duration) -> Storing<'a, String>;
}

/// What became of one body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which one.
    pub id: Id,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a body that a message told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was processed now.
    Processed {
        /// Size of the result in bytes.
        size: u64,
    },
    /// It had been before, or somebody else was faster: the message was a second one.
    Repeated,
}

/// Why a message has to come back.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is none of S3's.
    #[error(transparent)]
    NotANotification(#[from] NotANotification),
    /// Somebody else is at it; if that one dies, it is this message that tells.
    #[error("{0} is being processed by somebody else")]
    Busy(Id),
    /// There is a message and no body.
    #[error("{0} is not there any more")]
    Gone(Id),
    /// It is not what it says.
    #[error("{id}: {cause}")]
    Unusable {
        /// Which body.
        id: Id,
        /// What is wrong with it.
        cause: NotJson,
    },
    /// Bodies or receipts cannot be reached.
    #[error("{id}: {cause}")]
    Store {
        /// Which body.
        id: Id,
        /// What the store said.
        cause: StoreError,
    },
}

impl Failure {
    /// What the receipt says of it. The causes behind a failing store are for our log.
    fn reason(&self) -> String {
        match self {
            Self::Unusable { cause, .. } => cause.to_string(),
            Self::Gone(_) => "the body is not there any more".to_owned(),
            _ => "it could not be processed for the moment".to_owned(),
        }
    }
}

/// Processes what messages tell of.
pub struct Processor {
    bodies: Box<dyn Bodies>,
    receipts: Box<dyn Receipts>,
    prefix: String,
}

impl Processor {
    /// For bodies whose keys begin with `prefix`.
    #[must_use]
    pub fn new(bodies: Box<dyn Bodies>, receipts: Box<dyn Receipts>, prefix: String) -> Self {
        Self { bodies, receipts, prefix }
    }

    /// Processes every body that a message tells of.
    ///
    /// # Errors
    /// When the message has to come back. What it told of and was done stays done.
    pub async fn process(&self, engine: &Engine, message: &str) -> Result<Vec<Attempt>, Failure> {
        let mut attempts = Vec::new();
        for id in captured(message, &self.prefix)? {
            let outcome = self.one(engine, &id).await?;
            attempts.push(Attempt { id, outcome });
        }
        Ok(attempts)
    }

    async fn one(&self, engine: &Engine, id: &Id) -> Result<Outcome, Failure> {
        let store = |cause| Failure::Store { id: id.clone(), cause };
        let body = self.bodies.read(id).await.map_err(store)?;
        let principal = body.as_ref().map_or("", |body| body.principal.as_str());
        let attempt = match self.receipts.begin(id, principal).await.map_err(store)? {
            Begun::Done => return Ok(Outcome::Repeated),
            Begun::Busy => return Err(Failure::Busy(id.clone())),
            Begun::Attempt(attempt) => attempt,
        };
        let result = match body {
            Some(body) => self.rewrite(engine, id, body).await,
            None => Err(Failure::Gone(id.clone())),
        };
        match result {
            Ok(size) => {
                let ours = self.receipts.done(id, attempt, size).await.map_err(store)?;
                Ok(if ours { Outcome::Processed { size } } else { Outcome::Repeated })
            }
            Err(failure) => {
                // The message comes back whether or not this is written, and its next attempt waits for the lease if not.
                let _ = self.receipts.failed(id, attempt, &failure.reason()).await.map_err(store)?;
                Err(failure)
            }
        }
    }

    /// Reads the body, writes the result; the size of the latter.
    async fn rewrite(&self, engine: &Engine, id: &Id, mut body: Body) -> Result<u64, Failure> {
        let store = |cause| Failure::Store { id: id.clone(), cause };
        let mut rewrite = Content::of(&body.content_type).rewrite(engine);
        while let Some(piece) = body.pieces.next().await.map_err(store)? {
            rewrite.push(&piece);
        }
        let result = rewrite.finish().map_err(|cause| Failure::Unusable { id: id.clone(), cause })?;
        let size = result.len() as u64;
        self.bodies.write_result(id, &body.content_type, result.into()).await.map_err(store)?;
        Ok(size)
    }
}
