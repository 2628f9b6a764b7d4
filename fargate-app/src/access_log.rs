//! One line for each request: what was asked and what came of it; never a body, a key or a query string.

use std::cell::RefCell;
use std::io::Write;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderName, HeaderValue, Method, Request, StatusCode};

use crate::log::Log;

const AMAZON_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// Longer values are cut: a client decides on them, and lines are stored for money.
const LONGEST: usize = 512;

/// What is known about a request.
///
/// All of it is copied: a part of the request's head would keep the memory that the head was read into, and the server
/// could not read the body into that.
pub struct Record {
    method: Method,
    path: Box<[u8]>,
    client_ip: IpAddr,
    /// API Gateway's, or our own.
    pub request_id: HeaderValue,
    trace_id: Option<Box<[u8]>>,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// `None` if the client went away before there was one.
    pub status: Option<StatusCode>,
    /// The response was handed over to its last byte.
    pub is_whole: bool,
}

impl Record {
    pub fn new<B>(request: &Request<B>, client_ip: IpAddr) -> Self {
        let headers = request.headers();
        Self {
            method: request.method().clone(),
            path: cut(request.uri().path().as_bytes()).into(),
            client_ip,
            request_id: headers.get(AMAZON_REQUEST_ID).and_then(identifier).unwrap_or_else(new_id),
            trace_id: headers.get(TRACE_ID).map(|id| cut(id.as_bytes()).into()),
            bytes_in: 0,
            bytes_out: 0,
            status: None,
            is_whole: false,
        }
    }

    fn line(&self, took: Duration, now: SystemTime, line: &mut Vec<u8>) {
        line.extend_from_slice(b"{\"timestamp\":\"");
        timestamp(now, line);
        line.extend_from_slice(b"\",\"level\":\"INFO\",\"message\":\"request\",\"method\":\"");
        escape(self.method.as_str().as_bytes(), line);
        line.extend_from_slice(b"\",\"path\":\"");
        escape(&self.path, line);
        line.extend_from_slice(b"\",\"status\":");
        match self.status {
            Some(status) => line.extend_from_slice(status.as_str().as_bytes()),
            None => line.extend_from_slice(b"null"),
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        line.extend_from_slice(b",\"milliseconds\":");
        number(micros / 1000, 1, line);
        line.push(b'.');
        number(micros % 1000, 3, line);
        line.extend_from_slice(b",\"bytes_in\":");
        number(self.bytes_in, 1, line);
        line.extend_from_slice(b",\"bytes_out\":");
        number(self.bytes_out, 1, line);
        line.extend_from_slice(b",\"client_ip\":\"");
        address(self.client_ip, line);
        line.extend_from_slice(b"\",\"request_id\":\"");
        escape(self.request_id.as_bytes(), line);
        line.push(b'"');
        if let Some(trace_id) = &self.trace_id {
            line.extend_from_slice(b",\"trace_id\":\"");
            escape(trace_id, line);
            line.push(b'"');
        }
        if !self.is_whole {
            line.extend_from_slice(b",\"aborted\":true");
        }
        line.extend_from_slice(b"}\n");
    }
}

/// Writes the line.
pub fn write(log: &Log, record: &Record, took: Duration) {
    thread_local! {
        static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    LINE.with_borrow_mut(|line| {
        line.clear();
        record.line(took, SystemTime::now(), line);
        log.line(line);
    });
}

/// An identifier from outside, if it is fit to be sent back and stored.
fn identifier(value: &HeaderValue) -> Option<HeaderValue> {
    let id = value.as_bytes();
    let is_fit = (1..=128).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
    if is_fit { HeaderValue::from_bytes(id).ok() } else { None }
}

/// An identifier that no other request has: 128 random bits. Nothing depends on it being hard to guess.
fn new_id() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let random = fastrand::u128(..).to_le_bytes();
    let mut hex = [0; 32];
    for (digits, byte) in hex.chunks_exact_mut(2).zip(random) {
        digits[0] = DIGITS[usize::from(byte >> 4)];
        digits[1] = DIGITS[usize::from(byte & 15)];
    }
    HeaderValue::from_bytes(&hex).expect("hexadecimal digits are visible ASCII")
}

fn cut(text: &[u8]) -> &[u8] {
    &text[..text.len().min(LONGEST)]
}

/// Appends `text` as the inside of a JSON string. Only ASCII is taken as it is: the bytes of a header need not be UTF-8.
fn escape(text: &[u8], line: &mut Vec<u8>) {
    let text = cut(text);
    let needs_none = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.iter().all(|byte| needs_none(*byte)) {
        return line.extend_from_slice(text);
    }
    for byte in text {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            byte if needs_none(*byte) => line.push(*byte),
            byte => _ = write!(line, "\\u{byte:04x}"),
        }
    }
}

