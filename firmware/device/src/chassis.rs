use rig_payload::{Actor, Body, Chunk, Decoder, Frame, Header, Kind, Mode, Setting, State};

use crate::device::Output;
use crate::memory::Memory;

/// Watt-nanoseconds in a watt-hour: 3600 s of 10⁹ ns.
const WATT_HOUR: u128 = 3_600_000_000_000;
/// Nominal voltage at the device, IEC 60038: 230 V.
const NOMINAL_MV: u32 = 230_000;
/// Nominal frequency: 50 Hz.
const NOMINAL_MHZ: u32 = 50_000;

/// What all three devices share: clock, sense of the feeder, memory, energy counter, and the field link with its
/// decoder and its count of payloads.
#[derive(Clone, Debug)]
pub(crate) struct Chassis {
    address: Actor,
    memory: Memory,
    now: u64,
    feeder: Option<bool>,
    /// Energy below one watt-hour, in watt-nanoseconds.
    remainder: u128,
    /// Energy given to the grid less energy taken from it since boot, in watt-nanoseconds.
    delivered: i128,
    decoder: Decoder,
    sent: u16,
}

/// A change of the feeder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Fell,
    Returned,
}

/// A command for this device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    pub(crate) header: Header,
    pub(crate) setting: Setting,
}

impl Chassis {
    pub(crate) fn new(address: Actor, memory: Memory) -> Self {
        Self { address, memory, now: 0, feeder: None, remainder: 0, delivered: 0, decoder: Decoder::default(), sent: 0 }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Watt-hours given to the grid less those taken from it since boot.
    pub(crate) fn delivered_wh(&self) -> i64 {
        i64::try_from(self.delivered / WATT_HOUR.cast_signed()).unwrap_or(i64::MAX)
    }

    /// Whether the feeder is energised.
    pub(crate) fn energised(&self) -> bool {
        self.feeder == Some(true)
    }

    /// Moves the clock on; `watts` is the power since the last time. A host's clock that runs backwards is held.
    pub(crate) fn advance(&mut self, now: u64, watts: i32) {
        let elapsed = now.saturating_sub(self.now);
        self.now += elapsed;
        self.delivered += i128::from(watts) * i128::from(elapsed);
        self.remainder += u128::from(watts.unsigned_abs()) * u128::from(elapsed);
        let whole = u32::try_from(self.remainder / WATT_HOUR).unwrap_or(u32::MAX);
        self.remainder %= WATT_HOUR;
        self.memory.energy_wh = self.memory.energy_wh.saturating_add(whole);
    }

    /// The first sense is no edge.
    pub(crate) fn sense(&mut self, energised: bool) -> Option<Edge> {
        let before = self.feeder.replace(energised)?;
        match (before, energised) {
            (true, false) => Some(Edge::Fell),
            (false, true) => Some(Edge::Returned),
            _ => None,
        }
    }

    /// Takes one byte of the field link and returns the command that it completes.
    pub(crate) fn receive(&mut self, byte: u8) -> Option<Command> {
        let (Chunk::Frame(Frame { header, body }), _) = self.decoder.push(byte)? else { return None };
        let setting = body.setting()?;
        (header.destination == self.address).then_some(Command { header, setting })
    }

    /// Changes what is kept across power cuts.
    pub(crate) fn remember(&mut self, change: impl FnOnce(&mut Memory), output: &mut impl Output) {
        change(&mut self.memory);
        output.store(&self.memory);
    }

    /// Sends a payload.
    pub(crate) fn send(
        &mut self,
        kind: Kind,
        destination: Actor,
        correlation: u16,
        body: Body,
        output: &mut impl Output,
    ) {
        self.sent = self.sent.wrapping_add(1);
        let header =
            Header { kind, source: self.address, destination, sequence: self.sent, correlation, stamp: self.now };
        output.transmit(&Frame { header, body }.encode());
    }

    /// Answers a command: to its source, correlated with its sequence.
    pub(crate) fn reply(&mut self, command: &Command, body: Body, output: &mut impl Output) {
        if let Some(kind) = command.header.kind.reply() {
            self.send(kind, command.header.source, command.header.sequence, body, output);
        }
    }

    /// Acknowledges a setting: the same value, accepted.
    pub(crate) fn acknowledge(&mut self, command: &Command, output: &mut impl Output) {
        self.reply(command, Setting { value: command.setting.value, flags: 0 }.into(), output);
    }

    /// What the device says of itself, because of what happened at `cause`.
    pub(crate) fn state(&self, mode: Mode, power_w: i32, cause: u64) -> State {
        // An island is fed, so its voltage stands; the other two measure the feeder.
        let live = self.energised() || matches!(mode, Mode::Islanded | Mode::Returning);
        State {
            mode,
            feeder: self.energised(),
            boots: self.memory.boots,
            last_setting: self.memory.last_setting,
            power_w,
            charge_permille: 0,
            energy_wh: self.memory.energy_wh,
            voltage_mv: if live { NOMINAL_MV } else { 0 },
            frequency_mhz: if live { NOMINAL_MHZ } else { 0 },
            event_age_us: u32::try_from(self.now.saturating_sub(cause) / 1000).unwrap_or(u32::MAX),
            trips: self.memory.trips,
        }
    }
}
