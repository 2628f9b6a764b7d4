//! Each statement, with a page that says what it does. They stand under
//! <https://docs.aws.amazon.com/waf/latest/developerguide/>.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use regex::bytes::RegexSet;
use serde_json::json;

use super::*;
use crate::{CustomResponse, ip_set::IpSet};

const OFFICE: &str = "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/office/1";
const PATTERNS: &str = "arn:aws:wafv2:eu-west-1:123456789012:regional/regexpatternset/bots/2";
const GROUP: &str = "arn:aws:wafv2:eu-west-1:123456789012:regional/rulegroup/ours/3";

/// A request that owns what [`RequestView`] borrows.
struct Sent {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    headers: HeaderMap,
    source_ip: &'static str,
    body: Vec<u8>,
    protected: Protected,
}

impl Default for Sent {
    fn default() -> Self {
        Self {
            method: "POST",
            path: "/prod/string/replace",
            query: "",
            headers: HeaderMap::new(),
            source_ip: "198.51.100.7",
            body: Vec::new(),
            protected: Protected::ApiGatewayStage,
        }
    }
}

impl Sent {
    fn with(headers: &[(&'static str, &'static str)]) -> Self {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().map(pair) {
            map.append(name, value);
        }
        Self { headers: map, ..Self::default() }
    }

    fn view(&self) -> RequestView<'_> {
        RequestView {
            protected: self.protected,
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &self.headers,
            source_ip: self.source_ip.parse().unwrap(),
            body: &self.body,
            body_length: self.body.len() as u64,
        }
    }
}

fn references() -> References {
    let mut references = References::default();
    references.ip_sets.insert(OFFICE.into(), Arc::new(IpSet::parse(["192.0.2.0/24", "2001:db8::/32"]).unwrap()));
    references.regex_pattern_sets.insert(PATTERNS.into(), RegexSet::new(["(?i)curl", "^bot"]).unwrap());
    references
}

fn web_acl(rules: Value) -> WebAcl {
    let definition = json!({
        "Name": "site",
        "LabelNamespace": "awswaf:123456789012:webacl:site:",
        "DefaultAction": {"Allow": {}},
        "CustomResponseBodies": {"slow-down": {"ContentType": "APPLICATION_JSON", "Content": "{\"message\":\"Slow down\"}"}},
        "Rules": rules,
    });
    WebAcl::with_references(&definition, &references()).unwrap()
}

/// Whether a rule with this statement blocks the request.
fn blocks(statement: &Value, sent: &Sent) -> bool {
    let web_acl = web_acl(json!([{"Name": "rule", "Priority": 0, "Action": {"Block": {}}, "Statement": statement}]));
    let verdict = web_acl.evaluate(&sent.view());
    assert_eq!(verdict.rule.is_some(), !verdict.allows());
    !verdict.allows()
}

fn byte_match(component: Value, position: &str, search: &str) -> Value {
    json!({"ByteMatchStatement": {
        "FieldToMatch": component,
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        "PositionalConstraint": position,
        "SearchString": BASE64_STANDARD.encode(search),
    }})
}

fn contains(component: Value, search: &str) -> Value {
    byte_match(component, "CONTAINS", search)
}

fn path_is(path: &str) -> Value {
    byte_match(json!({"UriPath": {}}), "EXACTLY", path)
}

/// `waf-rule-statement-type-string-match.html`
#[test]
fn byte_match_positions() {
    let component = || json!({"SingleHeader": {"Name": "User-Agent"}});
    for (position, search, agent, expected) in [
        ("EXACTLY", "bad", "bad", true),
        ("EXACTLY", "bad", "bad bot", false),
        ("STARTS_WITH", "bad", "bad bot", true),
        ("STARTS_WITH", "bot", "bad bot", false),
        ("ENDS_WITH", "bot", "bad bot", true),
        ("ENDS_WITH", "bad", "bad bot", false),
        ("CONTAINS", "d b", "bad bot", true),
        ("CONTAINS", "BAD", "bad bot", false),
        ("CONTAINS_WORD", "bad", "a bad bot", true),
        ("CONTAINS_WORD", "bad", "bad-bot", true),
        ("CONTAINS_WORD", "bad", "badbot, bad", true),
        ("CONTAINS_WORD", "bad", "bad_bot badly", false),
    ] {
        let sent = Sent::with(&[("user-agent", agent)]);
        assert_eq!(
            blocks(&byte_match(component(), position, search), &sent),
            expected,
            "{agent:?} {position} {search:?}"
        );
    }
    assert!(!blocks(&byte_match(component(), "EXACTLY", ""), &Sent::default()), "there is no such header");
}

