//! Which web ACL stands before which resource.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;

use crate::WebAcl;

/// Every regional web ACL of the account, by the resource that it protects. Cheap to clone: all clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Firewall {
    by_resource: Arc<ArcSwap<HashMap<String, Arc<WebAcl>>>>,
}

impl Firewall {
    /// A firewall that protects what is given, by ARN. For tests; a deployed one is read.
    pub fn protecting(associations: impl IntoIterator<Item = (String, Arc<WebAcl>)>) -> Self {
        Self { by_resource: Arc::new(ArcSwap::from_pointee(associations.into_iter().collect())) }
    }

    /// The web ACL that protects a resource now. Ask for each request: the answer changes when the account does.
    ///
    /// `resource_arn`: `arn:aws:apigateway:{region}::/restapis/{api}/stages/{stage}`, or a load balancer's ARN.
    pub fn web_acl(&self, resource_arn: &str) -> Option<Arc<WebAcl>> {
        self.by_resource.load().get(resource_arn).cloned()
    }
}
