//! A web ACL: rules in the order of their priority, and what happens when none decides.

use crate::{Action, Protected, RequestView, Verdict};

/// Bytes of a body that WAF sees unless the web ACL's association says otherwise.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html>
const API_GATEWAY_BODY_LIMIT: usize = 16 * 1024;
/// The same for a load balancer, where it cannot be changed.
const LOAD_BALANCER_BODY_LIMIT: usize = 8 * 1024;

/// A web ACL, ready to evaluate requests. Its rate-based rules count while they do.
#[derive(Debug)]
pub struct WebAcl {
    name: String,
    default_action: Action,
    api_gateway_body_limit: usize,
}

impl WebAcl {
    /// A web ACL without rules that lets everything through.
    pub fn open(name: &str) -> Self {
        Self { name: name.into(), default_action: Action::Allow, api_gateway_body_limit: API_GATEWAY_BODY_LIMIT }
    }

    /// As in the account.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of a body that the rules see.
    pub fn body_limit(&self, protected: Protected) -> usize {
        match protected {
            Protected::ApiGatewayStage => self.api_gateway_body_limit,
            Protected::LoadBalancer => LOAD_BALANCER_BODY_LIMIT,
        }
    }

    /// What becomes of a request.
    pub fn evaluate(&self, _request: &RequestView<'_>) -> Verdict {
        Verdict {
            action: self.default_action.clone(),
            rule: None,
            counted: Vec::new(),
            labels: Vec::new(),
            inserted_headers: Vec::new(),
        }
    }
}