/// `waf-rule-statement-fields-list.html`
#[test]
fn components_of_a_request() {
    let sent = Sent {
        query: "City=London&Zip=SW1&flag",
        body: br#"{"dogs": [{"name": "rex", "age": 3}], "owner": "ann"}"#.to_vec(),
        ..Sent::with(&[
            ("x-tag", "one"),
            ("x-tag", "two"),
            ("cookie", "session=abc; theme=dark"),
            ("host", "example.com"),
        ])
    };
    let all = |name: &str, scope: &str| json!({name: {"MatchPattern": {"All": {}}, "MatchScope": scope, "OversizeHandling": "CONTINUE"}});
    let json_body = |pattern: Value, scope: &str| json!({"JsonBody": {"MatchPattern": pattern, "MatchScope": scope}});
    for (component, search, expected) in [
        (json!({"Method": {}}), "POST", true),
        (json!({"UriPath": {}}), "/prod/", true),
        (json!({"UriPath": {}}), "City", false),
        (json!({"QueryString": {}}), "City=London&", true),
        (json!({"SingleHeader": {"Name": "X-Tag"}}), "two", true),
        (json!({"SingleQueryArgument": {"Name": "city"}}), "London", true),
        (json!({"SingleQueryArgument": {"Name": "city"}}), "SW1", false),
        (json!({"AllQueryArguments": {}}), "SW1", true),
        (json!({"AllQueryArguments": {}}), "Zip", false),
        (json!({"Body": {}}), "\"rex\"", true),
        (all("Headers", "ALL"), "x-tag", true),
        (all("Headers", "VALUE"), "x-tag", false),
        (all("Headers", "KEY"), "example.com", false),
        (
            json!({"Headers": {"MatchPattern": {"IncludedHeaders": ["X-Tag"]}, "MatchScope": "ALL"}}),
            "example.com",
            false,
        ),
        (
            json!({"Headers": {"MatchPattern": {"ExcludedHeaders": ["X-Tag"]}, "MatchScope": "ALL"}}),
            "example.com",
            true,
        ),
        (
            json!({"Headers": {"MatchPattern": {"ExcludedHeaders": ["Host"]}, "MatchScope": "ALL"}}),
            "example.com",
            false,
        ),
        (all("Cookies", "VALUE"), "dark", true),
        (all("Cookies", "KEY"), "dark", false),
        (json!({"Cookies": {"MatchPattern": {"IncludedCookies": ["session"]}, "MatchScope": "VALUE"}}), "dark", false),
        (json!({"HeaderOrder": {"OversizeHandling": "CONTINUE"}}), "cookie:host", true),
        (json_body(json!({"All": {}}), "VALUE"), "rex", true),
        (json_body(json!({"All": {}}), "VALUE"), "3", true),
        (json_body(json!({"All": {}}), "VALUE"), "owner", false),
        (json_body(json!({"All": {}}), "KEY"), "owner", true),
        (json_body(json!({"All": {}}), "KEY"), "ann", false),
        (json_body(json!({"IncludedPaths": ["/dogs/0/name"]}), "ALL"), "rex", true),
        (json_body(json!({"IncludedPaths": ["/dogs/0/name"]}), "ALL"), "ann", false),
    ] {
        assert_eq!(blocks(&contains(component.clone(), search), &sent), expected, "{search:?} in {component}");
    }
}

