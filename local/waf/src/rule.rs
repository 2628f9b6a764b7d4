//! Rules, and what they do to a request that they match.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Action, CustomResponse, Verdict,
    matched::Matched,
    statement::{Inspection, References, Statement, only_member},
};

/// What WAF puts before the name of every header that it adds to a request.
const INSERTED_HEADER: &str = "x-amzn-waf-";
/// What it names the check by that a client has to pass.
const CHECK_HEADER: &str = "x-amzn-waf-action";

/// Rules that share labels and custom responses: those of a web ACL, or of a rule group.
#[derive(Debug, Default)]
pub struct Rules {
    /// What their labels begin with, with the last colon.
    label_namespace: String,
    /// Lowest priority first.
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    name: String,
    /// Fully qualified.
    labels: Vec<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Own {
        statement: Statement,
        effect: Effect,
    },
    Group {
        rules: Rules,
        counts_only: bool,
    },
    /// It lets every request pass: a managed rule group, whose rules nobody but AWS has.
    Passed,
}

/// What a rule does.
#[derive(Debug, Clone)]
struct Effect {
    /// `None`: Count.
    terminating: Option<Action>,
    inserted_headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

/// Custom response bodies: content type and content, by key.
pub type Bodies = HashMap<String, (&'static str, Bytes)>;

impl Rules {
    /// From a web ACL's or rule group's definition. `overrides` are actions in place of the rules' own, by rule.
    pub fn parse(
        definition: &Value,
        overrides: &HashMap<String, Value>,
        references: &References,
        remarks: &mut Vec<String>,
    ) -> Self {
        let label_namespace = definition["LabelNamespace"].as_str().unwrap_or_default().to_owned();
        let bodies = bodies(definition);
        let mut definitions: Vec<&Value> = definition["Rules"].as_array().into_iter().flatten().collect();
        definitions.sort_by_key(|rule| rule["Priority"].as_i64());
        let rules = definitions.into_iter().map(|rule| {
            let name = rule["Name"].as_str().unwrap_or_default();
            let action = overrides.get(name).unwrap_or(&rule["Action"]);
            let mut rule_remarks = Vec::new();
            let parsed = Rule::parse(rule, action, &label_namespace, &bodies, references, &mut rule_remarks);
            remarks.extend(rule_remarks.into_iter().map(|remark| format!("rule {name}: {remark}")));
            parsed
        });
        let rules = rules.collect();
        Self { label_namespace, rules }
    }

    /// Goes through the rules until one decides. `verdict` is what came of those before.
    pub fn apply(&self, inspection: &Inspection<'_>, verdict: &mut Verdict) -> bool {
        self.rules.iter().any(|rule| rule.apply(inspection, &self.label_namespace, verdict))
    }

    /// Goes on counting where the same rules left off.
    pub fn inherit(&mut self, earlier: &Self) {
        for rule in &mut self.rules {
            let Some(before) = earlier.rules.iter().find(|before| before.name == rule.name) else { continue };
            match (&mut rule.kind, &before.kind) {
                (Kind::Own { statement, .. }, Kind::Own { statement: before, .. }) => statement.inherit(before),
                (Kind::Group { rules, .. }, Kind::Group { rules: before, .. }) => rules.inherit(before),
                _ => {}
            }
        }
    }
}

impl Rule {
    fn parse(
        definition: &Value,
        action: &Value,
        label_namespace: &str,
        bodies: &Bodies,
        references: &References,
        remarks: &mut Vec<String>,
    ) -> Self {
        let labels = definition["RuleLabels"].as_array().into_iter().flatten();
        let labels = labels.filter_map(|label| Some(format!("{label_namespace}{}", label["Name"].as_str()?))).collect();
        let statement = &definition["Statement"];
        let kind = if let Some(managed) = statement.get("ManagedRuleGroupStatement") {
            let [vendor, name] = ["VendorName", "Name"].map(|member| managed[member].as_str().unwrap_or_default());
            remarks.push(format!(
                "the managed rule group {vendor}/{name} lets everything pass here: only AWS has its rules"
            ));
            Kind::Passed
        } else if let Some(reference) = statement.get("RuleGroupReferenceStatement") {
            let arn = reference["ARN"].as_str().unwrap_or_default();
            let Some(group) = references.rule_groups.get(arn) else {
                remarks.push(format!("there is no rule group {arn}; it lets everything pass"));
                return Self { name: name_of(definition), labels, kind: Kind::Passed };
            };
            Kind::Group {
                rules: Rules::parse(group, &overrides(reference), references, remarks),
                counts_only: definition["OverrideAction"].get("Count").is_some(),
            }
        } else {
            let effect = Effect::parse(action, bodies).unwrap_or_else(|remark| {
                remarks.push(format!("{remark}; it only counts"));
                Effect { terminating: None, inserted_headers: Vec::new() }
            });
            Kind::Own { statement: Statement::parse(statement, references, remarks), effect }
        };
        Self { name: name_of(definition), labels, kind }
    }

    fn apply(&self, inspection: &Inspection<'_>, label_namespace: &str, verdict: &mut Verdict) -> bool {
        match &self.kind {
            Kind::Passed => false,
            Kind::Group { rules, counts_only } => {
                let mut result = verdict.clone();
                let decided = rules.apply(inspection, &mut result);
                verdict.labels = result.labels;
                verdict.counted = result.counted;
                verdict.inserted_headers = result.inserted_headers;
                if decided && *counts_only {
                    verdict.counted.push(self.name.clone());
                } else if decided {
                    verdict.action = result.action;
                    verdict.rule = Some(format!("{}/{}", self.name, result.rule.unwrap_or_default()));
                }
                decided && !counts_only
            }
            Kind::Own { statement, effect } => {
                let labels = std::mem::take(&mut verdict.labels);
                let matched = statement.matches(&Inspection { labels: &labels, label_namespace, ..*inspection });
                verdict.labels = labels;
                if matched != Matched::Yes {
                    return false;
                }
                verdict.labels.extend_from_slice(&self.labels);
                match &effect.terminating {
                    None => {
                        verdict.counted.push(self.name.clone());
                        verdict.inserted_headers.extend_from_slice(&effect.inserted_headers);
                        false
                    }
                    Some(action) => {
                        if *action == Action::Allow {
                            verdict.inserted_headers.extend_from_slice(&effect.inserted_headers);
                        }
                        verdict.action = action.clone();
                        verdict.rule = Some(self.name.clone());
                        true
                    }
                }
            }
        }
    }
}

impl Effect {
    fn parse(definition: &Value, bodies: &Bodies) -> Result<Self, String> {
        let (kind, settings) = only_member(definition).map_err(|error| format!("Action: {error}"))?;
        let terminating = match kind {
            "Allow" => Some(Action::Allow),
            "Block" => Some(block(settings, bodies)?),
            "Count" => None,
            // Whoever asks has no token, because nobody here hands one out. AWS sends a page with a script along with it.
            // https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-actions.html
            "Captcha" => Some(check(405, "captcha")),
            "Challenge" => Some(check(202, "challenge")),
            _ => return Err(format!("the action {kind} is absent")),
        };
        let inserted = &settings["CustomRequestHandling"]["InsertHeaders"];
        let inserted_headers =
            headers(inserted)?.into_iter().map(|(name, value)| (format!("{INSERTED_HEADER}{name}"), value));
        Ok(Self { terminating, inserted_headers: inserted_headers.collect() })
    }
}

/// What happens when no rule decides: Allow or Block.
pub fn default_action(definition: &Value, bodies: &Bodies) -> Result<(Action, Vec<(String, String)>), String> {
    let effect = Effect::parse(definition, bodies)?;
    let action = effect.terminating.ok_or("the default action is Count, and should be Allow or Block")?;
    Ok((action, effect.inserted_headers))
}

/// The custom response bodies of a web ACL or rule group.
pub fn bodies(definition: &Value) -> Bodies {
    let bodies = definition["CustomResponseBodies"].as_object().into_iter().flatten();
    let body = |(key, body): (&String, &Value)| {
        let content_type = match body["ContentType"].as_str() {
            Some("APPLICATION_JSON") => "application/json",
            Some("TEXT_HTML") => "text/html",
            _ => "text/plain",
        };
        (key.clone(), (content_type, Bytes::from(body["Content"].as_str().unwrap_or_default().to_owned())))
    };
    bodies.map(body).collect()
}

fn block(settings: &Value, bodies: &Bodies) -> Result<Action, String> {
    let Some(custom) = settings.get("CustomResponse").filter(|custom| !custom.is_null()) else {
        return Ok(Action::Block);
    };
    let status = custom["ResponseCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.filter(|status| (200..600).contains(status));
    let status =
        status.ok_or_else(|| format!("ResponseCode is {}, and should be 200 to 599", custom["ResponseCode"]))?;
    let mut headers = headers(&custom["ResponseHeaders"])?;
    let mut body = Bytes::new();
    if let Some(key) = custom["CustomResponseBodyKey"].as_str() {
        let (content_type, content) =
            bodies.get(key).ok_or_else(|| format!("there is no custom response body '{key}'"))?;
        headers.push(("content-type".into(), (*content_type).into()));
        body = content.clone();
    }
    Ok(Action::Respond(CustomResponse { status, headers, body }))
}

fn check(status: u16, name: &str) -> Action {
    Action::Respond(CustomResponse { status, headers: vec![(CHECK_HEADER.into(), name.into())], body: Bytes::new() })
}

fn headers(definition: &Value) -> Result<Vec<(String, String)>, String> {
    if definition.is_null() {
        return Ok(Vec::new());
    }
    let headers = Vec::<Header>::deserialize(definition).map_err(|error| format!("custom headers: {error}"))?;
    Ok(headers.into_iter().map(|header| (header.name, header.value)).collect())
}

/// A reference's overrides: `RuleActionOverrides`, and `ExcludedRules`, their older form.
fn overrides(reference: &Value) -> HashMap<String, Value> {
    let list = |member: &str| reference[member].as_array().cloned().unwrap_or_default();
    let excluded = list("ExcludedRules").into_iter().map(|rule| (name_of(&rule), serde_json::json!({ "Count": {} })));
    let overridden = list("RuleActionOverrides").into_iter().map(|rule| (name_of(&rule), rule["ActionToUse"].clone()));
    excluded.chain(overridden).collect()
}

fn name_of(definition: &Value) -> String {
    definition["Name"].as_str().unwrap_or_default().into()
}
