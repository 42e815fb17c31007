//! The virtual bench as a child process: rig's own program, started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// How long the virtual bench may take until its ports are there, and until it is gone.
const DEADLINE: Duration = Duration::from_secs(10);

/// A virtual bench that runs.
pub struct BenchChild {
    child: Child,
    /// Open for as long as the bench is to live. Held apart from the child, for waiting on a child closes its input.
    lifeline: Option<ChildStdin>,
    folder: TempDir,
}

/// Why there is no virtual bench.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The program could not be started.
    #[error("cannot start the virtual bench: {0}")]
    Start(#[from] std::io::Error),
    /// Not on this system.
    #[error("a virtual bench needs the ttys of Linux or macOS; here, play it in memory: `rig simulate`")]
    NoTtys,
    /// It ended, or said nothing.
    #[error("the virtual bench did not say that it is ready; try `rig bench {}` by hand", .0.display())]
    NotReady(PathBuf),
}

impl BenchChild {
    /// Starts the virtual bench of a fixture file. It ends when this is dropped, and when rig dies.
    ///
    /// # Errors
    /// Where it does not come up.
    pub async fn start(fixture: &Path) -> Result<Self, ChildError> {
        if !cfg!(unix) {
            return Err(ChildError::NoTtys);
        }
        let folder = tempfile::Builder::new().prefix("rig-bench-").tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("bench")
            .arg(fixture)
            .arg("--dir")
            .arg(folder.path())
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        // A Ctrl-C at the terminal is for rig: the bench stays until the rails are safe.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or_else(|| ChildError::NotReady(fixture.to_owned()))?;
        let mut lines = BufReader::new(output).lines();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "ready" {
                    return true;
                }
            }
            false
        };
        if tokio::time::timeout(DEADLINE, ready).await != Ok(true) {
            return Err(ChildError::NotReady(fixture.to_owned()));
        }
        let lifeline = child.stdin.take();
        Ok(Self { child, lifeline, folder })
    }

    /// Where its ports are.
    #[must_use]
    pub fn ports(&self) -> &Path {
        self.folder.path()
    }

    /// Waits until it ends by itself, and says how. The links to its ports are taken away then: the system gives the
    /// numbers of its terminals to whoever asks next, who is to be left alone.
    pub async fn ended(&mut self) -> String {
        let ended = self.child.wait().await;
        let _ = std::fs::remove_dir_all(self.ports());
        match ended {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Ends it.
    pub async fn stop(mut self) {
        drop(self.lifeline.take());
        if tokio::time::timeout(DEADLINE, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }
}
