//! An API's resource policy, alone and together with an authorizer.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html>

use crate::context::Context;
use crate::gateway_response::{Refused, ResponseType};
use crate::policy::{Access, Decision, Policy};

const INVOKE: &str = "execute-api:Invoke";

/// What a policy, the API's or an authorizer's, says to a request.
pub(crate) fn decide(policy: &Policy, context: &Context) -> Decision {
    let arn = context.method_arn();
    let stage = &context.address.stage;
    // A policy that is written before its API has an id leaves the first part of the ARN out.
    let short = format!("execute-api:/{}/{}{}", stage.stage.name, context.method, context.address.path);
    policy.decide(&Access {
        principal: None,
        action: INVOKE,
        resources: &[&arn, &short],
        condition_key: &|key| match key {
            "aws:sourceip" => Some(context.source_ip.to_string()),
            "aws:useragent" => context.user_agent().map(|agent| agent.into_owned()),
            "aws:referer" => context.header("referer").map(|referer| referer.into_owned()),
            _ => None,
        },
    })
}

/// The refusal of a request that no identity is known of.
pub(crate) fn refusal(decision: Decision, context: &Context) -> Refused {
    let stage = &context.address.stage;
    // AWS shows the last four digits of the account alone.
    let hidden = stage.account_id.len().saturating_sub(4);
    let account = format!("{}{}", "*".repeat(hidden), &stage.account_id[hidden..]);
    let arn = context.method_arn().replace(&stage.account_id, &account);
    let explicit = if decision == Decision::Denied { " with an explicit deny" } else { "" };
    let message = format!("User: anonymous is not authorized to perform: {INVOKE} on resource: {arn}{explicit}");
    let refused = Refused::new(ResponseType::AccessDenied, "", format!("The resource policy: {message}"));
    Refused { details: Some(message), ..refused }
}
