use rig_payload::{Actor, Encoded, Kind, Mode, State};

use crate::breaker::Breaker;
use crate::chassis::{Chassis, Command, Edge};
use crate::memory::Memory;
use crate::meter::Meter;
use crate::storage::Storage;

/// What happened since the last step.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Nanoseconds since the device booted. Never less than in the step before.
    pub now: u64,
    /// Whether the feeder is energised, as the device senses it.
    pub feeder: bool,
    /// Bytes received on the field link, the last of them right now.
    pub bytes: &'a [u8],
}

/// What a device does to the world.
pub trait Output {
    /// Sends a payload on the field link.
    fn transmit(&mut self, payload: &Encoded);
    /// Keeps the memory across power cuts.
    fn store(&mut self, memory: &Memory);
}

/// Which of the three devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Storage controller.
    Storage,
    /// Breaker relay.
    Breaker,
    /// Two-way meter.
    Meter,
}

impl Role {
    /// The actor that the device is in the rows of the source.
    #[must_use]
    pub const fn actor(self) -> Actor {
        match self {
            Self::Storage => Actor::Storage,
            Self::Breaker => Actor::Breaker,
            Self::Meter => Actor::Meter,
        }
    }
}

/// How long a device waits. All in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Storage: a feeder that is down for less than this is ridden through.
    pub ride_through: u64,
    /// Storage: how long the feeder must be back, without interruption, before it enters service
    /// (IEEE 1547-2018 4.10.3, IEEE 1547.1-2020 5.6).
    pub enter_service: u64,
    /// Breaker: how long the feeder must be back, without interruption, before it recloses.
    pub reclose: u64,
}

impl Default for Settings {
    /// Ride-through 10 ms, enter service after 300 s (the default of IEEE 1547-2018 table 4), reclose after 100 ms.
    fn default() -> Self {
        Self { ride_through: 10_000_000, enter_service: 300_000_000_000, reclose: 100_000_000 }
    }
}

/// A device from one boot to the next loss of power.
#[derive(Clone, Debug)]
pub struct Device {
    booted: bool,
    chassis: Chassis,
    behaviour: Behaviour,
}

#[derive(Clone, Debug)]
enum Behaviour {
    Storage(Storage),
    Breaker(Breaker),
    Meter(Meter),
}

impl Device {
    /// A device that boots with what it kept. Its first step sends [`Kind::Boot`] and stores the boot's count.
    ///
    /// A device that boots while the feeder is down has seen no edge: it reports neither an island nor the end of
    /// one until the feeder has been there and falls.
    #[must_use]
    pub fn boot(role: Role, settings: Settings, memory: Memory) -> Self {
        let behaviour = match role {
            Role::Storage => Behaviour::Storage(Storage::new(&settings)),
            Role::Breaker => Behaviour::Breaker(Breaker::new(&settings)),
            Role::Meter => Behaviour::Meter(Meter),
        };
        Self { booted: false, chassis: Chassis::new(role.actor(), memory), behaviour }
    }

    /// Takes in what happened and does what is due. Returns when the next step is due at the latest, in nanoseconds
    /// since boot; `None` where only input makes one.
    pub fn step(&mut self, input: Input, output: &mut impl Output) -> Option<u64> {
        let watts = self.watts();
        self.chassis.advance(input.now, watts);
        // What became due before the feeder changed comes first: a feeder that was down for the whole ride-through
        // time makes an island, even where its return is what woke the host.
        self.due(output);
        if let Some(edge) = self.chassis.sense(input.feeder) {
            self.edge(edge, output);
        }
        if !self.booted {
            self.booted = true;
            self.start(output);
        }
        for &byte in input.bytes {
            if let Some(command) = self.chassis.receive(byte) {
                self.command(&command, output);
            }
        }
        self.due(output);
        self.wake()
    }

    /// The mode it is in.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match &self.behaviour {
            Behaviour::Storage(storage) => storage.mode(),
            Behaviour::Breaker(breaker) => breaker.mode(),
            Behaviour::Meter(_) => Meter::mode(self.memory()),
        }
    }

    /// Which device it is.
    #[must_use]
    pub fn role(&self) -> Role {
        match &self.behaviour {
            Behaviour::Storage(_) => Role::Storage,
            Behaviour::Breaker(_) => Role::Breaker,
            Behaviour::Meter(_) => Role::Meter,
        }
    }

    /// What it says of itself now.
    #[must_use]
    pub fn state(&self) -> State {
        let now = self.chassis.now();
        match &self.behaviour {
            Behaviour::Storage(storage) => storage.state(now, &self.chassis),
            Behaviour::Breaker(breaker) => breaker.state(now, &self.chassis),
            Behaviour::Meter(_) => Meter::state(now, &self.chassis),
        }
    }

    /// What it keeps.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        self.chassis.memory()
    }

    fn start(&mut self, output: &mut impl Output) {
        self.chassis.remember(|memory| memory.boots = memory.boots.wrapping_add(1), output);
        let state = self.state();
        self.chassis.send(Kind::Boot, Actor::DacSub, self.memory().boots, state.into(), output);
    }

    fn edge(&mut self, edge: Edge, output: &mut impl Output) {
        match &mut self.behaviour {
            Behaviour::Storage(storage) => storage.edge(edge, &self.chassis),
            Behaviour::Breaker(breaker) => breaker.edge(edge, &mut self.chassis, output),
            Behaviour::Meter(_) => {}
        }
    }

    fn due(&mut self, output: &mut impl Output) {
        match &mut self.behaviour {
            Behaviour::Storage(storage) => storage.due(&mut self.chassis, output),
            Behaviour::Breaker(breaker) => breaker.due(&self.chassis),
            Behaviour::Meter(_) => {}
        }
    }

    fn command(&mut self, command: &Command, output: &mut impl Output) {
        match &self.behaviour {
            Behaviour::Storage(storage) => storage.command(command, &mut self.chassis, output),
            Behaviour::Breaker(breaker) => breaker.command(command, &mut self.chassis, output),
            Behaviour::Meter(_) => Meter::command(command, &mut self.chassis, output),
        }
    }

    fn wake(&self) -> Option<u64> {
        match &self.behaviour {
            Behaviour::Storage(storage) => storage.wake(),
            Behaviour::Breaker(breaker) => breaker.wake(),
            Behaviour::Meter(_) => None,
        }
    }

    fn watts(&self) -> i32 {
        match &self.behaviour {
            Behaviour::Storage(storage) => storage.watts(&self.chassis),
            Behaviour::Breaker(breaker) => breaker.watts(&self.chassis),
            Behaviour::Meter(_) => Meter::watts(&self.chassis),
        }
    }
}
