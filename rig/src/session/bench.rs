//! The bench, opened: virtual bench, rails, ports, loopback connections, database; and closed again, rails safe.

mod failure;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use rig_payload::Actor;
use tokio::sync::watch::Receiver;
use tokio::task::{JoinHandle, spawn_local};

use super::Session;
use super::bus::Bus;
use super::carrier::{Carrier, Parts};
use super::child::BenchChild;
use super::desk::Desk;
use super::firmware::Installer;
use super::line::Wires;
use super::logbook::Logbook;
use super::notes::Notes;
use super::player::Scene;
use super::port::Port;
use super::supply::Supply;
use super::watch;
use super::wiring::Wiring;
use crate::actor::{Database, DatabaseError, Network, Store};
use crate::event::{Fact, RigFault};
use crate::fixture::{Device, Fixture, Link as DeviceLink, Player, Stream};
use crate::link::{BenchPorts, Link, LinkError, MemoryPort};
use crate::plan::{EdgeId, Plan};
use crate::power::Rails;
use crate::probe::Driver;

pub use failure::{BenchFailure, Unopened};

/// Name of the database of the operations' analytic actor in a session's folder.
pub const DATABASE: &str = "analytic.sqlite";

/// How long a port may take to be there once its device has power, on top of the boot time.
pub const PORT_APPEARS: Duration = Duration::from_secs(2);

/// A bench that is ready to be played on.
pub struct Bench {
    /// What a player plays with.
    pub scene: Scene,
    buses: Buses,
    supply: Rc<Supply>,
    child: Option<BenchChild>,
    tasks: Vec<JoinHandle<()>>,
}

/// The CAN buses, by name.
pub type Buses = BTreeMap<String, Rc<Bus>>;

impl Bench {
    /// Opens everything the plan needs, energises the rails and waits for the devices; `stop` turning true interrupts
    /// that.
    ///
    /// # Errors
    /// What is missing and what to do about it. The rails are safe then, as far as they could be reached.
    pub async fn open(session: &Session, notes: &Notes, stop: &mut Receiver<bool>) -> Result<Self, Unopened> {
        let mut tasks = Vec::new();
        let (child, ports) = unless(stop, virtual_bench(session, notes, &mut tasks)).await?;
        let ports = Rc::new(ports);
        // Each instrument has its deadlines, and only rails that are open can be made safe.
        let rails = Rails::open(&session.fixture, &ports, notes.clock()).await.map_err(BenchFailure::from)?;
        for (name, obtained) in rails.obtained() {
            notes.note(Fact::LinkUp { name, obtained });
        }
        let devices = devices(&session.fixture, notes);
        let supply = Rc::new(Supply::new(rails, devices.values().cloned().collect(), notes.clone()));
        let reached = async {
            let buses = open_buses(&session.fixture, notes, &ports, &mut tasks).await?;
            Ok((buses, connect(session, notes, devices, Rc::clone(&supply)).await?))
        };
        let mut bench = match unless(stop, reached).await {
            Ok((buses, scene)) => Self { scene, buses, supply, child, tasks },
            Err(unopened) => {
                supply.make_safe().await;
                return Err(unopened);
            }
        };
        if let Err(unopened) = unless(stop, bench.wake(session, notes, ports)).await {
            bench.close().await;
            return Err(unopened);
        }
        if !session.simulated {
            bench.tasks.push(spawn_local(watch::pulse(notes.clone(), session.fixture.stall_limit)));
        }
        Ok(bench)
    }

    /// Waits until the virtual bench ends by itself; for ever where there is none.
    pub async fn lost(&mut self) -> String {
        match &mut self.child {
            Some(child) => child.ended().await,
            None => std::future::pending().await,
        }
    }

    /// The CAN buses.
    #[must_use]
    pub fn buses(&self) -> &Buses {
        &self.buses
    }

    /// Puts the rails into their safe state and lets everything go.
    pub async fn close(self) {
        self.supply.make_safe().await;
        for bus in self.buses.values() {
            bus.close().await;
        }
        for task in self.tasks {
            task.abort();
        }
        if let Some(child) = self.child {
            child.stop().await;
        }
    }

