//! Which map, and how fresh: from the environment.

use std::path::PathBuf;
use std::time::Duration;

use env::{BadVariable, Env};

/// Where the map is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An SSM parameter, by name.
    Parameter(String),
    /// A DynamoDB table, by name.
    Table(String),
    /// A file.
    File(PathBuf),
    /// The map compiled in.
    BuiltIn,
}

/// The map's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the map is.
    pub origin: Origin,
    /// How old it may grow before it is read again.
    pub refresh_every: Duration,
}

const PARAMETER: &str = "STRINGS_MAPPING_PARAMETER_NAME";
const TABLE: &str = "STRINGS_MAPPING_TABLE";
const FILE: &str = "STRINGS_MAPPING_FILE";
const REFRESH: &str = "STRINGS_MAPPING_REFRESH_SECONDS";

impl Config {
    /// Reads `STRINGS_MAPPING_PARAMETER_NAME`, `STRINGS_MAPPING_TABLE` or `STRINGS_MAPPING_FILE` (at most one; none is
    /// the built-in map) and `STRINGS_MAPPING_REFRESH_SECONDS` (60).
    pub fn from_env(env: &Env) -> Result<Self, BadVariable> {
        let named: Vec<_> =
            [PARAMETER, TABLE, FILE].into_iter().filter_map(|name| Some((name, env.get(name)?))).collect();
        let origin = match named[..] {
            [] => Origin::BuiltIn,
            [(PARAMETER, name)] => Origin::Parameter(name.to_owned()),
            [(TABLE, name)] => Origin::Table(name.to_owned()),
            [(_, path)] => Origin::File(path.into()),
            [(first, _), (second, value), ..] => {
                return Err(BadVariable::new(
                    second,
                    value,
                    format!("unset, because {first} is set: a map has one source"),
                ));
            }
        };
        let seconds = env.parse_if(REFRESH, "a number of seconds from 1 to 86400", |s| (1..=86_400).contains(s))?;
        Ok(Self { origin, refresh_every: Duration::from_secs(seconds.unwrap_or(60)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_env(&Env::from_iter(variables.iter().copied())).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_set_is_the_built_in_map_for_a_minute() {
        assert_eq!(read(&[]), Ok(Config { origin: Origin::BuiltIn, refresh_every: Duration::from_secs(60) }));
    }

    #[test]
    fn each_origin_is_read() {
        assert_eq!(read(&[(PARAMETER, "/map")]).unwrap().origin, Origin::Parameter("/map".into()));
        assert_eq!(read(&[(TABLE, "map")]).unwrap().origin, Origin::Table("map".into()));
        assert_eq!(read(&[(FILE, "/map.json")]).unwrap().origin, Origin::File("/map.json".into()));
    }

    #[test]
    fn two_origins_are_an_error_that_names_both() {
        let error = read(&[(PARAMETER, "/map"), (FILE, "/map.json")]).unwrap_err();
        assert!(error.contains(PARAMETER) && error.contains(FILE), "{error}");
    }

    #[test]
    fn the_interval_is_bounded() {
        assert!(read(&[(REFRESH, "0")]).is_err());
        assert!(read(&[(REFRESH, "1.5")]).is_err());
        assert_eq!(read(&[(REFRESH, "5")]).unwrap().refresh_every, Duration::from_secs(5));
    }
}
