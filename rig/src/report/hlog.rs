//! `latency.hlog`: an `HdrHistogram` interval log, version 2, one histogram a claim.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::label::{Unique, claims};
use crate::verdict::Findings;
use crate::visible::visible;

/// The column of maxima is in milliseconds; the histograms are in nanoseconds.
const NANOS_PER_MILLISECOND: f64 = 1e6;

/// Writes the latencies of what arrived once and whole, tagged by claim. What did not has no latency to be written; the
/// log says how many there are.
pub(super) fn write(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    let start = &findings.start;
    let wall = OffsetDateTime::parse(&start.wall, &Rfc3339).map_or(SystemTime::UNIX_EPOCH, SystemTime::from);
    let simulated = if start.simulated { " (simulated)" } else { "" };
    let comment = format!("session {}{simulated}, latencies in nanoseconds", visible(&start.session));
    let missing: u64 = claims(findings).map(|finding| finding.counts.trials() - finding.latency.len()).sum();
    let comment = format!("{comment}; {missing} without a latency, over any limit, are not in it");
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment(&comment)
        .with_start_time(wall)
        .with_base_time(wall)
        .with_max_value_divisor(NANOS_PER_MILLISECOND)
        .begin_log_with(out, &mut serializer)?;
    let mut unique = Unique::default();
    for finding in claims(findings) {
        let tag = unique.name(&tag(&finding.label));
        let duration = Duration::from_nanos(findings.duration);
        log.write_histogram(&finding.latency, Duration::ZERO, duration, Tag::new(&tag.replace(' ', "_")))
            .map_err(io::Error::other)?;
    }
    Ok(())
}

/// A label as a tag, which has no commas and no white space.
fn tag(label: &str) -> String {
    visible(label).chars().map(|c| if c == ',' || c.is_whitespace() { '_' } else { c }).collect()
}
