use std::collections::BTreeMap;

use crate::event::{Event, Fact, Trouble};
use crate::stamp::Nanos;

/// What passed over a CAN bus in a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BusUse {
    /// How many frames rig saw on it. What was lost is not among them, and has no part in the load.
    pub frames: u64,
    /// How many more were lost between the bus and rig, such as by a receive overrun, as far as that is known.
    pub lost: u64,
    /// How often the adapter told of each trouble.
    pub troubles: BTreeMap<Trouble, u64>,
    /// The largest share of the time that frames occupied it, of the trials and the pauses between them.
    pub peak: f64,
    busy: Nanos,
    span: Nanos,
}

impl BusUse {
    /// The share of the time that frames occupied it.
    #[must_use]
    pub fn mean(&self) -> f64 {
        share(self.busy, self.span)
    }

    /// Folds in what passed since the last time.
    pub(crate) fn note(&mut self, event: &Event) {
        let Fact::BusLoad { since, frames, busy, lost, troubles, .. } = &event.fact else { return };
        let span = event.at.saturating_sub(*since);
        self.frames = self.frames.saturating_add(*frames);
        self.lost = self.lost.saturating_add(*lost);
        self.busy = self.busy.saturating_add(*busy);
        self.span = self.span.saturating_add(span);
        self.peak = self.peak.max(share(*busy, span));
        for (trouble, count) in troubles {
            *self.troubles.entry(*trouble).or_default() += u64::from(*count);
        }
    }
}

/// A bus without bits of its own, such as a virtual one, can carry more than its rate allows: more than everything.
fn share(busy: Nanos, span: Nanos) -> f64 {
    if span == 0 { 0.0 } else { busy as f64 / span as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(at: Nanos, since: Nanos, busy: Nanos, troubles: &[(Trouble, u32)]) -> Event {
        let troubles = troubles.iter().copied().collect();
        Event { at, trial: None, fact: Fact::BusLoad { bus: "can".into(), since, frames: 3, busy, lost: 1, troubles } }
    }

    #[test]
    fn the_mean_is_over_all_and_the_peak_of_the_busiest_stretch() {
        let mut bus = BusUse::default();
        bus.note(&load(1_000, 0, 100, &[(Trouble::NoAcknowledge, 2)]));
        bus.note(&load(1_500, 1_000, 400, &[(Trouble::NoAcknowledge, 1)]));
        assert_eq!((bus.frames, bus.lost, bus.troubles[&Trouble::NoAcknowledge]), (6, 2, 3));
        assert!((bus.mean() - 1.0 / 3.0).abs() < 1e-9 && (bus.peak - 0.8).abs() < 1e-9, "{bus:?}");
    }

    #[test]
    fn no_time_is_no_load() {
        let mut bus = BusUse::default();
        bus.note(&load(5, 5, 0, &[]));
        assert_eq!((bus.mean().to_bits(), bus.peak.to_bits()), (0, 0));
    }
}
