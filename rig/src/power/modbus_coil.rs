use std::collections::BTreeMap;
use std::time::Duration;

use crc::{CRC_16_MODBUS, Crc};

use super::error::PowerError;
use super::port::{Port, Reply};
use crate::fixture::{Level, Serial};
use crate::link::Sent;
use crate::stamp::{Source, Stamp};

const CHECKSUM: Crc<u16> = Crc::<u16>::new(&CRC_16_MODBUS);
/// Function codes (Modbus Application Protocol V1.1b3, 6.1 and 6.5).
const READ_COILS: u8 = 0x01;
const WRITE_COIL: u8 = 0x05;
/// Set in the function code of an exception response (Modbus Application Protocol V1.1b3, 7).
const EXCEPTION: u8 = 0x80;

/// A relay board of Modbus RTU coils. Channels count from 1, as coils do in the data model; the address on the wire
/// counts from 0 (Modbus Application Protocol V1.1b3, 4.4).
pub(super) struct ModbusCoil {
    pub(super) port: Port,
    unit: u8,
    silence: Duration,
}

/// What a unit says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// The bytes after the function code.
    Done(Vec<u8>),
    /// The exception code.
    Exception(u8),
}

impl ModbusCoil {
    /// The unit at a port that has these settings.
    pub(super) fn at(port: Port, serial: &Serial, unit: u8) -> Self {
        Self { port, unit, silence: silence(serial) }
    }

    pub(super) fn obtained(&self) -> BTreeMap<String, String> {
        let mut obtained = self.port.obtained();
        obtained.insert("unit".into(), self.unit.to_string());
        obtained
    }

    /// The acknowledgement is the response, which repeats the request; the coil is then read back.
    pub(super) async fn switch(
        &mut self,
        channel: u16,
        to: Level,
        commanded: &mut dyn FnMut(Stamp),
    ) -> Result<Stamp, PowerError> {
        const ASKED: &str = "to write a coil";
        let request = write_coil(self.unit, self.address(channel)?, to);
        tokio::time::sleep(self.silence).await;
        let unit = self.unit;
        let mut port_sent = |Sent { first, last }: Sent| commanded(Stamp::new(first.lo, last.hi, Source::User));
        let reply =
            self.port.ask_noting(&request, ASKED, &mut port_sent, |bytes| answer(bytes, unit, WRITE_COIL)).await?;
        match reply.what {
            Answer::Done(repeated) if repeated == request[2..6] => {}
            Answer::Done(other) => return Err(self.port.bad_reply(ASKED, &other)),
            Answer::Exception(code) => return Err(self.port.refused(ASKED, &exception(code))),
        }
        match self.contact(channel).await?.what {
            state if state == to => Ok(reply.at),
            _ => Err(self.port.refused(ASKED, &format!("coil {channel} reads back unchanged"))),
        }
    }

    /// The state of a coil.
    pub(super) async fn contact(&mut self, channel: u16) -> Result<Reply<Level>, PowerError> {
        const ASKED: &str = "to read a coil";
        let request = read_coil(self.unit, self.address(channel)?);
        tokio::time::sleep(self.silence).await;
        let unit = self.unit;
        let Reply { what, sent, at } = self.port.ask(&request, ASKED, |bytes| answer(bytes, unit, READ_COILS)).await?;
        match what {
            Answer::Done(bytes) if bytes.len() == 2 => {
                let what = if bytes[1] & 1 == 1 { Level::On } else { Level::Off };
                Ok(Reply { what, sent, at })
            }
            Answer::Done(other) => Err(self.port.bad_reply(ASKED, &other)),
            Answer::Exception(code) => Err(self.port.refused(ASKED, &exception(code))),
        }
    }

    fn address(&self, channel: u16) -> Result<u16, PowerError> {
        channel.checked_sub(1).ok_or_else(|| PowerError::NoSuchChannel {
            instrument: self.port.name(),
            channel,
            has: "coils counted from 1".into(),
        })
    }
}

/// The silence before a request: 3.5 characters, and 1.75 ms above 19200 baud (Modbus over Serial Line V1.02, 2.5.1.1).
fn silence(serial: &Serial) -> Duration {
    if serial.baud > 19_200 { Duration::from_micros(1_750) } else { serial.wire_time(7) / 2 }
}

