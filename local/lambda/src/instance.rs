//! One execution environment: a process, the Runtime API that it talks to, and what it is doing.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::dates;
use crate::environment::environment;
use crate::failure::Failure;
use crate::limits::{AFTERMATH, INIT_ERROR_GRACE, MEMORY_SAMPLE};
use crate::logs::Logs;
use crate::pool::Pool;
use crate::runtime_api;

/// A running process of a function version.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) group: Pid,
    pub(crate) logs: Logs,
    pub(crate) start: Start,
    /// Ends the process.
    pub(crate) end: CancellationToken,
    /// A `next` is waiting for its event.
    polling: AtomicBool,
    /// An invocation has had it.
    used: AtomicBool,
    /// Has answered, and not asked for another event yet.
    pub(crate) returning: AtomicBool,
    state: Mutex<State>,
    init: OnceLock<Duration>,
    init_failed: CancellationToken,
    memory: Mutex<Option<(Instant, u64)>>,
}

/// The first start of a process, or the repetition that Lambda makes when the first one failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) at: Instant,
    /// Part of the invocation: within the function's time-out, and in the invocation's duration.
    pub(crate) repeated: bool,
}

impl Start {
    pub(crate) fn first() -> Self {
        Self { at: Instant::now(), repeated: false }
    }

    pub(crate) fn again() -> Self {
        Self { at: Instant::now(), repeated: true }
    }
}

#[derive(Debug)]
enum State {
    Starting,
    /// Has reported that it cannot start.
    InitFailed(Failure),
    /// Has answered, or has never been asked.
    Free,
    /// Was told to run an invocation, and has not answered.
    Running {
        request_id: Arc<str>,
        answer: oneshot::Sender<Answer>,
    },
    Ended,
}

/// What became of an invocation.
#[derive(Debug)]
pub(crate) enum Answer {
    Response(Bytes),
    FunctionError { payload: Bytes, error_type: String },
    Failed(Failure),
}

/// What a `next` is answered with.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) request_id: Arc<str>,
    pub(crate) payload: Bytes,
    pub(crate) deadline_ms: u128,
    pub(crate) function_arn: String,
    pub(crate) trace_id: String,
    pub(crate) client_context: Option<String>,
}

/// The Runtime API was used out of turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misuse {
    /// Not the invocation that runs.
    RequestId,
    /// Not now.
    Transition,
}

/// A `next` that waits; one at a time.
pub(crate) struct Polling<'a>(&'a Instance);

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.polling.store(false, Ordering::Release);
    }
}

impl Instance {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A `next` came. `Ok(true)`: the first one, the process is ready.
    pub(crate) fn poll(&self) -> Result<(Polling<'_>, bool), Misuse> {
        let mut state = self.state();
        let first = match *state {
            State::Starting => true,
            State::Free => false,
            State::InitFailed(_) | State::Running { .. } | State::Ended => return Err(Misuse::Transition),
        };
        if self.polling.swap(true, Ordering::AcqRel) {
            return Err(Misuse::Transition);
        }
        if first {
            // Set once: only one `next` finds the state `Starting`.
            let _ = self.init.set(self.start.at.elapsed());
        }
        *state = State::Free;
        Ok((Polling(self), first))
    }

    /// Whether no invocation has had it before; asked once by each.
    pub(crate) fn is_first_use(&self) -> bool {
        !self.used.swap(true, Ordering::AcqRel)
    }

    /// The next answer belongs to this invocation.
    pub(crate) fn begin(&self, request_id: &Arc<str>) -> oneshot::Receiver<Answer> {
        let (answer, answered) = oneshot::channel();
        let mut state = self.state();
        if matches!(*state, State::Free) {
            *state = State::Running { request_id: Arc::clone(request_id), answer };
        }
        answered
    }

