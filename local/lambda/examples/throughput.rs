//! Invocations per second, and CPU time for each: `cargo run --release -p local-lambda --example throughput [INVOCATIONS]`.
//!
//! The function is this program itself, started again as a `bootstrap`: a loop over one connection that answers every
//! event with the same bytes, so what is measured is the service.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use local_aws_api::AwsApi;
use local_lambda::{Function, FunctionVersion, Functions, InvokeRequest, Lambda, Settings, TracingMode};

const CALLERS: usize = 8;
const PROCESSES: usize = 2;
const EVENT: &[u8] =
    br#"{"httpMethod":"POST","path":"/string/replace","body":"{\"content\":\"Yesterday ABN and ing\"}"}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::var("AWS_LAMBDA_RUNTIME_API") {
        Ok(address) => Ok(bootstrap(&address)?),
        Err(_) => tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure()),
    }
}

async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let invocations: usize = std::env::args().nth(1).map_or(Ok(100_000), |number| number.parse())?;
    let folder = tempfile::tempdir()?;
    let bootstrap = folder.path().join("bootstrap");
    fs::copy(std::env::current_exe()?, &bootstrap)?;
    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755))?;

    // Nothing asks the control plane for anything.
    let aws = AwsApi::new("http://127.0.0.1:9", "eu-west-1")?;
    let settings =
        Settings { instances_per_version: PROCESSES, returning: Duration::from_secs(1), ..Settings::default() };
    let lambda = Lambda::new(aws, settings)?;
    lambda.update(Functions { functions: vec![function(folder.path())], event_source_mappings: vec![] });

    let request = || InvokeRequest { payload: Bytes::from_static(EVENT), ..InvokeRequest::default() };
    for _ in 0..1000 {
        lambda.invoke("f", request()).await?;
    }
    let left = Arc::new(AtomicUsize::new(invocations));
    let (begin, cpu) = (Instant::now(), cpu_time()?);
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (lambda, left) = (lambda.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    let invocation = lambda.invoke("f", request()).await?;
                    assert!(!invocation.function_error, "{invocation:?}");
                }
                Ok::<_, local_lambda::Refusal>(())
            })
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    let (elapsed, cpu) = (begin.elapsed(), cpu_time()? - cpu);
    let count = invocations as f64;
    println!("{invocations} invocations, {CALLERS} callers, {} processes", lambda.instances().len());
    println!("{:.0} invocations/s", count / elapsed.as_secs_f64());
    println!("{:.1} µs of CPU time for each in the service", cpu.as_secs_f64() * 1e6 / count);
    lambda.shutdown().await;
    Ok(())
}

fn function(task_root: &std::path::Path) -> Function {
    let latest = FunctionVersion {
        version: "$LATEST".to_owned(),
        code_sha256: String::new(),
        task_root: task_root.to_owned(),
        handler: "bootstrap".to_owned(),
        environment: [].into(),
        timeout: Duration::from_secs(30),
        memory_size: 128,
        tracing: TracingMode::PassThrough,
        log_group: "/aws/lambda/f".to_owned(),
        dead_letter_target: None,
    };
    Function {
        name: "f".to_owned(),
        arn: "arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned(),
        versions: vec![latest],
        aliases: vec![],
        reserved_concurrency: None,
        event_invoke: [].into(),
    }
}

/// Of this process, all threads; its children are not in it.
fn cpu_time() -> io::Result<Duration> {
    // Nanoseconds on a CPU are the first number of each thread's schedstat.
    let mut total = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text.split(' ').next().and_then(|number| number.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(Duration::from_nanos(total))
}

/// The smallest runtime that there can be.
fn bootstrap(address: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        write!(stream, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
        let Some(id) = response(&mut reader)? else { return Ok(()) };
        let body = r#"{"statusCode":200,"body":"ok"}"#;
        let head = format!("POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\r\nHost: {address}\r\n");
        stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
        response(&mut reader)?;
    }
}

/// Reads one response; the request id, if it has one.
fn response(reader: &mut BufReader<TcpStream>) -> io::Result<Option<String>> {
    let (mut id, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end().split_once(": ") {
            None if line.trim_end().is_empty() => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().map_err(io::Error::other)?;
            }
            Some((name, value)) if name.eq_ignore_ascii_case("lambda-runtime-aws-request-id") => {
                id = Some(value.to_owned());
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(id)
}
