//! How long a session will take, from the steps of its plan and the times of its fixture.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::fixture::{Delay, Device, Fixture, Instrument, Level, Link, Player, Rail, Sense, Stream};
use crate::plan::{Action, Cause, EdgeId, Plan, Step};

/// Bytes that COBS and the ending zero add to a payload (S. Cheshire, M. Baker, IEEE/ACM Trans. Networking 7, 1999:
/// one byte for each 254 or part of them).
const FRAMING: u16 = 2;

/// Bytes of a command to an instrument and of what it says to it, roughly: `OUTP OFF`, `SYST:ERR?`, `+0,"No error"`.
const SWITCHING: usize = 40;

/// How long a session takes when all devices answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// One trial.
    pub trial: Duration,
    /// All trials.
    pub session: Duration,
    /// Whether the rails' highest rate of cuts makes the trials longer than their steps.
    pub paced: bool,
}

impl Estimate {
    /// The estimate for a plan on a fixture, both checked, alone and together. Delays count with their mean; what a
    /// device of a real bench may take counts in full.
    #[must_use]
    pub fn of(plan: &Plan, fixture: &Fixture) -> Self {
        let mut walk = Walk { plan, fixture, levels: BTreeMap::new(), reacted: BTreeSet::new() };
        let steps = walk.steps(&plan.steps) + plan.settle;
        let pace = fixture.rails.iter().map(|(name, rail)| {
            let cuts: u32 = plan.steps.iter().map(|step| cuts(step, name)).sum();
            Duration::from_secs(60) * cuts / rail.max_cuts_per_minute.max(1)
        });
        let pace = pace.max().unwrap_or_default();
        let trial = steps.max(pace);
        Self { trial, session: trial.saturating_mul(plan.trials), paced: pace > steps }
    }
}

/// How often a step cuts a rail.
fn cuts(step: &Step, name: &str) -> u32 {
    match &step.action {
        Action::Cut { rail } | Action::BrownOut { rail, .. } if rail == name => 1,
        Action::Bounce { rail, cuts, .. } if rail == name => *cuts,
        Action::Parallel(branches) => branches.iter().flatten().map(|step| cuts(step, name)).sum(),
        _ => 0,
    }
}

struct Walk<'a> {
    plan: &'a Plan,
    fixture: &'a Fixture,
    /// The last level of each rail.
    levels: BTreeMap<&'a str, Level>,
    /// Rails since whose last edge an actor has sent: what else it sends because of that edge is under way already.
    reacted: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Walk<'a> {
    fn steps(&mut self, steps: &'a [Step]) -> Duration {
        steps.iter().map(|step| (step.after.0 + step.after.1) / 2 + self.action(&step.action)).sum()
    }

    fn action(&mut self, action: &'a Action) -> Duration {
        match action {
            Action::Send { .. } | Action::Wait => Duration::ZERO,
            Action::Expect { edges, cause } => self.reaction(edges, cause) + self.deliveries(edges),
            Action::Exchange { request, reply } => self.deliveries(&[*request]) + self.deliveries(&[*reply]),
            Action::Forward { edges, .. } => self.deliveries(edges),
            Action::Cut { rail } => self.switch(rail, Level::Off),
            Action::Restore { rail } => self.switch(rail, Level::On) + self.boots(rail),
            Action::BrownOut { rail, down, .. } => self.switch(rail, Level::Off) + *down + self.switch(rail, Level::On),
            Action::Bounce { rail, cuts, each, .. } => {
                (self.switch(rail, Level::Off) + *each + self.switch(rail, Level::On) + *each) * *cuts
            }
            Action::Parallel(branches) => branches.iter().map(|branch| self.steps(branch)).max().unwrap_or_default(),
        }
    }

    /// Payloads that leave together: one after the other on a device's wire, side by side on the network.
    fn deliveries(&self, edges: &[EdgeId]) -> Duration {
        let wire: Duration = edges.iter().map(|edge| self.wire(*edge)).sum();
        wire + edges.iter().map(|edge| self.network(*edge)).max().unwrap_or_default()
    }

    fn wire(&self, id: EdgeId) -> Duration {
        let edge = self.plan.edge(id);
        let (smallest, largest) = self.plan.row_of(id).size;
        let bytes = usize::from(smallest.midpoint(largest).saturating_add(FRAMING));
        [&edge.from, &edge.to]
            .into_iter()
            .filter_map(|actor| self.device(actor))
            .map(|device| self.wire_time(&device.link, bytes))
            .sum()
    }

    fn wire_time(&self, link: &Link, bytes: usize) -> Duration {
        match link {
            Link::Stream(stream) => stream_time(stream, bytes),
            Link::Can(node) => self.fixture.buses.get(&node.bus).map_or(Duration::ZERO, |bus| bus.wire_time(bytes)),
        }
    }

    fn network(&self, id: EdgeId) -> Duration {
        let edge = self.plan.edge(id);
        let path = self.fixture.paths.iter().find(|path| path.from == edge.from && path.to == edge.to);
        let hops = path.into_iter().flat_map(|path| &path.via).filter_map(|hop| self.fixture.hops.get(hop));
        hops.map(|hop| mean(hop.delay)).sum()
    }

    fn device(&self, actor: &str) -> Option<&'a Device> {
        match self.fixture.actors.get(actor)? {
            Player::Device(name) => self.fixture.devices.get(name),
            _ => None,
        }
    }

    /// From the power edge to what a device sends because of it.
    fn reaction(&mut self, edges: &[EdgeId], cause: &'a Cause) -> Duration {
        let (Cause::Rail(rail), Some(edge)) = (cause, edges.first()) else { return Duration::ZERO };
        let from = self.plan.edge(*edge).from.as_str();
        let Some(device) = self.device(from) else { return Duration::ZERO };
        if !self.reacted.insert((rail, from)) {
            return Duration::ZERO;
        }
        match (self.levels.get(rail.as_str()), self.twin(device)) {
            (Some(Level::On), _) => device.enter_service,
            (_, Some(twin)) => twin.ride_through,
            (_, None) => device.detection,
        }
    }

    fn twin(&self, device: &Device) -> Option<&'a rig_virtual::Twin> {
        self.fixture.twin_of(device).map(|(_, twin)| twin)
    }

    fn switch(&mut self, name: &'a str, to: Level) -> Duration {
        self.levels.insert(name, to);
        self.reacted.retain(|(rail, _)| *rail != name);
        let Some(rail) = self.fixture.rails.get(name) else { return Duration::ZERO };
        let command = match self.fixture.instruments.get(&rail.switch.instrument) {
            Some(Instrument::Scpi(stream)) => stream_time(stream, SWITCHING),
            Some(Instrument::Lcus(serial) | Instrument::ModbusCoil { serial, .. }) => serial.wire_time(8),
            Some(Instrument::Command { timeout, .. }) => *timeout / 2,
            None => Duration::ZERO,
        };
        (command + self.edge(rail)).max(rail.dwell)
    }

    /// From the switch's answer to the edge being known.
    fn edge(&self, rail: &Rail) -> Duration {
        match &rail.sense {
            Sense::None { settle } => *settle,
            Sense::Scpi { contact, .. } => match self.fixture.instruments.get(&contact.instrument) {
                Some(Instrument::Scpi(stream)) => stream_time(stream, SWITCHING),
                _ => Duration::ZERO,
            },
        }
    }

    fn boots(&self, rail: &str) -> Duration {
        let fed = self.fixture.devices.values().filter(|device| device.supply.as_deref() == Some(rail));
        fed.map(|device| self.twin(device).map_or(device.boot, |twin| twin.boot)).max().unwrap_or_default()
    }
}