fn write_coil(unit: u8, address: u16, to: Level) -> [u8; 8] {
    let [high, low] = address.to_be_bytes();
    sealed([unit, WRITE_COIL, high, low, if to == Level::On { 0xFF } else { 0 }, 0])
}

fn read_coil(unit: u8, address: u16) -> [u8; 8] {
    let [high, low] = address.to_be_bytes();
    sealed([unit, READ_COILS, high, low, 0, 1])
}

/// A request with its CRC, low byte first (Modbus over Serial Line V1.02, 2.5.1.2).
fn sealed(request: [u8; 6]) -> [u8; 8] {
    let mut sealed = [0; 8];
    sealed[..6].copy_from_slice(&request);
    sealed[6..].copy_from_slice(&CHECKSUM.checksum(&request).to_le_bytes());
    sealed
}

/// The answer of a unit to a function, wherever it begins: a line that was quiet starts with noise.
fn answer(bytes: &[u8], unit: u8, function: u8) -> Option<Answer> {
    (0..bytes.len()).find_map(|start| answer_at(&bytes[start..], unit, function))
}

fn answer_at(bytes: &[u8], unit: u8, function: u8) -> Option<Answer> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let length = match head {
        [from, code] if *from == unit && *code == function | EXCEPTION => 3,
        [from, WRITE_COIL] if *from == unit && function == WRITE_COIL => 6,
        [from, READ_COILS] if *from == unit && function == READ_COILS => 3 + usize::from(*rest.first()?),
        _ => return None,
    };
    let (covered, crc) = bytes.get(..length + 2)?.split_last_chunk::<2>()?;
    if CHECKSUM.checksum(covered) != u16::from_le_bytes(*crc) {
        return None;
    }
    Some(if head[1] & EXCEPTION != 0 { Answer::Exception(covered[2]) } else { Answer::Done(covered[2..].to_vec()) })
}

/// An exception code in words (Modbus Application Protocol V1.1b3, 7).
fn exception(code: u8) -> String {
    let word = match code {
        1 => "illegal function",
        2 => "illegal data address",
        3 => "illegal data value",
        4 => "server device failure",
        6 => "server device busy",
        _ => "no code of the standard",
    };
    format!("exception {code}, {word}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Answer, READ_COILS, WRITE_COIL, answer, read_coil, write_coil};
    use crate::fixture::Level;

    #[test]
    fn requests_are_those_of_an_independent_master() {
        assert_eq!(write_coil(1, 0, Level::On), [0x01, 0x05, 0x00, 0x00, 0xFF, 0x00, 0x8C, 0x3A]);
        assert_eq!(write_coil(1, 0, Level::Off), [0x01, 0x05, 0x00, 0x00, 0x00, 0x00, 0xCD, 0xCA]);
        assert_eq!(read_coil(1, 0)[..6], [0x01, 0x01, 0x00, 0x00, 0x00, 0x01]);
        assert_eq!(super::sealed([0x01, 0x01, 0x00, 0x00, 0x00, 0x08])[6..], [0x3D, 0xCC]);
    }

    #[test]
    fn an_answer_is_found_behind_noise() {
        let bytes = [&[0xFF, 0x01, 0x00][..], &write_coil(1, 0, Level::On)].concat();
        assert_eq!(answer(&bytes, 1, WRITE_COIL), Some(Answer::Done(vec![0, 0, 0xFF, 0])));
        assert_eq!(answer(&bytes, 2, WRITE_COIL), None);
        assert_eq!(answer(&bytes[..bytes.len() - 1], 1, WRITE_COIL), None);
    }

    #[test]
    fn an_exception_is_an_answer() {
        // Illegal data address to a write: CRC computed bit by bit from the standard's own description.
        let mut crc = 0xFFFF_u16;
        let body = [0x01, 0x85, 0x02];
        for byte in body {
            crc ^= u16::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xA001 } else { crc >> 1 };
            }
        }
        let bytes = [&body[..], &crc.to_le_bytes()].concat();
        assert_eq!(answer(&bytes, 1, WRITE_COIL), Some(Answer::Exception(2)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), unit: u8) {
            // Random bytes have the right CRC one time in 65536: only the absence of a panic is claimed.
            let _ = (answer(&bytes, unit, READ_COILS), answer(&bytes, unit, WRITE_COIL));
        }
    }
}
