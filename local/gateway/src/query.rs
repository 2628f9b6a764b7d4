//! Query strings.

use percent_encoding::percent_decode_str;

/// The parameters in their order, decoded; a name may come several times. API Gateway splits at `;` as well as at `&`.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
pub(crate) fn parse(query: &str) -> Vec<(String, String)> {
    query
        .split(['&', ';'])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    if text.contains('+') {
        percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
    } else {
        percent_decode_str(text).decode_utf8_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_their_order_and_are_decoded() {
        let pairs = parse("b=1&a=x%20y&a=p+q&c&d=&%C3%A9=%2B;e=5&&");
        let expected = [("b", "1"), ("a", "x y"), ("a", "p q"), ("c", ""), ("d", ""), ("é", "+"), ("e", "5")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(parse(""), []);
    }
}