/// `waf-rule-statement-fields-list.html`, "JSON body": what is done with a body that is none.
#[test]
fn a_body_that_is_no_json() {
    let sent = Sent { body: b"{\"open\": bad".to_vec(), ..Sent::default() };
    for (fallback, search, expected) in
        [("MATCH", "other", true), ("NO_MATCH", "bad", false), ("EVALUATE_AS_STRING", "bad", true)]
    {
        let component = json!({"JsonBody": {
            "MatchPattern": {"All": {}}, "MatchScope": "ALL", "InvalidFallbackBehavior": fallback,
        }});
        assert_eq!(blocks(&contains(component, search), &sent), expected, "{fallback}");
    }
}

/// `waf-oversize-request-components.html`: 16 KB of a body for API Gateway, 8 KB for a load balancer.
#[test]
fn a_body_beyond_the_limit() {
    let at_end = |bytes: usize, protected| {
        let mut body = vec![b' '; bytes - 4];
        body.extend(b"evil");
        Sent { body, protected, ..Sent::default() }
    };
    let body = |oversize: &str| contains(json!({"Body": {"OversizeHandling": oversize}}), "evil");
    for (kilobytes, protected) in [(16, Protected::ApiGatewayStage), (8, Protected::LoadBalancer)] {
        let limit = kilobytes * 1024;
        for oversize in ["CONTINUE", "MATCH", "NO_MATCH"] {
            assert!(blocks(&body(oversize), &at_end(limit, protected)), "{limit} {oversize}");
        }
        assert!(!blocks(&body("CONTINUE"), &at_end(limit + 4, protected)));
        assert!(!blocks(&body("NO_MATCH"), &at_end(limit + 1, protected)));
        let harmless = Sent { body: vec![b' '; limit + 1], protected, ..Sent::default() };
        assert!(blocks(&body("MATCH"), &harmless));
    }
}

/// `web-acl-setting-body-inspection-limit.html`
#[test]
fn the_limit_for_a_body_can_be_raised_for_api_gateway_alone() {
    let definition = json!({
        "Name": "site", "DefaultAction": {"Allow": {}}, "Rules": [],
        "AssociationConfig": {"RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": "KB_48"}}},
    });
    let web_acl = WebAcl::parse(&definition).unwrap();
    assert_eq!(web_acl.body_limit(Protected::ApiGatewayStage), 48 * 1024);
    assert_eq!(web_acl.body_limit(Protected::LoadBalancer), 8 * 1024);
}

/// `waf-oversize-request-components.html`: 8 KB of headers and 200 of them.
#[test]
fn headers_beyond_the_limit() {
    let mut many = Sent::default();
    for number in 0..201 {
        many.headers.append("x-number", number.into());
    }
    let headers = |oversize: &str| {
        contains(
            json!({"Headers": {"MatchPattern": {"All": {}}, "MatchScope": "VALUE", "OversizeHandling": oversize}}),
            "200",
        )
    };
    assert!(!blocks(&headers("CONTINUE"), &many), "the 201st is not seen");
    assert!(blocks(&headers("MATCH"), &many));
    assert!(!blocks(&headers("NO_MATCH"), &many));
    let mut large = Sent::default();
    large.headers.append("x-large", HeaderValue::from_bytes(&[b'a'; 8 * 1024]).unwrap());
    assert!(blocks(&headers("MATCH"), &large));
}

/// `waf-rule-statement-type-size-constraint-match.html`
#[test]
fn size_constraint() {
    let statement = |operator: &str, size: u64| {
        json!({"SizeConstraintStatement": {
            "FieldToMatch": {"QueryString": {}},
            "TextTransformations": [{"Priority": 0, "Type": "URL_DECODE"}],
            "ComparisonOperator": operator, "Size": size,
        }})
    };
    let sent = Sent { query: "%41%42%43", ..Sent::default() };
    for (operator, matching, other) in
        [("EQ", 3, 9), ("NE", 9, 3), ("LE", 3, 2), ("LT", 4, 3), ("GE", 3, 4), ("GT", 2, 3)]
    {
        assert!(blocks(&statement(operator, matching), &sent), "3 {operator} {matching}");
        assert!(!blocks(&statement(operator, other), &sent), "3 {operator} {other}");
    }
}

