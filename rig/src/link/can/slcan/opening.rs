use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use rig_can::bits::Rate;
use rig_can::lawicel::{BIT_RATES, Command, Reply};
use tokio::time::timeout;

use super::{ANSWER, Answers, Replies};
use crate::event::Trouble;
use crate::fixture::{Port, Serial};
use crate::link::can::error::CanError;
use crate::link::can::trouble::of_counters;
use crate::link::{Link, LinkError, shown};

/// The conversation by which an adapter is opened.
pub(super) struct Opening<'a> {
    link: &'a Link,
    pub(super) replies: Replies,
    /// The trouble that the adapter is in.
    pub(super) found: Option<Trouble>,
    port: String,
    /// Whether the adapter has answered anything.
    heard: bool,
}

impl<'a> Opening<'a> {
    pub(super) fn new(link: &'a Link, serial: &Serial) -> Self {
        Self { link, replies: Replies::default(), found: None, port: port_name(serial), heard: false }
    }

    pub(super) async fn set_up(
        &mut self,
        baud: u32,
        rate: Rate,
        obtained: &mut BTreeMap<String, String>,
    ) -> Result<Answers, LinkError> {
        // Ends a line that somebody left unfinished (LAWICEL's manuals ask for it), and closes a bus that was left open.
        self.send(b"\r\r\r").await?;
        self.drain().await?;
        self.ask(&Command::Close).await?;
        let mut version = false;
        for (what, command) in [("adapter-version", Command::Version), ("adapter-serial", Command::Serial)] {
            let answer = self.ask(&command).await?;
            version |= matches!(answer, Some(Reply::Version(_)));
            if let Some(Reply::Version(text) | Reply::Serial(text)) = answer {
                obtained.insert(what.into(), shown(&String::from_utf8_lossy(&text)));
            }
        }
        let stamps = self.ask(&Command::Stamps(true)).await? == Some(Reply::Done);
        let number = BIT_RATES.iter().position(|known| *known == rate.nominal).and_then(|at| u8::try_from(at).ok());
        let set = Command::BitRate(number.unwrap_or(u8::MAX));
        let done = self.need(&set, &format!("{} bit/s", rate.nominal), "check `bitrate`").await?;
        if let Some(data) = rate.data {
            let set = Command::DataBitRate(u8::try_from(data / 1_000_000).unwrap_or(0));
            let what = format!("{data} bit/s in the data phase");
            self.need(&set, &what, "it may be a classic adapter: leave `data-bitrate` out").await?;
        }
        let opened = self.need(&Command::Open, "to open the bus", "unplug it and plug it in again").await?;
        let flags = match self.ask(&Command::Flags).await? {
            Some(Reply::Flags(flags)) => Some(flags),
            _ => None,
        };
        self.found = flags.and_then(of_counters);
        let flags = flags.is_some();
        if !self.heard {
            return Err(CanError::NoAdapter { port: self.port.clone(), baud }.into());
        }
        // Reading the status flags clears them.
        let question = if version { Some(Command::Version) } else { flags.then_some(Command::Flags) };
        let answers = Answers { commands: done && opened, stamps, flags, question };
        let words = |is: bool, yes: &str, no: &str| if is { yes.to_owned() } else { no.to_owned() };
        obtained.insert("bitrate".into(), rate.nominal.to_string());
        obtained.insert("acknowledges".into(), words(answers.commands, "yes", "no: when a frame left is not seen"));
        obtained.insert(
            "stamps".into(),
            words(stamps, "adapter, 1 ms", "none of its own: 1 ms of holding back is assumed"),
        );
        obtained.insert("status-flags".into(), words(flags, "read", "none: errors of the bus are not seen"));
        Ok(answers)
    }

    /// A command that must not be refused; says whether it was acknowledged.
    async fn need(&mut self, command: &Command, what: &str, help: &'static str) -> Result<bool, LinkError> {
        match self.ask(command).await? {
            Some(Reply::Refused) => {
                Err(CanError::Refused { port: self.port.clone(), command: what.to_owned(), help }.into())
            }
            answer => Ok(answer == Some(Reply::Done)),
        }
    }

    /// Sends a command and waits for its answer; `None` where none comes.
    async fn ask(&mut self, command: &Command) -> Result<Option<Reply>, LinkError> {
        let mut line = Vec::new();
        command.write(&mut line);
        self.send(&line).await?;
        let answer = timeout(ANSWER, self.answer()).await;
        match answer {
            Ok(reply) => {
                self.heard = true;
                reply.map(Some)
            }
            Err(_) => Ok(None),
        }
    }

    /// The next answer. Frames that come in between belong to nobody yet.
    async fn answer(&mut self) -> Result<Reply, LinkError> {
        let mut byte = [0];
        loop {
            let chunk = self.link.receive(&mut byte).await.map_err(|source| self.failed(source))?;
            match self.replies.take(byte[0], chunk.byte_arrived(0)).map(|(line, _)| line) {
                Some(Ok(reply)) if !matches!(reply, Reply::Frame(..) | Reply::Accepted) => return Ok(reply),
                // CANable's firmware answers a version of its own form, and nothing else.
                Some(_) => self.heard = true,
                None => {}
            }
        }
    }

    async fn drain(&mut self) -> Result<(), LinkError> {
        /// A bus that was left open and busy sends on until it is closed.
        const MOST: usize = 16;
        let mut lost = [0; 256];
        for _ in 0..MOST {
            let Ok(read) = timeout(Duration::from_millis(50), self.link.receive(&mut lost)).await else {
                break;
            };
            self.heard = true;
            read.map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    async fn send(&self, bytes: &[u8]) -> Result<(), LinkError> {
        self.link.send(bytes).await.map(drop).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> LinkError {
        LinkError::Io { port: self.port.clone(), source }
    }
}

fn port_name(serial: &Serial) -> String {
    match &serial.port {
        Port::Path(path) => shown(&path.display().to_string()),
        Port::Bench(name) => format!("bench:{}", shown(name)),
    }
}
