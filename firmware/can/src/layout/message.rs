use alloc::vec::Vec;

use super::{Field, LayoutError, Signal, Values};
use crate::{Frame, Id, fd_length};

/// A frame of a message.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FrameLayout {
    /// Its identifier.
    pub id: Id,
    /// Its data where no signal says otherwise; this is also its length.
    pub data: Vec<u8>,
    /// What its bits carry.
    pub signals: Vec<(Field, Signal)>,
}

/// A payload as plain frames, in order. No two messages of a device share an identifier.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Message {
    frames: Vec<FrameLayout>,
}

/// A message as it is written, before anyone has looked at it.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    frames: Vec<FrameLayout>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Message {
    type Error = LayoutError;

    fn try_from(message: Unchecked) -> Result<Self, LayoutError> {
        Self::new(message.frames)
    }
}

impl Message {
    /// A message of frames.
    ///
    /// # Errors
    /// What cannot be: no frames, an identifier or a length that no frame has, the same identifier twice, a signal
    /// outside its frame, two signals on the same bits, the same field twice.
    pub fn new(frames: Vec<FrameLayout>) -> Result<Self, LayoutError> {
        if frames.is_empty() {
            return Err(LayoutError("a message needs at least one frame".into()));
        }
        let mut fields = [false; Field::COUNT];
        for (index, layout) in frames.iter().enumerate() {
            layout.check(&mut fields)?;
            if frames[..index].iter().any(|earlier| earlier.id == layout.id) {
                return Err(LayoutError(alloc::format!(
                    "frame {} is there twice: give each its own identifier",
                    layout.id
                )));
            }
        }
        Ok(Self { frames })
    }

    /// Its frames.
    #[must_use]
    pub fn frames(&self) -> &[FrameLayout] {
        &self.frames
    }

    /// Bytes of data in all its frames.
    #[must_use]
    pub fn size(&self) -> usize {
        self.frames.iter().map(|layout| layout.data.len()).sum()
    }

    /// Whether a frame of it is longer than classic frames are.
    #[must_use]
    pub fn needs_fd(&self) -> bool {
        self.frames.iter().any(|layout| layout.data.len() > 8)
    }

    /// The frames that carry these values, as FD frames with or without bit rate switch, or as classic ones (those over
    /// 8 bytes are FD frames all the same). A value that its bits cannot hold is clamped to what they can; where there
    /// is no value, the bits are those of the layout's data.
    #[must_use]
    pub fn encode(&self, values: &Values, fd: Option<bool>) -> Vec<Frame> {
        self.frames.iter().filter_map(|layout| layout.encode(values, fd)).collect()
    }

    /// The values that the frame at `index` carries; `None` where it is not that frame, or shorter.
    #[must_use]
    pub fn decode(&self, index: usize, frame: &Frame, values: &mut Values) -> Option<()> {
        let layout = self.frames.get(index)?;
        let data = frame.data();
        if frame.id() != layout.id || frame.is_remote() || data.len() < layout.data.len() {
            return None;
        }
        for (field, signal) in &layout.signals {
            values.set(*field, signal.get(data)?);
        }
        Some(())
    }
}

impl FrameLayout {
    fn check(&self, fields: &mut [bool; Field::COUNT]) -> Result<(), LayoutError> {
        let length = self.data.len();
        let wrong = |problem: alloc::string::String| Err(LayoutError(alloc::format!("frame {}: {problem}", self.id)));
        if !self.id.exists() {
            return wrong("there is no such identifier: choose one up to 7FF, or up to 1FFFFFFF of 8 digits".into());
        }
        if fd_length(length) != Some(length) {
            return wrong(alloc::format!("no frame has {length} bytes: fill it up to a length that a frame can have"));
        }
        let mut taken = [0_u8; 64];
        for (field, signal) in &self.signals {
            if core::mem::replace(&mut fields[*field as usize], true) {
                return wrong(alloc::format!("{field} is there twice: carry each field once"));
            }
            if signal.size() > length {
                return wrong(alloc::format!(
                    "{field} ({signal}) lies outside of its {length} bytes: move it or make the data longer"
                ));
            }
            for (byte, bit) in signal.bits() {
                if taken[byte] >> bit & 1 == 1 {
                    return wrong(alloc::format!(
                        "{field} ({signal}) shares bit {bit} of byte {byte} with another signal: move one of them"
                    ));
                }
                taken[byte] |= 1 << bit;
            }
        }
        Ok(())
    }

    /// `None` only where the layout has not been checked.
    fn encode(&self, values: &Values, fd: Option<bool>) -> Option<Frame> {
        let mut data = [0; 64];
        let data = data.get_mut(..self.data.len())?;
        data.copy_from_slice(&self.data);
        for (field, signal) in &self.signals {
            if let Some(value) = values.get(*field) {
                signal.put(data, value);
            }
        }
        match fd {
            None if data.len() <= 8 => Frame::classic(self.id, data),
            switch => Frame::fd(self.id, data, switch.unwrap_or(false)),
        }
    }
}
