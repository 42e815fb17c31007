//! The reference frame: the application payloads of rig's reference devices, as bytes.
//!
//! A payload of 25, 50 or 50–150 bytes (the sizes of the source's rows) is a [`Header`] of 16 bytes,
//! a [`Body`] and a CRC-32. On a byte stream it is framed with COBS and ended by one zero byte.
//!
//! ```text
//! 0 version │ 1 kind │ 2 source │ 3 destination │ 4..6 sequence │ 6..8 correlation │ 8..16 stamp
//! 16..n-4 body │ n-4..n CRC-32/ISO-HDLC over all before it            (integers little endian)
//! ```
#![no_std]

mod actor;
mod body;
mod decoder;
mod frame;
mod kind;

pub use actor::Actor;
pub use body::{Body, Mode, Setting, State};
pub use decoder::{Chunk, Decoder, MAX_ENCODED};
pub use frame::{DecodeError, Encoded, Frame, Header, MAX_PAYLOAD, OVERHEAD, VERSION};
pub use kind::Kind;
