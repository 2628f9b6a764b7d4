//! Ends the functions when this process is gone, even if it was killed and could end nothing itself.
//!
//! A process that is killed leaves its children behind. Most runtimes notice, because nobody answers their `next`; a
//! function that hangs does not. So a shell waits at the other end of a pipe that only this process holds open: it is
//! told which process groups there are, and when the pipe closes, for whatever reason, it kills them. (A signal on the
//! parent's death, which Linux has, needs unsafe code, follows the thread and not the process, and macOS lacks it.)

use std::io::{PipeWriter, Write};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use rustix::process::Pid;
use tokio::process::{Child, Command};
use tracing::error;

/// Reads `+ GROUP` and `- GROUP`. It must outlive the signals that a terminal sends to everybody.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="${groups%% "$group" *} ${groups#* "$group" }" ;;
  esac
done
for group in $groups; do
  kill -KILL "-$group" 2>/dev/null
done
"#;

#[derive(Debug)]
pub(crate) struct Warden {
    pipe: Mutex<Option<PipeWriter>>,
    shell: Mutex<Option<Child>>,
}

impl Warden {
    pub(crate) fn new() -> std::io::Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "lambda-warden"])
            .env_clear()
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { pipe: Mutex::new(Some(writer)), shell: Mutex::new(Some(shell)) })
    }

    /// From now on, the group ends with this process.
    pub(crate) fn watch(&self, group: Pid) {
        self.tell('+', group);
    }

    /// The group has ended; its number may soon be another's.
    pub(crate) fn forget(&self, group: Pid) {
        self.tell('-', group);
    }

    fn tell(&self, change: char, group: Pid) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{change} {}\n", group.as_raw_pid());
        if let Some(Err(error)) = pipe.as_mut().map(|pipe| pipe.write_all(line.as_bytes())) {
            error!(target: "lambda", %error, "functions would survive this process if it were killed");
            *pipe = None;
        }
    }

    /// Lets the shell end, and waits for it.
    pub(crate) async fn dismiss(&self) {
        drop(self.pipe.lock().unwrap_or_else(PoisonError::into_inner).take());
        let shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut shell) = shell
            && let Err(error) = shell.wait().await
        {
            error!(target: "lambda", %error, "the shell that watches over functions cannot be waited for");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn sleeper() -> (Child, Pid) {
        let child = Command::new("/bin/sleep").arg("600").process_group(0).kill_on_drop(true).spawn().unwrap();
        let group = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
        (child, group)
    }

    #[tokio::test]
    async fn only_the_watched_groups_end_with_the_pipe() {
        let warden = Warden::new().unwrap();
        let ((mut first, one), (mut second, two), (mut third, three)) = (sleeper(), sleeper(), sleeper());
        for group in [one, two, three] {
            warden.watch(group);
        }
        warden.forget(two);
        warden.dismiss().await;
        assert_eq!(first.wait().await.unwrap().signal(), Some(9));
        assert_eq!(third.wait().await.unwrap().signal(), Some(9));
        assert_eq!(second.try_wait().unwrap(), None);
        second.kill().await.unwrap();
    }
}
