//! The player plays a trial: it runs the plan's steps and notes a delivery for every edge that they play.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rig_payload::{Actor, Body, Frame, Header, Kind, Setting, State};

use super::carrier::Carrier;
use super::commands::Commands;
use super::desk::{Desk, Ending, Expected, Landed};
use super::draw::{self, Act, Drawn};
use super::notes::Notes;
use super::pause::pause;
use super::supply::{Edge, Supply};
use super::wiring::Place;
use crate::event::{Arrival, Delivery, Fact};
use crate::fixture::Level;
use crate::plan::{Action, Cause, EdgeId, Plan};
use crate::power::PowerError;
use crate::stamp::{Nanos, Source, Stamp, nanos, narrow};

/// What a player plays with.
#[derive(Clone)]
pub struct Scene {
    /// The plan.
    pub plan: Rc<Plan>,
    /// Where payloads arrive.
    pub desk: Rc<Desk>,
    /// What brings them.
    pub carrier: Rc<Carrier>,
    /// The rails.
    pub supply: Rc<Supply>,
    /// Where facts go.
    pub notes: Notes,
}

/// Plays trials of a plan.
pub struct Player {
    plan: Rc<Plan>,
    desk: Rc<Desk>,
    carrier: Rc<Carrier>,
    supply: Rc<Supply>,
    notes: Notes,
    sequences: RefCell<HashMap<Actor, u16>>,
    commands: Commands,
    /// Edges on which nothing whole came in this trial.
    missed: RefCell<Vec<EdgeId>>,
    values: RefCell<ChaCha8Rng>,
    seed: u64,
}

impl Player {
    /// A player on a bench that is ready.
    #[must_use]
    pub fn new(scene: Scene, seed: u64) -> Self {
        let Scene { plan, desk, carrier, supply, notes } = scene;
        let values = RefCell::new(draw::random(seed, 0));
        let commands = Commands::new(Rc::clone(&carrier), notes.clone());
        Self {
            plan,
            desk,
            carrier,
            supply,
            notes,
            sequences: RefCell::default(),
            commands,
            missed: RefCell::default(),
            values,
            seed,
        }
    }

    /// Plays one trial to its end, settling included. Returns the edges on which nothing whole came.
    ///
    /// # Errors
    /// Where a rail does not do its part: the trial breaks off, and is void.
    pub async fn play(&self, trial: u32) -> Result<Vec<EdgeId>, PowerError> {
        let mut random = draw::random(self.seed, trial);
        let steps = draw::draw(&self.plan.steps, &mut random);
        self.values.replace(random);
        self.missed.borrow_mut().clear();
        let played = self.run(&steps).await;
        self.commands.end_trial().await;
        if played.is_ok() {
            pause(self.plan.settle).await;
        }
        played.map(|()| self.missed.borrow().clone())
    }

