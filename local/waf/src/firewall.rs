//! Which web ACL stands before which resource.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use local_aws_api::{AwsApi, Error};
use serde_json::Value;
use tracing::{info, warn};

use crate::{WebAcl, account};

/// Every regional web ACL of the account, by the resource that it protects. Cheap to clone: all clones see the same.
#[derive(Clone, Debug, Default)]
pub struct Firewall {
    by_resource: Arc<ArcSwap<HashMap<String, Arc<WebAcl>>>>,
    /// Remarks that have been logged.
    said: Arc<Mutex<HashSet<String>>>,
}

impl Firewall {
    /// A firewall that protects what is given, by ARN. For tests; a deployed one is read.
    pub fn protecting(associations: impl IntoIterator<Item = (String, Arc<WebAcl>)>) -> Self {
        Self { by_resource: Arc::new(ArcSwap::from_pointee(associations.into_iter().collect())), said: Arc::default() }
    }

    /// The web ACL that protects a resource now. Ask for each request: the answer changes when the account does.
    ///
    /// `resource_arn`: `arn:aws:apigateway:{region}::/restapis/{api}/stages/{stage}`, or a load balancer's ARN.
    pub fn web_acl(&self, resource_arn: &str) -> Option<Arc<WebAcl>> {
        self.by_resource.load().get(resource_arn).cloned()
    }

    /// Reads the account and serves what is in it from then on. Rate-based rules whose settings stayed go on counting.
    ///
    /// # Errors
    /// When the control plane does not answer. What was read before stays.
    pub async fn read(&self, api: &AwsApi) -> Result<(), Error> {
        let associations = account::associations(api).await?;
        let mut web_acls: HashMap<&str, Arc<WebAcl>> = HashMap::new();
        let mut by_resource = HashMap::new();
        let earlier = self.by_resource.load_full();
        for (resource, definition) in &associations {
            let arn = definition["ARN"].as_str().unwrap_or_default();
            let web_acl = match web_acls.get(arn) {
                Some(web_acl) => web_acl.clone(),
                None => {
                    let earlier = earlier.values().find(|earlier| earlier.arn() == arn);
                    let Some(web_acl) = self.prepare(api, definition, earlier).await? else { continue };
                    web_acls.insert(arn, web_acl.clone());
                    web_acl
                }
            };
            self.say(&format!("web ACL {} protects {resource}", web_acl.name()), false);
            by_resource.insert(resource.clone(), web_acl);
        }
        self.by_resource.store(Arc::new(by_resource));
        Ok(())
    }

    async fn prepare(
        &self,
        api: &AwsApi,
        definition: &Value,
        earlier: Option<&Arc<WebAcl>>,
    ) -> Result<Option<Arc<WebAcl>>, Error> {
        let (references, missing) = account::references(api, definition).await?;
        missing.iter().for_each(|remark| self.say(remark, true));
        match WebAcl::with_references(definition, &references) {
            Ok(mut web_acl) => {
                web_acl.remarks().iter().for_each(|remark| self.say(remark, true));
                if let Some(earlier) = earlier {
                    web_acl.inherit(earlier);
                }
                Ok(Some(Arc::new(web_acl)))
            }
            Err(remark) => {
                self.say(&format!("{remark}; it lets everything pass"), true);
                Ok(None)
            }
        }
    }

    /// Logs a line, once.
    fn say(&self, remark: &str, is_warning: bool) {
        let is_new = self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(remark.to_owned());
        match (is_new, is_warning) {
            (false, _) => {}
            (true, true) => warn!(target: "waf", "{remark}"),
            (true, false) => info!(target: "waf", "{remark}"),
        }
    }
}
