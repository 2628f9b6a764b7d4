//! The command line.

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

pub const USAGE: &str = r#"Usage: data-plane --control-plane URL --region REGION --work-directory DIR --container-binary FILE --endpoints FILE
                  [--headers FILE] [--port N]

Serves what is deployed in a local control plane: REST APIs, functions, load balancers and containers.

  --control-plane URL      where the control plane is, such as http://127.0.0.1:5000
  --region REGION          the region that is served
  --port N                 of APIs, Lambda's Invoke and the page about it all; 0, the default: a free one
  --work-directory DIR     for functions' code and the like; made at the start, removed at the end
  --container-binary FILE  what runs in place of a task definition's image
  --endpoints FILE         written with every front door when all of them are ready, removed at the end
  --headers FILE           what front doors ask for and the account does not tell, such as a token, by their architecture:
                           {"publish": {"AuthDetails": "Bearer ..."}}

It ends on SIGTERM and SIGINT and with its parent, and everything that it started with it.

Exit codes: 0 ended as asked; 64 wrong usage; 1 anything else.
"#;

/// What the process was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    pub control_plane: String,
    pub region: String,
    pub port: u16,
    pub work_directory: PathBuf,
    pub container_binary: PathBuf,
    pub endpoints: PathBuf,
    pub headers: Option<PathBuf>,
}

/// `None`: help is wanted.
pub fn parse(mut parser: Parser) -> Result<Option<Arguments>, lexopt::Error> {
    let [mut control_plane, mut region] = [None, None];
    let [mut work_directory, mut container_binary, mut endpoints] = [None, None, None];
    let (mut port, mut headers) = (0, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("control-plane") => control_plane = Some(parser.value()?.string()?),
            Arg::Long("region") => region = Some(parser.value()?.string()?),
            Arg::Long("port") => port = port_number(&parser.value()?.string()?)?,
            Arg::Long("work-directory") => work_directory = Some(PathBuf::from(parser.value()?)),
            Arg::Long("container-binary") => container_binary = Some(PathBuf::from(parser.value()?)),
            Arg::Long("endpoints") => endpoints = Some(PathBuf::from(parser.value()?)),
            Arg::Long("headers") => headers = Some(PathBuf::from(parser.value()?)),
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            unknown => return Err(unknown.unexpected()),
        }
    }
    let missing = |option: &str| lexopt::Error::from(format!("{option} is missing; see --help"));
    Ok(Some(Arguments {
        control_plane: control_plane.ok_or_else(|| missing("--control-plane URL"))?,
        region: region.ok_or_else(|| missing("--region REGION"))?,
        port,
        work_directory: work_directory.ok_or_else(|| missing("--work-directory DIR"))?,
        container_binary: container_binary.ok_or_else(|| missing("--container-binary FILE"))?,
        endpoints: endpoints.ok_or_else(|| missing("--endpoints FILE"))?,
        headers,
    }))
}

fn port_number(text: &str) -> Result<u16, lexopt::Error> {
    text.parse().map_err(|_| format!("--port is {text:?}, and should be a number from 0 to 65535").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = "--control-plane http://127.0.0.1:5000 --region eu-west-1 --work-directory w \
                            --container-binary bin/app --endpoints e.json";

    fn read(line: &str) -> Result<Option<Arguments>, String> {
        parse(Parser::from_args(line.split_whitespace())).map_err(|error| error.to_string())
    }

    #[test]
    fn everything_is_read() {
        let expected = Arguments {
            control_plane: "http://127.0.0.1:5000".into(),
            region: "eu-west-1".into(),
            port: 8000,
            work_directory: "w".into(),
            container_binary: "bin/app".into(),
            endpoints: "e.json".into(),
            headers: Some("h.json".into()),
        };
        assert_eq!(read(&format!("{COMPLETE} --port 8000 --headers h.json")), Ok(Some(expected.clone())));
        let defaults = Arguments { port: 0, headers: None, ..expected };
        assert_eq!(read(COMPLETE), Ok(Some(defaults)), "a free port, and no headers, are the default");
        assert_eq!(read("--help"), Ok(None));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for (line, expected) in [
            ("--region eu-west-1", "--control-plane URL is missing"),
            (&format!("{COMPLETE} --port 70000"), "--port is \"70000\", and should be a number from 0 to 65535"),
            (&format!("{COMPLETE} --ports 1"), "--ports"),
            (&format!("{COMPLETE} extra"), "extra"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
