//! Names as the reports need them.

use std::collections::HashMap;

use crate::stamp::Nanos;
use crate::verdict::{Finding, Findings};

/// All findings of a session, edges first.
pub(super) fn claims(findings: &Findings) -> impl Iterator<Item = &Finding> {
    findings.edges.iter().chain(&findings.sub_totals)
}

/// Nanoseconds in milliseconds, to the three digits that a histogram holds.
pub(super) fn milliseconds(nanos: Nanos) -> String {
    let value = nanos as f64 / 1e6;
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$} ms")
}

/// Makes names differ: the second of a name gets ` (2)` at its end.
#[derive(Default)]
pub(super) struct Unique {
    taken: HashMap<String, u32>,
}

impl Unique {
    /// The name, or the first of its numbered forms that is free.
    pub fn name(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        while self.taken.contains_key(&unique) {
            let count = self.taken.entry(name.to_owned()).or_insert(1);
            *count += 1;
            unique = format!("{name} ({count})");
        }
        self.taken.insert(unique.clone(), 1);
        unique
    }
}
