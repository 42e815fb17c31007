//! Names as the reports need them.

use std::collections::HashMap;

use crate::verdict::{Finding, Findings};

/// All findings of a session, edges first.
pub(super) fn claims(findings: &Findings) -> impl Iterator<Item = &Finding> {
    findings.edges.iter().chain(&findings.sub_totals)
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
