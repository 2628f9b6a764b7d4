//! Rules that count.
//! <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html>
//!
//! AWS looks at the counts about every ten seconds, so its limit bites late; here it bites with the first request beyond it.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    component::{cookies, query_arguments},
    forwarded::ForwardedIp,
    labels::in_namespace,
    matched::Matched,
    rate::Counts,
    statement::{Inspection, Statement, only_member},
    transformation::Transformations,
};

/// Seconds, where a rule names none.
const DEFAULT_WINDOW: u64 = 300;
/// Seconds that a rule may name.
const WINDOWS: [u64; 4] = [60, 120, 300, 600];

/// A rate-based statement, and what it has counted.
#[derive(Debug)]
pub struct RateBased {
    /// With other settings the counting begins again, as in AWS.
    settings: Value,
    limit: u64,
    keys: Vec<Key>,
    forwarded: Option<ForwardedIp>,
    scope_down: Option<Statement>,
    counts: Arc<Counts>,
}

/// What requests are counted together by.
#[derive(Debug)]
enum Key {
    Ip,
    ForwardedIp,
    Method,
    UriPath(Transformations),
    QueryString(Transformations),
    Header(String, Transformations),
    Cookie(String, Transformations),
    QueryArgument(String, Transformations),
    LabelNamespace(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RateBasedStatement {
    limit: u64,
    evaluation_window_sec: Option<u64>,
    aggregate_key_type: AggregateKeyType,
    #[serde(rename = "ForwardedIPConfig")]
    forwarded: Option<ForwardedIp>,
    #[serde(default)]
    custom_keys: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AggregateKeyType {
    Ip,
    ForwardedIp,
    CustomKeys,
    Constant,
}

impl RateBased {
    pub fn parse(settings: &Value, scope_down: Option<Statement>) -> Result<Self, String> {
        let wrong = |error: String| format!("RateBasedStatement: {error}");
        let statement = RateBasedStatement::deserialize(settings).map_err(|error| wrong(error.to_string()))?;
        let window = statement.evaluation_window_sec.unwrap_or(DEFAULT_WINDOW);
        if !WINDOWS.contains(&window) {
            return Err(wrong(format!("EvaluationWindowSec is {window}, and should be one of {WINDOWS:?}")));
        }
        let keys = match statement.aggregate_key_type {
            AggregateKeyType::Ip => vec![Key::Ip],
            AggregateKeyType::ForwardedIp => vec![Key::ForwardedIp],
            AggregateKeyType::Constant => Vec::new(),
            AggregateKeyType::CustomKeys => {
                statement.custom_keys.iter().map(Key::parse).collect::<Result<_, _>>().map_err(wrong)?
            }
        };
        Ok(Self {
            settings: settings.clone(),
            limit: statement.limit,
            keys,
            forwarded: statement.forwarded,
            scope_down,
            counts: Arc::new(Counts::new(Duration::from_secs(window))),
        })
    }

    pub fn matches(&self, inspection: &Inspection<'_>) -> Matched {
        let in_scope = self.scope_down.as_ref().map_or(Matched::Yes, |statement| statement.matches(inspection));
        if in_scope != Matched::Yes {
            return in_scope;
        }
        // Lengths stand in front, so that no two lists of values look the same.
        let mut instance = String::new();
        for key in &self.keys {
            let Some(value) = key.value(inspection, self.forwarded.as_ref()) else { return Matched::NotApplied };
            instance.push_str(&format!("{}:{value}", value.len()));
        }
        (self.counts.count(&instance, inspection.now) > self.limit).into()
    }

    pub fn inherit(&mut self, earlier: &Self) {
        if self.settings == earlier.settings {
            self.counts = earlier.counts.clone();
        }
    }
}

impl Key {
    fn parse(definition: &Value) -> Result<Self, String> {
        let (kind, settings) = only_member(definition).map_err(|error| format!("CustomKeys: {error}"))?;
        let name = || settings["Name"].as_str().map(String::from).ok_or(format!("CustomKeys {kind}: there is no Name"));
        let transformations = || Transformations::parse(&settings["TextTransformations"]);
        Ok(match kind {
            "IP" => Self::Ip,
            "ForwardedIP" => Self::ForwardedIp,
            "HTTPMethod" => Self::Method,
            "UriPath" => Self::UriPath(transformations()?),
            "QueryString" => Self::QueryString(transformations()?),
            "Header" => Self::Header(name()?, transformations()?),
            "Cookie" => Self::Cookie(name()?, transformations()?),
            "QueryArgument" => Self::QueryArgument(name()?, transformations()?),
            "LabelNamespace" => {
                let namespace =
                    settings["Namespace"].as_str().ok_or("CustomKeys LabelNamespace: there is no Namespace")?;
                Self::LabelNamespace(namespace.into())
            }
            _ => return Err(format!("the aggregation key {kind} is absent")),
        })
    }

    /// `None`: the request does not have it, so it is not counted.
    fn value(&self, inspection: &Inspection<'_>, forwarded: Option<&ForwardedIp>) -> Option<String> {
        let request = inspection.request;
        let transformed = |text: &[u8], transformations: &Transformations| {
            String::from_utf8_lossy(&transformations.apply(Cow::Borrowed(text))).into_owned()
        };
        match self {
            Self::Ip => Some(request.source_ip.to_canonical().to_string()),
            Self::ForwardedIp => forwarded?.counted_by(request),
            Self::Method => Some(request.method.into()),
            Self::UriPath(transformations) => Some(transformed(request.path.as_bytes(), transformations)),
            Self::QueryString(transformations) => {
                (!request.query.is_empty()).then(|| transformed(request.query.as_bytes(), transformations))
            }
            Self::Header(name, transformations) => {
                Some(transformed(request.headers.get(name)?.as_bytes(), transformations))
            }
            Self::Cookie(name, transformations) => {
                let (_, value) = cookies(request).find(|(cookie, _)| cookie == name)?;
                Some(transformed(value, transformations))
            }
            Self::QueryArgument(name, transformations) => {
                let (_, value) =
                    query_arguments(request.query).find(|(argument, _)| argument.eq_ignore_ascii_case(name))?;
                Some(transformed(value.as_bytes(), transformations))
            }
            Self::LabelNamespace(namespace) => {
                let mut labels = inspection.labels.iter();
                labels.find(|label| in_namespace(label, namespace, inspection.label_namespace)).cloned()
            }
        }
    }
}
