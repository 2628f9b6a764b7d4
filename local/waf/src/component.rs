//! The part of a request that a statement looks at.
//! <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-fields-list.html>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::{RequestView, matched::Matched};

/// WAF sees no more of the headers, or of the cookies.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html>
const HEADER_BYTES: usize = 8 * 1024;
/// Nor more of them.
const HEADER_COUNT: usize = 200;

/// `FieldToMatch`, as far as it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Component {
    SingleHeader(String),
    SingleQueryArgument(String),
    AllQueryArguments,
    UriPath,
    QueryString,
    Method,
    Body(Oversize),
    JsonBody(JsonBody),
    Headers(Pairs),
    Cookies(Pairs),
    HeaderOrder(Oversize),
}

/// What is done with a request of which WAF sees a part only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Oversize {
    /// The part is looked at.
    #[default]
    Continue,
    Match,
    NoMatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Scope {
    All,
    Key,
    Value,
}

/// `Headers` and `Cookies`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs {
    pattern: Pattern,
    scope: Scope,
    oversize: Oversize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    All,
    Included(Vec<String>),
    Excluded(Vec<String>),
}

/// The body as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonBody {
    /// JSON pointers; none: everything.
    paths: Option<Vec<String>>,
    scope: Scope,
    /// What a body is taken for that is no JSON. Without it, AWS looks at what comes before the mistake; here, at nothing.
    invalid: Option<Invalid>,
    oversize: Oversize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Invalid {
    Match,
    NoMatch,
    EvaluateAsString,
}

/// What a component of a request came to.
#[derive(Debug)]
enum Inspected<'a> {
    /// The handling of what is too large or broken has decided.
    Decided(bool),
    /// The statement matches if any of these does. None, if the request does not have the component.
    Texts(Vec<Cow<'a, [u8]>>),
}

impl Component {
    /// From `{"SingleHeader": {"Name": "haystack"}}`.
    pub fn parse(definition: &Value) -> Result<Self, String> {
        let (kind, settings) =
            crate::statement::only_member(definition).map_err(|error| format!("FieldToMatch: {error}"))?;
        let wrong = |error: serde_json::Error| format!("FieldToMatch {kind}: {error}");
        let oversize = || member::<Option<Oversize>>(settings, "OversizeHandling").map(Option::unwrap_or_default);
        let pairs = |included: &str, excluded: &str| -> Result<Pairs, serde_json::Error> {
            let pattern = &settings["MatchPattern"];
            let pattern = match (pattern.get(included), pattern.get(excluded)) {
                (Some(names), _) => Pattern::Included(Deserialize::deserialize(names)?),
                (None, Some(names)) => Pattern::Excluded(Deserialize::deserialize(names)?),
                (None, None) => Pattern::All,
            };
            Ok(Pairs { pattern, scope: member(settings, "MatchScope")?, oversize: oversize()? })
        };
        Ok(match kind {
            "SingleHeader" => Self::SingleHeader(member(settings, "Name").map_err(wrong)?),
            "SingleQueryArgument" => Self::SingleQueryArgument(member(settings, "Name").map_err(wrong)?),
            "AllQueryArguments" => Self::AllQueryArguments,
            "UriPath" => Self::UriPath,
            "QueryString" => Self::QueryString,
            "Method" => Self::Method,
            "Body" => Self::Body(oversize().map_err(wrong)?),
            "JsonBody" => Self::JsonBody(JsonBody {
                paths: member(&settings["MatchPattern"], "IncludedPaths").map_err(wrong)?,
                scope: member(settings, "MatchScope").map_err(wrong)?,
                invalid: member(settings, "InvalidFallbackBehavior").map_err(wrong)?,
                oversize: oversize().map_err(wrong)?,
            }),
            "Headers" => Self::Headers(pairs("IncludedHeaders", "ExcludedHeaders").map_err(wrong)?),
            "Cookies" => Self::Cookies(pairs("IncludedCookies", "ExcludedCookies").map_err(wrong)?),
            "HeaderOrder" => Self::HeaderOrder(oversize().map_err(wrong)?),
            _ => return Err(format!("the request component {kind} is absent")),
        })
    }

