//! A web ACL: rules in the order of their priority, and what happens when none decides.

use std::{collections::HashMap, time::Instant};

use serde_json::Value;

use crate::{
    Action, Protected, RequestView, Verdict,
    rule::{self, Rules},
    statement::{Inspection, References},
};

/// Bytes of a body that WAF sees unless the web ACL's association says otherwise.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html>
const API_GATEWAY_BODY_LIMIT: usize = 16 * 1024;
/// The same for a load balancer, where it cannot be changed.
const LOAD_BALANCER_BODY_LIMIT: usize = 8 * 1024;

/// A web ACL, ready to evaluate requests. Its rate-based rules count while they do.
#[derive(Debug)]
pub struct WebAcl {
    name: String,
    arn: String,
    rules: Rules,
    default_action: Action,
    default_headers: Vec<(String, String)>,
    api_gateway_body_limit: usize,
    remarks: Vec<String>,
}

impl WebAcl {
    /// From a web ACL as GetWebACL answers with it, without IP sets, pattern sets and rule groups: a rule that refers to one
    /// is never applied. For tests; a deployed one is read with all of these by [`Firewall`](crate::Firewall).
    ///
    /// # Errors
    /// When there is no default action that could be taken. Rules that cannot be understood are left out, and
    /// [`WebAcl::remarks`] names them.
    pub fn parse(definition: &Value) -> Result<Self, String> {
        Self::with_references(definition, &References::default())
    }

    pub(crate) fn with_references(definition: &Value, references: &References) -> Result<Self, String> {
        let name = definition["Name"].as_str().unwrap_or_default().to_owned();
        let (default_action, default_headers) =
            rule::default_action(&definition["DefaultAction"], &rule::bodies(definition))
                .map_err(|error| format!("web ACL {name}: DefaultAction: {error}"))?;
        let mut remarks = Vec::new();
        let rules = Rules::parse(definition, &HashMap::new(), references, &mut remarks);
        let limit = &definition["AssociationConfig"]["RequestBody"]["API_GATEWAY"]["DefaultSizeInspectionLimit"];
        let limit = limit.as_str().and_then(|limit| limit.strip_prefix("KB_")?.parse::<usize>().ok());
        Ok(Self {
            rules,
            default_action,
            default_headers,
            api_gateway_body_limit: limit.map_or(API_GATEWAY_BODY_LIMIT, |kilobytes| kilobytes * 1024),
            remarks: remarks.into_iter().map(|remark| format!("web ACL {name}: {remark}")).collect(),
            arn: definition["ARN"].as_str().unwrap_or_default().into(),
            name,
        })
    }

    /// As in the account.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    /// What of the web ACL is not enforced here, and why, a sentence each.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Bytes of a body that the rules see.
    pub fn body_limit(&self, protected: Protected) -> usize {
        match protected {
            Protected::ApiGatewayStage => self.api_gateway_body_limit,
            Protected::LoadBalancer => LOAD_BALANCER_BODY_LIMIT,
        }
    }

    /// What becomes of a request.
    pub fn evaluate(&self, request: &RequestView<'_>) -> Verdict {
        self.evaluate_at(request, Instant::now())
    }

    pub(crate) fn evaluate_at(&self, request: &RequestView<'_>, now: Instant) -> Verdict {
        let mut verdict = Verdict {
            action: self.default_action.clone(),
            rule: None,
            counted: Vec::new(),
            labels: Vec::new(),
            inserted_headers: Vec::new(),
        };
        let body_limit = self.body_limit(request.protected);
        let inspection = Inspection { request, body_limit, labels: &[], label_namespace: "", now };
        if !self.rules.apply(&inspection, &mut verdict) && verdict.allows() {
            verdict.inserted_headers.extend_from_slice(&self.default_headers);
        }
        verdict
    }

    /// Goes on counting where the same web ACL left off before it was updated.
    pub(crate) fn inherit(&mut self, earlier: &Self) {
        self.rules.inherit(&earlier.rules);
    }
}

#[cfg(test)]
mod tests;