    async fn wake(&mut self, session: &Session, notes: &Notes, ports: Rc<BenchPorts>) -> Result<(), BenchFailure> {
        for port in self.scene.carrier.ports() {
            // Until its rail has been energised, a device with a supply may have no port.
            port.set_powered(port.device().supply.is_none());
            let wires = || Wires { bench: Rc::clone(&ports), bus: bus_of(port.device(), &self.buses) };
            let (listener, carrier, line) = (Rc::clone(port), Rc::clone(&self.scene.carrier), wires());
            self.tasks.push(spawn_local(async move { listener.listen(&line, &*carrier).await }));
            let (listener, carrier, line) = (Rc::clone(port), Rc::clone(&self.scene.carrier), wires());
            self.tasks.push(spawn_local(async move { listener.listen_at_home(&line, &*carrier).await }));
        }
        tokio::task::yield_now().await;
        self.supply.energise(&session.fixture).await?;
        // A device may have no port before it has its firmware.
        self.put_firmware(session, notes, &ports).await?;
        for port in self.scene.carrier.ports() {
            let name = || port.name().to_string();
            if tokio::time::timeout(port.device().boot + PORT_APPEARS, port.opened()).await.is_err() {
                return Err(missing(name(), port.trouble()));
            }
            if tokio::time::timeout(PORT_APPEARS, port.opened_at_home()).await.is_err() {
                return Err(missing(format!("{}.in-home", name()), port.trouble_at_home()));
            }
            port.settle();
        }
        for bus in self.buses.values() {
            if let Some(trouble) = bus.symptom().await {
                return Err(BenchFailure::Deaf { bus: bus.name().to_string(), trouble });
            }
        }
        Ok(())
    }

    /// Puts firmware on the devices that have a probe, and reads their logs from now on.
    async fn put_firmware(&mut self, session: &Session, notes: &Notes, ports: &BenchPorts) -> Result<(), BenchFailure> {
        if session.simulated || session.fixture.devices.values().all(|device| device.probe.is_none()) {
            return Ok(());
        }
        let driver = Driver::this().map_err(|error| BenchFailure::Probe("with a probe".to_owned(), error))?;
        let devices: Vec<_> = self.scene.carrier.ports().cloned().collect();
        let installed = Installer::new(session, notes, ports, &driver).install(&devices).await;
        for held in installed.map_err(|(device, error)| BenchFailure::Probe(device, error))? {
            let logbook = Logbook::new(held, driver.clone(), notes.clone());
            self.tasks.push(spawn_local(logbook.keep()));
        }
        Ok(())
    }
}

/// A part of the opening, dropped where it is when `stop` turns true.
async fn unless<T>(
    stop: &mut Receiver<bool>,
    part: impl Future<Output = Result<T, BenchFailure>>,
) -> Result<T, Unopened> {
    tokio::select! {
        biased;
        Ok(_) = stop.wait_for(|stop| *stop) => Err(Unopened::Interrupted),
        opened = part => Ok(opened?),
    }
}

fn missing(device: String, trouble: Option<LinkError>) -> BenchFailure {
    match trouble {
        Some(error) => BenchFailure::Port(device, error),
        None => BenchFailure::Loose(device),
    }
}

