//! `switchyard-map`: the map in a DynamoDB table, from the command line.

mod arguments;
mod commands;

use std::process::ExitCode;

use arguments::{Arguments, Command, USAGE};
use aws::{MapTable, TableError};
use env::{BadVariable, EXIT_BAD_CONFIGURATION, Env};
use replace::RulesError;

/// `EX_DATAERR` of BSD's `sysexits.h`: the map or the rule is at fault, and nothing was stored.
const EXIT_BAD_DATA: u8 = 65;
/// `EX_TEMPFAIL`: somebody else changed the map meanwhile, and nothing was stored; trying again will do.
const EXIT_TRY_AGAIN: u8 = 75;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Env::of_process()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("switchyard-map: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

async fn run(env: &Env) -> anyhow::Result<()> {
    let Arguments { table, command } = arguments::parse(lexopt::Parser::from_env(), env)?;
    let Some(command) = command else {
        print!("{USAGE}");
        return Ok(());
    };
    let table = MapTable::new(&table, env)?;
    match command {
        Command::Put(file) => commands::put(&table, &file).await,
        Command::List => commands::list(&table).await,
        Command::Set(rule) => commands::set(&table, rule).await,
        Command::Delete(pattern) => commands::delete(&table, &pattern).await,
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<lexopt::Error>() || error.is::<BadVariable>() {
        return EXIT_BAD_CONFIGURATION;
    }
    match error.downcast_ref() {
        Some(TableError::Conflict) => EXIT_TRY_AGAIN,
        Some(TableError::Invalid(_) | TableError::Unfit { .. } | TableError::NoSuchRule(_)) => EXIT_BAD_DATA,
        _ if error.is::<RulesError>() => EXIT_BAD_DATA,
        _ => 1,
    }
}
