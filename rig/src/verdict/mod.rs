//! From facts to judgements: latency against limits, reliability by exact binomial, whose fault, the session's verdict.

pub mod binomial;
mod bus_use;
mod claim;
mod findings;
mod judge;
mod log_tail;
mod percent;
mod remark;
pub mod sequential;
mod session;
mod tally;

pub use bus_use::BusUse;
pub use findings::{Counts, Finding, Findings, Outcome, Point, PowerEdge, Remark, TrialCounts, Verdict};
pub use percent::percent;
pub use tally::{Progress, Tally};

#[cfg(test)]
mod tests;
