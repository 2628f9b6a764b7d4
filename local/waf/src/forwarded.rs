//! Addresses in a header that a proxy adds.
//! <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-forwarded-ip-address.html>

use std::net::IpAddr;

use serde::Deserialize;

use crate::{RequestView, ip_set::IpSet, matched::Matched};

/// WAF looks at no more addresses of a header, counted from its end.
const MOST_ADDRESSES: usize = 10;

/// `ForwardedIPConfig` and `IPSetForwardedIPConfig`, which has a position.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForwardedIp {
    header_name: String,
    fallback_behavior: Fallback,
    #[serde(default)]
    position: Position,
}

/// What a request is taken for that has the header, but no address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Fallback {
    Match,
    NoMatch,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Position {
    #[default]
    First,
    Last,
    Any,
}

impl ForwardedIp {
    pub fn is_in(&self, set: &IpSet, request: &RequestView<'_>) -> Matched {
        let Some(listed) = self.listed(request) else { return Matched::NotApplied };
        let looked_at = match self.position {
            Position::First => &listed[..1],
            Position::Last => &listed[listed.len() - 1..],
            Position::Any => &listed[listed.len().saturating_sub(MOST_ADDRESSES)..],
        };
        if looked_at.iter().flatten().any(|address| set.contains(*address)) {
            return Matched::Yes;
        }
        let broken = looked_at.iter().any(Option::is_none);
        (broken && self.fallback_behavior == Fallback::Match).into()
    }

    /// By what requests are counted together: the first address, or, if that is none and the fallback is to match, all
    /// such requests as one. `None`: the request is not counted.
    pub fn counted_by(&self, request: &RequestView<'_>) -> Option<String> {
        match self.listed(request)?.first()? {
            Some(address) => Some(address.to_string()),
            None => (self.fallback_behavior == Fallback::Match).then(|| "malformed".into()),
        }
    }

    /// The header's elements, at least one, as far as they are addresses. `None`: the request has no such header.
    fn listed(&self, request: &RequestView<'_>) -> Option<Vec<Option<IpAddr>>> {
        let value = request.headers.get(&self.header_name)?;
        let addresses = value.as_bytes().split(|byte| *byte == b',');
        Some(addresses.map(|text| std::str::from_utf8(text).ok()?.trim().parse().ok()).collect())
    }
}
