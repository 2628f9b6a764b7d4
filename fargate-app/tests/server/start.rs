//! Starting, and not starting.

use std::process::Command;

fn refused(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fargate-app"));
    let output = command.env_clear().envs(variables.iter().copied()).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_value_that_cannot_be_used_ends_the_start_with_64_and_one_line() {
    for (variables, line) in [
        (vec![("PORT", "x")], r#"PORT="x" cannot be used: it should be a TCP port from 0 to 65535"#),
        (vec![("API_KEY", "tooshort")], "API_KEY cannot be used: it should be 16 to 128 visible ASCII characters"),
        (
            vec![("STRINGS_MAPPING_FILE", "/a"), ("STRINGS_MAPPING_TABLE", "b")],
            r#"STRINGS_MAPPING_FILE="/a" cannot be used: it should be unset, because STRINGS_MAPPING_TABLE is set: a map has one source"#,
        ),
    ] {
        assert_eq!(refused(&variables), (Some(64), format!("fargate-app: {line}\n")));
    }
}

#[test]
fn without_a_key_one_is_made_and_printed() {
    use std::io::{BufRead, BufReader};
    let mut command = Command::new(env!("CARGO_BIN_EXE_fargate-app"));
    let mut child = command.env_clear().env("PORT", "0").stderr(std::process::Stdio::piped()).spawn().unwrap();
    let line = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
    let key = line.strip_prefix("fargate-app: API_KEY is not set; for this run it is ").unwrap();
    assert_eq!(key.len(), 32);
    child.kill().unwrap();
    child.wait().unwrap();
}
