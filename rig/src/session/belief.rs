use std::collections::VecDeque;

use rig_payload::{Frame, Header, Kind, Mode, State};

use crate::event::Flaw;
use crate::fixture::Level;
use crate::stamp::{Contradiction, ForeignClock, Nanos, Stamp};

/// Commands a belief remembers: more than any plan has in flight.
const REMEMBERED: usize = 32;

/// What rig can know of a device's inside from the payloads between them.
pub struct Belief {
    clock: Option<ForeignClock>,
    commands: VecDeque<Command>,
    /// When the rail that it senses as the grid last fell, and last returned.
    grid: [Option<Stamp>; 2],
    boots: Option<u16>,
    /// Settings the device may hold: the last it acknowledged, then those sent since.
    settings: Vec<u16>,
    /// The device's own sequence of the newest payload that acknowledged one, in this life.
    acknowledged_by: Option<u16>,
    acknowledged: bool,
    boot_due: bool,
}

struct Command {
    sequence: u16,
    last: Stamp,
}

/// What a payload of a device shows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// When the device says it made the payload, on the session clock.
    pub made: Option<Stamp>,
    /// The state it tells is none it can be in.
    pub flaw: Option<Flaw>,
    /// It has forgotten a setting that it had acknowledged.
    pub forgot: bool,
    /// Its stamps contradict each other.
    pub contradiction: bool,
    /// It tells that it has booted, and sent no boot payload.
    pub booted: Option<Boot>,
}

/// What a boot payload shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Its count of boots.
    pub boots: u16,
    /// Whether power was cut before.
    pub expected: bool,
    /// Whether it has lost an acknowledged setting.
    pub forgot: bool,
}

impl Belief {
    /// Nothing is known yet; the device's stamps are trusted within a drift, or not at all.
    #[must_use]
    pub fn new(drift_ppm: Option<f64>) -> Self {
        Self {
            clock: drift_ppm.map(ForeignClock::new),
            commands: VecDeque::new(),
            grid: [None; 2],
            boots: None,
            settings: Vec::new(),
            acknowledged_by: None,
            acknowledged: false,
            boot_due: true,
        }
    }

    /// A command has gone out; `last` is its last byte on the wire.
    pub fn commanded(&mut self, header: &Header, last: Stamp) {
        if self.commands.len() == REMEMBERED {
            self.commands.pop_front();
        }
        self.commands.push_back(Command { sequence: header.sequence, last });
        if header.kind.is_setting() {
            self.settings.push(header.sequence);
        }
    }

    /// What it senses as the grid fell or returned at `edge`.
    pub fn grid_changed(&mut self, to: Level, edge: Stamp) {
        self.grid[usize::from(to == Level::On)] = Some(edge);
    }

    /// Its power was cut: it will boot.
    pub fn cut(&mut self) {
        self.boot_due = true;
    }

    /// From now on a boot is due only after a cut.
    pub fn settled(&mut self) {
        self.boot_due = false;
    }

    /// Takes a boot payload.
    pub fn booted(&mut self, frame: &Frame, first: Stamp) -> Boot {
        let state = frame.body.state().unwrap_or_default();
        self.start_life(&state);
        if let Some(clock) = &mut self.clock {
            // A reset clock knows nothing that a first stamp could contradict.
            let _ = clock.observe(frame.header.stamp, None, first);
        }
        Boot { boots: state.boots, expected: std::mem::take(&mut self.boot_due), forgot: self.has_forgotten(&state) }
    }

    /// Whether its power was cut and it has not said since that it booted.
    #[must_use]
    pub fn is_boot_due(&self) -> bool {
        self.boot_due
    }

    /// The count of boots of the life that it is in, where it has told it.
    #[must_use]
    pub fn boots(&self) -> Option<u16> {
        self.boots
    }

    /// An instant of the device's clock on the session clock, where its stamps are trusted and bounded.
    #[must_use]
    pub fn map(&self, stamp: u64, now: Nanos) -> Option<Stamp> {
        self.clock.as_ref()?.map(stamp, now)
    }

    /// What did not outlive a boot is forgotten: the device's clock and its count of payloads begin anew.
    fn start_life(&mut self, state: &State) {
        self.boots = Some(state.boots);
        self.acknowledged_by = None;
        if let Some(clock) = &mut self.clock {
            clock.reset();
        }
    }

