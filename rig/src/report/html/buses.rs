//! What the page says of the CAN buses.

use serde::Serialize;

use crate::report::quantity::{grouped, load};
use crate::verdict::{BusUse, Findings};

/// A bus, in words.
#[derive(Serialize)]
pub(super) struct BusRow {
    name: String,
    frames: String,
    mean: String,
    peak: String,
    lost: String,
    troubles: String,
}

impl BusRow {
    pub(super) fn all(findings: &Findings) -> Vec<Self> {
        findings.buses.iter().map(|(name, bus)| Self::of(name, bus)).collect()
    }

    fn of(name: &str, bus: &BusUse) -> Self {
        let troubles = bus.troubles.iter().map(|(trouble, count)| format!("{} {}", grouped(*count), trouble.word()));
        let troubles = troubles.collect::<Vec<_>>().join(", ");
        Self {
            name: name.to_owned(),
            frames: grouped(bus.frames),
            mean: load(bus.mean()),
            peak: load(bus.peak),
            lost: if bus.lost == 0 { "–".to_owned() } else { grouped(bus.lost) },
            troubles: if troubles.is_empty() { "none".to_owned() } else { troubles },
        }
    }
}
