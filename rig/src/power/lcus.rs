use std::collections::BTreeMap;
use std::time::Duration;

use super::error::{PowerError, shown_bytes};
use super::port::{Port, REPLY, Reply};
use crate::fixture::Level;
use crate::link::Sent;
use crate::stamp::{Source, Stamp};

/// The query for the state of all channels.
const QUERY: u8 = 0xFF;
/// A board that answers the query does so well within this.
const READBACK: Duration = Duration::from_millis(100);
/// The boards have at most eight relays, as sold; this leaves room.
const MOST_CHANNELS: usize = 32;

/// A serial relay board that speaks LCUS (CH340 boards; 9600 baud, 8N1).
///
/// A command is `A0 channel op sum`, the sum over the first three bytes. Boards of several channels answer `FF` with
/// one byte for each channel, 1 where its contact is closed; boards of one channel answer nothing.
pub(super) struct Lcus {
    pub(super) port: Port,
    /// How many channels the board reads back; none where it does not answer.
    channels: Option<usize>,
    readback: String,
}

impl Lcus {
    /// The board at a port, and whether it reads back.
    pub(super) async fn at(mut port: Port) -> Result<Self, PowerError> {
        let answer = port.listen(&[QUERY], READBACK).await?;
        let binary = answer.iter().all(|state| *state <= 1) && answer.len() <= MOST_CHANNELS;
        let (channels, readback) = match answer.len() {
            0 => (None, format!("none: no answer to the query within {READBACK:?}")),
            count if binary => (Some(count), format!("{count} channels")),
            _ => (None, format!("none: the answer to the query is not understood: {}", shown_bytes(&answer))),
        };
        Ok(Self { port, channels, readback })
    }

    pub(super) fn obtained(&self) -> BTreeMap<String, String> {
        let mut obtained = self.port.obtained();
        obtained.insert("readback".into(), self.readback.clone());
        obtained
    }

    /// The acknowledgement is the readback that matches. Without readback it is the command's last byte on the wire:
    /// the board acts on it, and says nothing.
    pub(super) async fn switch(
        &mut self,
        channel: u16,
        to: Level,
        commanded: &mut dyn FnMut(Stamp),
    ) -> Result<Stamp, PowerError> {
        /// A board is busy while its relay moves.
        const PAUSE: Duration = Duration::from_millis(2);
        let number = self.number(channel)?;
        let Sent { first, last } = self.port.tell(&command(number, to)).await?;
        commanded(Stamp::new(first.lo, last.hi, Source::User));
        let until = tokio::time::Instant::now() + REPLY;
        loop {
            let Some(reply) = self.states().await? else {
                return Ok(Stamp::new(last.lo, last.hi, Source::Bounded));
            };
            match reply.what.get(usize::from(number) - 1) {
                Some(state) if *state == u8::from(to == Level::On) => return Ok(reply.at),
                _ if tokio::time::Instant::now() < until => tokio::time::sleep(PAUSE).await,
                _ => {
                    let said = format!("channel {channel} still reads back as {}", shown_bytes(&reply.what));
                    return Err(self.port.refused("the command", &said));
                }
            }
        }
    }

    /// The state of a contact, where the board reads back.
    pub(super) async fn contact(&mut self, channel: u16) -> Result<Option<Level>, PowerError> {
        let number = usize::from(self.number(channel)?);
        let Some(reply) = self.states().await? else { return Ok(None) };
        Ok(reply.what.get(number - 1).and_then(|state| match state {
            0 => Some(Level::Off),
            1 => Some(Level::On),
            _ => None,
        }))
    }

    async fn states(&mut self) -> Result<Option<Reply<Vec<u8>>>, PowerError> {
        let Some(count) = self.channels else { return Ok(None) };
        self.port.ask(&[QUERY], "the query FF", |answer| answer.get(..count).map(<[u8]>::to_vec)).await.map(Some)
    }

    fn number(&self, channel: u16) -> Result<u8, PowerError> {
        let most = self.channels.unwrap_or(usize::from(u8::MAX - 1));
        match u8::try_from(channel) {
            Ok(number) if number > 0 && usize::from(number) <= most => Ok(number),
            _ => Err(PowerError::NoSuchChannel { instrument: self.port.name(), channel, has: format!("1 to {most}") }),
        }
    }
}

fn command(channel: u8, to: Level) -> [u8; 4] {
    const START: u8 = 0xA0;
    let op = u8::from(to == Level::On);
    [START, channel, op, START.wrapping_add(channel).wrapping_add(op)]
}

#[cfg(test)]
mod tests {
    use super::command;
    use crate::fixture::Level;

    #[test]
    fn commands_are_those_of_the_boards_papers() {
        assert_eq!(command(1, Level::On), [0xA0, 0x01, 0x01, 0xA2]);
        assert_eq!(command(1, Level::Off), [0xA0, 0x01, 0x00, 0xA1]);
        assert_eq!(command(2, Level::On), [0xA0, 0x02, 0x01, 0xA3]);
    }
}
