use std::io;
use std::path::PathBuf;

use pcap_file::PcapError;
use thiserror::Error;

use super::recording::{MOST, MOST_INTERFACES};
use super::refusal::listed;
use super::{Place, Refusal, Reply, Unit};

/// Why a recording cannot be played.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: name a log of candump's or a pcapng file", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is of the older pcap format.
    #[error("this is a pcap file; make it a pcapng file with `editcap -F pcapng`")]
    Pcap,
    /// A line is longer than any of a log.
    #[error("line {line} is longer than any of a log: the file is none of candump's, and no pcapng file")]
    LongLine {
        /// Counted from 1.
        line: u64,
    },
    /// A block of a pcapng file cannot be read, and where the next one begins is not known.
    #[error("the file is damaged after packet {after}: repair it with `editcap`, which writes what can be read")]
    Pcapng {
        /// The last packet that can be read.
        after: u64,
        /// What is wrong with the next block.
        source: PcapError,
    },
    /// The file has more lines or packets than rig takes.
    #[error("the file has more than {MOST} {}: play it in parts", .unit.name(MOST))]
    Large {
        /// Lines or packets.
        unit: Unit,
    },
    /// The file has more interfaces than rig takes.
    #[error("the file has traffic of more than {MOST_INTERFACES} interfaces: take out what is not to be played")]
    ManyInterfaces,
    /// There is nothing to play.
    #[error("the file has no frame to play")]
    NoFrames,
    /// There are several interfaces, or one that is no CAN bus.
    #[error("the file has traffic of several interfaces: name the one to play with --interface; it has {present}")]
    Which {
        /// The interfaces.
        present: String,
    },
    /// There is no such interface.
    #[error("the file has no traffic of an interface `{name}`; it has {present}")]
    NoInterface {
        /// The name that was asked for.
        name: String,
        /// The interfaces.
        present: String,
    },
    /// The interface is not CAN.
    #[error("the traffic of {interface} cannot be played: only CAN frames can")]
    NotCan {
        /// The interface.
        interface: String,
    },
    /// A direction was asked for, and the file does not tell it.
    #[error("{0} does not say whether its frame was sent or received: leave out --sent-only and --received-only")]
    Undirected(Place),
    /// A frame is earlier than one before it, by more than stamps err.
    #[error("{0} is earlier than what is before it: play the frames in the order of their times with --sort")]
    Backwards(Place),
    /// A reply was to be awaited that was never recorded.
    #[error("no frame {0} is recorded that could be awaited; those that were recorded as sent are sent")]
    NoReply(Reply),
    /// Something cannot be sent, and was not asked to be left out.
    #[error("{}", listed(.0))]
    Refused(Vec<Refusal>),
}
