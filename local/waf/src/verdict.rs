//! What the firewall says to a request.

use bytes::Bytes;

/// What becomes of a request, and what the rules left on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Let through or not.
    pub action: Action,
    /// The rule that decided; none if the web ACL's default action did.
    pub rule: Option<String>,
    /// Rules with the action Count that matched, in the order in which they did.
    pub counted: Vec<String>,
    /// Fully qualified labels of the rules that matched: `awswaf:{account}:webacl:{name}:{label}`.
    pub labels: Vec<String>,
    /// Headers that are added to a request that is let through, in place of any that it has under the same name.
    /// Their names begin with `x-amzn-waf-`.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-incoming-request.html>
    pub inserted_headers: Vec<(String, String)>,
}

impl Verdict {
    /// Whether the request goes on to what is protected.
    pub fn allows(&self) -> bool {
        self.action == Action::Allow
    }
}

/// Let through or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The request goes on.
    Allow,
    /// It is refused as the protected resource refuses: API Gateway by the gateway response `WAF_FILTERED` (403), a load
    /// balancer by an HTML page (403).
    Block,
    /// It is refused with this.
    Respond(CustomResponse),
}

/// A custom response of a Block action.
/// <https://docs.aws.amazon.com/waf/latest/APIReference/API_CustomResponse.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomResponse {
    /// 200 to 599.
    pub status: u16,
    /// The rule's headers, and `content-type` where there is a body.
    pub headers: Vec<(String, String)>,
    /// Empty if the rule names none.
    pub body: Bytes,
}