    /// The event of [`Instance::begin`] did not reach the process.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        if matches!(*state, State::Running { .. }) {
            *state = State::Free;
        }
    }

    /// Whether an answer for the invocation would be taken.
    pub(crate) fn is_running(&self, id: &str) -> bool {
        matches!(&*self.state(), State::Running { request_id, .. } if **request_id == *id)
    }

    /// The process answered. The pool knows before the invoker does that it will be free.
    pub(crate) fn answer(&self, id: &str, given: Answer, pool: &Pool) -> Result<(), Misuse> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Free) {
            State::Running { request_id, answer } if *request_id == *id => {
                drop(state);
                pool.returns(self);
                // Nobody waits any more when the time was over.
                let _ = answer.send(given);
                Ok(())
            }
            other => {
                *state = other;
                Err(Misuse::RequestId)
            }
        }
    }

    /// The process could not initialise itself.
    pub(crate) fn fail_init(&self, payload: Bytes, error_type: String) -> Result<(), Misuse> {
        let mut state = self.state();
        if !matches!(*state, State::Starting) {
            return Err(Misuse::Transition);
        }
        *state = State::InitFailed(Failure::Init { payload, error_type });
        self.init_failed.cancel();
        Ok(())
    }

    /// Whether it runs an invocation.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(*self.state(), State::Running { .. })
    }

    /// From the start to the first `next`.
    pub(crate) fn init_duration(&self) -> Option<Duration> {
        self.init.get().copied()
    }

    /// The most memory that the process has held, in MB. Looked up now and then only.
    pub(crate) fn max_memory(&self) -> u64 {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        match *memory {
            Some((at, megabytes)) if at.elapsed() < MEMORY_SAMPLE => megabytes,
            earlier => {
                let megabytes = high_water_mark(self.group).or(earlier.map(|(_, megabytes)| megabytes));
                let megabytes = megabytes.unwrap_or_default();
                *memory = Some((Instant::now(), megabytes));
                megabytes
            }
        }
    }
}

/// Starts a process, and stays until it has ended. Tells the pool when it is ready, when it could not be started, and when
/// it is gone.
pub(crate) async fn run(pool: Arc<Pool>, start: Start) {
    let (instance, listener, child) = match spawn(&pool, start).await {
        Ok(started) => started,
        Err(cause) => {
            pool.init_report(start, &format!("Status: error\tError Type: {}", cause.error_type()));
            return pool.start_failed(None, start, cause);
        }
    };
    pool.started(&instance);
    let follower = {
        let instance = Arc::clone(&instance);
        tokio::spawn(async move { instance.logs.follow().await })
    };
    let end = supervise(&pool, &instance, listener, child).await;
    follower.abort();
    instance.logs.drain();
    debug!(target: "lambda", function = %pool.function, pid = instance.group.as_raw_pid(), "process ended");

    let before = std::mem::replace(&mut *instance.state(), State::Ended);
    match before {
        State::Starting | State::InitFailed(_) => {
            let failure = match before {
                State::InitFailed(failure) => failure,
                _ => end,
            };
            let status = match failure {
                Failure::Timeout(_) => "Status: timeout".to_owned(),
                _ => format!("Status: error\tError Type: {}", failure.error_type()),
            };
            pool.init_report(start, &status);
            pool.start_failed(Some(&instance), start, failure);
        }
        State::Running { answer, .. } => {
            // Nobody waits any more when the process was ended because its time was over.
            let _ = answer.send(Answer::Failed(end));
            pool.ended(&instance);
        }
        State::Free | State::Ended => pool.ended(&instance),
    }
}

