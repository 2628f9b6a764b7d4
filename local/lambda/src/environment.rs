//! The environment variables of a function's process.

use std::collections::BTreeMap;
use std::ffi::OsString;

use local_aws_api::AwsApi;

use crate::configuration::FunctionVersion;

/// Lambda's `PATH`. This machine's own follows it: interpreters are not where Amazon Linux has them.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/bin";

/// Keys that the control plane takes, as it takes any. On AWS these are the execution role's.
const KEY: &str = "local";

/// Everything that a process gets, and nothing of this process's own environment.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
///
/// The function's owner may set what AWS does not reserve, such as `PATH`, `LANG` and `TZ`; the control plane's address is
/// not reserved either, so that a function can be sent elsewhere. Absent: what belongs to managed runtimes
/// (`AWS_EXECUTION_ENV`, `LAMBDA_RUNTIME_DIR`, `NODE_PATH` ...), and `LD_LIBRARY_PATH`, with Amazon Linux's folders in it.
pub(crate) fn environment(
    function: &str,
    version: &FunctionVersion,
    aws: &AwsApi,
    log_stream: &str,
    runtime_api: &str,
) -> BTreeMap<String, OsString> {
    let own_path = std::env::var("PATH").unwrap_or_default();
    let open = [
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", format!("{PATH}:{own_path}").trim_end_matches(':').to_owned()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("AWS_ENDPOINT_URL", aws.endpoint().to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    let reserved = [
        ("_HANDLER", version.handler.clone()),
        ("AWS_REGION", aws.region().to_owned()),
        ("AWS_DEFAULT_REGION", aws.region().to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", version.memory_size.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", version.version.clone()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", version.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", KEY.to_owned()),
        ("AWS_SESSION_TOKEN", KEY.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
    ];
    let own = |(name, value): (&str, String)| (name.to_owned(), OsString::from(value));
    let mut environment: BTreeMap<String, OsString> = open.into_iter().map(own).collect();
    environment.extend(version.environment.iter().map(|(name, value)| (name.clone(), value.into())));
    environment.extend(reserved.into_iter().map(own));
    environment.insert("LAMBDA_TASK_ROOT".to_owned(), version.task_root.clone().into());
    environment
}