/// `waf-rule-statement-type-regex-match.html` and `waf-rule-statement-type-regex-pattern-set-match.html`
#[test]
fn regular_expressions() {
    let text = json!({"SingleHeader": {"Name": "user-agent"}});
    let transformations = json!([{"Priority": 0, "Type": "NONE"}]);
    let one = json!({"RegexMatchStatement": {
        "RegexString": "^[Cc]url/8", "FieldToMatch": text, "TextTransformations": transformations,
    }});
    let set = json!({"RegexPatternSetReferenceStatement": {
        "ARN": PATTERNS, "FieldToMatch": text, "TextTransformations": transformations,
    }});
    assert!(blocks(&one, &Sent::with(&[("user-agent", "curl/8.1")])));
    assert!(!blocks(&one, &Sent::with(&[("user-agent", "CURL/8.1")])));
    assert!(blocks(&set, &Sent::with(&[("user-agent", "CURL/8.1")])));
    assert!(blocks(&set, &Sent::with(&[("user-agent", "bot")])));
    assert!(!blocks(&set, &Sent::with(&[("user-agent", "robot")])));
}

/// `waf-rule-statement-type-ipset-match.html`
#[test]
fn ip_set() {
    let statement = json!({"IPSetReferenceStatement": {"ARN": OFFICE}});
    assert!(blocks(&statement, &Sent { source_ip: "192.0.2.200", ..Sent::default() }));
    assert!(blocks(&statement, &Sent { source_ip: "2001:db8::1", ..Sent::default() }));
    assert!(!blocks(&statement, &Sent::default()));
}

/// `waf-rule-statement-forwarded-ip-address.html`
#[test]
fn ip_set_by_a_header() {
    let statement = |position: &str, fallback: &str| {
        json!({"IPSetReferenceStatement": {"ARN": OFFICE, "IPSetForwardedIPConfig": {
            "HeaderName": "X-Forwarded-For", "Position": position, "FallbackBehavior": fallback,
        }}})
    };
    for (addresses, first, last, any) in [
        ("192.0.2.1, 198.51.100.1", true, false, true),
        ("198.51.100.1, 192.0.2.1", false, true, true),
        ("198.51.100.1, 192.0.2.1, 198.51.100.1", false, false, true),
        ("198.51.100.1", false, false, false),
    ] {
        let sent = Sent::with(&[("x-forwarded-for", addresses)]);
        for (position, expected) in [("FIRST", first), ("LAST", last), ("ANY", any)] {
            assert_eq!(blocks(&statement(position, "NO_MATCH"), &sent), expected, "{position} of {addresses}");
        }
    }
    let broken = Sent::with(&[("x-forwarded-for", "unknown")]);
    assert!(blocks(&statement("FIRST", "MATCH"), &broken));
    assert!(!blocks(&statement("FIRST", "NO_MATCH"), &broken));
    // Without the header the rule is not applied at all, whatever the fallback is, and also when it is negated.
    assert!(!blocks(&statement("FIRST", "MATCH"), &Sent::default()));
    assert!(!blocks(&json!({"NotStatement": {"Statement": statement("FIRST", "MATCH")}}), &Sent::default()));
}

/// `waf-rule-statement-type-and.html`, `-or.html`, `-not.html`
#[test]
fn and_or_not() {
    let yes = || path_is("/prod/string/replace");
    let no = || path_is("/elsewhere");
    let and = |statements: Value| json!({"AndStatement": {"Statements": statements}});
    let or = |statements: Value| json!({"OrStatement": {"Statements": statements}});
    let not = |statement: Value| json!({"NotStatement": {"Statement": statement}});
    let sent = Sent::default();
    assert!(blocks(&and(json!([yes(), yes()])), &sent));
    assert!(!blocks(&and(json!([yes(), no()])), &sent));
    assert!(blocks(&or(json!([no(), yes()])), &sent));
    assert!(!blocks(&or(json!([no(), no()])), &sent));
    assert!(blocks(&not(no()), &sent));
    assert!(!blocks(&not(or(json!([yes(), no()]))), &sent));
}