async fn spawn(pool: &Pool, start: Start) -> Result<(Arc<Instance>, TcpListener, Child), Failure> {
    let version = &pool.version;
    let bootstrap = version.task_root.join("bootstrap");
    match fs::metadata(&bootstrap) {
        Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => {}
        Ok(file) if file.is_file() => {
            let cause = "fork/exec /var/task/bootstrap: permission denied";
            return Err(Failure::InvalidEntrypoint(cause.to_owned()));
        }
        _ => {
            let cause = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
            return Err(Failure::InvalidEntrypoint(cause.to_owned()));
        }
    }
    // Whatever fails from here on is this machine's doing: no port, no pipe, no process, or a file that is no program.
    let unable = |error: io::Error| {
        let cause = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::NOEXEC) => "exec format error".to_owned(),
            _ => error.to_string(),
        };
        warn!(target: "lambda", function = %pool.function, bootstrap = %bootstrap.display(), %error, "cannot be started");
        Failure::InvalidEntrypoint(format!("fork/exec /var/task/bootstrap: {cause}"))
    };
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.map_err(unable)?;
    let address = listener.local_addr().map_err(unable)?;
    let log_stream = format!("{}/[{}]{}", dates::today(), version.version, uuid::Uuid::new_v4().simple());
    let (reader, writer) = io::pipe().map_err(unable)?;
    let logs = Logs::new(Arc::clone(&pool.function), reader).map_err(unable)?;

    // The command holds the pipe's other end; it must go, or the pipe never ends.
    let child = {
        let mut command = Command::new(&bootstrap);
        command
            .current_dir(&version.task_root)
            .env_clear()
            .envs(environment(&pool.function, version, &pool.shared.aws, &log_stream, &address.to_string()))
            .stdin(Stdio::null())
            .stdout(writer.try_clone().map_err(unable)?)
            .stderr(writer)
            .process_group(0)
            .kill_on_drop(true);
        command.spawn().map_err(unable)?
    };
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    // There is no id only after the process was waited for.
    let group = group.ok_or_else(|| unable(io::Error::other("the process has no id")))?;
    pool.shared.warden.watch(group);
    let instance = Arc::new(Instance {
        group,
        logs,
        start,
        end: pool.shared.stop.child_token(),
        polling: AtomicBool::new(false),
        used: AtomicBool::new(false),
        returning: AtomicBool::new(false),
        state: Mutex::new(State::Starting),
        init: OnceLock::new(),
        init_failed: CancellationToken::new(),
        memory: Mutex::new(None),
    });
    Ok((instance, listener, child))
}

/// Serves the Runtime API until the process has ended or must end. Afterwards the whole process group is gone, and
/// everything that it sent has been read.
async fn supervise(pool: &Arc<Pool>, instance: &Arc<Instance>, listener: TcpListener, mut child: Child) -> Failure {
    let init_limit = if instance.start.repeated { pool.version.timeout } else { pool.shared.settings.init };
    let mut init_deadline = tokio::time::Instant::from_std(instance.start.at) + init_limit;
    let mut init_failed = false;
    let mut connections = JoinSet::new();
    let end = loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(runtime_api::serve(stream, Arc::clone(instance), Arc::clone(pool)));
                }
                Err(error) => warn!(target: "lambda", function = %pool.function, %error, "Runtime API: a connection failed"),
            },
            status = child.wait() => match status {
                Ok(status) => break Failure::Exit(status),
                Err(error) => {
                    warn!(target: "lambda", function = %pool.function, %error, "cannot wait for the process");
                    break Failure::ShutDown;
                }
            },
            () = instance.end.cancelled() => break Failure::ShutDown,
            // The first `next` may have come since this began to wait: it comes by a connection that is there already.
            () = sleep_until(init_deadline), if instance.init.get().is_none() => {
                if instance.init.get().is_none() {
                    break Failure::Timeout(init_limit);
                }
            }
            () = instance.init_failed.cancelled(), if !init_failed => {
                init_failed = true;
                init_deadline = tokio::time::Instant::now() + INIT_ERROR_GRACE;
            }
            Some(_) = connections.join_next() => {}
        }
    };
    // The process may have left others behind, so its group is ended even if it has exited; that there is nobody any more
    // is no error.
    let _ = kill_process_group(instance.group, Signal::KILL);
    if let Err(error) = child.wait().await {
        warn!(target: "lambda", function = %pool.function, %error, "cannot wait for the process");
    }
    pool.shared.warden.forget(instance.group);
    let all_read = async { while connections.join_next().await.is_some() {} };
    if timeout(AFTERMATH, all_read).await.is_err() {
        warn!(target: "lambda", function = %pool.function, "something else holds the connection of a process that has ended");
    }
    end
}

/// `VmHWM`, where there is `/proc`.
fn high_water_mark(process: Pid) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process.as_raw_pid())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}
