//! What a file recorded on CAN buses.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rig_can::Frame;

use super::{ReplayError, log, pcapng};
use crate::stamp::Nanos;
use crate::visible::visible_up_to;

/// The most lines or packets of a file, some 400 MB of memory.
pub(super) const MOST: u64 = 1 << 22;
/// The most interfaces of a file.
pub(super) const MOST_INTERFACES: usize = 64;
/// The longest name of an interface that is kept, in characters.
const LONGEST_NAME: usize = 64;

/// Traffic of CAN buses, as a file has it: a log of candump's or a pcapng file.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(super) unit: Unit,
    pub(super) interfaces: Vec<Interface>,
    pub(super) entries: Vec<Entry>,
}

/// What the parts of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Lines of a text, counted from 1.
    Line,
    /// Packets of a capture, counted from 1 as Wireshark does.
    Packet,
}

/// Where in a file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Lines or packets.
    pub unit: Unit,
    /// Which one.
    pub number: u64,
}

/// Where traffic was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interface {
    pub name: String,
    pub link: LinkType,
}

/// A number of the tcpdump.org registry of link types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkType(pub u32);

/// A line or packet of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub number: u64,
    /// Which interface it is of, where that can be read.
    pub interface: Option<usize>,
    /// When, since 1970.
    pub at: Nanos,
    /// Whether it was sent by who recorded it, where the file tells.
    pub sent: Option<bool>,
    pub what: What,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Frame(Frame),
    /// An error frame.
    Error,
    /// None of these, and why.
    Unreadable(&'static str),
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is of another kind, damaged, or larger than rig takes.
    pub fn read(path: &Path) -> Result<Self, ReplayError> {
        let cannot = |source| ReplayError::Read { path: path.to_owned(), source };
        Self::from_reader(BufReader::with_capacity(1 << 17, File::open(path).map_err(cannot)?), cannot)
    }

    pub(super) fn from_reader(
        mut source: impl BufRead,
        cannot: impl Fn(std::io::Error) -> ReplayError,
    ) -> Result<Self, ReplayError> {
        let head = source.fill_buf().map_err(&cannot)?;
        match head.first_chunk() {
            Some(&pcapng::MAGIC) => pcapng::read(source, cannot),
            Some(magic) if pcapng::OLDER.contains(magic) => Err(ReplayError::Pcap),
            _ => log::read(source, cannot),
        }
    }

    pub(super) fn new(unit: Unit) -> Self {
        Self { unit, interfaces: Vec::new(), entries: Vec::new() }
    }

    /// The place of an interface among [`Recording::interfaces`], which it gets where it is new.
    pub(super) fn interface(&mut self, name: &str, link: LinkType) -> Result<usize, ReplayError> {
        let interface = Interface { name: visible_up_to(name, LONGEST_NAME), link };
        if let Some(known) = self.interfaces.iter().position(|known| *known == interface) {
            return Ok(known);
        }
        if self.interfaces.len() == MOST_INTERFACES {
            return Err(ReplayError::ManyInterfaces);
        }
        self.interfaces.push(interface);
        Ok(self.interfaces.len() - 1)
    }

    /// The interface whose frames are to be played: the one of that name, or the only one. `None` where the file has
    /// none at all.
    pub(super) fn chosen(&self, name: Option<&str>) -> Result<Option<usize>, ReplayError> {
        let can = |index: &usize| self.interfaces[*index].link == LinkType::CAN;
        let Some(name) = name else {
            return match &*self.interfaces {
                [] => Ok(None),
                [interface] if interface.link == LinkType::CAN => Ok(Some(0)),
                [interface] => Err(ReplayError::NotCan { interface: interface.to_string() }),
                _ => Err(ReplayError::Which { present: self.present() }),
            };
        };
        let mut named = (0..self.interfaces.len()).filter(|index| self.interfaces[*index].name == name);
        let Some(first) = named.clone().next() else {
            return Err(ReplayError::NoInterface { name: visible_up_to(name, LONGEST_NAME), present: self.present() });
        };
        named.find(can).map(Some).ok_or_else(|| ReplayError::NotCan { interface: self.interfaces[first].to_string() })
    }

    fn present(&self) -> String {
        self.interfaces.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn place(&self, number: u64) -> Place {
        Place { unit: self.unit, number }
    }
}

impl LinkType {
    pub const CAN: Self = Self(rig_can::socketcan::LINK_TYPE);
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.link == LinkType::CAN { Ok(()) } else { write!(f, " (link type {}, not CAN)", self.link.0) }
    }
}

impl Unit {
    /// Its name, for so many.
    pub(super) fn name(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::Line, 1) => "line",
            (Self::Line, _) => "lines",
            (Self::Packet, 1) => "packet",
            (Self::Packet, _) => "packets",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.unit.name(1), self.number)
    }
}

#[cfg(test)]
pub(super) mod tests;
