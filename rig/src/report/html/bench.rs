//! What the page says of the bench: devices, rails, instruments, actors, and the network between them.

use std::collections::BTreeMap;

use rig_can::isotp::Settings;
use serde::Serialize;

use super::claim::Named;
use crate::fixture::{
    Adapter, Bus, Contact, Delay, Device, Fixture, Flow, Hop, Instrument, Level, Link, Listen, Node, Parity, Path,
    Player, Port, Protocol, Rail, Sense, Serial, Stream, Transport,
};
use crate::report::quantity::{required, setting};

/// The bench.
#[derive(Serialize)]
pub(super) struct Bench {
    name: String,
    is_virtual: bool,
    devices: Vec<Part>,
    ports: Vec<Part>,
    rails: Vec<Part>,
    buses: Vec<Named>,
    instruments: Vec<Named>,
    actors: Vec<Named>,
    hops: Vec<Named>,
    paths: Vec<Named>,
}

/// A part of the bench and what is known of it.
#[derive(Serialize)]
struct Part {
    name: String,
    facts: Vec<Named>,
}

impl Bench {
    /// The bench of a fixture, and what was obtained for its ports.
    pub(super) fn of(fixture: &Fixture, links: &BTreeMap<String, BTreeMap<String, String>>) -> Self {
        Self {
            name: fixture.name.clone(),
            is_virtual: fixture.bench.is_some(),
            devices: parts(&fixture.devices, device),
            ports: links.iter().map(|(name, obtained)| port(name, obtained)).collect(),
            rails: parts(&fixture.rails, rail),
            buses: all(&fixture.buses, bus),
            instruments: all(&fixture.instruments, instrument),
            actors: all(&fixture.actors, player),
            hops: all(&fixture.hops, hop),
            paths: fixture.paths.iter().map(path).collect(),
        }
    }
}

fn parts<T>(things: &BTreeMap<String, T>, facts: impl Fn(&T) -> Vec<Named>) -> Vec<Part> {
    things.iter().map(|(name, thing)| Part { name: name.clone(), facts: facts(thing) }).collect()
}

fn all<T>(things: &BTreeMap<String, T>, words: impl Fn(&T) -> String) -> Vec<Named> {
    things.iter().map(|(name, thing)| named(name, words(thing))).collect()
}

fn named(name: &str, value: impl Into<String>) -> Named {
    Named { name: name.to_owned(), value: value.into() }
}

fn port(name: &str, obtained: &BTreeMap<String, String>) -> Part {
    Part { name: name.to_owned(), facts: obtained.iter().map(|(name, value)| named(name, value)).collect() }
}

fn device(device: &Device) -> Vec<Named> {
    let mut facts: Vec<_> = device.identity.iter().map(|(name, value)| named(name, value)).collect();
    let protocol = match device.protocol {
        Protocol::ReferenceFrame => "reference frame",
        Protocol::PlainFrames => "plain CAN frames",
    };
    facts.extend([
        named("link", link(&device.link)),
        named("protocol", protocol),
        named("feeder", device.feeder.as_deref().unwrap_or("none")),
        named("supply", device.supply.as_deref().unwrap_or("not switched")),
        named("boots within", setting(device.boot)),
        named("detects within", setting(device.detection)),
        named("enters service after", setting(device.enter_service)),
    ]);
    facts.extend(
        device.stamp_drift_ppm.map(|ppm| named("clock error", format!("at most {ppm} ppm; its stamps are used"))),
    );
    facts
}

fn rail(rail: &Rail) -> Vec<Named> {
    let sense = match &rail.sense {
        Sense::None { settle } => format!("nothing; within {} of the acknowledgement", setting(*settle)),
        Sense::Scpi { contact: from, threshold, timeout } => {
            format!("{}, power above {threshold} V, within {}", contact(from), setting(*timeout))
        }
    };
    vec![
        named("switched by", contact(&rail.switch)),
        named("has power with the contact", level(rail.energised_means, "closed", "open")),
        named("sensed by", sense),
        named("safe state", level(rail.safe, "with power", "without power")),
        named("stays in a state for", format!("{} or more", setting(rail.dwell))),
        named("cuts", format!("{} a minute at the most", rail.max_cuts_per_minute)),
    ]
}

