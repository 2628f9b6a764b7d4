//! Where hosts really are that AWS would resolve.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use http::Method;
use local_aws_api::{AwsApi, Error};
use local_containers::Containers;
use local_integrations::Network;

/// Load balancers on this machine, by name or through a VPC link.
pub struct Local {
    containers: Arc<Containers>,
    /// VPC link → the DNS names of the load balancers that it leads to.
    vpc_links: Mutex<HashMap<String, Vec<String>>>,
}

impl Local {
    pub fn new(containers: Arc<Containers>) -> Self {
        Self { containers, vpc_links: Mutex::default() }
    }

    /// Reads where VPC links lead. After the load balancers have been read.
    ///
    /// # Errors
    /// When the control plane does not answer.
    pub async fn read(&self, api: &AwsApi) -> Result<(), Error> {
        let answer = api.rest("apigateway", Method::GET, "/vpclinks?limit=500", None).await?;
        let deployed = self.containers.deployed();
        let names = |arns: &serde_json::Value| -> Vec<String> {
            let arns = arns.as_array().into_iter().flatten();
            let balancer = |arn| deployed.load_balancers.iter().find(|balancer| arn == balancer.arn.as_str());
            arns.filter_map(balancer).map(|balancer| balancer.dns_name.clone()).collect()
        };
        let links = answer["item"].as_array().into_iter().flatten();
        let links = links.filter_map(|link| Some((link["id"].as_str()?.to_owned(), names(&link["targetArns"]))));
        *self.vpc_links.lock().unwrap_or_else(PoisonError::into_inner) = links.collect();
        Ok(())
    }
}

impl Network for Local {
    /// Through a VPC link every host is the link's load balancer; the host of the URI is only what it is asked for.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-nlb-for-vpclink-using-console.html>
    fn resolve(&self, host: &str, port: u16, vpc_link: Option<&str>) -> Option<SocketAddr> {
        let Some(vpc_link) = vpc_link else { return self.containers.resolve(host, port) };
        let links = self.vpc_links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(vpc_link)?.iter().find_map(|name| self.containers.resolve(name, port))
    }
}
