/// What a device keeps in non-volatile memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// How often it has booted.
    pub boots: u16,
    /// Sequence number of the last setting command it accepted.
    pub last_setting: u16,
    /// Storage: watts; meter: watt-hours of the cap.
    pub setting: i32,
    /// Meter: whether the energy is capped.
    pub capped: bool,
    /// Trips, islands or caps so far.
    pub trips: u16,
    /// Energy counter in watt-hours.
    pub energy_wh: u32,
}
