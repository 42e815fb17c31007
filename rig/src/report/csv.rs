//! `payloads.csv`: one line a delivery (RFC 4180), safe to open in a spreadsheet.

use std::io::{self, Write};

use crate::verdict::{Finding, Findings};
use crate::visible::visible;

const HEADER: &str = "trial,row,phase,payload,from,to,at_ns,latency_lo_ns,latency_hi_ns,limit_ns,outcome,simulated";

/// Writes every delivery that counts, edge by edge and in order of trials. Instants are nanoseconds on the session
/// clock; a latency is known to lie between its two columns, which are empty where nothing arrived.
pub(super) fn write(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    writeln!(out, "{HEADER}\r")?;
    findings.edges.iter().try_for_each(|finding| write_edge(out, findings, finding))
}

fn write_edge(out: &mut impl Write, findings: &Findings, finding: &Finding) -> io::Result<()> {
    let edge = findings.start.plan.edge(finding.edge);
    let names = [&finding.id, &finding.phase, &finding.payload, &edge.from, &edge.to];
    let names = names.map(|name| cell(name)).join(",");
    let (limit, simulated) = (finding.budget.latency.as_nanos(), findings.start.simulated);
    for point in &finding.points {
        write!(out, "{},{names},{},", point.trial, point.at)?;
        match point.latency {
            Some(latency) => write!(out, "{},{}", latency.lo, latency.hi)?,
            None => write!(out, ",")?,
        }
        writeln!(out, ",{limit},{},{simulated}\r", point.outcome.word())?;
    }
    Ok(())
}

/// A text cell. A spreadsheet takes a text that begins with one of `= + - @` for a formula, and runs it; the
/// apostrophe before it prevents that (OWASP, "CSV Injection").
fn cell(text: &str) -> String {
    let visible = visible(text);
    let guard = if visible.trim_start().starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{guard}{}\"", visible.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    #[test_case("DAC - sub", "\"DAC - sub\"")]
    #[test_case("=1+1", "\"'=1+1\"")]
    #[test_case(" @SUM(A1)", "\"' @SUM(A1)\"")]
    #[test_case("a\"b\r\nc", "\"a\"\"b␍␊c\"")]
    fn a_cell_is_text(text: &str, cell: &str) {
        assert_eq!(super::cell(text), cell);
    }
}
