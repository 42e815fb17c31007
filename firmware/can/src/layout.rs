//! Payloads as plain frames: which frames a payload is made of, and which bits of them carry what.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Frame, Id};

/// A run of bits in a frame's data, as Vector's DBC files write it: `16|12@1- (0.1,0)`, which is start bit, length,
/// byte order (1 little endian, 0 big endian), sign, and what the number is multiplied with and what is added.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Signal {
    start: u16,
    length: u8,
    big_endian: bool,
    signed: bool,
    factor: f64,
    offset: f64,
}

/// Why a text is no signal, or a message cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutError(pub String);

/// What a signal carries. The numbers are those of `rig_payload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Field {
    /// The header's sequence.
    Sequence,
    /// The header's correlation.
    Correlation,
    /// The header's stamp, in nanoseconds.
    Stamp,
    /// A command's or acknowledgement's value.
    Value,
    /// An acknowledgement's flags.
    Flags,
    /// The state's mode.
    Mode,
    /// Whether the feeder is sensed.
    Feeder,
    /// The count of boots.
    Boots,
    /// The sequence of the last setting.
    LastSetting,
    /// Power in watts.
    PowerW,
    /// Charge in tenths of a percent.
    ChargePermille,
    /// Energy in watt-hours.
    EnergyWh,
    /// Voltage in millivolts.
    VoltageMv,
    /// Frequency in millihertz.
    FrequencyMhz,
    /// Age of the event in microseconds.
    EventAgeUs,
    /// The count of trips.
    Trips,
}

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
pub struct Message {
    frames: Vec<FrameLayout>,
}

/// The values that a message carries; what it does not carry is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Values([Option<i64>; Field::COUNT]);

impl Values {
    /// Of a payload.
    #[must_use]
    pub fn of(frame: &rig_payload::Frame) -> Self {
        let _ = frame;
        todo!()
    }
    /// Value.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<i64> {
        self.0[field as usize]
    }
    /// State.
    #[must_use]
    pub fn state(&self) -> Option<rig_payload::State> {
        todo!()
    }
    /// Setting.
    #[must_use]
    pub fn setting(&self) -> Option<rig_payload::Setting> {
        todo!()
    }
}

impl Field {
    /// How many fields there are.
    pub const COUNT: usize = 16;

    /// All fields, in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Sequence,
        Self::Correlation,
        Self::Stamp,
        Self::Value,
        Self::Flags,
        Self::Mode,
        Self::Feeder,
        Self::Boots,
        Self::LastSetting,
        Self::PowerW,
        Self::ChargePermille,
        Self::EnergyWh,
        Self::VoltageMv,
        Self::FrequencyMhz,
        Self::EventAgeUs,
        Self::Trips,
    ];

    /// Its name, as fixtures write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Correlation => "correlation",
            Self::Stamp => "stamp",
            Self::Value => "value",
            Self::Flags => "flags",
            Self::Mode => "mode",
            Self::Feeder => "feeder",
            Self::Boots => "boots",
            Self::LastSetting => "last-setting",
            Self::PowerW => "power-w",
            Self::ChargePermille => "charge-permille",
            Self::EnergyWh => "energy-wh",
            Self::VoltageMv => "voltage-mv",
            Self::FrequencyMhz => "frequency-mhz",
            Self::EventAgeUs => "event-age-us",
            Self::Trips => "trips",
        }
    }
}

impl Message {
    /// A message of frames.
    ///
    /// # Errors
    /// What cannot be: no frames, the same identifier twice, a signal outside its frame, two signals on the same bits, the same field twice.
    pub fn new(frames: Vec<FrameLayout>) -> Result<Self, LayoutError> {
        let _ = frames;
        todo!()
    }

    /// Its frames.
    #[must_use]
    pub fn frames(&self) -> &[FrameLayout] {
        &self.frames
    }

    /// Bytes of data in all its frames.
    #[must_use]
    pub fn size(&self) -> usize {
        todo!()
    }

    /// The frames that carry these values; a value that its bits cannot hold is clamped to what they can.
    #[must_use]
    pub fn encode(&self, values: &Values, fd: Option<bool>) -> Vec<Frame> {
        let _ = (values, fd);
        todo!()
    }

    /// The values that the frame at `index` carries; `None` where it is not that frame, or shorter.
    #[must_use]
    pub fn decode(&self, index: usize, frame: &Frame, values: &mut Values) -> Option<()> {
        let _ = (index, frame, values);
        todo!()
    }
}

impl core::str::FromStr for Signal {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let _ = text;
        todo!()
    }
}

impl TryFrom<String> for Signal {
    type Error = LayoutError;

    fn try_from(text: String) -> Result<Self, LayoutError> {
        text.parse()
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        let _ = signal;
        todo!()
    }
}

impl core::fmt::Display for LayoutError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for LayoutError {}
