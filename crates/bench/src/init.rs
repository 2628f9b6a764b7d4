//! Lambda INIT: from the start of the process to its first request for an event, the map read from SSM over TLS in
//! between; against an empty `lambda_http`, which does the least that a function can do.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use crate::package::{self, For};
use crate::process;
use crate::report::{Report, Target, median};
use crate::server::built;

/// Figures are medians over this many rounds; in each, both have their turn.
const ROUNDS: usize = 31;
const PATIENCE: Duration = Duration::from_secs(30);
const MB: f64 = 1e6;

pub(crate) fn run() -> anyhow::Result<()> {
    let title = "Lambda INIT: CPU time from start to the first request for an event (same run, in turn)";
    let mut report = Report::new("init", title);
    let ssm = Ssm::start()?;
    let (function, empty) = (written_in_one_go("string-replace")?, written_in_one_go("empty_lambda")?);
    let (mut times, mut empty_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let (mut memory, mut empty_memory) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=ROUNDS {
        let (time, rss) = init(&function, &ssm.environment())?;
        ensure!(ssm.asked.load(SeqCst) == round + 1, "the function did not read its map");
        let (empty_time, empty_rss) = init(&empty, &[])?;
        if round > 0 {
            times.push(time);
            empty_times.push(empty_time);
            ratios.push(time / empty_time);
            memory.push(rss as f64 / MB);
            empty_memory.push(empty_rss as f64 / MB);
        }
    }
    report.figure("string-replace, one SSM call over TLS included", median(times), "ms", Target::None);
    report.figure("empty lambda_http", median(empty_times), "ms", Target::None);
    report.figure("string-replace / empty", median(ratios), "x", Target::AtMost(2.5));
    report.figure("string-replace: RSS", median(memory), "MB", Target::AtMost(10.0));
    report.figure("empty lambda_http: RSS", median(empty_memory), "MB", Target::None);
    let zip = package::pack(&function, For::Lambda)?;
    report.figure("string-replace: zip", fs::metadata(zip)?.len() as f64 / MB, "MB", Target::AtMost(5.0));
    report.write()
}

/// A copy of a program. Of one that was just linked, the pages came into the cache one by one, and are mapped one by one: that
/// makes a tenth of INIT, and of the other program too if that was linked just now.
fn written_in_one_go(name: &str) -> anyhow::Result<PathBuf> {
    let folder = package::folder()?;
    let copy = folder.join(name);
    fs::copy(built(name)?, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}

/// Starts a function; returns the milliseconds of CPU time and the bytes of memory that its INIT took.
fn init(program: &Path, environment: &[(&str, String)]) -> anyhow::Result<(f64, u64)> {
    let api = TcpListener::bind("127.0.0.1:0")?;
    let mut command = Command::new(program);
    command.env_clear().envs([
        ("AWS_LAMBDA_RUNTIME_API", api.local_addr()?.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
    ]);
    let child = command.envs(environment.iter().cloned()).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let mut function = Function(child.with_context(|| format!("cannot start {}", program.display()))?);
    let mut asking = function.connects_to(&api)?;
    asking.set_read_timeout(Some(PATIENCE))?;
    let head = read_head(&mut asking)?;
    ensure!(head.starts_with(b"GET /2018-06-01/runtime/invocation/next "), "{} asked otherwise", program.display());
    let pid = function.0.id();
    Ok((process::cpu(pid)?.as_secs_f64() * 1e3, process::peak_rss(pid)?))
}

/// A running function; killed when dropped.
struct Function(Child);

impl Function {
    fn connects_to(&mut self, api: &TcpListener) -> anyhow::Result<TcpStream> {
        api.set_nonblocking(true)?;
        let begun = Instant::now();
        loop {
            match api.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(status) = self.0.try_wait()? {
                anyhow::bail!("the function ended during INIT: {status}");
            }
            ensure!(begun.elapsed() < PATIENCE, "no request for an event within {PATIENCE:?}");
            thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended already; there is nothing to do about either outcome.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// An SSM with one parameter, over TLS, with a certificate from a CA of its own.
struct Ssm {
    url: String,
    ca: PathBuf,
    asked: Arc<AtomicUsize>,
}

impl Ssm {
    fn start() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        let (tls, asked) = (Arc::new(tls), Arc::new(AtomicUsize::new(0)));

        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("https://localhost:{}", listener.local_addr()?.port());
        let ca = std::env::temp_dir().join(format!("bench-init-{}.pem", std::process::id()));
        fs::write(&ca, issuer.pem())?;
        let counter = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                // One that fails leaves its function without a map, which the count shows.
                if let Err(error) = stream.map_err(Into::into).and_then(|stream| answer(stream, &tls, &counter)) {
                    eprintln!("bench: SSM: {error:#}");
                }
            }
        });
        Ok(Self { url, ca, asked })
    }

    fn environment(&self) -> [(&'static str, String); 6] {
        [
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_CA_BUNDLE", self.ca.display().to_string()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("STRINGS_MAPPING_PARAMETER_NAME", "/bench/map".to_owned()),
        ]
    }
}

impl Drop for Ssm {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.ca);
    }
}

fn answer(stream: TcpStream, tls: &Arc<ServerConfig>, asked: &AtomicUsize) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(tls))?, stream);
    let head = read_head(&mut stream)?.to_ascii_lowercase();
    ensure!(head.windows(21).any(|window| window == b"amazonssm.getparamete"), "not a GetParameter");
    asked.fetch_add(1, SeqCst);
    let map = json!({"ABN": "ABN AMRO", "ING": "ING BANK", "Rabo": "Rabobank"}).to_string();
    let body = json!({"Parameter": {"Name": "/bench/map", "Type": "String", "Value": map, "Version": 1}}).to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: ";
    stream.write_all(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes())?;
    stream.flush()?;
    // Until the function ends, as SSM would: the function is not to spend its INIT on a connection that closes.
    _ = stream.read(&mut [0; 1024]);
    Ok(())
}

/// Reads up to the end of a request's head, and what came with it.
fn read_head(stream: &mut impl Read) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the connection was closed");
        bytes.extend_from_slice(&buffer[..read]);
    }
    Ok(bytes)
}
