//! What Lambda says of each invocation: START, END and REPORT.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::limits::REPORTS;

/// One invocation, measured. Its `Display` is the REPORT line as Lambda writes it into a log.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-format.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The invocation.
    pub request_id: String,
    /// The function's name.
    pub function: Arc<str>,
    /// The version that ran.
    pub version: Arc<str>,
    /// When it ended.
    pub ended: SystemTime,
    /// From handing the event to the function, to its answer. Includes an initialisation that had to be repeated.
    pub duration: Duration,
    /// What would be paid for: initialisation and duration, in whole milliseconds.
    pub billed_duration: Duration,
    /// What is configured, in MB.
    pub memory_size: u32,
    /// The most memory that the process has held so far, in MB; 0 where there is no `/proc`.
    pub max_memory_used: u64,
    /// From the process's start to its first `next`; of the first invocation only.
    pub init_duration: Option<Duration>,
    /// How it ended.
    pub status: Status,
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// The function answered.
    Success,
    /// The function reported an error of this type. Its runtime did not fail, and the REPORT line does not mention it.
    FunctionError(String),
    /// The process failed: the type of error, such as `Runtime.ExitError`.
    Error(String),
    /// The function's time was over.
    Timeout,
}

impl Report {
    pub(crate) fn billed(duration: Duration, init: Option<Duration>) -> Duration {
        let nanoseconds = (duration + init.unwrap_or_default()).as_nanos();
        Duration::from_millis(u64::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        write!(
            f,
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            self.request_id,
            milliseconds(self.duration),
            self.billed_duration.as_millis(),
            self.memory_size,
            self.max_memory_used
        )?;
        if let Some(init) = self.init_duration {
            write!(f, "\tInit Duration: {:.2} ms", milliseconds(init))?;
        }
        match &self.status {
            Status::Success | Status::FunctionError(_) => Ok(()),
            Status::Error(kind) => write!(f, "\tStatus: error\tError Type: {kind}"),
            Status::Timeout => f.write_str("\tStatus: timeout"),
        }
    }
}

/// The latest reports, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Reports(Mutex<VecDeque<Report>>);

impl Reports {
    pub(crate) fn push(&self, report: Report) {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() == REPORTS {
            reports.pop_front();
        }
        reports.push_back(report);
    }

    pub(crate) fn all(&self) -> Vec<Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(status: Status, init_duration: Option<Duration>) -> Report {
        let duration = Duration::from_micros(1_234);
        Report {
            request_id: "8f507cfc-xmpl-4697-b07a-ac58fc914c95".to_owned(),
            function: "upper".into(),
            version: "7".into(),
            ended: SystemTime::UNIX_EPOCH,
            duration,
            billed_duration: Report::billed(duration, init_duration),
            memory_size: 128,
            max_memory_used: 39,
            init_duration,
            status,
        }
    }

    #[test]
    fn a_first_invocation() {
        assert_eq!(
            report(Status::Success, Some(Duration::from_micros(3_100))).to_string(),
            "REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95\tDuration: 1.23 ms\tBilled Duration: 5 ms\t\
             Memory Size: 128 MB\tMax Memory Used: 39 MB\tInit Duration: 3.10 ms"
        );
    }

    #[test]
    fn a_failure() {
        let text = report(Status::Error("Runtime.ExitError".to_owned()), None).to_string();
        assert!(text.ends_with("Max Memory Used: 39 MB\tStatus: error\tError Type: Runtime.ExitError"), "{text}");
        assert!(report(Status::Timeout, None).to_string().ends_with("\tStatus: timeout"));
    }

    #[test]
    fn only_so_many_are_kept() {
        let reports = Reports::default();
        for number in 0..=REPORTS {
            reports.push(Report { request_id: number.to_string(), ..report(Status::Success, None) });
        }
        assert_eq!(reports.all().len(), REPORTS);
        assert_eq!(reports.all()[0].request_id, "1");
    }
}
