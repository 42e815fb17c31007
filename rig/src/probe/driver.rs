//! Starts the process that drives a probe, asks it, and ends it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::request::{CoreState, Found, LONGEST, Log, MOST_MEMORY, Progress, Request, Response, Target};
use super::{Identity, ProbeError};
use crate::hex;

/// How long a probe may take for a request that touches a few registers, or some memory.
const SHORT: Duration = Duration::from_secs(10);
/// How long attaching may take: probe-rs tries for 5 s to get an answer from the debug port.
const ATTACHES: Duration = Duration::from_secs(15);
/// How long reading all of a flash may take.
const COMPARES: Duration = Duration::from_secs(120);
/// How long programming may go on without any progress: the longest erasures of whole chips take half a minute, and no
/// progress is told of the comparison at its end.
const PROGRESSES: Duration = COMPARES;

/// Starts processes that drive probes.
#[derive(Clone, Debug)]
pub struct Driver {
    program: PathBuf,
}

impl Driver {
    /// Processes of this program itself, which is rig's.
    ///
    /// # Errors
    /// Where this program is not found.
    pub fn this() -> Result<Self, ProbeError> {
        let program = std::env::current_exe().map_err(|error| ProbeError::Start(error.to_string()))?;
        Ok(Self { program })
    }

    /// Processes of the `rig` program at that path.
    #[must_use]
    pub fn of(program: PathBuf) -> Self {
        Self { program }
    }

    /// The probes that are there. Network probes are only found by their selector.
    ///
    /// # Errors
    /// Where the selector is none, or the search does not end.
    pub async fn list(&self, selector: Option<&str>) -> Result<Vec<Found>, ProbeError> {
        let mut probe = self.start()?;
        match probe.ask(Request::List(selector.map(str::to_owned)), SHORT).await? {
            Response::Found(found) => Ok(found),
            _ => Err(ProbeError::Gibberish),
        }
    }

    /// Opens a probe and attaches to its target; a core that runs goes on running.
    ///
    /// # Errors
    /// Where the firmware or the description cannot be read, the probe cannot be opened, the target does not answer or
    /// is another than was named.
    pub async fn attach(&self, target: &Target) -> Result<Probe, ProbeError> {
        let mut probe = self.start()?;
        probe.done(Request::Attach(Box::new(target.clone())), ATTACHES).await?;
        Ok(probe)
    }

    fn start(&self) -> Result<Probe, ProbeError> {
        let mut command = Command::new(&self.program);
        command.args(["probe", "worker"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.kill_on_drop(true);
        // A Ctrl-C at the terminal is for rig: the process ends with the request that it works on.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| ProbeError::Start(error.to_string()))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(requests), Some(responses)) => {
                let responses = BufReader::new(responses);
                Ok(Probe { process: Some(Process { child, requests, responses }) })
            }
            _ => Err(ProbeError::Start("it has no standard input and output".to_owned())),
        }
    }
}

/// A probe that is attached to a target, by a process of its own. Dropping it kills the process; so does dropping the
/// future of a request, since nobody would wait for the answer.
#[derive(Debug)]
pub struct Probe {
    /// None once it has failed to answer.
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
}

