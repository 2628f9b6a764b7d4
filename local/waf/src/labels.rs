//! Labels that rules leave on a request, for rules after them.
//! <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-label-match.html>

use serde::Deserialize;

/// What every fully qualified label begins with.
const QUALIFIED: &str = "awswaf:";

/// Looks for a label or for a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LabelMatch {
    scope: Scope,
    key: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Scope {
    Label,
    Namespace,
}

impl LabelMatch {
    /// `own_namespace` is that of the rule with this statement: a key that is not fully qualified looks only there.
    pub fn matches(&self, labels: &[String], own_namespace: &str) -> bool {
        labels.iter().any(|label| match self.scope {
            Scope::Label if self.key.starts_with(QUALIFIED) => *label == self.key,
            Scope::Label => label
                .strip_prefix(own_namespace)
                .and_then(|local| local.strip_suffix(&self.key))
                .is_some_and(|before| before.is_empty() || before.ends_with(':')),
            Scope::Namespace => in_namespace(label, &self.key, own_namespace),
        })
    }
}

/// Whether the label stands below a namespace, which may be given with a colon at its end or without.
pub fn in_namespace(label: &str, namespace: &str, own_namespace: &str) -> bool {
    let namespace = format!("{}:", namespace.trim_end_matches(':'));
    if namespace.starts_with(QUALIFIED) {
        return label.starts_with(&namespace);
    }
    let Some(local) = label.strip_prefix(own_namespace) else { return false };
    local.starts_with(&namespace) || local.contains(&format!(":{namespace}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "awswaf:111122223333:webacl:testWebACL:";

    fn matches(scope: Scope, key: &str, label: &str) -> bool {
        LabelMatch { scope, key: key.into() }.matches(&[label.into()], OWN)
    }

    /// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-label-match-examples.html>, "Match against a local label".
    #[test]
    fn a_local_label() {
        let key = "header:encoding:utf8";
        assert!(matches(Scope::Label, key, "awswaf:111122223333:webacl:testWebACL:header:encoding:utf8"));
        assert!(matches(
            Scope::Label,
            key,
            "awswaf:111122223333:webacl:testWebACL:testNS1:testNS2:header:encoding:utf8"
        ));
        assert!(!matches(Scope::Label, key, "awswaf:111122223333:webacl:testWebACL:header:encoding2:utf8"));
        assert!(!matches(Scope::Label, key, "awswaf:111122223333:webacl:testWebACL:myheader:encoding:utf8"));
        assert!(!matches(Scope::Label, key, "awswaf:111122223333:rulegroup:productionRules:header:encoding:utf8"));
    }

    /// The same page, "Match against a label from another context".
    #[test]
    fn a_label_from_another_context() {
        let key = "awswaf:111122223333:rulegroup:testRules:header:encoding:utf8";
        assert!(matches(Scope::Label, key, key));
        assert!(!matches(Scope::Label, key, "awswaf:111122223333:rulegroup:testRules:header:encoding:utf16"));
    }

    /// The same page, "Match against a local namespace" and "Match against a managed rule group namespace".
    #[test]
    fn a_namespace() {
        let key = "header:encoding";
        assert!(matches(Scope::Namespace, key, "awswaf:111122223333:webacl:testWebACL:header:encoding:utf8"));
        assert!(matches(Scope::Namespace, key, "awswaf:111122223333:webacl:testWebACL:a:header:encoding:utf8"));
        assert!(!matches(Scope::Namespace, key, "awswaf:111122223333:webacl:testWebACL:header:encoding"));
        assert!(!matches(Scope::Namespace, key, "awswaf:111122223333:rulegroup:other:header:encoding:utf8"));
        let managed = "awswaf:managed:aws:managed-rule-set:";
        assert!(matches(Scope::Namespace, managed, "awswaf:managed:aws:managed-rule-set:header:utf8"));
        assert!(!matches(Scope::Namespace, managed, "awswaf:managed:aws:managed-rule-set2:header:utf8"));
    }
}