    /// Whether anything that the component came to passes the test.
    pub fn matches(
        &self,
        request: &RequestView<'_>,
        body_limit: usize,
        test: impl Fn(Cow<'_, [u8]>) -> bool,
    ) -> Matched {
        match self.inspect(request, body_limit) {
            Inspected::Decided(matched) => matched.into(),
            Inspected::Texts(texts) => texts.into_iter().any(test).into(),
        }
    }

    fn inspect<'a>(&self, request: &RequestView<'a>, body_limit: usize) -> Inspected<'a> {
        let one = |text: &'a str| Inspected::Texts(vec![Cow::Borrowed(text.as_bytes())]);
        match self {
            Self::SingleHeader(name) => {
                let values = request.headers.get_all(name).iter();
                Inspected::Texts(values.map(|value| Cow::Borrowed(value.as_bytes())).collect())
            }
            Self::SingleQueryArgument(name) => Inspected::Texts(
                query_arguments(request.query)
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| Cow::Borrowed(value.as_bytes()))
                    .collect(),
            ),
            Self::AllQueryArguments => Inspected::Texts(
                query_arguments(request.query).map(|(_, value)| Cow::Borrowed(value.as_bytes())).collect(),
            ),
            Self::UriPath => one(request.path),
            Self::QueryString => one(request.query),
            Self::Method => one(request.method),
            Self::Body(oversize) => match body(request, body_limit, *oversize) {
                Ok([]) => Inspected::Texts(Vec::new()),
                Ok(body) => Inspected::Texts(vec![Cow::Borrowed(body)]),
                Err(matched) => Inspected::Decided(matched),
            },
            Self::JsonBody(json) => match body(request, body_limit, json.oversize) {
                Ok([]) => Inspected::Texts(Vec::new()),
                Ok(body) => json.inspect(body),
                Err(matched) => Inspected::Decided(matched),
            },
            Self::Headers(pairs) => {
                let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
                pairs.inspect(headers, |name, wanted| name.eq_ignore_ascii_case(wanted))
            }
            Self::Cookies(pairs) => pairs.inspect(cookies(request), |name, wanted| name == wanted),
            Self::HeaderOrder(oversize) => {
                let names: Vec<&str> = request.headers.keys().map(|name| name.as_str()).collect();
                let order = names[..names.len().min(HEADER_COUNT)].join(":");
                let oversized = names.len() > HEADER_COUNT || order.len() > HEADER_BYTES;
                if let (true, Some(matched)) = (oversized, oversize.decides()) {
                    return Inspected::Decided(matched);
                }
                let mut order = order.into_bytes();
                order.truncate(HEADER_BYTES);
                Inspected::Texts(vec![Cow::Owned(order)])
            }
        }
    }
}

impl Oversize {
    fn decides(self) -> Option<bool> {
        match self {
            Self::Continue => None,
            Self::Match => Some(true),
            Self::NoMatch => Some(false),
        }
    }
}

/// What WAF sees of the body, or whether it matches by being too large.
fn body<'a>(request: &RequestView<'a>, limit: usize, oversize: Oversize) -> Result<&'a [u8], bool> {
    match oversize.decides() {
        Some(matched) if request.body_length > limit as u64 => Err(matched),
        _ => Ok(&request.body[..request.body.len().min(limit)]),
    }
}

impl Pairs {
    fn inspect<'a>(
        &self,
        pairs: impl Iterator<Item = (&'a str, &'a [u8])>,
        same: impl Fn(&str, &str) -> bool,
    ) -> Inspected<'a> {
        let mut texts = Vec::new();
        let mut bytes = 0;
        for (count, (name, value)) in pairs.enumerate() {
            bytes += name.len() + value.len();
            if count >= HEADER_COUNT || bytes > HEADER_BYTES {
                match self.oversize.decides() {
                    Some(matched) => return Inspected::Decided(matched),
                    None => break,
                }
            }
            let looked_at = match &self.pattern {
                Pattern::All => true,
                Pattern::Included(names) => names.iter().any(|wanted| same(name, wanted)),
                Pattern::Excluded(names) => !names.iter().any(|wanted| same(name, wanted)),
            };
            if looked_at && self.scope != Scope::Value {
                texts.push(Cow::Borrowed(name.as_bytes()));
            }
            if looked_at && self.scope != Scope::Key {
                texts.push(Cow::Borrowed(value));
            }
        }
        Inspected::Texts(texts)
    }
}

impl JsonBody {
    fn inspect<'a>(&self, body: &'a [u8]) -> Inspected<'a> {
        let Ok(document) = serde_json::from_slice::<Value>(body) else {
            return match self.invalid {
                Some(Invalid::Match) => Inspected::Decided(true),
                Some(Invalid::NoMatch) => Inspected::Decided(false),
                Some(Invalid::EvaluateAsString) => Inspected::Texts(vec![Cow::Borrowed(body)]),
                None => Inspected::Texts(Vec::new()),
            };
        };
        let mut texts = Vec::new();
        match &self.paths {
            None => self.collect(&document, &mut texts),
            Some(paths) => {
                for element in paths.iter().filter_map(|path| document.pointer(path)) {
                    self.collect(element, &mut texts);
                }
            }
        }
        Inspected::Texts(texts)
    }

    fn collect(&self, element: &Value, texts: &mut Vec<Cow<'_, [u8]>>) {
        match element {
            Value::Object(members) => {
                for (key, value) in members {
                    if self.scope != Scope::Value {
                        texts.push(Cow::Owned(key.clone().into_bytes()));
                    }
                    self.collect(value, texts);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, texts)),
            _ if self.scope == Scope::Key => {}
            Value::String(text) => texts.push(Cow::Owned(text.clone().into_bytes())),
            Value::Null | Value::Bool(_) | Value::Number(_) => texts.push(Cow::Owned(element.to_string().into_bytes())),
        }
    }
}

/// Names and values as they stand in the query string.
pub fn query_arguments(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|argument| !argument.is_empty())
        .map(|argument| argument.split_once('=').unwrap_or((argument, "")))
}

/// Names and values of the cookies that the request brings.
pub fn cookies<'a>(request: &RequestView<'a>) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    let headers = request.headers.get_all(http::header::COOKIE).iter();
    headers.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';')).map(|cookie| {
        let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
        (name.trim(), value.trim().as_bytes())
    })
}

/// A member of a definition. An optional one may be left out.
fn member<T: serde::de::DeserializeOwned>(settings: &Value, name: &str) -> Result<T, serde_json::Error> {
    T::deserialize(&settings[name]).map_err(|error| serde::de::Error::custom(format!("{name}: {error}")))
}