/// `waf-rule-statement-type-geo-match.html`, `-asn-match.html`, `-sqli-match.html`, `-xss-match.html`: need what only AWS has.
#[test]
fn absent_statements_never_match_and_are_named() {
    for kind in ["GeoMatchStatement", "AsnMatchStatement", "SqliMatchStatement", "XssMatchStatement", "FutureStatement"]
    {
        let statement = json!({kind: {"CountryCodes": ["NZ"]}});
        for statement in [statement.clone(), json!({"NotStatement": {"Statement": statement}})] {
            assert!(!blocks(&statement, &Sent::default()), "{statement}");
        }
        let rules = json!([{"Name": "far", "Priority": 0, "Action": {"Block": {}}, "Statement": statement}]);
        let remarks = web_acl(rules).remarks().join("\n");
        assert_eq!(remarks, format!("web ACL site: rule far: {kind} is absent; it never matches"));
    }
    // A part that is certain still decides.
    let geo = || json!({"GeoMatchStatement": {"CountryCodes": ["NZ"]}});
    assert!(blocks(
        &json!({"OrStatement": {"Statements": [geo(), path_is("/prod/string/replace")]}}),
        &Sent::default()
    ));
    assert!(!blocks(
        &json!({"AndStatement": {"Statements": [geo(), path_is("/prod/string/replace")]}}),
        &Sent::default()
    ));
}

#[test]
fn what_is_wrong_in_a_definition_is_named() {
    let rule =
        |statement: Value| json!([{"Name": "r", "Priority": 0, "Action": {"Block": {}}, "Statement": statement}]);
    for (statement, expected) in [
        (json!({"IPSetReferenceStatement": {"ARN": "arn:none"}}), "there is no arn:none"),
        (contains(json!({"JA3Fingerprint": {}}), "x"), "JA3Fingerprint is absent"),
        (json!({"RegexMatchStatement": {"RegexString": "("}}), "unclosed group"),
        (json!({}), "should have one member"),
        (
            json!({"RateBasedStatement": {"Limit": 10, "EvaluationWindowSec": 90, "AggregateKeyType": "IP"}}),
            "EvaluationWindowSec is 90, and should be one of [60, 120, 300, 600]",
        ),
    ] {
        let remarks = web_acl(rule(statement)).remarks().join("\n");
        assert!(remarks.contains(expected), "{remarks}");
    }
    let error = WebAcl::parse(&json!({"Name": "site", "DefaultAction": {"Count": {}}})).unwrap_err();
    assert!(error.contains("web ACL site: DefaultAction") && error.contains("Allow or Block"), "{error}");
}

/// `web-acl-processing-order.html`, `waf-rule-action.html`, `waf-rule-label-match.html`
#[test]
fn rules_run_by_priority_and_count_does_not_end_them() {
    let web_acl = web_acl(json!([
        {"Name": "last", "Priority": 30, "Action": {"Block": {}}, "Statement": path_is("/prod/string/replace")},
        {"Name": "by-label", "Priority": 20, "Action": {"Allow": {}},
         "Statement": {"LabelMatchStatement": {"Scope": "LABEL", "Key": "seen:here"}}},
        {"Name": "labels", "Priority": 10, "Action": {"Count": {"CustomRequestHandling": {"InsertHeaders": [{"Name": "seen", "Value": "yes"}]}}},
         "RuleLabels": [{"Name": "seen:here"}], "Statement": path_is("/prod/string/replace")},
    ]));
    let verdict = web_acl.evaluate(&Sent::default().view());
    assert_eq!(verdict.action, Action::Allow);
    assert_eq!(verdict.rule.as_deref(), Some("by-label"));
    assert_eq!(verdict.counted, ["labels"]);
    assert_eq!(verdict.labels, ["awswaf:123456789012:webacl:site:seen:here"]);
    assert_eq!(verdict.inserted_headers, [("x-amzn-waf-seen".to_owned(), "yes".to_owned())]);
}

