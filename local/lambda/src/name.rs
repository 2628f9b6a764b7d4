//! The forms in which a function can be named.

use std::fmt;

/// A function and perhaps a qualifier, taken from one of the forms that Invoke accepts: `name`, `name:qualifier`,
/// `123456789012:function:name[:qualifier]`, or an ARN.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FunctionName<'a> {
    pub(crate) name: &'a str,
    pub(crate) qualifier: Option<&'a str>,
}

/// The text names no function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAName;

impl<'a> FunctionName<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, NotAName> {
        let parts: Vec<&str> = text.split(':').collect();
        let (name, qualifier) = match parts.as_slice() {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            [_, "function", name] | ["arn", _, "lambda", _, _, "function", name] => (*name, None),
            [_, "function", name, qualifier] | ["arn", _, "lambda", _, _, "function", name, qualifier] => {
                (*name, Some(*qualifier))
            }
            _ => return Err(NotAName),
        };
        let is_name = |text: &str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        if is_name(name, b"-_") && qualifier.is_none_or(|qualifier| is_name(qualifier, b"-_$")) {
            Ok(Self { name, qualifier })
        } else {
            Err(NotAName)
        }
    }
}

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function's name, name:qualifier, account:function:name or ARN")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form() {
        for (text, name, qualifier) in [
            ("upper", "upper", None),
            ("upper:prod", "upper", Some("prod")),
            ("upper:$LATEST", "upper", Some("$LATEST")),
            ("123456789012:function:upper", "upper", None),
            ("123456789012:function:upper:7", "upper", Some("7")),
            ("arn:aws:lambda:eu-west-1:123456789012:function:upper", "upper", None),
            ("arn:aws:lambda:eu-west-1:123456789012:function:upper:prod", "upper", Some("prod")),
        ] {
            assert_eq!(FunctionName::parse(text), Ok(FunctionName { name, qualifier }), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_name() {
        for text in ["", "a b", "../a", "a:", ":a", "arn:aws:s3:::bucket", "a:b:c", "arn:aws:lambda:r:a:layer:name"] {
            assert_eq!(FunctionName::parse(text), Err(NotAName), "{text}");
        }
    }
}