/// Opens every bus before any power is switched: a missing adapter is found first.
async fn open_buses(
    fixture: &Fixture,
    notes: &Notes,
    ports: &Rc<BenchPorts>,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<Buses, BenchFailure> {
    let buses =
        fixture.buses.keys().filter_map(|name| Some((name.clone(), Rc::new(Bus::new(name, fixture, notes.clone())?))));
    let buses: Buses = buses.collect();
    for bus in buses.values() {
        let (bus, ports) = (Rc::clone(bus), Rc::clone(ports));
        tasks.push(spawn_local(async move { bus.listen(&ports).await }));
    }
    for (name, bus) in &buses {
        bus.first_opened().await.map_err(|error| BenchFailure::Bus(name.clone(), error))?;
    }
    Ok(buses)
}

fn bus_of(device: &Device, buses: &Buses) -> Option<Rc<Bus>> {
    match &device.link {
        DeviceLink::Can(node) => buses.get(&node.bus).cloned(),
        DeviceLink::Stream(_) => None,
    }
}

async fn virtual_bench(
    session: &Session,
    notes: &Notes,
    tasks: &mut Vec<JoinHandle<()>>,
) -> Result<(Option<BenchChild>, BenchPorts), BenchFailure> {
    let Some(spec) = &session.fixture.bench else { return Ok((None, BenchPorts::None)) };
    if !session.simulated {
        let child = BenchChild::start(&session.fixture_file).await?;
        let ports = BenchPorts::Directory(child.ports().to_owned());
        return Ok((Some(child), ports));
    }
    let (bench, ports) =
        rig_virtual::Bench::in_memory(spec).map_err(|error| BenchFailure::Virtual(error.to_string()))?;
    let notes = notes.clone();
    tasks.push(spawn_local(async move {
        if let Err(error) = bench.run().await {
            notes.fault(RigFault::BenchGone, format!("the virtual bench: {error}"));
        }
    }));
    let ports = ports.into_iter().map(|(name, port)| -> (String, MemoryPort) { (name, Rc::new(move || port.open())) });
    Ok((None, BenchPorts::Memory(ports.collect())))
}

fn devices(fixture: &Fixture, notes: &Notes) -> BTreeMap<Actor, Rc<Port>> {
    fixture
        .actors
        .iter()
        .filter_map(|(name, player)| {
            let Player::Device(device) = player else { return None };
            let actor = Actor::from_name(name)?;
            let port = Port::new(device, actor, fixture.devices.get(device)?.clone(), notes.clone());
            Some((actor, Rc::new(port)))
        })
        .collect()
}

async fn connect(
    session: &Session,
    notes: &Notes,
    ports: BTreeMap<Actor, Rc<Port>>,
    supply: Rc<Supply>,
) -> Result<Scene, BenchFailure> {
    let plan = Rc::new(session.plan.clone());
    let wiring = Wiring::new(&plan, &session.fixture)?;
    let mut channels = Vec::new();
    for (edge, _) in plan.edges().filter(|(edge, _)| wiring.needs_channel(*edge)) {
        channels.push(channel(&plan, edge, session.simulated, notes).await?);
    }
    let mut externals = Vec::new();
    for (name, player) in &session.fixture.actors {
        let (Player::External(address), Some(actor)) = (player, Actor::from_name(name)) else { continue };
        let link = Link::open(&Stream::Tcp(address.clone()), &BenchPorts::None, notes.clock())
            .await
            .map_err(|error| BenchFailure::External(name.clone(), error))?;
        externals.push((actor, link));
    }
    let database = session.fixture.actors.values().any(|player| *player == Player::Database);
    let database = database.then(|| open_database(session, notes)).transpose()?;
    let network = Network::new(&session.fixture, session.seed);
    let desk = Rc::new(Desk::new(&plan, notes.clone()));
    let means = Parts { wiring, ports, channels, externals, network, database };
    let carrier = Carrier::start(means, Rc::clone(&desk), notes.clone());
    Ok(Scene { plan, desk, carrier, supply, notes: notes.clone() })
}

fn open_database(session: &Session, notes: &Notes) -> Result<Database, DatabaseError> {
    let file = session.folder.join(DATABASE);
    if session.simulated {
        return Ok(Database::inline(Store::open_simulated(&file)?, notes.clock()));
    }
    Database::start(Store::open(&file)?, notes.clock())
}

async fn channel(
    plan: &Plan,
    edge: EdgeId,
    simulated: bool,
    notes: &Notes,
) -> Result<(EdgeId, Link, Link), BenchFailure> {
    let pair = if simulated { Ok(Link::memory_pair(notes.clock())) } else { Link::loopback_pair(notes.clock()).await };
    let (sending, receiving) = pair.map_err(|error| BenchFailure::Connect(plan.label(edge), error))?;
    Ok((edge, sending, receiving))
}