impl Probe {
    /// The number of its process.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.process.as_ref().and_then(|process| process.child.id())
    }

    /// What the target's flash says it holds, where the firmware has its identity.
    ///
    /// # Errors
    /// Where the firmware says nothing of itself, or the flash holds something else there.
    pub async fn identify(&mut self) -> Result<Identity, ProbeError> {
        match self.ask(Request::Identify, SHORT).await? {
            Response::Identity(identity) => Ok(identity),
            _ => Err(ProbeError::Gibberish),
        }
    }

    /// The first address at which the target's flash does not hold the firmware; none where it holds it. The core goes
    /// on running.
    ///
    /// # Errors
    /// Where the flash cannot be read, or the firmware is for another target.
    pub async fn compare(&mut self) -> Result<Option<u64>, ProbeError> {
        match self.ask(Request::Compare, COMPARES).await? {
            Response::Differs(address) => Ok(address),
            _ => Err(ProbeError::Gibberish),
        }
    }

    /// Programs the firmware and compares. The core is halted then; [`Probe::reset`] starts it.
    ///
    /// # Errors
    /// Where the flash cannot be programmed, or holds something else afterwards.
    pub async fn flash(&mut self, mut told: impl FnMut(Progress)) -> Result<(), ProbeError> {
        let mut response = self.ask(Request::Flash, PROGRESSES).await?;
        while let Response::Progress(progress) = response {
            told(progress);
            response = self.hear(&Request::Flash, PROGRESSES).await?;
        }
        response.done()
    }

    /// Starts the target's program anew.
    ///
    /// # Errors
    /// Where the target does not do so.
    pub async fn reset(&mut self) -> Result<(), ProbeError> {
        self.done(Request::Reset, SHORT).await
    }

    /// Stops the core.
    ///
    /// # Errors
    /// Where the target does not do so.
    pub async fn halt(&mut self) -> Result<(), ProbeError> {
        self.done(Request::Halt, SHORT).await
    }

    /// Lets the core run.
    ///
    /// # Errors
    /// Where the target does not do so.
    pub async fn run(&mut self) -> Result<(), ProbeError> {
        self.done(Request::Run, SHORT).await
    }

    /// What the core does.
    ///
    /// # Errors
    /// Where the target does not answer.
    pub async fn state(&mut self) -> Result<CoreState, ProbeError> {
        match self.ask(Request::State, SHORT).await? {
            Response::State(state) => Ok(state),
            _ => Err(ProbeError::Gibberish),
        }
    }

    /// Reads memory, at most 64 KiB at once.
    ///
    /// # Errors
    /// Where there is none, or the target does not answer.
    pub async fn read(&mut self, address: u64, length: u32) -> Result<Vec<u8>, ProbeError> {
        let length = length.min(MOST_MEMORY);
        match self.ask(Request::Read { address, length }, SHORT).await? {
            Response::Memory(digits) => hex::bytes(&digits).ok_or(ProbeError::Gibberish),
            _ => Err(ProbeError::Gibberish),
        }
    }

    /// What the program has logged since the last time. The core goes on running.
    ///
    /// # Errors
    /// Where the program cannot have a log, or the target does not answer.
    pub async fn log(&mut self) -> Result<Log, ProbeError> {
        match self.ask(Request::Log, SHORT).await? {
            Response::Log(log) => Ok(log),
            _ => Err(ProbeError::Gibberish),
        }
    }

    /// Lets the probe go: the process detaches from the target, which runs on, and ends.
    pub async fn close(mut self) {
        // Where it does not, it is killed.
        let _ = self.done(Request::Detach, SHORT).await;
        if let Some(Process { mut child, requests, .. }) = self.process.take() {
            drop(requests);
            let _ = timeout(SHORT, child.wait()).await;
        }
    }

    /// Ends the process at once, and waits until it is gone and the probe free again.
    pub async fn end(mut self) {
        if let Some(Process { mut child, .. }) = self.process.take() {
            let _ = child.kill().await;
        }
    }

    async fn done(&mut self, request: Request, within: Duration) -> Result<(), ProbeError> {
        self.ask(request, within).await?.done()
    }

    /// Asks, and waits for the answer. Where none comes the process is killed; it may be in any state.
    async fn ask(&mut self, request: Request, within: Duration) -> Result<Response, ProbeError> {
        let mut process = self.process.take().ok_or_else(|| request.ended())?;
        let sent = process.send(&request, within).await;
        self.keep(process, sent).await?;
        self.hear(&request, within).await
    }

    /// Waits for an answer to what was asked.
    async fn hear(&mut self, request: &Request, within: Duration) -> Result<Response, ProbeError> {
        let mut process = self.process.take().ok_or_else(|| request.ended())?;
        let heard = process.receive(request, within).await;
        match self.keep(process, heard).await? {
            Response::Failed(error) => Err(error),
            response => Ok(response),
        }
    }

    /// Keeps the process, or kills it where it has failed.
    async fn keep<T>(&mut self, mut process: Process, result: Result<T, ProbeError>) -> Result<T, ProbeError> {
        if result.is_ok() {
            self.process = Some(process);
        } else {
            let _ = process.child.kill().await;
        }
        result
    }
}

impl Process {
    async fn send(&mut self, request: &Request, within: Duration) -> Result<(), ProbeError> {
        let mut line = serde_json::to_vec(request).map_err(|_| ProbeError::Gibberish)?;
        line.push(b'\n');
        let sent = async {
            self.requests.write_all(&line).await?;
            self.requests.flush().await
        };
        timeout(within, sent).await.map_err(|_| request.silent(within))?.map_err(|_| request.ended())
    }

    async fn receive(&mut self, request: &Request, within: Duration) -> Result<Response, ProbeError> {
        let mut line = Vec::new();
        let mut limited = (&mut self.responses).take(LONGEST as u64);
        let read = timeout(within, limited.read_until(b'\n', &mut line)).await;
        match read.map_err(|_| request.silent(within))? {
            Ok(1..) if line.ends_with(b"\n") => serde_json::from_slice(&line).map_err(|_| ProbeError::Gibberish),
            _ => Err(request.ended()),
        }
    }
}

impl Response {
    fn done(self) -> Result<(), ProbeError> {
        match self {
            Self::Done => Ok(()),
            Self::Failed(error) => Err(error),
            _ => Err(ProbeError::Gibberish),
        }
    }
}

impl Request {
    /// What is asked for, in words that follow "the probe is to".
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::List(_) => "tell which probes there are",
            Self::Attach(_) => "attach to its target",
            Self::Identify => "read the firmware's identity",
            Self::Compare => "compare the flash",
            Self::Flash => "program the flash",
            Self::Reset => "reset the target",
            Self::Halt => "halt the target",
            Self::Run => "let the target run",
            Self::State => "tell what the target does",
            Self::Read { .. } => "read memory",
            Self::Log => "read the log",
            Self::Detach => "let its target go",
        }
    }

    fn ended(&self) -> ProbeError {
        ProbeError::Ended(self.words().to_owned())
    }

    fn silent(&self, within: Duration) -> ProbeError {
        ProbeError::Silent { what: self.words().to_owned(), within }
    }
}
