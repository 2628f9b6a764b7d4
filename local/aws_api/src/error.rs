//! What can go wrong with a call.

use http::StatusCode;

/// Why a call gave no answer that can be used. Says the service and the operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The end point is not an address of this machine.
    #[error("'{endpoint}' is no end point of a local control plane: give http://127.0.0.1:PORT")]
    Endpoint {
        /// What was given.
        endpoint: String,
    },

    /// Nobody listens, or the connection broke, or no answer came in time.
    #[error("{service} {operation}: the control plane does not answer: {cause}")]
    Unreachable {
        /// The service, as in an ARN.
        service: String,
        /// The operation, or the method and the path.
        operation: String,
        /// What the connection said.
        cause: String,
    },

    /// The control plane answered with an error of the service.
    #[error("{service} {operation}: {status}, {code}: {message}")]
    Refused {
        /// The service, as in an ARN.
        service: String,
        /// The operation, or the method and the path.
        operation: String,
        /// The HTTP status.
        status: StatusCode,
        /// AWS's name of the error, such as `ResourceNotFoundException`.
        code: String,
        /// AWS's words.
        message: String,
    },

    /// The answer is not what the protocol says.
    #[error("{service} {operation}: the answer is unreadable: {cause}")]
    Unreadable {
        /// The service, as in an ARN.
        service: String,
        /// The operation, or the method and the path.
        operation: String,
        /// What was wrong with it.
        cause: String,
    },
}

impl Error {
    /// AWS's name of the error, if the service gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the service says that there is no such thing.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => {
                *status == StatusCode::NOT_FOUND || code.contains("NotFound") || code.contains("NonexistentItem")
            }
            _ => false,
        }
    }
}
