use core::fmt;

use crate::{Format, Frame, Id, fd_length};

/// How payloads go between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub struct Settings {
    /// Identifier of the frames that this node sends.
    pub send: Id,
    /// Identifier of the frames that it receives.
    pub receive: Id,
    /// How the two nodes are addressed.
    pub addressing: Addressing,
    /// Longest data of a frame that this node sends (`TX_DL`): 8, or for FD frames 8 to 64.
    pub frame_length: u8,
    /// FD frames, with or without bit rate switch; `None` for classic frames.
    pub fd: Option<bool>,
    /// What fills frames up to their length; `None` leaves classic frames short. FD frames over 8 bytes are always
    /// filled up to a possible length, with 0xCC where nothing else is said.
    pub padding: Option<u8>,
    /// How many frames the other side may send before it waits for another flow control; 0 for no limit.
    pub block_size: u8,
    /// The pause that the other side is asked to make between frames, as flow control codes it (`STmin`): 0 to 127 ms,
    /// or 0xF1 to 0xF9 for 100 to 900 µs.
    pub separation: u8,
    /// The longest payload that is taken; a longer one is refused with an overflow.
    pub longest: usize,
}

/// How two nodes are addressed (clause 10.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Addressing {
    /// By identifier alone.
    #[default]
    Normal,
    /// By identifier and the first byte of the data: extended addressing, and mixed addressing with its address
    /// extension.
    Extended {
        /// The address in frames that this node sends.
        send: u8,
        /// The address in frames that it receives.
        receive: u8,
    },
}

/// Why settings cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// An identifier has a number that its bits cannot hold.
    Id,
    /// Both directions have the same identifier and address, so that a node would take its own frames.
    SameId,
    /// No frame has this length.
    FrameLength(u8),
    /// Only FD frames have this length.
    NeedsFd(u8),
    /// The code of the separation time is reserved.
    Separation(u8),
    /// There is room for no payload.
    NoRoom,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => f.write_str("an identifier has at most 7FF in 11 bits and 1FFFFFFF in 29"),
            Self::SameId => f.write_str("the two directions need different identifiers or addresses"),
            Self::FrameLength(length) => {
                write!(f, "a frame length of {length} cannot be: choose 8, 12, 16, 20, 24, 32, 48 or 64")
            }
            Self::NeedsFd(length) => write!(f, "a frame length of {length} needs FD frames: choose 8, or FD"),
            Self::Separation(code) => {
                write!(
                    f,
                    "a separation of 0x{code:02X} is reserved: choose 0x00 to 0x7F for ms or 0xF1 to 0xF9 for 100 µs"
                )
            }
            Self::NoRoom => f.write_str("the longest payload has at least 1 byte"),
        }
    }
}

impl core::error::Error for SettingsError {}

/// What fills frames where the settings do not say (clause 10.4.2: it makes few stuff bits).
const PADDING: u8 = 0xCC;

impl Settings {
    /// Whether these settings can be. A sender and a receiver work with others too, but not as anybody means it.
    ///
    /// # Errors
    /// The first thing that cannot be.
    pub fn check(&self) -> Result<(), SettingsError> {
        let length = usize::from(self.frame_length);
        let same_address = match self.addressing {
            Addressing::Normal => true,
            Addressing::Extended { send, receive } => send == receive,
        };
        if !self.send.exists() || !self.receive.exists() {
            Err(SettingsError::Id)
        } else if self.send == self.receive && same_address {
            Err(SettingsError::SameId)
        } else if length < 8 || fd_length(length) != Some(length) {
            Err(SettingsError::FrameLength(self.frame_length))
        } else if length > 8 && self.fd.is_none() {
            Err(SettingsError::NeedsFd(self.frame_length))
        } else if !matches!(self.separation, 0..=0x7F | 0xF1..=0xF9) {
            Err(SettingsError::Separation(self.separation))
        } else if self.longest == 0 {
            Err(SettingsError::NoRoom)
        } else {
            Ok(())
        }
    }

    /// Bytes of a frame that are an address.
    pub(super) fn address_length(&self) -> usize {
        match self.addressing {
            Addressing::Normal => 0,
            Addressing::Extended { .. } => 1,
        }
    }

    /// `TX_DL`, whatever the settings say one that can be.
    pub(super) fn frame_length(&self) -> usize {
        let wanted = if self.fd.is_some() { usize::from(self.frame_length.clamp(8, 64)) } else { 8 };
        [64, 48, 32, 24, 20, 16, 12].into_iter().find(|length| *length <= wanted).unwrap_or(8)
    }

    /// The frame with this control information and data, which fit it.
    pub(super) fn frame(&self, control: &[u8], data: &[u8]) -> Frame {
        let address: &[u8] = match &self.addressing {
            Addressing::Normal => &[],
            Addressing::Extended { send, .. } => core::slice::from_ref(send),
        };
        let mut bytes = [self.padding.unwrap_or(PADDING); 64];
        let mut length = 0;
        for part in [address, control, data] {
            bytes[length..length + part.len()].copy_from_slice(part);
            length += part.len();
        }
        if self.padding.is_some() {
            length = length.max(8);
        }
        let format = self.fd.map_or(Format::Classic, |switch| Format::Fd { switch, passive: false });
        Frame::of(self.send, format, &bytes[..fd_length(length).unwrap_or(64)])
    }

    /// What follows the address in a frame for this node; `None` in a frame for another.
    pub(super) fn addressed<'a>(&self, frame: &'a Frame) -> Option<&'a [u8]> {
        if frame.id() != self.receive || frame.is_remote() {
            return None;
        }
        match self.addressing {
            Addressing::Normal => Some(frame.data()),
            Addressing::Extended { receive, .. } => frame.data().strip_prefix(&[receive]),
        }
    }
}
