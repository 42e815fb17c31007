use core::fmt;

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

    /// The field's name, as fixtures spell it.
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

    /// The field with a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