    async fn run(&self, steps: &[Drawn<'_>]) -> Result<(), PowerError> {
        for step in steps {
            pause(step.pause).await;
            match &step.act {
                Act::One(action) => self.act(action).await?,
                Act::Parallel(branches) => self.run_all(branches).await?,
            }
        }
        Ok(())
    }

    async fn run_all(&self, branches: &[Vec<Drawn<'_>>]) -> Result<(), PowerError> {
        let branches = branches.iter().map(|branch| Box::pin(self.run(branch)));
        for result in join_all(branches).await {
            result?;
        }
        Ok(())
    }

    async fn act(&self, action: &Action) -> Result<(), PowerError> {
        match action {
            Action::Send { edges } => {
                for edge in edges {
                    self.send(*edge).await;
                }
            }
            Action::Expect { edges, cause } => self.expect(edges, cause).await,
            Action::Exchange { request, reply } => {
                self.send(*request).await;
                self.expect(&[*reply], &Cause::Payload(*request)).await;
            }
            Action::Forward { received, edges } => self.forward(*received, edges).await,
            Action::Cut { rail } => self.supply.set(rail, Level::Off).await?,
            Action::Restore { rail } => self.supply.set(rail, Level::On).await?,
            Action::BrownOut { rail, down, at_most } => self.supply.dip(rail, *down, *at_most).await?,
            Action::Bounce { rail, cuts, each, at_most } => {
                for _ in 0..*cuts {
                    self.supply.dip(rail, *each, *at_most).await?;
                    tokio::time::sleep(*each).await;
                }
            }
            Action::Wait | Action::Parallel(_) => {}
        }
        Ok(())
    }

    /// An emulated actor sends by itself: to a device a command, to another actor its state.
    async fn send(&self, edge: EdgeId) {
        let row = self.plan.row_of(edge);
        let Some(kind) = Kind::from_name(&row.payload) else { return };
        let body = if kind.reply().is_some() {
            let value = if kind.is_setting() { self.values.borrow_mut().random_range(1..=5_000) } else { 0 };
            Body::from(Setting { value, flags: 0 })
        } else {
            Body::from(State::default())
        };
        let Some(frame) = self.frame(edge, kind, 0, body) else { return };
        if !matches!(self.carrier.wiring().destination(edge), Place::Device(_)) {
            self.deliver(edge, &frame).await;
            return;
        }
        let sending = self.carrier.send(edge, &frame).await;
        self.commands.sent(edge, &frame.header, sending);
    }

    /// An actor passes on what it received.
    async fn forward(&self, received: EdgeId, edges: &[EdgeId]) {
        let Some(landed) = self.desk.delivered(received) else {
            for edge in edges {
                self.note(*edge, Arrival::NotSent, Delivery::absent);
            }
            return;
        };
        let frames = edges.iter().filter_map(|edge| {
            let Header { kind, correlation, .. } = landed.header;
            // It writes a payload of its own, which has the size of its own row whatever the size it received.
            let (least, most) = self.plan.row_of(*edge).size;
            let size = landed.size.payload.clamp(least, most);
            let body = landed.body.resized(usize::from(size).saturating_sub(rig_payload::OVERHEAD));
            Some((*edge, self.frame(*edge, kind, correlation, body)?))
        });
        join_all(frames.map(|(edge, frame)| async move { self.deliver(edge, &frame).await })).await;
    }

    /// Sends to an actor that is not a device, and waits for the delivery.
    async fn deliver(&self, edge: EdgeId, frame: &Frame) {
        self.desk.open(edge, Expected::Sequence(frame.header.sequence));
        let sending = self.carrier.send(edge, frame).await;
        let deadline = self.deadline(sending.sent.hi, self.limit(edge));
        let ending = self.desk.wait(edge, deadline).await;
        self.conclude(edge, ending, |landed| Delivery { sent: Some(sending.sent), ..Delivery::of(edge, landed) });
    }

    /// Waits for what devices and external actors send by themselves.
    async fn expect(&self, edges: &[EdgeId], cause: &Cause) {
        let Some(origin) = self.origin(cause) else {
            for edge in edges {
                self.note(*edge, Arrival::NotSent, Delivery::absent);
            }
            return;
        };
        for edge in edges {
            self.desk.open(*edge, origin.expected);
        }
        for edge in edges {
            let allowed = self.limit(*edge) + origin.allowance(&self.carrier, self.carrier.wiring().origin(*edge));
            let deadline = self.deadline(origin.at.hi, allowed);
            let ending = self.desk.wait(*edge, deadline).await;
            if let (Cause::Payload(command), Ending::Landed(landed)) = (cause, &ending) {
                self.commands.answered(*command, landed);
            }
            self.conclude(*edge, ending, |landed| {
                // A device may sense an edge before the rig's own sense does, but not before it was commanded.
                let earliest = if landed.first.hi < origin.at.lo { origin.not_before } else { origin.at.lo };
                let seen = Stamp::new(earliest, landed.first.hi, Source::Bounded);
                Delivery {
                    sent: Some(narrow(seen, landed.made)),
                    cause: Some(origin.at),
                    ..Delivery::of(*edge, landed)
                }
            });
        }
    }

    /// What makes an originator send; `None` where that has not happened.
    fn origin(&self, cause: &Cause) -> Option<Origin> {
        match cause {
            Cause::Rail(rail) => {
                let Edge { level, commanded, at } = self.supply.last_edge(rail)?;
                let expected = Expected::Newer(commanded);
                Some(Origin { at, not_before: commanded, expected, level: Some(level), budget: Duration::ZERO })
            }
            Cause::Payload(edge) => {
                let (sequence, at) = self.commands.on_edge(*edge)?;
                let expected = Expected::Correlation(sequence);
                Some(Origin { at, not_before: at.lo, expected, level: None, budget: self.limit(*edge) })
            }
        }
    }

    fn conclude(&self, edge: EdgeId, ending: Ending, delivery: impl FnOnce(&Landed) -> Delivery) {
        let end = match ending {
            Ending::Landed(landed) => {
                let end = landed.flaw.map_or(Arrival::Whole, Arrival::Flawed);
                self.note(edge, end, |_| delivery(&landed));
                return;
            }
            Ending::Broken(flaw) => Arrival::Broken(flaw),
            Ending::LostInHop(hop) => Arrival::LostInHop(hop),
            Ending::Absent => Arrival::Absent,
        };
        self.missed.borrow_mut().push(edge);
        self.note(edge, end, Delivery::absent);
    }

    fn note(&self, edge: EdgeId, end: Arrival, delivery: impl FnOnce(EdgeId) -> Delivery) {
        self.notes.note(Fact::Delivery(Delivery { end, ..delivery(edge) }));
    }

    fn frame(&self, edge: EdgeId, kind: Kind, correlation: u16, body: Body) -> Option<Frame> {
        let names = self.plan.edge(edge);
        let (source, destination) = (Actor::from_name(&names.from)?, Actor::from_name(&names.to)?);
        let mut sequences = self.sequences.borrow_mut();
        let sequence = sequences.entry(source).or_default();
        // Never 0: that is what a device tells that has taken no command.
        *sequence = sequence.wrapping_add(1).max(1);
        let header = Header { kind, source, destination, sequence: *sequence, correlation, stamp: self.notes.now() };
        Some(Frame { header, body })
    }

    fn limit(&self, edge: EdgeId) -> Duration {
        self.plan.row_of(edge).budget.latency
    }

    fn deadline(&self, from: Nanos, allowed: Duration) -> Nanos {
        let wait = allowed + self.plan.patience;
        from.saturating_add(nanos(wait))
    }
}

/// What makes an originator send.
struct Origin {
    at: Stamp,
    /// When it cannot have happened yet.
    not_before: Nanos,
    expected: Expected,
    /// The power edge, where it is one.
    level: Option<Level>,
    /// The command's own budget, where it is one.
    budget: Duration,
}

impl Origin {
    /// How long the originator may take before it sends.
    fn allowance(&self, carrier: &Carrier, originator: Place) -> Duration {
        let Place::Device(actor) = originator else { return self.budget };
        let Some(port) = carrier.port(actor) else { return self.budget };
        let device = port.device();
        match self.level {
            None => self.budget,
            Some(Level::Off) => device.detection,
            Some(Level::On) => device.detection + device.enter_service,
        }
    }
}

impl Delivery {
    /// Nothing was seen of it.
    pub(super) fn absent(edge: EdgeId) -> Self {
        let end = Arrival::Absent;
        Self {
            edge,
            sent: None,
            on_wire: None,
            arrived: None,
            cause: None,
            size: None,
            sequence: None,
            correlation: None,
            end,
        }
    }

    fn of(edge: EdgeId, landed: &Landed) -> Self {
        Self {
            on_wire: landed.on_wire,
            arrived: Some(landed.last),
            size: Some(landed.size),
            sequence: Some(landed.header.sequence),
            correlation: Some(landed.header.correlation),
            ..Self::absent(edge)
        }
    }
}