/// `customizing-the-response-for-blocked-requests.html`
#[test]
fn custom_responses() {
    let blocking = |response: Value| {
        let rules = json!([{"Name": "r", "Priority": 0, "Action": {"Block": response}, "Statement": path_is("/prod/string/replace")}]);
        web_acl(rules).evaluate(&Sent::default().view()).action
    };
    assert_eq!(blocking(json!({})), Action::Block);
    assert_eq!(
        blocking(json!({"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "slow-down",
            "ResponseHeaders": [{"Name": "Retry-After", "Value": "300"}]}})),
        Action::Respond(CustomResponse {
            status: 429,
            headers: vec![
                ("Retry-After".to_owned(), "300".to_owned()),
                ("content-type".to_owned(), "application/json".to_owned())
            ],
            body: "{\"message\":\"Slow down\"}".into(),
        })
    );
}

/// `waf-captcha-and-challenge-actions.html`
#[test]
fn checks_that_nobody_passes_here() {
    for (action, status, name) in [("Captcha", 405, "captcha"), ("Challenge", 202, "challenge")] {
        let rules =
            json!([{"Name": "r", "Priority": 0, "Action": {action: {}}, "Statement": path_is("/prod/string/replace")}]);
        let Action::Respond(response) = web_acl(rules).evaluate(&Sent::default().view()).action else {
            panic!("{action}")
        };
        assert_eq!(
            (response.status, response.headers),
            (status, vec![("x-amzn-waf-action".to_owned(), name.to_owned())])
        );
    }
}

/// `web-acl-default-action.html`
#[test]
fn the_default_action_decides_when_no_rule_does() {
    let definition = |action: Value| json!({"Name": "site", "DefaultAction": action, "Rules": []});
    let blocking = WebAcl::parse(&definition(json!({"Block": {}}))).unwrap();
    let verdict = blocking.evaluate(&Sent::default().view());
    assert_eq!((verdict.action, verdict.rule), (Action::Block, None));
    let handling = json!({"Allow": {"CustomRequestHandling": {"InsertHeaders": [{"Name": "a", "Value": "b"}]}}});
    let verdict = WebAcl::parse(&definition(handling)).unwrap().evaluate(&Sent::default().view());
    assert_eq!(verdict.inserted_headers, [("x-amzn-waf-a".to_owned(), "b".to_owned())]);
}

