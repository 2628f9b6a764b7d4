//! The command line.

use std::path::PathBuf;

use env::Env;
use lexopt::{Arg, Parser, ValueExt};
use replace::{Kind, Rule};

const TABLE: &str = "STRINGS_MAPPING_TABLE";

pub const USAGE: &str = "\
Usage: switchyard-map [--table NAME] COMMAND

Commands:
  put FILE             store the map in FILE (- is stdin) in place of the one in the table
  list                 print the map, in the form that `put` takes
  set MATCH REPLACE    add one rule, or change the one with this match text
      --regex            MATCH is a regular expression; $1 and ${name} in REPLACE insert its groups
      --case-sensitive   ABN does not match abn
      --any-position     match inside words, too
  delete MATCH         take one rule out of the map

The table is --table, else STRINGS_MAPPING_TABLE. Region, credentials and endpoint are those of the AWS CLI's
environment (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, ...).

Every change is checked as the service would check it: what is not a valid map is not stored.

Exit codes: 0 done; 64 wrong usage or configuration; 65 the map or the rule is at fault, nothing was stored;
75 the map was changed by somebody else meanwhile, nothing was stored, try again; 1 anything else.
";

#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    pub table: String,
    /// `None`: help is wanted.
    pub command: Option<Command>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Put(PathBuf),
    List,
    Set(Rule),
    Delete(String),
}

pub fn parse(mut parser: Parser, env: &Env) -> Result<Arguments, lexopt::Error> {
    let mut table = env.get(TABLE).map(str::to_owned);
    let mut words = Vec::new();
    let mut options = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("table") => table = Some(parser.value()?.string()?),
            Arg::Long("regex") => options.push("--regex"),
            Arg::Long("case-sensitive") => options.push("--case-sensitive"),
            Arg::Long("any-position") => options.push("--any-position"),
            Arg::Long("help") | Arg::Short('h') => return Ok(Arguments { table: String::new(), command: None }),
            Arg::Value(word) => words.push(word),
            unknown => return Err(unknown.unexpected()),
        }
    }
    let mut words = words.into_iter();
    let mut word = |what: &str| words.next().ok_or_else(|| format!("{what} is missing; see --help"));
    let has = |option: &str| options.contains(&option);
    let command = match &*word("a command")?.string()? {
        "put" => Command::Put(word("the file after `put`")?.into()),
        "list" => Command::List,
        "set" => Command::Set(Rule {
            kind: if has("--regex") { Kind::Regex } else { Kind::Literal },
            case_sensitive: has("--case-sensitive"),
            whole_word: !has("--any-position"),
            ..Rule::literal(
                word("the text to match after `set`")?.string()?,
                word("the text to put in its place")?.string()?,
            )
        }),
        "delete" => Command::Delete(word("the match text after `delete`")?.string()?),
        unknown => return Err(format!("there is no command {unknown:?}; see --help").into()),
    };
    if let (Some(option), false) = (options.first(), matches!(command, Command::Set(_))) {
        return Err(format!("{option} is for `set` only; see --help").into());
    }
    if let Some(extra) = words.next() {
        return Err(format!("{extra:?} is one argument too many; see --help").into());
    }
    let table = table.ok_or_else(|| format!("no table: give --table NAME or set {TABLE}"))?;
    Ok(Arguments { table, command: Some(command) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        let env = Env::from_iter([(TABLE, "of-the-environment")]);
        parse(Parser::from_args(line.split_whitespace()), &env).map_err(|error| error.to_string())
    }

    fn command(line: &str) -> Command {
        read(line).unwrap().command.unwrap()
    }

    #[test]
    fn each_command_is_read() {
        assert_eq!(command("put map.json"), Command::Put("map.json".into()));
        assert_eq!(command("put -"), Command::Put("-".into()));
        assert_eq!(command("list"), Command::List);
        assert_eq!(command("delete ABN"), Command::Delete("ABN".into()));
        assert_eq!(command("set ABN x"), Command::Set(Rule::literal("ABN", "x")));
    }

    #[test]
    fn a_rules_options_may_stand_anywhere() {
        let Command::Set(rule) = command("--any-position set --regex a+ b --case-sensitive") else { panic!() };
        assert_eq!((rule.kind, rule.case_sensitive, rule.whole_word), (Kind::Regex, true, false));
        assert_eq!((&*rule.pattern, &*rule.replace), ("a+", "b"));
    }

    #[test]
    fn text_that_looks_like_an_option_comes_after_two_dashes() {
        assert_eq!(command("set -- --regex -x"), Command::Set(Rule::literal("--regex", "-x")));
    }

    #[test]
    fn the_option_comes_before_the_environment() {
        assert_eq!(read("list").unwrap().table, "of-the-environment");
        assert_eq!(read("list --table mine").unwrap().table, "mine");
        let error = parse(Parser::from_args(["list"]), &Env::from_iter([("A", "b")])).unwrap_err().to_string();
        assert!(error.contains("--table") && error.contains(TABLE), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, named) in [
            ("", "a command is missing"),
            ("drop", "\"drop\""),
            ("put", "the file"),
            ("set ABN", "in its place"),
            ("list twice", "\"twice\""),
            ("list --regex", "--regex is for `set` only"),
            ("list --verbose", "--verbose"),
            ("list --table", "--table"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(named), "{line:?}: {error}");
        }
    }
}
