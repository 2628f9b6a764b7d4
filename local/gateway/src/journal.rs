//! The requests of late, for whoever wants to look: the landing page shows them as they come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

use crate::clock::Civil;

/// So many are kept.
const KEPT: usize = 200;
/// A listener that is further behind loses the oldest.
const BACKLOG: usize = 256;

/// A request that has been answered. It holds no key, no token and no whole body.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FinishedRequest {
    /// `x-amzn-RequestId` of the response.
    pub request_id: String,
    /// When it arrived, in milliseconds since 1970.
    pub time: u64,
    /// The REST API.
    pub api_id: String,
    /// Its name.
    pub api_name: String,
    /// The stage.
    pub stage: String,
    /// `GET` ...
    pub method: String,
    /// With the stage or the base path, without the query.
    pub path: String,
    /// The resource that the path names; none if there is no such.
    pub resource_path: Option<String>,
    /// Of the response.
    pub status: u16,
    /// From the first byte of the request to the last one of the response, as far as the gateway sees them.
    pub latency_microseconds: u64,
    /// How much of that the integration took.
    pub integration_latency_microseconds: Option<u64>,
    /// Bytes of the response's body.
    pub length: usize,
    /// `THROTTLED` ..., if the gateway itself answered.
    pub gateway_response: Option<&'static str>,
    /// Which key opened the door; never its value.
    pub api_key_id: Option<String>,
    /// The execution log, one step a line.
    pub log: Vec<String>,
}

impl FinishedRequest {
    /// The execution log as TestInvokeMethod gives it: each line with its time.
    pub fn execution_log(&self) -> String {
        let time = Civil::at(self.time).execution_log_format();
        let mut text = format!("Execution log for request {}\n", self.request_id);
        for line in &self.log {
            text.push_str(&format!("{time} : {line}\n"));
        }
        text
    }
}

/// Keeps requests and tells of them.
#[derive(Debug)]
pub(crate) struct Journal {
    recent: Mutex<VecDeque<Arc<FinishedRequest>>>,
    listeners: broadcast::Sender<Arc<FinishedRequest>>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { recent: Mutex::default(), listeners: broadcast::Sender::new(BACKLOG) }
    }
}

impl Journal {
    pub fn add(&self, request: Arc<FinishedRequest>) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == KEPT {
            recent.pop_front();
        }
        recent.push_back(Arc::clone(&request));
        drop(recent);
        // Nobody may be listening: that is no error.
        let _ = self.listeners.send(request);
    }

    /// The oldest first.
    pub fn recent(&self) -> Vec<Arc<FinishedRequest>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Arc<FinishedRequest>> {
        self.listeners.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: usize) -> FinishedRequest {
        FinishedRequest {
            request_id: id.to_string(),
            time: 1_767_323_045_000,
            api_id: "a".into(),
            api_name: "strings".into(),
            stage: "test".into(),
            method: "GET".into(),
            path: "/test/".into(),
            resource_path: None,
            status: 200,
            latency_microseconds: 7,
            integration_latency_microseconds: None,
            length: 0,
            gateway_response: None,
            api_key_id: None,
            log: vec!["one".into(), "two".into()],
        }
    }

    #[test]
    fn the_latest_are_kept() {
        let journal = Journal::default();
        let mut listener = journal.subscribe();
        (0..KEPT + 3).for_each(|id| journal.add(Arc::new(request(id))));
        let recent = journal.recent();
        assert_eq!((recent.len(), recent[0].request_id.as_str()), (KEPT, "3"));
        assert_eq!(listener.try_recv().unwrap().request_id, "0");
    }

    #[test]
    fn a_log_has_the_form_of_test_invoke_method() {
        let time = "Fri Jan 02 03:04:05 UTC 2026";
        let expected = format!("Execution log for request 7\n{time} : one\n{time} : two\n");
        assert_eq!(request(7).execution_log(), expected);
    }
}