    /// Takes any other payload, whose first byte was seen at `first`.
    pub fn heard(&mut self, frame: &Frame, first: Stamp) -> Reading {
        let header = &frame.header;
        let mut reading = Reading::default();
        if let Some(state) = frame.body.state()
            && self.boots.is_some_and(|boots| boots != state.boots)
        {
            self.start_life(&state);
            let (boots, forgot) = (state.boots, self.has_forgotten(&state));
            reading.booted = Some(Boot { boots, expected: std::mem::take(&mut self.boot_due), forgot });
        }
        // The network may have brought the command twice, and this answers the first copy.
        let command = self.commands.iter().find(|command| command.sequence == header.correlation);
        let after = command.filter(|_| is_caused_by_command(header.kind)).map(|command| command.last);
        let edge = alarmed_of(header.kind).and_then(|level| self.grid[usize::from(level == Level::On)]);
        if let Some(clock) = &mut self.clock {
            reading.contradiction = clock.observe(header.stamp, after, first) == Err(Contradiction);
            if let Some(edge) = edge {
                clock.suppose(header.stamp, edge, first);
            }
            reading.made = clock.map(header.stamp, first.hi);
        }
        if matches!(header.kind, Kind::DischargeAck | Kind::ChargeRateAck | Kind::CapAck | Kind::CancelAck) {
            self.acknowledge(header);
        }
        if let Some(state) = frame.body.state() {
            reading.forgot = self.has_forgotten(&state) && !self.is_older(header);
            let impossible = mode_of(header.kind).is_some_and(|mode| mode != state.mode);
            reading.flaw = (reading.forgot || impossible).then_some(Flaw::WrongState);
        }
        reading
    }

    fn acknowledge(&mut self, header: &Header) {
        if let Some(at) = self.settings.iter().position(|setting| *setting == header.correlation) {
            self.settings.drain(..at);
            self.acknowledged = true;
            self.acknowledged_by = Some(header.sequence);
        }
    }

    /// Whether a payload was made before the newest acknowledgement, and came after it: it is late, and what it tells
    /// was true.
    fn is_older(&self, header: &Header) -> bool {
        self.acknowledged_by.is_some_and(|by| by.wrapping_sub(header.sequence) < 0x8000)
    }

    fn has_forgotten(&self, state: &State) -> bool {
        self.acknowledged && !self.settings.contains(&state.last_setting)
    }
}

/// Payloads whose correlation is the sequence of the command that caused them.
fn is_caused_by_command(kind: Kind) -> bool {
    !matches!(kind, Kind::Boot | Kind::InIslandAlarm | Kind::OutOfIslandAlert)
}

/// The change of the grid that a payload of this kind tells of.
fn alarmed_of(kind: Kind) -> Option<Level> {
    match kind {
        Kind::InIslandAlarm => Some(Level::Off),
        Kind::OutOfIslandAlert => Some(Level::On),
        _ => None,
    }
}

