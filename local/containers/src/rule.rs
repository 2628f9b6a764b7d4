//! What a listener does with a request: conditions, and the action of the first rule that they fit.
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html>

use std::net::IpAddr;

use http::{HeaderMap, Method};
use ipnet::IpNet;

/// A rule of a listener other than its default one.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// 1 to 50,000; lower ones are looked at first.
    pub priority: u32,
    /// All must fit.
    pub conditions: Vec<Condition>,
    /// What is done then.
    pub action: Action,
}

/// Fits a request if one of its values does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The host without its port, in any case, with `*` and `?`.
    HostHeader(Vec<String>),
    /// The path, in its case, with `*` and `?`.
    PathPattern(Vec<String>),
    /// A header's value, in any case, with `*` and `?`.
    HttpHeader {
        /// The header's name.
        name: String,
        /// Patterns.
        values: Vec<String>,
    },
    /// The method, in its case.
    HttpRequestMethod(Vec<String>),
    /// A key and a value of the query, in any case, with `*` and `?`; without a key, any key.
    QueryString(Vec<(Option<String>, String)>),
    /// Where the connection comes from.
    SourceIp(Vec<IpNet>),
    /// One that is not known here, by its name: fits nothing.
    Unknown(String),
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// To one of the target groups, in proportion to their weights.
    Forward(Vec<WeightedTargetGroup>),
    /// The client is sent elsewhere. Each part may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}`, `#{query}`.
    Redirect(Redirect),
    /// The same answer for everybody.
    FixedResponse {
        /// 2xx, 4xx or 5xx.
        status: u16,
        /// Of the body.
        content_type: Option<String>,
        /// At most 1,024 characters.
        body: String,
    },
    /// One that is not carried out here (`authenticate-oidc`, `authenticate-cognito`), by its name.
    Unsupported(String),
}

/// A target group of a forward action.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedTargetGroup {
    /// Its ARN.
    pub arn: String,
    /// 0 to 999, of the sum of all.
    pub weight: u32,
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html>
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "parts of a URL")]
pub struct Redirect {
    pub protocol: String,
    pub host: String,
    pub port: String,
    pub path: String,
    pub query: String,
    pub status: u16,
}

/// What conditions look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The Host header's value.
    pub host: &'a str,
    /// As received.
    pub path: &'a str,
    /// As received, without the `?`.
    pub query: &'a str,
    /// As received.
    pub method: &'a Method,
    /// As received.
    pub headers: &'a HeaderMap,
    /// Who opened the connection.
    pub source_ip: IpAddr,
}

impl<'a> Facts<'a> {
    /// The host without a port.
    #[must_use]
    pub fn host_name(&self) -> &'a str {
        match self.host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => self.host,
        }
    }
}

/// The action for a request: that of the first rule, by priority, whose conditions all fit, or else `default`.
pub fn choose<'a>(rules: &'a [Rule], default: &'a Action, facts: &Facts<'_>) -> &'a Action {
    let fitting = rules.iter().filter(|rule| rule.conditions.iter().all(|condition| condition.fits(facts)));
    fitting.min_by_key(|rule| rule.priority).map_or(default, |rule| &rule.action)
}

impl Condition {
    fn fits(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::HostHeader(values) => values.iter().any(|value| is_like_in_any_case(value, facts.host_name())),
            Self::PathPattern(values) => values.iter().any(|value| is_like(value.as_bytes(), facts.path.as_bytes())),
            Self::HttpHeader { name, values } => facts
                .headers
                .get_all(name)
                .iter()
                .filter_map(|header| header.to_str().ok())
                .any(|header| values.iter().any(|value| is_like_in_any_case(value, header))),
            Self::HttpRequestMethod(values) => values.iter().any(|value| value == facts.method.as_str()),
            Self::QueryString(wanted) => facts.query.split('&').filter(|pair| !pair.is_empty()).any(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                wanted.iter().any(|(wanted_key, wanted_value)| {
                    wanted_key.as_deref().is_none_or(|wanted_key| is_like_in_any_case(wanted_key, key))
                        && is_like_in_any_case(wanted_value, value)
                })
            }),
            Self::SourceIp(ranges) => {
                let address = facts.source_ip.to_canonical();
                ranges.iter().any(|range| range.contains(&address))
            }
            Self::Unknown(_) => false,
        }
    }
}

impl Redirect {
    /// Where the client is sent. `protocol` and `port` are the listener's.
    #[must_use]
    pub fn location(&self, facts: &Facts<'_>, protocol: &str, port: u16) -> String {
        let fill = |part: &str| {
            part.replace("#{protocol}", &protocol.to_ascii_lowercase())
                .replace("#{host}", facts.host_name())
                .replace("#{port}", &port.to_string())
                // The leading slash is the pattern's own: `/#{path}`.
                .replace("#{path}", facts.path.trim_start_matches('/'))
                .replace("#{query}", facts.query)
        };
        let protocol = fill(&self.protocol).to_ascii_lowercase();
        let mut location = format!("{protocol}://{}:{}{}", fill(&self.host), fill(&self.port), fill(&self.path));
        let query = fill(&self.query);
        if !query.is_empty() {
            location.push('?');
            location.push_str(&query);
        }
        location
    }
}

