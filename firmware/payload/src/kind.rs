/// What a payload is. The number is its kind byte; the name is the payload name of the source's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// `circuit-brk_device_status_cmd`
    BreakerStatusCmd = 0x10,
    /// `circuit-brk_status_resp-data`
    BreakerStatusResp = 0x11,
    /// `distr_cust_storage_status_cmd`
    StorageStatusCmd = 0x20,
    /// `distr_cust_storage_status_resp-data`
    StorageStatusResp = 0x21,
    /// `distr_cust_storage_discharge_cmd`
    DischargeCmd = 0x22,
    /// `distr_cust_storage_discharge_cmd_ack`
    DischargeAck = 0x23,
    /// `distr_cust_storage_charge-rate_cmd`
    ChargeRateCmd = 0x24,
    /// `distr_cust_storage_charge-rate_cmd_ack`
    ChargeRateAck = 0x25,
    /// `distr_cust_storage_in-island-mode_alarm`
    InIslandAlarm = 0x28,
    /// `distr_cust_storage_out-of-island-mode_alert`
    OutOfIslandAlert = 0x29,
    /// `meter_capped_kwh_mode_cmd`
    CapCmd = 0x30,
    /// `meter_capped_kwh_mode_cmd_ack`
    CapAck = 0x31,
    /// `meter_in_capped_kwh_mode_alert`
    CappedAlert = 0x32,
    /// `meter_capped_kwh_mode_cancel_cmd`
    CancelCmd = 0x34,
    /// `meter_capped_kwh_mode_cancel_cmd_ack`
    CancelAck = 0x35,
    /// `meter_out_of_capped_kwh_mode_alert`
    UncappedAlert = 0x36,
    /// A device has booted. No row of the source: a device sends it once to [`Actor::DacSub`](crate::Actor::DacSub)
    /// when it is ready, with its state; the correlation is the count of its boots.
    Boot = 0x01,
    /// An external actor has consumed a payload. No row of the source: it mirrors the payload's
    /// addresses, sequence and correlation.
    Receipt = 0x02,
}

impl Kind {
    /// All kinds: the sixteen payloads of the source's rows, then rig's own two.
    pub const ALL: [Self; 18] = [
        Self::BreakerStatusCmd,
        Self::BreakerStatusResp,
        Self::StorageStatusCmd,
        Self::StorageStatusResp,
        Self::DischargeCmd,
        Self::DischargeAck,
        Self::ChargeRateCmd,
        Self::ChargeRateAck,
        Self::InIslandAlarm,
        Self::OutOfIslandAlert,
        Self::CapCmd,
        Self::CapAck,
        Self::CappedAlert,
        Self::CancelCmd,
        Self::CancelAck,
        Self::UncappedAlert,
        Self::Boot,
        Self::Receipt,
    ];

    /// The kind of a kind byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// The payload's name as the rows of the source spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BreakerStatusCmd => "circuit-brk_device_status_cmd",
            Self::BreakerStatusResp => "circuit-brk_status_resp-data",
            Self::StorageStatusCmd => "distr_cust_storage_status_cmd",
            Self::StorageStatusResp => "distr_cust_storage_status_resp-data",
            Self::DischargeCmd => "distr_cust_storage_discharge_cmd",
            Self::DischargeAck => "distr_cust_storage_discharge_cmd_ack",
            Self::ChargeRateCmd => "distr_cust_storage_charge-rate_cmd",
            Self::ChargeRateAck => "distr_cust_storage_charge-rate_cmd_ack",
            Self::InIslandAlarm => "distr_cust_storage_in-island-mode_alarm",
            Self::OutOfIslandAlert => "distr_cust_storage_out-of-island-mode_alert",
            Self::CapCmd => "meter_capped_kwh_mode_cmd",
            Self::CapAck => "meter_capped_kwh_mode_cmd_ack",
            Self::CappedAlert => "meter_in_capped_kwh_mode_alert",
            Self::CancelCmd => "meter_capped_kwh_mode_cancel_cmd",
            Self::CancelAck => "meter_capped_kwh_mode_cancel_cmd_ack",
            Self::UncappedAlert => "meter_out_of_capped_kwh_mode_alert",
            Self::Boot => "device_boot",
            Self::Receipt => "receipt",
        }
    }

    /// The kind with a name as the rows spell it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The smallest and largest payload of this kind, in bytes.
    #[must_use]
    pub const fn sizes(self) -> (usize, usize) {
        match self {
            Self::BreakerStatusCmd
            | Self::StorageStatusCmd
            | Self::DischargeCmd
            | Self::DischargeAck
            | Self::ChargeRateCmd
            | Self::ChargeRateAck
            | Self::CapCmd
            | Self::CapAck
            | Self::CancelCmd
            | Self::CancelAck
            | Self::Receipt => (25, 25),
            Self::BreakerStatusResp
            | Self::StorageStatusResp
            | Self::InIslandAlarm
            | Self::OutOfIslandAlert
            | Self::Boot => (50, 50),
            Self::CappedAlert | Self::UncappedAlert => (50, 150),
        }
    }

    /// The kind of the acknowledgement or response to a command.
    #[must_use]
    pub const fn reply(self) -> Option<Self> {
        match self {
            Self::BreakerStatusCmd => Some(Self::BreakerStatusResp),
            Self::StorageStatusCmd => Some(Self::StorageStatusResp),
            Self::DischargeCmd => Some(Self::DischargeAck),
            Self::ChargeRateCmd => Some(Self::ChargeRateAck),
            Self::CapCmd => Some(Self::CapAck),
            Self::CancelCmd => Some(Self::CancelAck),
            _ => None,
        }
    }

    /// Whether this is a command that changes what a device keeps in its non-volatile memory.
    #[must_use]
    pub const fn is_setting(self) -> bool {
        matches!(self, Self::DischargeCmd | Self::ChargeRateCmd | Self::CapCmd | Self::CancelCmd)
    }
}