fn stream_time(stream: &Stream, bytes: usize) -> Duration {
    match stream {
        Stream::Serial(serial) => serial.wire_time(bytes),
        Stream::Tcp(_) => Duration::ZERO,
    }
}

fn mean(delay: Delay) -> Duration {
    match delay {
        Delay::Fixed(delay) | Delay::Normal { mean: delay, .. } => delay,
        Delay::Uniform(low, high) => (low + high) / 2,
        Delay::Exponential { floor, mean } => floor + mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Source;

    const PLAN: &str = include_str!("../../testplans/islanded.toml");
    const FIXTURE: &str = include_str!("../../fixtures/virtual.toml");

    fn estimate(plan: (&str, &str), fixture: (&str, &str)) -> Estimate {
        assert!(PLAN.contains(plan.0) && FIXTURE.contains(fixture.0), "what is to be replaced is there");
        let plan = Plan::parse(&Source::new("plan", &PLAN.replace(plan.0, plan.1)));
        let fixture = Fixture::parse(&Source::new("fixture", &FIXTURE.replace(fixture.0, fixture.1)));
        Estimate::of(
            &plan.unwrap_or_else(|problems| panic!("{problems}")).value,
            &fixture.unwrap_or_else(|problems| panic!("{problems}")).value,
        )
    }

    const SAME: (&str, &str) = ("", "");

    #[test]
    fn a_longer_delay_of_a_device_lengthens_a_trial_by_as_much() {
        let short = estimate(SAME, SAME);
        let long = estimate(SAME, ("enter-service = \"20ms\"", "enter-service = \"300s\""));
        assert_eq!(long.trial, short.trial + Duration::from_millis(299_980));
        assert_eq!(long.session, long.trial * 600);
    }

    #[test]
    fn trials_multiply_the_session_and_not_the_trial() {
        let (all, few) = (estimate(SAME, SAME), estimate(("trials = 600", "trials = 20"), SAME));
        assert_eq!((few.trial, few.session * 30), (all.trial, all.session));
    }

    #[test]
    fn a_rail_that_may_be_cut_seldom_sets_the_pace() {
        let paced = estimate(SAME, ("max-cuts-per-minute = 6000", "max-cuts-per-minute = 6"));
        assert_eq!((paced.trial, paced.paced), (Duration::from_secs(10), true));
        assert!(!estimate(SAME, SAME).paced);
    }

    #[test]
    fn branches_take_as_long_as_the_longest() {
        let steps = PLAN.find("# Into the island.").map_or(PLAN, |start| &PLAN[start..]);
        let base = estimate(SAME, SAME).trial;
        let with = |extra: &str| estimate((steps, &format!("{steps}\n{extra}")), SAME).trial.saturating_sub(base);
        assert_eq!(with("[[step]]\nwait = \"40ms\"\n\n[[step]]\nwait = \"70ms\"\n"), Duration::from_millis(110));
        let parallel = "[[step]]\nparallel = [[{ wait = \"40ms\" }], [{ wait = \"70ms\" }]]\n";
        assert_eq!(with(parallel), Duration::from_millis(70));
    }
}