/// `waf-managed-rule-groups.html`: AWS's own rules cannot be had.
#[test]
fn managed_rule_groups_pass_and_say_so() {
    let web_acl = web_acl(json!([
        {"Name": "aws", "Priority": 0, "OverrideAction": {"None": {}},
         "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}},
        {"Name": "after", "Priority": 1, "Action": {"Block": {}}, "Statement": path_is("/prod/string/replace")},
    ]));
    assert_eq!(web_acl.evaluate(&Sent::default().view()).rule.as_deref(), Some("after"));
    assert!(
        web_acl.remarks()[0].contains("AWS/AWSManagedRulesCommonRuleSet lets everything pass"),
        "{:?}",
        web_acl.remarks()
    );
}

/// `waf-rule-group-override-options.html`
#[test]
fn rule_groups_of_ones_own() {
    let evaluate = |override_action: Value, rule_overrides: Value| {
        let mut references = references();
        references.rule_groups.insert(
            GROUP.into(),
            json!({"Name": "ours", "LabelNamespace": "awswaf:123456789012:rulegroup:ours:", "Rules": [
                {"Name": "inner", "Priority": 0, "Action": {"Block": {}}, "RuleLabels": [{"Name": "hit"}],
                 "Statement": path_is("/prod/string/replace")},
            ]}),
        );
        let definition = json!({"Name": "site", "DefaultAction": {"Allow": {}}, "Rules": [
            {"Name": "group", "Priority": 0, "OverrideAction": override_action,
             "Statement": {"RuleGroupReferenceStatement": {"ARN": GROUP, "RuleActionOverrides": rule_overrides}}},
        ]});
        WebAcl::with_references(&definition, &references).unwrap().evaluate(&Sent::default().view())
    };
    let verdict = evaluate(json!({"None": {}}), json!([]));
    assert_eq!((verdict.action, verdict.rule.as_deref()), (Action::Block, Some("group/inner")));
    assert_eq!(verdict.labels, ["awswaf:123456789012:rulegroup:ours:hit"]);
    let verdict = evaluate(json!({"Count": {}}), json!([]));
    assert_eq!((verdict.action, verdict.rule, verdict.counted), (Action::Allow, None, vec!["group".to_owned()]));
    let verdict = evaluate(json!({"None": {}}), json!([{"Name": "inner", "ActionToUse": {"Count": {}}}]));
    assert_eq!((verdict.action, verdict.counted), (Action::Allow, vec!["inner".to_owned()]));
}

fn rate_based(settings: Value) -> WebAcl {
    let mut statement = json!({"Limit": 10, "EvaluationWindowSec": 60});
    statement.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    web_acl(json!([
        {"Name": "rate", "Priority": 1, "Action": {"Block": {}}, "Statement": {"RateBasedStatement": statement}},
    ]))
}

/// How many of so many requests pass at one moment.
fn pass(web_acl: &WebAcl, sent: &Sent, requests: usize, now: Instant) -> usize {
    (0..requests).filter(|_| web_acl.evaluate_at(&sent.view(), now).allows()).count()
}

/// `waf-rule-statement-type-rate-based.html`, `waf-rule-statement-type-rate-based-request-limiting.html`
#[test]
fn a_rate_is_limited_for_each_address_as_long_as_its_window_is_full() {
    let web_acl = rate_based(json!({"AggregateKeyType": "IP"}));
    let start = Instant::now();
    assert_eq!(pass(&web_acl, &Sent::default(), 15, start), 10);
    assert_eq!(pass(&web_acl, &Sent { source_ip: "198.51.100.8", ..Sent::default() }, 15, start), 10);
    assert_eq!(pass(&web_acl, &Sent::default(), 1, start + Duration::from_secs(59)), 0);
    assert_eq!(
        pass(&web_acl, &Sent::default(), 9, start + Duration::from_secs(60)),
        9,
        "one of the last minute counts"
    );
}

/// Five minutes, if a rule does not say.
#[test]
fn a_window_is_five_minutes_long_unless_it_is_said() {
    let web_acl = rate_based(json!({"AggregateKeyType": "IP", "EvaluationWindowSec": null}));
    let start = Instant::now();
    assert_eq!(pass(&web_acl, &Sent::default(), 15, start), 10);
    assert_eq!(pass(&web_acl, &Sent::default(), 1, start + Duration::from_secs(299)), 0);
    assert_eq!(pass(&web_acl, &Sent::default(), 1, start + Duration::from_secs(300)), 1);
}

/// `waf-rule-statement-type-rate-based-aggregation-options.html`
#[test]
fn requests_are_counted_together_by_their_keys() {
    let none = json!([{"Priority": 0, "Type": "NONE"}]);
    let forwarded = json!({"HeaderName": "x-forwarded-for", "FallbackBehavior": "MATCH"});
    let key =
        |name: &str, settings: Value| json!({"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [{name: settings}]});
    let from = |address: &'static str| Sent::with(&[("x-forwarded-for", address)]);
    let query = |query: &'static str| Sent { query, ..Sent::default() };
    let by_forwarded = json!({"AggregateKeyType": "FORWARDED_IP", "ForwardedIPConfig": forwarded});
    // Two requests that are counted together, one that is not, and, where there is such a thing, one without the key.
    for (settings, same, other, without) in [
        (by_forwarded, [from("192.0.2.1, 10.0.0.1"), from("192.0.2.1")], from("192.0.2.2"), Some(Sent::default())),
        (
            key("HTTPMethod", json!({})),
            [Sent::default(), from("192.0.2.1")],
            Sent { method: "GET", ..Sent::default() },
            None,
        ),
        (
            key("Header", json!({"Name": "X-Client", "TextTransformations": [{"Priority": 0, "Type": "LOWERCASE"}]})),
            [Sent::with(&[("x-client", "A")]), Sent::with(&[("x-client", "a")])],
            Sent::with(&[("x-client", "b")]),
            Some(Sent::default()),
        ),
        (
            key("Cookie", json!({"Name": "id", "TextTransformations": none})),
            [Sent::with(&[("cookie", "id=1")]), Sent::with(&[("cookie", "x=y; id=1")])],
            Sent::with(&[("cookie", "id=2")]),
            Some(Sent::default()),
        ),
        (
            key("QueryArgument", json!({"Name": "city", "TextTransformations": none})),
            [query("city=a"), query("x=1&city=a")],
            query("city=b"),
            Some(Sent::default()),
        ),
        (
            key("QueryString", json!({"TextTransformations": none})),
            [query("city=a"), query("city=a")],
            query("city=b"),
            Some(Sent::default()),
        ),
        (
            key("UriPath", json!({"TextTransformations": none})),
            [Sent::default(), query("city=b")],
            Sent { path: "/prod/publish", ..Sent::default() },
            None,
        ),
    ] {
        let web_acl = rate_based(settings.clone());
        let now = Instant::now();
        let passed: usize = same.iter().map(|sent| pass(&web_acl, sent, 8, now)).sum();
        assert_eq!(passed, 10, "{settings}");
        assert_eq!(pass(&web_acl, &other, 8, now), 8, "{settings}");
        if let Some(without) = without {
            assert_eq!(pass(&web_acl, &without, 20, now), 20, "{settings}");
        }
    }
}

/// The same page: several keys are one instance together.
#[test]
fn several_keys_are_taken_together() {
    let web_acl =
        rate_based(json!({"AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": [{"IP": {}}, {"HTTPMethod": {}}]}));
    let now = Instant::now();
    assert_eq!(pass(&web_acl, &Sent::default(), 20, now), 10);
    assert_eq!(pass(&web_acl, &Sent { method: "GET", ..Sent::default() }, 20, now), 10);
    assert_eq!(pass(&web_acl, &Sent { source_ip: "198.51.100.8", ..Sent::default() }, 20, now), 10);
}

/// The same page, "Count all", and `waf-rule-scope-down-statements.html`.
#[test]
fn a_scope_down_statement_says_what_is_counted() {
    let web_acl = rate_based(json!({"AggregateKeyType": "CONSTANT", "ScopeDownStatement": path_is("/prod/publish")}));
    let now = Instant::now();
    assert_eq!(pass(&web_acl, &Sent::default(), 30, now), 30);
    let publish = |source_ip| Sent { path: "/prod/publish", source_ip, ..Sent::default() };
    assert_eq!(pass(&web_acl, &publish("198.51.100.1"), 8, now) + pass(&web_acl, &publish("198.51.100.2"), 8, now), 10);
}

/// `API_RateBasedStatement.html`: "If you change any of these settings in a rule that's currently in use, the change resets
/// the rule's rate limiting counts."
#[test]
fn counts_survive_an_update_that_leaves_the_rule_alone() {
    let now = Instant::now();
    let earlier = rate_based(json!({"AggregateKeyType": "IP"}));
    assert_eq!(pass(&earlier, &Sent::default(), 15, now), 10);
    let mut same = rate_based(json!({"AggregateKeyType": "IP"}));
    same.inherit(&earlier);
    assert_eq!(pass(&same, &Sent::default(), 1, now), 0);
    let mut changed = rate_based(json!({"AggregateKeyType": "IP", "Limit": 20}));
    changed.inherit(&earlier);
    assert_eq!(pass(&changed, &Sent::default(), 30, now), 20);
}
