use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

use super::error::{PowerError, shown, shown_bytes};
use crate::fixture::Level;
use crate::stamp::{Clock, Source, Stamp};

/// So much of what a program says is kept.
const MOST: usize = 4096;

/// An external program that switches: pdudaemon, labgrid, uhubctl or a lab's own script.
pub(super) struct Command {
    name: String,
    on: Vec<String>,
    off: Vec<String>,
    timeout: Duration,
    clock: Clock,
}

impl Command {
    pub(super) fn new(name: &str, on: &[String], off: &[String], timeout: Duration, clock: Clock) -> Self {
        Self { name: shown(name), on: on.to_vec(), off: off.to_vec(), timeout, clock }
    }

    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    pub(super) fn obtained(&self) -> BTreeMap<String, String> {
        let words = |argv: &[String]| shown(&argv.join(" "));
        BTreeMap::from([("on".into(), words(&self.on)), ("off".into(), words(&self.off))])
    }

    /// The command is out when the program runs; it is acknowledged when the program ends well.
    pub(super) async fn switch(
        &mut self,
        channel: u16,
        to: Level,
        commanded: &mut dyn FnMut(Stamp),
    ) -> Result<Stamp, PowerError> {
        let argv = if to == Level::On { &self.on } else { &self.off };
        let argv: Vec<_> = argv.iter().map(|word| word.replace("{channel}", &channel.to_string())).collect();
        let asked = argv.first().map_or_else(String::new, |program| shown(program));

        let before = self.clock.now();
        let mut child = self.start(argv, &asked).await?;
        commanded(Stamp::new(before, self.clock.now(), Source::User));

        let Ok((status, said)) = tokio::time::timeout(self.timeout, ended(&mut child)).await else {
            kill(&mut child).await;
            return Err(PowerError::NoReply { instrument: self.name(), asked, within: self.timeout });
        };
        let at = Stamp::new(before, self.clock.now(), Source::User);
        match status {
            Ok(status) if status.success() => Ok(at),
            Ok(status) => Err(self.refused(&asked, &format!("{status}: {}", shown_bytes(&said)))),
            Err(error) => Err(self.refused(&asked, &error.to_string())),
        }
    }

    /// Starts a program away from the wire thread, which forking would hold up.
    async fn start(&self, argv: Vec<String>, asked: &str) -> Result<Child, PowerError> {
        let started = tokio::task::spawn_blocking(move || {
            let (program, arguments) = argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
            let mut command = tokio::process::Command::new(program);
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.kill_on_drop(true);
            // In a group of its own: Ctrl-C at the terminal must not end the program that makes the bench safe.
            #[cfg(unix)]
            command.process_group(0);
            command.spawn()
        });
        match started.await {
            Ok(Ok(child)) => Ok(child),
            Ok(Err(error)) => Err(self.refused(asked, &format!("{error}; check the program's path in the fixture"))),
            Err(_) => Err(self.refused(asked, "its start was given up")),
        }
    }

    fn refused(&self, asked: &str, said: &str) -> PowerError {
        PowerError::Refused { instrument: self.name(), asked: asked.to_owned(), said: shown(said) }
    }
}

/// Waits for the program's end and takes what it says meanwhile. What it leaves running may hold its pipes open for
/// ever, so their end is not waited for.
async fn ended(child: &mut Child) -> (std::io::Result<std::process::ExitStatus>, Vec<u8>) {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    let status = {
        let hear = async {
            tokio::join!(drain(err, &mut said), drain(out, &mut rest));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            () = hear => unreachable!("it hears without end"),
            status = child.wait() => status,
        }
    };
    said.extend_from_slice(&rest);
    (status, said)
}

/// Reads to the end, and keeps the beginning: a program must not stand still because nobody reads.
async fn drain(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
        let room = MOST.saturating_sub(into.len());
        into.extend_from_slice(&buffer[..length.min(room)]);
    }
}

/// Kills a program and what it started.
async fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()) {
        let _ = nix::sys::signal::killpg(nix::unistd::Pid::from_raw(group), nix::sys::signal::Signal::SIGKILL);
    }
    let _ = child.kill().await;
}
