//! The serial protocol of LAWICEL's CAN232 and CANUSB adapters (manuals of version 3 and 1.0), with the FD commands that
//! CANable's slcan firmware added: ASCII lines ended by a carriage return.

use alloc::vec::Vec;

use crate::Frame;

/// What a host tells an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `Sn`: one of the nine standard bit rates.
    BitRate(u8),
    /// `Yn`: CANable's bit rates of the data phase, in Mbit/s.
    DataBitRate(u8),
    /// `O`.
    Open,
    /// `L`: open, and never acknowledge.
    ListenOnly,
    /// `C`.
    Close,
    /// `t`, `T`, `r`, `R`, and CANable's `d`, `D`, `b`, `B` for FD frames.
    Transmit(Frame),
    /// `F`: read the status flags.
    Flags,
    /// `Zn`: time stamps on or off.
    Stamps(bool),
    /// `V`: hardware and software version.
    Version,
    /// `N`: serial number.
    Serial,
}

/// What an adapter tells a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A frame was received; with time stamps on, at this millisecond of 60000.
    Frame(Frame, Option<u16>),
    /// `z` or `Z`: a frame was accepted for sending.
    Accepted,
    /// A command was done.
    Done,
    /// A command was not done: BELL.
    Refused,
    /// `F`: the status flags.
    Flags(Flags),
    /// `V` or `N`: four characters.
    Text([u8; 4]),
}

/// The status flags of the `F` command; reading them clears them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

/// Milliseconds after which time stamps start again.
pub const STAMP_WRAP: u16 = 60_000;

/// The standard bit rates, by the number of their `S` command.
pub const BIT_RATES: [u32; 9] = [10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000];

impl Command {
    /// Appends the command's line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let _ = out;
        todo!()
    }
}

impl Reply {
    /// Appends the reply's line.
    pub fn write(&self, out: &mut Vec<u8>) {
        let _ = out;
        todo!()
    }
}

/// Finds lines in received bytes. It keeps at most one line, and after garbage finds the next one.
#[derive(Clone, Debug, Default)]
pub struct Lines {}

impl Lines {
    /// For a host: takes a byte. `None` while a line has not ended; `Some(Err(()))` where it is no reply.
    pub fn reply(&mut self, byte: u8) -> Option<Result<Reply, ()>> {
        let _ = byte;
        todo!()
    }

    /// For an adapter: takes a byte. `None` while a line has not ended; `Some(Err(()))` where it is no command.
    pub fn command(&mut self, byte: u8) -> Option<Result<Command, ()>> {
        let _ = byte;
        todo!()
    }
}
