//! What is kept in AWS. The only crate that names an AWS SDK; the rest sees the traits that this implements.
//!
//! | what | where | as |
//! |---|---|---|
//! | the map | [`SsmParameter`] for maps up to 8 KB, [`MapTable`] for larger ones and for changing one rule alone | [`mapping::Source`] |
//! | the tokens of those who may call | [`TokenTable`] | [`::tokens::Store`] |
//! | published bodies and their receipts | `BodyBucket` and `ReceiptTable` (cargo feature `publish`) | `publish::Bodies`, `publish::Receipts` |

#[cfg(feature = "publish")]
mod bodies;
mod connection;
mod error;
mod parameter;
#[cfg(feature = "publish")]
mod receipts;
mod table;
mod tokens;

use env::{BadVariable, Env};
use mapping::{BuiltIn, File, Origin, Source};

#[cfg(feature = "publish")]
pub use bodies::BodyBucket;
pub use error::AwsError;
pub use parameter::SsmParameter;
#[cfg(feature = "publish")]
pub use receipts::ReceiptTable;
pub use table::{MapTable, Revision, Snapshot, TableError};
pub use tokens::TokenTable;

/// The source for `origin`, wherever it is: of this crate when it is in AWS, otherwise one that needs no network and
/// reads none of AWS's variables.
pub fn source(origin: &Origin, env: &Env) -> Result<Box<dyn Source>, BadVariable> {
    Ok(match origin {
        Origin::Parameter(name) => Box::new(SsmParameter::new(name, env)?),
        Origin::Table(name) => Box::new(MapTable::new(name, env)?),
        Origin::File(path) => Box::new(File::new(path.clone())),
        Origin::BuiltIn => Box::new(BuiltIn),
    })
}
