//! From facts to judgements: latency against limits, reliability by exact binomial, whose fault, the session's verdict.

pub mod binomial;
mod findings;

pub use findings::{Counts, Finding, Findings, Outcome, Point, PowerEdge, Remark, TrialCounts, Verdict};
