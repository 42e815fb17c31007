/// An actor that the rows of the source name as an end point; its address in a frame is the number given here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Actor {
    /// Distribution application control in a substation.
    DacSub = 1,
    /// Distribution application control in an operations centre.
    DacOps = 2,
    /// The breaker relay of the feeder.
    Breaker = 3,
    /// The storage controller at the customer.
    Storage = 4,
    /// Distribution management system.
    Dms = 5,
    /// The operations database of device states and measured values.
    AnalyticDb = 6,
    /// Front-end processor of the distribution SCADA.
    ScadaFep = 7,
    /// Outage management system.
    Oms = 8,
    /// Load management system of the utility.
    Lms = 9,
    /// Two-way electricity meter.
    Meter = 10,
    /// In-premise display.
    Ipd = 11,
    /// Energy management system of the customer.
    CustomerEms = 12,
    /// Meter data management system.
    Mdms = 13,
}

impl Actor {
    /// All end-point actors, by address.
    pub const ALL: [Self; 13] = [
        Self::DacSub,
        Self::DacOps,
        Self::Breaker,
        Self::Storage,
        Self::Dms,
        Self::AnalyticDb,
        Self::ScadaFep,
        Self::Oms,
        Self::Lms,
        Self::Meter,
        Self::Ipd,
        Self::CustomerEms,
        Self::Mdms,
    ];

    /// The actor of an address byte.
    #[must_use]
    pub fn from_address(address: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|actor| *actor as u8 == address)
    }

    /// The actor's name as the rows of the source spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DacSub => "DAC - sub",
            Self::DacOps => "DAC - Ops/Regnl",
            Self::Breaker => "Feeder Circuit Breaker",
            Self::Storage => "Distr. Cust. Storage",
            Self::Dms => "DMS",
            Self::AnalyticDb => "Analytic DB",
            Self::ScadaFep => "Distr. SCADA FEP",
            Self::Oms => "OMS",
            Self::Lms => "LMS - Utility",
            Self::Meter => "2-Way Meter - Electr",
            Self::Ipd => "IPD",
            Self::CustomerEms => "Cust. EMS",
            Self::Mdms => "MDMS",
        }
    }

    /// The actor with a name as the rows spell it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|actor| actor.name() == name)
    }
}
