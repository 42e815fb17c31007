use std::collections::BTreeMap;

use super::error::{PowerError, shown};
use super::instrument::Look;
use super::port::{Port, Reply};
use crate::fixture::Level;
use crate::link::Sent;
use crate::stamp::{Source, Stamp};

/// A queue of errors longer than this is no queue (SCPI 1999, 21.8: the queue holds at least two).
const MOST_ERRORS: u32 = 32;

/// A supply that speaks SCPI (SCPI 1999; IEEE 488.2), a line at a time.
pub(super) struct Scpi {
    pub(super) port: Port,
    identity: String,
}

impl Scpi {
    /// The supply at a port, with no errors of old.
    pub(super) async fn at(port: Port) -> Result<Self, PowerError> {
        let mut supply = Self { port, identity: String::new() };
        supply.identity = shown(&supply.ask("*IDN?").await?.what);
        // Errors of whoever used the supply before are not ours.
        let mut errors = 0;
        while let (Some(said), _) = supply.error().await? {
            errors += 1;
            if errors > MOST_ERRORS {
                return Err(supply.port.refused("to empty its error queue", &said));
            }
        }
        Ok(supply)
    }

    pub(super) fn obtained(&self) -> BTreeMap<String, String> {
        let mut obtained = self.port.obtained();
        obtained.insert("identity".into(), self.identity.clone());
        obtained
    }

    /// The acknowledgement is the answer to `SYST:ERR?` after the command, which says that there was none.
    pub(super) async fn switch(
        &mut self,
        channel: u16,
        to: Level,
        commanded: &mut dyn FnMut(Stamp),
    ) -> Result<Stamp, PowerError> {
        let word = if to == Level::On { "ON" } else { "OFF" };
        let command = match channel {
            0 => return Err(self.no_such(channel)),
            1 => format!("OUTP {word}"),
            _ => format!("OUTP {word},(@{channel})"),
        };
        let Sent { first, last } = self.port.tell(format!("{command}\n").as_bytes()).await?;
        commanded(Stamp::new(first.lo, last.hi, Source::User));
        match self.error().await? {
            (None, at) => Ok(at),
            (Some(said), _) => Err(self.port.refused(&command, &said)),
        }
    }

    pub(super) async fn volts(&mut self, channel: u16) -> Result<Look, PowerError> {
        let question = match channel {
            0 => return Err(self.no_such(channel)),
            1 => "MEAS:VOLT?".to_owned(),
            _ => format!("MEAS:VOLT? (@{channel})"),
        };
        let Reply { what, sent, at } = self.ask(&question).await?;
        // 9.91E37 is SCPI's word for "not a number", 9.9E37 for infinity (SCPI 1999, 7.2.1).
        match what.parse::<f64>() {
            Ok(volts) if volts.abs() < 9.9e37 => Ok(Look { asked: sent.first, answered: at, volts }),
            _ => Err(self.port.bad_reply(&question, what.as_bytes())),
        }
    }

    /// The oldest error of the queue, with its number, and when the answer was there.
    async fn error(&mut self) -> Result<(Option<String>, Stamp), PowerError> {
        const QUESTION: &str = "SYST:ERR?";
        let Reply { what, at, .. } = self.ask(QUESTION).await?;
        let number = what.split(',').next().and_then(|number| number.trim().parse::<i32>().ok());
        match number {
            Some(0) => Ok((None, at)),
            Some(_) => Ok((Some(what), at)),
            None => Err(self.port.bad_reply(QUESTION, what.as_bytes())),
        }
    }

    async fn ask(&mut self, question: &str) -> Result<Reply<String>, PowerError> {
        self.port.ask(format!("{question}\n").as_bytes(), question, line).await
    }

    fn no_such(&self, channel: u16) -> PowerError {
        PowerError::NoSuchChannel { instrument: self.port.name(), channel, has: "outputs counted from 1".into() }
    }
}

/// The line that an answer is, once its end has come.
fn line(answer: &[u8]) -> Option<String> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    Some(String::from_utf8_lossy(&answer[..end]).trim().to_owned())
}
