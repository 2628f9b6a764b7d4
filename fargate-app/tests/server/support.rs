//! A running server, and clients that know HTTP no better than they have to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

pub const KEY: &str = "the-key-of-the-tests";
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary, running with `variables` and nothing else in its environment.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    log: Option<JoinHandle<Vec<Value>>>,
}

impl Server {
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fargate-app"));
        command.env_clear().envs([("PORT", "0"), ("API_KEY", KEY)]).envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = move || Some(serde_json::from_str::<Value>(&lines.next()?.unwrap()).unwrap());
        let address = loop {
            let line = read().expect("it listens");
            if line["message"] == "listening" {
                break line["address"].as_str().unwrap().parse().unwrap();
            }
        };
        let log = std::thread::spawn(move || std::iter::from_fn(read).collect());
        Self { child, address, log: Some(log) }
    }

    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Client(stream)
    }

    /// Posts `body` as JSON on a connection of its own.
    pub fn post(&self, body: &str) -> Answer {
        self.connect().send(&request("POST /string/replace", &[("x-api-key", KEY)], body)).unwrap()
    }

    pub fn terminate(&self) {
        let done = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for the end; returns how it ended and all lines that it printed after it listened.
    pub fn ended(mut self) -> (ExitStatus, Vec<Value>) {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        (status, self.log.take().unwrap().join().unwrap())
    }

    /// Ends it; returns the log lines of requests.
    pub fn requests(self) -> Vec<Value> {
        self.terminate();
        self.ended().1.into_iter().filter(|line| line["message"] == "request").collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The text of a request.
pub fn request(line: &str, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One connection.
pub struct Client(pub TcpStream);

impl Client {
    pub fn send(&mut self, request: &str) -> std::io::Result<Answer> {
        self.0.write_all(request.as_bytes())?;
        self.answer()
    }

    /// Reads an answer that has a length.
    pub fn answer(&mut self) -> std::io::Result<Answer> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.0.read_exact(&mut body)?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok(Answer { status, head, body: String::from_utf8(body).unwrap() })
    }

    /// Whether the server closes the connection, having said nothing more.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}
