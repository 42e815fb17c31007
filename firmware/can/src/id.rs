use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// An identifier, written as candump does: three hexadecimal digits for a standard one, eight for an extended one.
///
/// ```
/// use rig_can::Id;
/// assert_eq!("7E0".parse(), Ok(Id::Standard(0x7E0)));
/// assert_eq!("000007E0".parse(), Ok(Id::Extended(0x7E0)));
/// assert_eq!(Id::Extended(0x18DA_10F1).to_string(), "18DA10F1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub enum Id {
    /// 11 bits.
    Standard(u16),
    /// 29 bits.
    Extended(u32),
}

/// Why a text is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier has 3 hexadecimal digits up to 7FF, or 8 up to 1FFFFFFF where it is extended")
    }
}

impl core::error::Error for IdError {}

impl Id {
    /// An identifier of 11 bits; `None` where it is larger.
    #[must_use]
    pub const fn standard(id: u16) -> Option<Self> {
        if id <= 0x7FF { Some(Self::Standard(id)) } else { None }
    }

    /// An identifier of 29 bits; `None` where it is larger.
    #[must_use]
    pub const fn extended(id: u32) -> Option<Self> {
        if id <= 0x1FFF_FFFF { Some(Self::Extended(id)) } else { None }
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Standard(id) => u32::from(id),
            Self::Extended(id) => id,
        }
    }

    /// Whether it has 29 bits.
    #[must_use]
    pub fn is_extended(self) -> bool {
        matches!(self, Self::Extended(_))
    }

    /// Whether its number fits its bits, as one from [`Id::standard`], [`Id::extended`] or a text always does.
    #[must_use]
    pub const fn exists(self) -> bool {
        match self {
            Self::Standard(id) => id <= 0x7FF,
            Self::Extended(id) => id <= 0x1FFF_FFFF,
        }
    }

    /// What the bus arbitrates by: of two identifiers the one with the smaller key wins (ISO 11898-1:2015, 10.4.3).
    /// With the same first 11 bits, the standard one does.
    #[must_use]
    pub fn priority(self) -> u32 {
        match self {
            Self::Standard(id) => u32::from(id) << 19,
            Self::Extended(id) => ((id >> 18) << 19) | (1 << 18) | (id & 0x3_FFFF),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(id) => write!(f, "{id:03X}"),
            Self::Extended(id) => write!(f, "{id:08X}"),
        }
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(IdError);
        }
        let number = u32::from_str_radix(text, 16).map_err(|_| IdError)?;
        match text.len() {
            3 => u16::try_from(number).ok().and_then(Self::standard),
            8 => Self::extended(number),
            _ => None,
        }
        .ok_or(IdError)
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        alloc::format!("{id}")
    }
}
