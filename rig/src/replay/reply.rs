//! Frames that a replay waits for.

use std::fmt;
use std::str::FromStr;

use rig_can::{Frame, Id};

use crate::hex;

/// The most bytes that a reply can be told by.
const MOST: usize = 64;

/// A frame to be awaited, told by its identifier and the bytes that its data begins with: `601`, `601#60`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The identifier.
    pub id: Id,
    /// What its data begins with; nothing for any data.
    pub begins: Vec<u8>,
}

impl Reply {
    /// Whether a frame is such a reply.
    #[must_use]
    pub fn is(&self, frame: &Frame) -> bool {
        frame.id() == self.id && frame.data().starts_with(&self.begins)
    }
}

impl FromStr for Reply {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, data) = text.split_once('#').unwrap_or((text, ""));
        let id = id.parse::<Id>().map_err(|error| error.to_string())?;
        let begins = hex::bytes(data).filter(|bytes| bytes.len() <= MOST);
        let begins = begins.ok_or("write the first bytes of its data after `#`, two hexadecimal digits each")?;
        Ok(Self { id, begins })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if !self.begins.is_empty() {
            f.write_str("#")?;
        }
        self.begins.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
