//! The serial protocol of LAWICEL's CAN232 and CANUSB adapters (manuals of version 3 and 1.0), with the FD commands
//! that CANable's slcan firmware added: ASCII lines ended by a carriage return.
//!
//! A frame's line has its kind, its identifier, its data length code and its data in hexadecimal digits:
//!
//! ```text
//! t1232C0FE          standard        d123AC0FE…  FD, bit rate kept       r1232      remote
//! T000001232C0FE     extended        D00000123A… extended FD             R000001232 extended remote
//!                                    b123AC0FE…  FD, bit rate switched   B00000123A…
//! ```
//!
//! The lines do not tell whether the sender of an FD frame was error passive.

mod command;
mod flags;
mod frame;
mod lines;
mod reply;

pub use command::Command;
pub use flags::Flags;
pub use lines::Lines;
pub use reply::Reply;

/// Milliseconds after which time stamps start again.
pub const STAMP_WRAP: u16 = 60_000;

/// The standard bit rates, by the number of their `S` command.
pub const BIT_RATES: [u32; 9] = [10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000];

/// Ends a line.
const CR: u8 = b'\r';
/// Says that a command was not done, and ends a line too.
const BELL: u8 = 0x07;