/// The mode that a payload of this kind tells.
fn mode_of(kind: Kind) -> Option<Mode> {
    match kind {
        Kind::InIslandAlarm => Some(Mode::Islanded),
        Kind::CappedAlert => Some(Mode::Capped),
        Kind::OutOfIslandAlert | Kind::UncappedAlert => Some(Mode::Normal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rig_payload::{Actor, Body, Setting};

    use super::*;
    use crate::stamp::Source;

    fn header(kind: Kind, sequence: u16, correlation: u16) -> Header {
        Header { kind, source: Actor::Storage, destination: Actor::DacSub, sequence, correlation, stamp: 0 }
    }

    fn at(nanos: u64) -> Stamp {
        Stamp::new(nanos, nanos, Source::User)
    }

    fn tells(last_setting: u16) -> Frame {
        let state = State { last_setting, boots: 2, ..State::default() };
        Frame { header: header(Kind::StorageStatusResp, 9, 8), body: state.into() }
    }

    #[test]
    fn an_acknowledged_setting_must_be_remembered_and_a_sent_one_may_be() {
        let mut belief = Belief::new(None);
        assert!(!belief.heard(&tells(0), at(1)).forgot, "nothing was set yet");
        belief.commanded(&header(Kind::DischargeCmd, 5, 0), at(2));
        assert!(!belief.heard(&tells(0), at(3)).forgot, "not acknowledged yet");
        let ack = Frame { header: header(Kind::DischargeAck, 1, 5), body: Body::from(Setting::default()) };
        belief.heard(&ack, at(4));
        assert!(belief.heard(&tells(0), at(5)).forgot);
        assert!(!belief.heard(&tells(5), at(6)).forgot);
        belief.commanded(&header(Kind::ChargeRateCmd, 6, 0), at(7));
        assert!(!belief.heard(&tells(6), at(8)).forgot, "the command went out, its acknowledgement may be lost");
    }

    #[test]
    fn a_late_payload_tells_what_was_true_before_the_acknowledgement() {
        let mut belief = Belief::new(None);
        belief.commanded(&header(Kind::DischargeCmd, 5, 0), at(1));
        let ack = Frame { header: header(Kind::DischargeAck, 10, 5), body: Body::from(Setting::default()) };
        belief.heard(&ack, at(2));
        assert!(!belief.heard(&tells(0), at(3)).forgot, "its sequence is 9: made before the acknowledgement, 10");
    }

    #[test]
    fn an_answer_to_the_first_copy_of_a_command_was_made_before_the_second_copy() {
        let mut belief = Belief::new(Some(0.0));
        let boot = Frame { header: header(Kind::Boot, 1, 1), body: State { boots: 2, ..State::default() }.into() };
        belief.booted(&boot, at(1_000));
        let command = header(Kind::StorageStatusCmd, 8, 0);
        belief.commanded(&command, at(5_000));
        belief.commanded(&command, at(9_000));
        // The device's clock reads 0 at 1000, so that it made this answer at 5500.
        let mut answer = tells(0);
        answer.header.stamp = 4_500;
        let made = belief.heard(&answer, at(9_500)).made.expect("bounded on both sides");
        assert!(made.lo <= 5_500 && 5_500 <= made.hi, "{made:?}");
    }

    #[test]
    fn a_boot_without_a_boot_payload_shows_in_the_count_of_boots() {
        let mut belief = Belief::new(Some(0.0));
        let boot = Frame { header: header(Kind::Boot, 1, 1), body: State { boots: 1, ..State::default() }.into() };
        belief.booted(&boot, at(1));
        let reading = belief.heard(&tells(0), at(2));
        assert_eq!(reading.booted, Some(Boot { boots: 2, expected: false, forgot: false }));
        assert!(!reading.contradiction, "its clock began anew with the boot");
        assert_eq!(belief.heard(&tells(0), at(3)).booted, None, "told once");
    }

    #[test]
    fn only_the_first_boot_after_a_cut_is_expected() {
        let mut belief = Belief::new(None);
        let boot = Frame { header: header(Kind::Boot, 1, 1), body: State { boots: 1, ..State::default() }.into() };
        assert!(belief.booted(&boot, at(1)).expected);
        assert!(!belief.booted(&boot, at(2)).expected);
        belief.cut();
        assert!(belief.booted(&boot, at(3)).expected);
    }

    #[test]
    fn the_alarm_of_an_island_dates_the_alert_that_comes_long_after_its_edge() {
        const SECOND: u64 = 1_000_000_000;
        let mut belief = Belief::new(Some(0.0));
        let state = State { mode: Mode::Islanded, ..State::default() };
        let made = |kind, stamp| Header { stamp, ..header(kind, 1, 1) };
        belief.grid_changed(Level::Off, at(100 * SECOND));
        let alarm = Frame { header: made(Kind::InIslandAlarm, 2 * SECOND), body: state.into() };
        belief.heard(&alarm, at(102 * SECOND));
        belief.grid_changed(Level::On, at(110 * SECOND));
        let alert = Frame { header: made(Kind::OutOfIslandAlert, 312 * SECOND), body: State::default().into() };
        let made = belief.heard(&alert, at(412 * SECOND)).made.expect("bounded on both sides");
        assert_eq!((made.lo, made.hi), (410 * SECOND, 412 * SECOND));
    }

    #[test]
    fn an_alarm_of_an_island_from_a_device_that_says_it_is_not_islanded_is_flawed() {
        let mut belief = Belief::new(None);
        let frame = Frame { header: header(Kind::InIslandAlarm, 1, 1), body: State::default().into() };
        assert_eq!(belief.heard(&frame, at(1)).flaw, Some(Flaw::WrongState));
    }
}
