//! Simple substitution, as in gateway responses and access logs. It is not VTL: a variable stands for its value, and
//! there is nothing else.

use std::borrow::Cow;

/// What a template may name.
pub(crate) trait Variables {
    /// `name`: what follows `$context.`.
    fn context(&self, name: &str) -> Option<Cow<'_, str>>;
    fn stage_variable(&self, name: &str) -> Option<&str>;
    /// `place`: `header`, `querystring` or `path`.
    fn request_parameter(&self, place: &str, name: &str) -> Option<Cow<'_, str>>;
}

/// `template` with every `$context.*`, `$stageVariables.*` and `$method.request.*` replaced; `unknown` stands for what
/// has no value.
pub(crate) fn substitute(template: &str, variables: &dyn Variables, unknown: &str) -> String {
    let mut rendered = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(start) = rest.find('$') {
        rendered.push_str(&rest[..start]);
        rest = &rest[start..];
        match reference(rest) {
            Some((name, length)) => {
                rendered.push_str(&value(name, variables).unwrap_or(unknown.into()));
                rest = &rest[length..];
            }
            None => {
                rendered.push('$');
                rest = &rest[1..];
            }
        }
    }
    rendered.push_str(rest);
    rendered
}

/// The value of a parameter: a literal in single quotes, or a variable without `$`.
pub(crate) fn evaluate(source: &str, variables: &dyn Variables) -> Option<String> {
    if let Some(literal) = source.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Some(literal.to_owned());
    }
    value(source, variables).map(Cow::into_owned)
}

/// The variable at the start of `text`, as `$name` or `${name}`, and how long it is with all around it.
fn reference(text: &str) -> Option<(&str, usize)> {
    let after = text.strip_prefix('$')?;
    if let Some(inner) = after.strip_prefix('{') {
        let name = &inner[..inner.find('}')?];
        return is_variable(name).then_some((name, name.len() + 3));
    }
    let end = after.find(|letter: char| !is_part(letter)).unwrap_or(after.len());
    // A dot at the end belongs to the sentence.
    let name = after[..end].trim_end_matches('.');
    is_variable(name).then_some((name, name.len() + 1))
}

fn is_part(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

fn is_variable(name: &str) -> bool {
    ["context.", "stageVariables.", "method.request."].iter().any(|prefix| name.starts_with(prefix))
}

fn value<'a>(name: &str, variables: &'a dyn Variables) -> Option<Cow<'a, str>> {
    if let Some(name) = name.strip_prefix("context.") {
        variables.context(name)
    } else if let Some(name) = name.strip_prefix("stageVariables.") {
        variables.stage_variable(name).map(Cow::Borrowed)
    } else {
        let (place, name) = name.strip_prefix("method.request.")?.split_once('.')?;
        variables.request_parameter(place, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Variables for Fixed {
        fn context(&self, name: &str) -> Option<Cow<'_, str>> {
            (name == "requestId").then_some("r-1".into())
        }
        fn stage_variable(&self, name: &str) -> Option<&str> {
            (name == "alias").then_some("test")
        }
        fn request_parameter(&self, place: &str, name: &str) -> Option<Cow<'_, str>> {
            (place == "querystring" && name == "q").then_some("7".into())
        }
    }

    #[test]
    fn variables_are_replaced_and_nothing_else_is() {
        for (template, expected) in [
            ("", ""),
            ("plain $5 $", "plain $5 $"),
            ("$context.requestId", "r-1"),
            ("id=$context.requestId.", "id=r-1."),
            ("${context.requestId}x", "r-1x"),
            ("$context.requestId$stageVariables.alias", "r-1test"),
            ("$method.request.querystring.q", "7"),
            ("$context.unknown", "-"),
            ("#if($context.requestId)", "#if(r-1)"),
            ("$input.body ${input} ${context", "$input.body ${input} ${context"),
        ] {
            assert_eq!(substitute(template, &Fixed, "-"), expected, "{template}");
        }
    }

    #[test]
    fn a_parameter_is_a_literal_or_a_variable() {
        assert_eq!(evaluate("'a'", &Fixed).as_deref(), Some("a"));
        assert_eq!(evaluate("stageVariables.alias", &Fixed).as_deref(), Some("test"));
        assert_eq!(evaluate("context.unknown", &Fixed), None);
        assert_eq!(evaluate("anything", &Fixed), None);
    }
}