fn level(level: Level, on: &'static str, off: &'static str) -> &'static str {
    match level {
        Level::On => on,
        Level::Off => off,
    }
}

fn contact(contact: &Contact) -> String {
    format!("{} channel {}", contact.instrument, contact.channel)
}

fn instrument(instrument: &Instrument) -> String {
    match instrument {
        Instrument::Lcus(port) => format!("LCUS relay board, {}", serial(port)),
        Instrument::Scpi(to) => format!("SCPI supply, {}", stream(to)),
        Instrument::ModbusCoil { serial: port, unit } => format!("Modbus RTU coils, unit {unit}, {}", serial(port)),
        Instrument::Command { on, off, timeout } => {
            format!("program: on “{}”, off “{}”, within {}", on.join(" "), off.join(" "), setting(*timeout))
        }
    }
}

fn player(player: &Player) -> String {
    match player {
        Player::Device(name) => format!("device {name}"),
        Player::Emulated => "emulated by rig".to_owned(),
        Player::Database => "emulated by rig, with a database".to_owned(),
        Player::External(address) => format!("external program at {address}"),
    }
}

fn link(link: &Link) -> String {
    match link {
        Link::Stream(to) => stream(to),
        Link::Can(node) => can_node(node),
    }
}

fn stream(stream: &Stream) -> String {
    match stream {
        Stream::Serial(port) => serial(port),
        Stream::Tcp(address) => format!("TCP {address}"),
    }
}

fn can_node(node: &Node) -> String {
    let how = match &node.transport {
        Transport::IsoTp(Settings { send, receive, .. }) => {
            format!("ISO 15765-2, rig sends {send}, receives {receive}")
        }
        Transport::PlainFrames(messages) => format!("{} messages of plain frames", messages.len()),
    };
    format!("CAN bus {}, {how}", node.bus)
}

fn bus(bus: &Bus) -> String {
    let adapter = match &bus.adapter {
        Adapter::SocketCan(interface) => format!("interface {interface}"),
        Adapter::Slcan(port) => format!("slcan adapter, {}", serial(port)),
    };
    let data = bus.rate.data.map_or(String::new(), |rate| format!(", data phase {rate} bit/s"));
    let listen = match bus.listen {
        Listen::All => "all frames recorded",
        Listen::Devices => "frames of its devices recorded",
    };
    format!("{adapter}, {} bit/s{data}, {listen}", bus.rate.nominal)
}

fn serial(serial: &Serial) -> String {
    let port = match &serial.port {
        Port::Path(path) => path.display().to_string(),
        Port::Bench(name) => format!("bench:{name}"),
    };
    let parity = match serial.parity {
        Parity::None => 'N',
        Parity::Even => 'E',
        Parity::Odd => 'O',
    };
    let flow = match serial.flow {
        Flow::None => "",
        Flow::Hardware => ", RTS/CTS",
        Flow::Software => ", XON/XOFF",
    };
    let echo = if serial.rs485_echo { ", echo dropped" } else { "" };
    format!("serial {port}, {} 8{parity}{}{flow}{echo}", serial.baud, serial.stop_bits)
}

fn hop(hop: &Hop) -> String {
    let delay = match hop.delay {
        Delay::Fixed(delay) => setting(delay),
        Delay::Uniform(least, most) => format!("{} to {}", setting(least), setting(most)),
        Delay::Normal { mean, deviation } => format!("{} ± {} (normal)", setting(mean), setting(deviation)),
        Delay::Exponential { floor, mean } => {
            format!("{} + {} on average (exponential)", setting(floor), setting(mean))
        }
    };
    let treats = [("loses", hop.loss), ("doubles", hop.duplicate), ("reorders", hop.reorder)];
    let treats = treats.iter().filter(|(_, share)| *share > 0.0);
    let treats: Vec<_> = treats.map(|(what, share)| format!(", {what} {}", required(*share))).collect();
    format!("delay {delay}{}", treats.concat())
}

fn path(path: &Path) -> Named {
    named(&format!("{} → {}", path.from, path.to), format!("via {}", path.via.join(", ")))
}
