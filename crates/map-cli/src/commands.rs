//! What each command does. Results go to stdout, what is going on to stderr.

use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::Context;
use aws::{MapTable, TableError};
use replace::{Rule, Rules};

pub async fn put(table: &MapTable, file: &Path) -> anyhow::Result<()> {
    let json = read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let rules = Rules::from_json(&json)?;
    let base = table.revision().await?;
    let shown = io::stderr().is_terminal();
    let stored = table
        .put(base, &rules, |written| {
            if shown {
                eprint!("\r{written} of {} rules written", rules.len());
            }
        })
        .await;
    if shown {
        eprintln!();
    }
    eprintln!("{} rules stored as version {}", rules.len(), stored?.version());
    Ok(())
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file);
    }
    let mut json = Vec::new();
    io::stdin().read_to_end(&mut json)?;
    Ok(json)
}

pub async fn list(table: &MapTable) -> anyhow::Result<()> {
    let snapshot = table.read().await?;
    if snapshot.revision().is_none() {
        return Err(TableError::Empty.into());
    }
    match write_list(snapshot.rules(), io::BufWriter::new(io::stdout().lock())) {
        // `list | head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// A rule a line, so that two lists can be compared line by line.
fn write_list<'a>(rules: impl Iterator<Item = &'a Rule>, mut out: impl Write) -> io::Result<()> {
    out.write_all(b"{\"rules\": [")?;
    let mut before = "\n  ";
    for rule in rules {
        write!(out, "{before}{}", serde_json::to_string(rule)?)?;
        before = ",\n  ";
    }
    out.write_all(b"\n]}\n")?;
    out.flush()
}

pub async fn set(table: &MapTable, rule: Rule) -> anyhow::Result<()> {
    let base = table.read().await?;
    let stored = table.set(&base, rule).await?;
    eprintln!("stored as version {}", stored.version());
    Ok(())
}

pub async fn delete(table: &MapTable, pattern: &str) -> anyhow::Result<()> {
    let base = table.read().await?;
    let stored = table.delete(&base, pattern).await?;
    eprintln!("deleted as version {}", stored.version());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_can_be_put() {
        for rules in [
            Rules::from_iter([]),
            Rules::from_iter([
                Rule::literal("ING", "\"ING\"\nBANK"),
                Rule { case_sensitive: true, whole_word: false, ..Rule::literal("straße", "") },
            ]),
        ] {
            let mut list = Vec::new();
            write_list(rules.iter(), &mut list).unwrap();
            assert_eq!(Rules::from_json(&list).unwrap(), rules);
        }
    }
}
