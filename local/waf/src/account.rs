//! Reading web ACLs, and what they refer to, from the account.

use std::sync::Arc;

use http::Method;
use local_aws_api::{AwsApi, Error};
use regex::bytes::RegexSet;
use serde_json::{Value, json};

use crate::{
    ip_set::IpSet,
    statement::{References, only_member},
};

const TARGET: &str = "AWSWAF_20190729";
const SERVICE: &str = "wafv2";
const LOAD_BALANCING: (&str, &str) = ("elasticloadbalancing", "2015-12-01");

/// What may be protected and is, by its ARN, with the web ACL's definition. Asked from the resources' side: that is what
/// the control plane answers for all of them.
pub async fn associations(api: &AwsApi) -> Result<Vec<(String, Value)>, Error> {
    let mut associations = Vec::new();
    for resource in resources(api).await? {
        let answer = call(api, "GetWebACLForResource", &json!({ "ResourceArn": resource })).await?;
        if answer["WebACL"].is_object() {
            associations.push((resource, answer["WebACL"].clone()));
        }
    }
    Ok(associations)
}

/// The ARNs of every API Gateway stage and every load balancer.
async fn resources(api: &AwsApi) -> Result<Vec<String>, Error> {
    let mut resources = Vec::new();
    for rest_api in items(api, "/restapis").await? {
        let id = rest_api["id"].as_str().unwrap_or_default();
        for stage in items(api, &format!("/restapis/{id}/stages")).await? {
            let stage = stage["stageName"].as_str().unwrap_or_default();
            resources.push(format!("arn:aws:apigateway:{}::/restapis/{id}/stages/{stage}", api.region()));
        }
    }
    let mut marker: Option<String> = None;
    loop {
        let parameters: Vec<(&str, &str)> = marker.iter().map(|marker| ("Marker", marker.as_str())).collect();
        let (service, version) = LOAD_BALANCING;
        let answer = api.query(service, version, "DescribeLoadBalancers", &parameters).await?;
        let Some(result) = answer.child("DescribeLoadBalancersResult") else { return Ok(resources) };
        let balancers = result.child("LoadBalancers").into_iter().flat_map(|list| list.children("member"));
        // WAF protects no network load balancer.
        let application = balancers.filter(|balancer| balancer.text_of("Type") == Some("application"));
        resources.extend(application.filter_map(|balancer| balancer.text_of("LoadBalancerArn").map(String::from)));
        marker = result.text_of("NextMarker").filter(|marker| !marker.is_empty()).map(String::from);
        if marker.is_none() {
            return Ok(resources);
        }
    }
}

/// Every item of one of API Gateway's lists.
async fn items(api: &AwsApi, path: &str) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    let mut position = String::new();
    loop {
        let answer = api.rest("apigateway", Method::GET, &format!("{path}?limit=500{position}"), None).await?;
        items.extend(answer["item"].as_array().into_iter().flatten().cloned());
        match answer["position"].as_str() {
            Some(next) => position = format!("&position={next}"),
            None => return Ok(items),
        }
    }
}

/// Everything that a web ACL refers to, with a remark for each thing that is not there or cannot be used.
pub async fn references(api: &AwsApi, definition: &Value) -> Result<(References, Vec<String>), Error> {
    let mut references = References::default();
    let mut remarks = Vec::new();
    let mut open = Vec::new();
    collect(definition, &mut open);
    while let Some((kind, arn)) = open.pop() {
        let Some((name, id)) = name_and_id(&arn) else {
            remarks.push(format!("'{arn}' is no ARN of WAF's"));
            continue;
        };
        let (operation, member) = match kind {
            Kind::IpSet => ("GetIPSet", "IPSet"),
            Kind::RegexPatternSet => ("GetRegexPatternSet", "RegexPatternSet"),
            Kind::RuleGroup => ("GetRuleGroup", "RuleGroup"),
        };
        let answer = call(api, operation, &json!({ "Scope": "REGIONAL", "Name": name, "Id": id })).await;
        let found = match answer {
            Ok(answer) => answer[member].clone(),
            Err(error) if error.code() == Some("WAFNonexistentItemException") => {
                remarks.push(error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        let strings = |member: &str| -> Vec<String> {
            let strings = found[member].as_array().into_iter().flatten();
            strings.filter_map(|string| string.as_str().or(string["RegexString"].as_str()).map(String::from)).collect()
        };
        match kind {
            Kind::IpSet => match IpSet::parse(strings("Addresses").iter().map(String::as_str)) {
                Ok(set) => drop(references.ip_sets.insert(arn, Arc::new(set))),
                Err(error) => remarks.push(format!("IP set {name}: {error}")),
            },
            Kind::RegexPatternSet => match RegexSet::new(strings("RegularExpressionList")) {
                Ok(patterns) => drop(references.regex_pattern_sets.insert(arn, patterns)),
                Err(error) => remarks.push(format!("regex pattern set {name}: {error}")),
            },
            Kind::RuleGroup => {
                collect(&found, &mut open);
                references.rule_groups.insert(arn, found);
            }
        }
    }
    Ok((references, remarks))
}

#[derive(Clone, Copy)]
enum Kind {
    IpSet,
    RegexPatternSet,
    RuleGroup,
}

/// Every reference in a definition, however deep its statement stands.
fn collect(definition: &Value, found: &mut Vec<(Kind, String)>) {
    match definition {
        Value::Object(members) => {
            let kind = match only_member(definition).map_or("", |(name, _)| name) {
                "IPSetReferenceStatement" => Some(Kind::IpSet),
                "RegexPatternSetReferenceStatement" => Some(Kind::RegexPatternSet),
                "RuleGroupReferenceStatement" => Some(Kind::RuleGroup),
                _ => None,
            };
            for value in members.values() {
                match (kind, value["ARN"].as_str()) {
                    (Some(kind), Some(arn)) => found.push((kind, arn.to_owned())),
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// From `arn:aws:wafv2:{region}:{account}:regional/ipset/{name}/{id}`.
fn name_and_id(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.rsplit('/');
    let id = parts.next()?;
    let name = parts.next()?;
    parts.next().map(|_| (name, id))
}

async fn call(api: &AwsApi, operation: &str, body: &Value) -> Result<Value, Error> {
    api.json(SERVICE, &format!("{TARGET}.{operation}"), body).await
}
