//! The frames of the session's CAN buses as a log of candump's, which canplayer plays.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use rig_can::candump::{Record, Seen};

use super::{Passed, Traffic};

/// The longest name of an interface (`IFNAMSIZ` of Linux, less its end).
const LONGEST_NAME: usize = 15;

/// A log being written.
pub(super) struct Log<W: Write> {
    sink: W,
    wall: Duration,
    /// Each bus with the name that its frames have in the log.
    names: Vec<(Arc<str>, String)>,
}

impl<W: Write> Log<W> {
    /// An empty log. The session clock's 0 was at `wall`, a time since 1970.
    pub fn start(sink: W, wall: Duration) -> Self {
        Self { sink, wall, names: Vec::new() }
    }

    /// Writes a frame's line; nothing for what is none.
    pub fn write(&mut self, traffic: &Traffic) -> io::Result<()> {
        let seen = match traffic.what {
            Passed::Bytes(_) => return Ok(()),
            Passed::Frame(frame) => Seen::Frame(frame),
            Passed::Error { class, data } => Seen::Error(class, data),
        };
        let at = (self.wall + Duration::from_nanos(traffic.at)).as_micros();
        let record = Record {
            at: u64::try_from(at).unwrap_or(u64::MAX),
            interface: self.name(&traffic.link).to_owned(),
            seen,
            sent: Some(traffic.outbound),
        };
        writeln!(self.sink, "{record}")
    }

    /// The sink.
    pub fn sink(&mut self) -> &mut W {
        &mut self.sink
    }

    /// The sink, and nothing more is written.
    pub fn into_inner(self) -> W {
        self.sink
    }

    /// The name of a bus in the log: canplayer splits lines at white space, cuts no name that is too long, and maps
    /// buses by name, so that no two may have the same.
    fn name(&mut self, bus: &Arc<str>) -> &str {
        let known = self.names.iter().position(|(known, _)| known == bus);
        let index = known.unwrap_or_else(|| {
            let safe = interface(bus);
            let numbered = (2_u32..).map(|number| {
                let tail = format!("_{number}");
                format!("{}{tail}", &safe[..safe.len().min(LONGEST_NAME - tail.len())])
            });
            let is_new = |name: &String| self.names.iter().all(|(_, taken)| taken != name);
            let name = std::iter::once(safe.clone()).chain(numbered).find(is_new);
            self.names.push((Arc::clone(bus), name.unwrap_or(safe)));
            self.names.len() - 1
        });
        &self.names[index].1
    }
}

/// A name that an interface of Linux can have, from any.
fn interface(bus: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    let name: String = bus.chars().map(plain).take(LONGEST_NAME).collect();
    if name.is_empty() { "can".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_safe_and_told_apart() {
        let mut log = Log::start(io::sink(), Duration::ZERO);
        let mut name = |bus: &str| log.name(&Arc::from(bus)).to_owned();
        let names = ["storage", "bus of the storage", "bus of the storage controller", "", "batt\u{e9}rie", "storage"];
        let names = names.map(&mut name).join(" ");
        insta::assert_snapshot!(names, @"storage bus_of_the_stor bus_of_the_st_2 can batt_rie storage");
    }

    proptest! {
        #[test]
        fn every_bus_has_a_name_of_its_own_that_linux_takes(buses in prop::collection::hash_set("[a-b ]{0,17}", 0..40)) {
            let mut log = Log::start(io::sink(), Duration::ZERO);
            let mut names = std::collections::HashSet::new();
            for bus in &buses {
                let name = log.name(&Arc::from(&**bus)).to_owned();
                prop_assert!((1..=LONGEST_NAME).contains(&name.len()), "{name}");
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{name}");
                names.insert(name);
            }
            prop_assert_eq!(names.len(), buses.len());
        }
    }
}
