//! What a Lambda function prints: a line of JSON for each event of `tracing`, which Lambda passes on to CloudWatch as it is.

use env::{BadVariable, Env};
use tracing::level_filters::LevelFilter;

/// Sends `tracing`'s events to stdout, from the level that the function's logging configuration says
/// (`AWS_LAMBDA_LOG_LEVEL`), else from INFO.
///
/// # Errors
/// When that is no level.
pub fn install(env: &Env) -> Result<(), BadVariable> {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level(env)?)
        .init();
    Ok(())
}

fn level(env: &Env) -> Result<LevelFilter, BadVariable> {
    const NAME: &str = "AWS_LAMBDA_LOG_LEVEL";
    if env.get(NAME) == Some("FATAL") {
        return Ok(LevelFilter::ERROR); // Lambda knows one level more than `tracing`
    }
    Ok(env.parse(NAME, "TRACE, DEBUG, INFO, WARN, ERROR or FATAL")?.unwrap_or(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_that_lambda_sets_is_known() {
        let of = |value: &str| level(&Env::from_iter([("AWS_LAMBDA_LOG_LEVEL", value)]));
        assert_eq!(of(""), Ok(LevelFilter::INFO));
        for (name, filter) in [
            ("TRACE", LevelFilter::TRACE),
            ("DEBUG", LevelFilter::DEBUG),
            ("INFO", LevelFilter::INFO),
            ("WARN", LevelFilter::WARN),
            ("ERROR", LevelFilter::ERROR),
            ("FATAL", LevelFilter::ERROR),
        ] {
            assert_eq!(of(name), Ok(filter));
        }
        assert!(of("LOUD").unwrap_err().to_string().starts_with(r#"AWS_LAMBDA_LOG_LEVEL="LOUD""#));
    }
}
