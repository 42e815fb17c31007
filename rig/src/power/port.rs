use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::error::{PowerError, shown};
use crate::fixture;
use crate::link::{BenchPorts, Link, Sent};
use crate::stamp::{Clock, Stamp, nanos};

/// An instrument that has not answered by then is switched off or is another instrument.
pub(super) const REPLY: Duration = Duration::from_secs(1);
/// How long a port that is gone may take to come back: USB enumerates within a second or two.
const BACK: Duration = Duration::from_secs(2);
/// No instrument's answer is nearly as long.
const MOST: usize = 4096;

/// An instrument's port: one question at a time, each with its deadline.
pub(super) struct Port {
    name: String,
    spec: fixture::Stream,
    bench: BenchPorts,
    clock: Clock,
    link: Option<Link>,
    /// Whether an answer may still come that nobody waits for any more.
    owed: bool,
}

/// An answer, and when it was there.
pub(super) struct Reply<T> {
    pub(super) what: T,
    pub(super) sent: Sent,
    pub(super) at: Stamp,
}

impl Port {
    pub(super) async fn open(
        name: &str,
        spec: fixture::Stream,
        bench: &BenchPorts,
        clock: Clock,
    ) -> Result<Self, PowerError> {
        let mut port = Self { name: shown(name), spec, bench: bench.clone(), clock, link: None, owed: true };
        port.link = Some(Link::open(&port.spec, bench, clock).await.map_err(|source| port.not_opened(source))?);
        Ok(port)
    }

    /// Opens the port again after it was gone.
    pub(super) async fn reopen(&mut self) -> Result<(), PowerError> {
        // The old one first: a port is open once.
        self.link = None;
        self.owed = true;
        let until = self.clock.now().saturating_add(nanos(BACK));
        let link = Link::reopen(&self.spec, &self.bench, self.clock, until).await;
        self.link = Some(link.map_err(|source| self.not_opened(source))?);
        Ok(())
    }

    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    pub(super) fn obtained(&self) -> BTreeMap<String, String> {
        self.link.as_ref().map(|link| link.obtained().clone()).unwrap_or_default()
    }

    /// Sends what has no answer.
    pub(super) async fn tell(&mut self, bytes: &[u8]) -> Result<Sent, PowerError> {
        self.settle().await?;
        self.send(bytes).await
    }

    /// Sends `question`, named `asked` in errors, and waits until `whole` finds an answer in all bytes that came.
    pub(super) async fn ask<T>(
        &mut self,
        question: &[u8],
        asked: &str,
        whole: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Reply<T>, PowerError> {
        self.ask_noting(question, asked, &mut |_| (), whole).await
    }

    /// Like [`Self::ask`], and tells when the question is out.
    pub(super) async fn ask_noting<T>(
        &mut self,
        question: &[u8],
        asked: &str,
        out: &mut dyn FnMut(Sent),
        whole: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Reply<T>, PowerError> {
        self.settle().await?;
        self.owed = true;
        let sent = self.send(question).await?;
        out(sent);
        let mut answer = Vec::new();
        let until = tokio::time::Instant::now() + REPLY;
        loop {
            let came = tokio::time::timeout_at(until, self.receive(&mut answer)).await;
            let at = match came {
                Err(_) if answer.is_empty() => return Err(self.no_reply(asked)),
                Err(_) => return Err(self.bad_reply(asked, &answer)),
                Ok(at) => at?,
            };
            if let Some(what) = whole(&answer) {
                self.owed = false;
                return Ok(Reply { what, sent, at });
            }
            if answer.len() > MOST {
                return Err(self.bad_reply(asked, &answer));
            }
        }
    }

    /// Sends `question` and takes what comes until nothing has for a time: for instruments that need not answer.
    pub(super) async fn listen(&mut self, question: &[u8], time: Duration) -> Result<Vec<u8>, PowerError> {
        self.settle().await?;
        self.send(question).await?;
        let mut answer = Vec::new();
        // Counted anew from each byte: a machine that stood still may be in the middle of the answer.
        while answer.len() <= MOST {
            match tokio::time::timeout(time, self.receive(&mut answer)).await {
                Err(_) => break,
                Ok(at) => at?,
            };
        }
        Ok(answer)
    }

    /// Throws away what came unasked, and what an earlier question is still owed.
    async fn settle(&mut self) -> Result<(), PowerError> {
        /// Silence as long as this ends an answer, at 1200 baud too.
        const SILENCE: Duration = Duration::from_millis(50);
        let mut waste = Vec::new();
        while let Some(at) = at_once(self.receive(&mut waste)).await {
            at?;
            if waste.len() > MOST {
                return Err(self.bad_reply("nothing", &waste));
            }
        }
        while self.owed {
            match tokio::time::timeout(SILENCE, self.receive(&mut waste)).await {
                Err(_) => self.owed = false,
                Ok(at) => _ = at?,
            }
            if waste.len() > MOST {
                return Err(self.bad_reply("nothing", &waste));
            }
        }
        Ok(())
    }

    async fn send(&self, bytes: &[u8]) -> Result<Sent, PowerError> {
        tokio::time::timeout(REPLY, self.link()?.send(bytes))
            .await
            .map_err(|_| self.no_reply("anything: it takes no bytes"))?
            .map_err(|source| PowerError::Gone { instrument: self.name(), source })
    }

    async fn receive(&self, into: &mut Vec<u8>) -> Result<Stamp, PowerError> {
        let mut buffer = [0; 256];
        let received = self.link()?.receive(&mut buffer).await;
        let chunk = received.map_err(|source| PowerError::Gone { instrument: self.name(), source })?;
        into.extend_from_slice(&buffer[..chunk.length]);
        Ok(chunk.byte_arrived(chunk.length - 1))
    }

    fn link(&self) -> Result<&Link, PowerError> {
        self.link.as_ref().ok_or_else(|| PowerError::Gone {
            instrument: self.name(),
            source: std::io::Error::new(std::io::ErrorKind::NotConnected, "it could not be opened again"),
        })
    }

    fn not_opened(&self, source: crate::link::LinkError) -> PowerError {
        PowerError::Open { instrument: self.name(), source }
    }

    fn no_reply(&self, asked: &str) -> PowerError {
        PowerError::NoReply { instrument: self.name(), asked: shown(asked), within: REPLY }
    }

    pub(super) fn bad_reply(&self, asked: &str, said: &[u8]) -> PowerError {
        let said = super::error::shown_bytes(said);
        PowerError::BadReply { instrument: self.name(), asked: shown(asked), said }
    }

    pub(super) fn refused(&self, asked: &str, said: &str) -> PowerError {
        PowerError::Refused { instrument: self.name(), asked: shown(asked), said: shown(said) }
    }
}

/// What a future gives without waiting.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
