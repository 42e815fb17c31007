use crate::frame::{MAX_PAYLOAD, OVERHEAD};

const CAPACITY: usize = MAX_PAYLOAD - OVERHEAD;

/// What a payload carries between header and CRC: at most 130 bytes.
#[derive(Clone, Copy)]
pub struct Body {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl Body {
    /// A body of `bytes`; what is over the capacity is cut off.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let length = bytes.len().min(CAPACITY);
        let mut body = Self { bytes: [0; CAPACITY], length };
        body.bytes[..length].copy_from_slice(&bytes[..length]);
        body
    }

    /// The same body, made `length` bytes long: cut, or filled with zeros.
    #[must_use]
    pub fn resized(mut self, length: usize) -> Self {
        let length = length.min(CAPACITY);
        let kept = self.length.min(length);
        self.bytes[kept..].fill(0);
        self.length = length;
        self
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The command's argument, of a body of 5 bytes.
    #[must_use]
    pub fn setting(&self) -> Option<Setting> {
        let bytes: &[u8; Setting::SIZE] = self.as_bytes().try_into().ok()?;
        Some(Setting { value: i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]), flags: bytes[4] })
    }

    /// The device's state, of a body of 30 bytes or more.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        self.as_bytes().first_chunk().and_then(State::from_bytes)
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Body {}

impl core::fmt::Debug for Body {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Body({:02x?})", self.as_bytes())
    }
}

/// The argument of a command, or of its acknowledgement: 5 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Watts for discharge and charge rate; watt-hours for the cap; else 0.
    pub value: i32,
    /// In an acknowledgement, 0 where the command was accepted.
    pub flags: u8,
}

impl Setting {
    /// Bytes of a setting.
    pub const SIZE: usize = 5;
}

impl From<Setting> for Body {
    fn from(setting: Setting) -> Self {
        let [a, b, c, d] = setting.value.to_le_bytes();
        Self::new(&[a, b, c, d, setting.flags])
    }
}

/// The mode a device says it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mode {
    /// Connected to the grid; breaker closed; meter without a cap.
    #[default]
    Normal = 0,
    /// Storage: the feeder is down, the island is fed.
    Islanded = 1,
    /// Storage: the feeder is back, the enter-service delay runs.
    Returning = 2,
    /// Breaker: open after the feeder fell.
    Tripped = 3,
    /// Meter: the energy is capped.
    Capped = 4,
}

impl Mode {
    /// The mode of its byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Normal,
            1 => Self::Islanded,
            2 => Self::Returning,
            3 => Self::Tripped,
            4 => Self::Capped,
            _ => return None,
        })
    }

    /// The mode in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Islanded => "islanded",
            Self::Returning => "returning",
            Self::Tripped => "tripped",
            Self::Capped => "capped",
        }
    }
}

/// What a device says of itself in every response, alarm and alert: 30 bytes.
///
/// ```text
/// 0 mode │ 1 feeder │ 2..4 boots │ 4..6 last setting │ 6..10 power │ 10..12 charge │ 12..16 energy
/// 16..20 voltage │ 20..24 frequency │ 24..28 event age │ 28..30 trips
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The device's mode.
    pub mode: Mode,
    /// Whether it senses the feeder as energised.
    pub feeder: bool,
    /// How often it has booted; kept in non-volatile memory.
    pub boots: u16,
    /// Sequence number of the last setting command it accepted; kept in non-volatile memory.
    pub last_setting: u16,
    /// Power to the grid in watts; negative while charging.
    pub power_w: i32,
    /// State of charge in tenths of a percent.
    pub charge_permille: u16,
    /// Energy counter in watt-hours.
    pub energy_wh: u32,
    /// Voltage in millivolts.
    pub voltage_mv: u32,
    /// Frequency in millihertz.
    pub frequency_mhz: u32,
    /// Microseconds from what caused this payload (the feeder's edge as sensed, the command's last byte)
    /// to the payload's stamp; `u32::MAX` when longer.
    pub event_age_us: u32,
    /// How often a breaker has tripped; an island count for storage, a cap count for a meter.
    pub trips: u16,
}

impl State {
    /// Bytes of a state.
    pub const SIZE: usize = 30;

    fn from_bytes(b: &[u8; Self::SIZE]) -> Option<Self> {
        let u16_at = |i: usize| u16::from_le_bytes([b[i], b[i + 1]]);
        let u32_at = |i: usize| u32::from_le_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]);
        Some(Self {
            mode: Mode::from_byte(b[0])?,
            feeder: b[1] != 0,
            boots: u16_at(2),
            last_setting: u16_at(4),
            power_w: u32_at(6).cast_signed(),
            charge_permille: u16_at(10),
            energy_wh: u32_at(12),
            voltage_mv: u32_at(16),
            frequency_mhz: u32_at(20),
            event_age_us: u32_at(24),
            trips: u16_at(28),
        })
    }
}

impl From<State> for Body {
    fn from(s: State) -> Self {
        let mut b = [0; State::SIZE];
        b[0] = s.mode as u8;
        b[1] = u8::from(s.feeder);
        b[2..4].copy_from_slice(&s.boots.to_le_bytes());
        b[4..6].copy_from_slice(&s.last_setting.to_le_bytes());
        b[6..10].copy_from_slice(&s.power_w.to_le_bytes());
        b[10..12].copy_from_slice(&s.charge_permille.to_le_bytes());
        b[12..16].copy_from_slice(&s.energy_wh.to_le_bytes());
        b[16..20].copy_from_slice(&s.voltage_mv.to_le_bytes());
        b[20..24].copy_from_slice(&s.frequency_mhz.to_le_bytes());
        b[24..28].copy_from_slice(&s.event_age_us.to_le_bytes());
        b[28..30].copy_from_slice(&s.trips.to_le_bytes());
        Self::new(&b)
    }
}