fn is_like_in_any_case(pattern: &str, text: &str) -> bool {
    is_like(pattern.to_ascii_lowercase().as_bytes(), text.to_ascii_lowercase().as_bytes())
}

/// Whether `text` fits `pattern`, in which `*` stands for any bytes or none and `?` for one. Goes back to the last `*` only,
/// which is enough: an earlier one could not do better.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut last_star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            last_star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|byte| *byte == b'?' || *byte == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star, at)) = last_star {
            p = star + 1;
            t = at + 1;
            last_star = Some((star, at + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(url: (&'a str, &'a str, &'a str), headers: &'a HeaderMap) -> Facts<'a> {
        let (host, path, query) = url;
        Facts { host, path, query, method: &Method::GET, headers, source_ip: [10, 1, 2, 3].into() }
    }

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("/img/*", "/img/", true),
            ("/img/*", "/img", false),
            ("/*/list", "/a/b/list", true),
            ("/a?c", "/abc", true),
            ("/a?c", "/ac", false),
            ("*a*b", "xaxbxab", true),
            ("*a*b", "xaxbxa", false),
            ("/Path", "/path", false),
            ("", "", true),
        ] {
            assert_eq!(is_like(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn each_condition_fits_what_aws_says() {
        let headers: HeaderMap =
            [(http::HeaderName::from_static("user-agent"), "Mozilla/5.0".parse().unwrap())].into_iter().collect();
        let request = facts(("API.example.com:8080", "/v1/things", "a=1&b&C=x%20y"), &headers);
        let cidr = |text: &str| text.parse().unwrap();
        for (condition, expected) in [
            (Condition::HostHeader(values(&["*.EXAMPLE.com"])), true),
            (Condition::HostHeader(values(&["example.com"])), false),
            (Condition::PathPattern(values(&["/v2/*", "/v1/*"])), true),
            (Condition::PathPattern(values(&["/V1/*"])), false),
            (Condition::HttpHeader { name: "User-Agent".into(), values: values(&["*mozilla*"]) }, true),
            (Condition::HttpHeader { name: "x-none".into(), values: values(&["*"]) }, false),
            (Condition::HttpRequestMethod(values(&["GET"])), true),
            (Condition::HttpRequestMethod(values(&["get"])), false),
            (Condition::QueryString(vec![(Some("c".into()), "X*".into())]), true),
            (Condition::QueryString(vec![(None, "1".into())]), true),
            (Condition::QueryString(vec![(Some("b".into()), String::new())]), true),
            (Condition::QueryString(vec![(Some("d".into()), "*".into())]), false),
            (Condition::SourceIp(vec![cidr("192.168.0.0/16"), cidr("10.0.0.0/8")]), true),
            (Condition::SourceIp(vec![cidr("10.1.2.4/32"), cidr("::/0")]), false),
            (Condition::Unknown("tls".into()), false),
        ] {
            assert_eq!(condition.fits(&request), expected, "{condition:?}");
        }
    }

    #[test]
    fn the_lowest_priority_that_fits_in_all_conditions_wins() {
        let headers = HeaderMap::new();
        let answer = |status| Action::FixedResponse { status, content_type: None, body: String::new() };
        let rule = |priority, conditions, status| Rule { priority, conditions, action: answer(status) };
        let path = |path| Condition::PathPattern(values(&[path]));
        let method = |method| Condition::HttpRequestMethod(values(&[method]));
        let rules = [
            rule(30, vec![path("/*")], 203),
            rule(10, vec![path("/*"), method("PUT")], 201),
            rule(20, vec![path("/a")], 202),
        ];
        let default = answer(200);
        let status = |path| match choose(&rules, &default, &facts(("h", path, ""), &headers)) {
            Action::FixedResponse { status, .. } => *status,
            other => panic!("{other:?}"),
        };
        assert_eq!((status("/a"), status("/b"), status("none")), (202, 203, 200));
    }

    #[test]
    fn redirects_fill_in_what_was_asked_for() {
        let headers = HeaderMap::new();
        let request = facts(("example.com:80", "/a/b", "x=1"), &headers);
        let to = |protocol: &str, host: &str, port: &str, path: &str, query: &str| {
            let [protocol, host, port, path, query] = [protocol, host, port, path, query].map(str::to_owned);
            Redirect { protocol, host, port, path, query, status: 301 }.location(&request, "HTTP", 80)
        };
        assert_eq!(
            to("HTTPS", "#{host}", "443", "/#{path}", "#{query}"),
            "https://example.com:443/a/b?x=1",
            "the default parts"
        );
        assert_eq!(to("#{protocol}", "new.#{host}", "#{port}", "/v2/#{path}", ""), "http://new.example.com:80/v2/a/b");
    }
}
