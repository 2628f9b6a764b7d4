//! One line for each request: what was asked and what came of it; never a body, a key or a query string.

use std::io::Write;
use std::net::IpAddr;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};

use crate::log::Log;

const AMAZON_REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// Longer values are cut: a client decides on them, and lines are stored for money.
const LONGEST: usize = 512;

/// How every line starts; the time is that of its end.
const START: &[u8] = br#"{"timestamp":"0000-00-00T00:00:00.000Z","level":"INFO","message":"request","method":""#;
const TIMESTAMP: Range<usize> = 14..38;
/// Room for the lines of most requests.
const USUAL: usize = 384;

/// What is known about a request.
pub struct Record {
    /// The line, as far as it can be written when the request comes. So the request's head is not kept: with it, the memory
    /// that it was read into would be, and the server could not read the body into that.
    line: Vec<u8>,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// `None` if the client went away before there was one.
    pub status: Option<StatusCode>,
    /// The response was handed over to its last byte.
    pub is_whole: bool,
}

impl Record {
    pub fn new<B>(request: &Request<B>, client_ip: IpAddr, request_id: &HeaderValue) -> Self {
        let mut line = Vec::with_capacity(USUAL);
        line.extend_from_slice(START);
        // A method consists of characters that mean nothing in a JSON string.
        line.extend_from_slice(cut(request.method().as_str().as_bytes()));
        line.extend_from_slice(b"\",\"path\":\"");
        escape(request.uri().path().as_bytes(), &mut line);
        line.extend_from_slice(b"\",\"client_ip\":\"");
        address(client_ip, &mut line);
        line.extend_from_slice(b"\",\"request_id\":\"");
        line.extend_from_slice(request_id.as_bytes());
        if let Some(trace_id) = request.headers().get(TRACE_ID) {
            line.extend_from_slice(b"\",\"trace_id\":\"");
            escape(trace_id.as_bytes(), &mut line);
        }
        line.extend_from_slice(b"\",\"status\":");
        Self { line, bytes_in: 0, bytes_out: 0, status: None, is_whole: false }
    }

    /// The whole line of a request that ends now.
    fn end(&mut self, took: Duration, now: SystemTime) -> &[u8] {
        let line = &mut self.line;
        line[TIMESTAMP].copy_from_slice(&timestamp(now));
        match self.status {
            Some(status) => line.extend_from_slice(status.as_str().as_bytes()),
            None => line.extend_from_slice(b"null"),
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        line.extend_from_slice(b",\"milliseconds\":");
        number(micros / 1000, line);
        line.push(b'.');
        let mut thousandths = [0; 3];
        digits(micros % 1000, &mut thousandths);
        line.extend_from_slice(&thousandths);
        line.extend_from_slice(b",\"bytes_in\":");
        number(self.bytes_in, line);
        line.extend_from_slice(b",\"bytes_out\":");
        number(self.bytes_out, line);
        line.extend_from_slice(if self.is_whole { b"}\n" } else { b",\"aborted\":true}\n" });
        line
    }
}

/// Writes the line of a request that ends now.
pub fn write(log: &Log, record: &mut Record, took: Duration) {
    log.line(record.end(took, SystemTime::now()));
}

/// What a request is known by: API Gateway's identifier, or one of our own.
pub fn request_id(headers: &HeaderMap) -> HeaderValue {
    headers.get(AMAZON_REQUEST_ID).and_then(identifier).unwrap_or_else(new_id)
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

/// `now` as RFC 3339 in UTC with milliseconds.
fn timestamp(now: SystemTime) -> [u8; 24] {
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
    let mut text = *b"0000-00-00T00:00:00.000Z";
    digits(year, &mut text[..4]);
    digits(month, &mut text[5..7]);
    digits(day, &mut text[8..10]);
    digits(second / 3600, &mut text[11..13]);
    digits(second / 60 % 60, &mut text[14..16]);
    digits(second % 60, &mut text[17..19]);
    digits(milliseconds, &mut text[20..23]);
    text
}

/// Writes `value` in decimal, with zeros before it.
#[inline(always)]
fn digits(mut value: u64, text: &mut [u8]) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
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
        number(octet.into(), line);
    }
}

/// Appends `value` in decimal.
fn number(value: u64, line: &mut Vec<u8>) {
    line.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(request: http::request::Builder) -> String {
        let request = request.body(()).unwrap();
        let id = request_id(request.headers());
        let mut record = Record::new(&request, "203.0.113.7".parse().unwrap(), &id);
        record.status = Some(StatusCode::OK);
        (record.bytes_in, record.bytes_out, record.is_whole) = (12, 34, true);
        let end = UNIX_EPOCH + Duration::from_millis(1_709_210_096_007);
        String::from_utf8(record.end(Duration::from_micros(1_023), end).to_vec()).unwrap()
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
                r#""path":"/string/replace","client_ip":"203.0.113.7","#,
                r#""request_id":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef","#,
                r#""trace_id":"Root=1-5759e988-bd862e3fe1be46a994272793","#,
                r#""status":200,"milliseconds":1.023,"bytes_in":12,"bytes_out":34}"#,
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
        let sent = |id: &str| HeaderMap::from_iter([(AMAZON_REQUEST_ID, id.parse().unwrap())]);
        assert_eq!(request_id(&sent("c6af-9")), "c6af-9");
        for bad in ["", "a b", "a\"b", &"x".repeat(129)] {
            assert_eq!(request_id(&sent(bad)).len(), 32, "{bad:?}");
        }
        assert_ne!(new_id(), new_id());
    }

    #[test]
    fn long_values_are_cut() {
        let line = line(Request::get(format!("/{}", "x".repeat(10_000))));
        assert!(line.len() < 2 * LONGEST);
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
            assert_eq!(str::from_utf8(&timestamp(UNIX_EPOCH + Duration::from_secs(seconds))), Ok(expected));
        }
    }
}
