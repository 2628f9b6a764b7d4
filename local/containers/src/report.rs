//! Tells the control plane how tasks and targets are, so that DescribeTargetHealth, ListTasks and DescribeServices say it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use local_aws_api::AwsApi;
use serde_json::Value;

use crate::change::Changes;
use crate::service::Services;
use crate::snapshot::target_health_page;
use crate::target_group::TargetGroups;

/// After a report that did not arrive.
const RETRY: Duration = Duration::from_secs(1);
/// Changes come in bursts; one report tells of all of them.
const BURST: Duration = Duration::from_millis(20);

/// What the control plane was told last.
#[derive(Debug)]
pub struct Reporter {
    api: AwsApi,
    groups: Arc<TargetGroups>,
    services: Arc<Services>,
    told: HashMap<String, Value>,
}

impl Reporter {
    /// Nothing told yet.
    pub fn new(api: AwsApi, groups: Arc<TargetGroups>, services: Arc<Services>) -> Self {
        Self { api, groups, services, told: HashMap::new() }
    }

    /// Reports after each change, for ever.
    pub async fn run(mut self, changes: Changes) {
        let mut changes = changes.watch();
        loop {
            if let Err(error) = self.report().await {
                tracing::warn!(target: "containers", "the control plane does not know how tasks and targets are: {error}");
                tokio::time::sleep(RETRY).await;
                continue;
            }
            // The sender lives as long as whoever runs this.
            _ = changes.changed().await;
            tokio::time::sleep(BURST).await;
            changes.mark_unchanged();
        }
    }

    /// Reports what has changed since the last time.
    ///
    /// # Errors
    /// When a page does not take it. What is gone from the control plane is no error: a re-read is on its way.
    async fn report(&mut self) -> Result<(), local_aws_api::Error> {
        let targets = self.groups.all();
        let targets = targets.iter().map(|group| (target_health_page(&group.settings().arn), group.report()));
        let pages: HashMap<_, _> = targets.chain(self.services.report()).collect();
        self.told.retain(|page, _| pages.contains_key(page));
        for (page, body) in pages {
            if self.told.get(&page) == Some(&body) {
                continue;
            }
            match self.api.own(Method::PUT, &page, Some(&body)).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => _ = self.told.insert(page, body),
            }
        }
        Ok(())
    }
}