/// Appends `now` as RFC 3339 in UTC with milliseconds.
fn timestamp(now: SystemTime, line: &mut Vec<u8>) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, milliseconds) = (since.as_secs(), u64::from(since.subsec_millis()));
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days, for days since 1970: a year
    // starts in March, so that the leap day is its last.
    let shifted = days + 719_468;
    let era_day = shifted % 146_097;
    let era_year = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
    let year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    let from_march = (5 * year_day + 2) / 153;
    let day = year_day - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era_year + shifted / 146_097 * 400 + u64::from(month <= 2);
    for (part, digits, after) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (second / 3600, 2, b':'),
        (second / 60 % 60, 2, b':'),
        (second % 60, 2, b'.'),
        (milliseconds, 3, b'Z'),
    ] {
        number(part, digits, line);
        line.push(after);
    }
}

/// Appends an address. Most are four numbers.
fn address(ip: IpAddr, line: &mut Vec<u8>) {
    let IpAddr::V4(ip) = ip else {
        _ = write!(line, "{ip}");
        return;
    };
    for (n, octet) in ip.octets().into_iter().enumerate() {
        if n > 0 {
            line.push(b'.');
        }
        number(octet.into(), 1, line);
    }
}

/// Appends `value` in decimal, with at least `digits` digits. A line has a dozen numbers, and `write!` takes several times
/// as long for each.
fn number(mut value: u64, digits: usize, line: &mut Vec<u8>) {
    let mut decimal = [b'0'; 20];
    let mut start = decimal.len();
    while value > 0 {
        start -= 1;
        decimal[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    line.extend_from_slice(&decimal[start.min(decimal.len() - digits)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(request: http::request::Builder) -> String {
        let mut record = Record::new(&request.body(()).unwrap(), "203.0.113.7".parse().unwrap());
        record.status = Some(StatusCode::OK);
        (record.bytes_in, record.bytes_out, record.is_whole) = (12, 34, true);
        let mut line = Vec::new();
        record.line(Duration::from_micros(1_023), UNIX_EPOCH + Duration::from_millis(1_709_210_096_007), &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_line_has_it_all() {
        let request = Request::post("http://h/string/replace?secret=1")
            .header("x-amzn-requestid", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
            .header("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793")
            .header("x-api-key", "hidden");
        assert_eq!(
            line(request),
            concat!(
                r#"{"timestamp":"2024-02-29T12:34:56.007Z","level":"INFO","message":"request","method":"POST","#,
                r#""path":"/string/replace","status":200,"milliseconds":1.023,"bytes_in":12,"bytes_out":34,"#,
                r#""client_ip":"203.0.113.7","request_id":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","#,
                r#""trace_id":"Root=1-5759e988-bd862e3fe1be46a994272793"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn what_a_client_sends_cannot_end_the_string_or_the_line() {
        let trace = HeaderValue::from_bytes(b"a\"b\\c\td\xff").unwrap();
        let line = line(Request::get("/a\"b").header("x-amzn-trace-id", trace));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["trace_id"], "a\"b\\c\td\u{ff}");
        assert_eq!(read["path"], "/a\"b");
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn a_request_id_from_outside_is_taken_only_if_it_looks_like_one() {
        for bad in ["", "a b", "a\"b", &"x".repeat(129)] {
            let record = Record::new(
                &Request::get("/").header("x-amzn-requestid", bad).body(()).unwrap(),
                "::1".parse().unwrap(),
            );
            assert_eq!(record.request_id.len(), 32, "{bad:?}");
        }
        assert_ne!(new_id(), new_id());
    }

    #[test]
    fn long_values_are_cut() {
        let line = line(Request::get(format!("/{}", "x".repeat(10_000))));
        assert!(line.len() < 2 * LONGEST);
    }

    #[test]
    fn numbers_are_right() {
        for (value, digits) in [(0, 1), (0, 3), (7, 2), (1234, 3), (u64::MAX, 1)] {
            let mut line = Vec::new();
            number(value, digits, &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), format!("{value:0digits$}"));
        }
    }

    #[test]
    fn addresses_are_right() {
        for text in ["0.0.0.0", "10.0.255.7", "255.255.255.255", "::1", "2001:db8::5", "::ffff:10.0.0.9"] {
            let mut line = Vec::new();
            address(text.parse().unwrap(), &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), text);
        }
    }

    #[test]
    fn dates_are_right_over_the_years() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_102_444_800, "2100-01-01T00:00:00.000Z"),
        ] {
            let mut line = Vec::new();
            timestamp(UNIX_EPOCH + Duration::from_secs(seconds), &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }
}
