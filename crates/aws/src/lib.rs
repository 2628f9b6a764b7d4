//! The map in AWS: [`SsmParameter`] for maps up to 8 KB, [`MapTable`] for larger ones and for changing one rule alone.
//!
//! The only crate that names an AWS SDK. The rest of the service sees [`mapping::Source`].

mod connection;
mod error;
mod parameter;
mod table;

use env::{BadVariable, Env};
use mapping::{BuiltIn, File, Origin, Source};

pub use error::AwsError;
pub use parameter::SsmParameter;
pub use table::{MapTable, Revision, Snapshot, TableError};

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
