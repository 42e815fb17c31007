//! `junit.xml`: a test case an edge and sub-total, for CI.

use std::io::{self, Write};

use junit_report::{Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuiteBuilder};
use quick_xml::events::{BytesEnd, BytesStart, Event};
use quick_xml::{Reader, Writer};
use time::format_description::well_known::Rfc3339;

use super::XmlText;
use super::label::{Unique, claims};
use super::quantity::plain;
use super::spread::{PERCENTILES, Quantile, Spread};
use crate::stamp::Nanos;
use crate::verdict::{Finding, Findings, Outcome, Verdict, percent};

/// Writes the suite of a session: a fail is a `failure`, an inconclusive claim an `error`, and what was not judged or
/// has no values in the source is `skipped`. Where no claim explains a session that did not pass, one more case,
/// `session`, is an `error` that does.
pub(super) fn write(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    let start = &findings.start;
    let cases = cases(findings);
    let skipped = cases.iter().filter(|case| case.is_skipped()).count();
    let wall = OffsetDateTime::parse(&start.wall, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let simulated = if start.simulated { " (simulated)" } else { "" };
    let mut suite = TestSuiteBuilder::new(&text(&format!("{}{simulated}", start.plan.name)))
        .set_timestamp(wall.replace_nanosecond(0).unwrap_or(wall))
        .set_system_out(&text(&format!("{}{simulated}\n{}", start.plan.title, findings.reasons.join("\n"))))
        .add_testcases(cases)
        .build();
    suite.package = String::new();
    suite.hostname = text(&start.fixture.name);
    let totals = Totals {
        tests: suite.tests(),
        failures: suite.failures(),
        errors: suite.errors(),
        skipped,
        time: findings.duration,
    };
    let mut plain = Vec::new();
    ReportBuilder::new().add_testsuite(suite).build().write_xml(&mut plain).map_err(io::Error::other)?;
    complete(&plain, out, &totals, &properties(findings))
}

struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    time: Nanos,
}

fn cases(findings: &Findings) -> Vec<TestCase> {
    let start = &findings.start;
    let class = text(&format!("rig.{}.{}", start.fixture.name, start.plan.name));
    let mut unique = Unique::default();
    let mut cases: Vec<_> = claims(findings).map(|finding| case(findings, finding, &mut unique)).collect();
    for blank in start.plan.sub_totals.iter().filter(|total| total.claim.is_none()) {
        let name = unique.name(&text(&format!("{} sub-total", blank.id)));
        cases.push(TestCase::skipped_with_cause(&name, "Blank", "left blank by the source"));
    }
    let explained = claims(findings).any(|finding| finding.verdict == Some(Verdict::Inconclusive));
    if findings.verdict == Verdict::Inconclusive && !explained {
        let reasons = text(&findings.reasons.join("; "));
        cases.push(TestCase::error(&unique.name("session"), milliseconds(findings.duration), "RigFault", &reasons));
    }
    for case in &mut cases {
        case.set_classname(&class);
    }
    cases
}

fn case(findings: &Findings, finding: &Finding, unique: &mut Unique) -> TestCase {
    let name = unique.name(&text(&finding.label));
    let spread = Spread::of(finding);
    let time = milliseconds(spread.ends().map_or(0, |(_, largest)| largest));
    let reason = text(&finding.reason);
    let mut case = match finding.verdict {
        Some(Verdict::Pass) => TestCaseBuilder::success(&name, time),
        Some(Verdict::Fail) => TestCaseBuilder::failure(&name, time, "BudgetNotMet", &reason),
        Some(Verdict::Inconclusive) => TestCaseBuilder::error(&name, time, "Inconclusive", &reason),
        None => TestCaseBuilder::skipped_with_cause(&name, "NotJudged", &reason),
    };
    case.set_system_out(&text(&numbers(findings, finding, &spread))).build()
}

/// The numbers of a claim, one a line.
fn numbers(findings: &Findings, finding: &Finding, spread: &Spread) -> String {
    let counts = &finding.counts;
    let mut lines = vec![
        finding.reason.clone(),
        format!("payload: {}", finding.payload),
        format!("latency limit: < {} s", finding.budget.latency.as_secs_f64()),
        format!("reliability: > {}", percent(finding.budget.reliability)),
        format!("success ratio: {} in [{}, {}]", percent(finding.rate), percent(finding.lower), percent(finding.upper)),
        format!("trials: {}", counts.trials()),
        format!("on time: {}", counts.on_time),
    ];
    let others = counts.unmet().chain([(Outcome::NotSent, counts.not_sent)]);
    lines.extend(others.filter(|(_, n)| *n > 0).map(|(outcome, n)| format!("{}: {n}", outcome.word())));
    let percentiles = PERCENTILES.map(|(name, part, of)| (name, spread.quantile(part, of)));
    for (name, quantile) in percentiles.into_iter().chain([("max", spread.max())]) {
        if quantile != Quantile::TooFew {
            lines.push(format!("latency {name}: {}", plain(&quantile.words())));
        }
    }
    if findings.start.simulated {
        lines.push("simulated".into());
    }
    lines.join("\n")
}

fn properties(findings: &Findings) -> Vec<(String, String)> {
    let start = &findings.start;
    let mut properties = vec![
        ("verdict".into(), findings.verdict.word().into()),
        ("session".into(), start.session.clone()),
        ("simulated".into(), start.simulated.to_string()),
        ("rig".into(), start.rig.clone()),
        ("plan".into(), start.plan.name.clone()),
        ("fixture".into(), start.fixture.name.clone()),
        ("seed".into(), start.seed.to_string()),
        ("confidence".into(), start.plan.decision.confidence.to_string()),
        ("confidence-of".into(), if start.plan.decision.family_wise { "all claims together" } else { "each" }.into()),
        ("trials-planned".into(), findings.trials.planned.to_string()),
        ("trials-counted".into(), findings.trials.counted.to_string()),
        ("trials-void".into(), findings.trials.void.to_string()),
    ];
    properties.extend(start.sources.iter().map(|(file, hash)| (format!("sha256 {file}"), hash.clone())));
    properties.extend(start.host.iter().map(|(key, value)| (format!("host {key}"), value.clone())));
    for (name, device) in &start.fixture.devices {
        let identity = device.identity.iter();
        properties.extend(identity.map(|(key, value)| (format!("device {name} {key}"), value.clone())));
    }
    properties
}

/// Adds what junit-report leaves out: totals, the count of skipped cases, the session's own time, times of three
/// decimals (Jenkins' schema takes no more), and properties.
fn complete(plain: &[u8], out: &mut impl Write, totals: &Totals, properties: &[(String, String)]) -> io::Result<()> {
    let mut reader = Reader::from_reader(plain);
    let mut writer = Writer::new_with_indent(out, b' ', 2);
    loop {
        match reader.read_event().map_err(io::Error::other)? {
            Event::Eof => break,
            Event::Start(start) if start.name().as_ref() == b"testsuites" => {
                writer.write_event(Event::Start(with_totals(BytesStart::new("testsuites"), totals)))?;
            }
            Event::Start(start) if start.name().as_ref() == b"testsuite" => {
                let kept = without(&start, &["tests", "failures", "errors", "time"])?;
                writer.write_event(Event::Start(with_totals(kept, totals)))?;
                write_properties(&mut writer, properties)?;
            }
            Event::Start(start) if start.name().as_ref() == b"testcase" => {
                writer.write_event(Event::Start(timed(&start)?))?;
            }
            Event::Empty(start) if start.name().as_ref() == b"testcase" => {
                writer.write_event(Event::Empty(timed(&start)?))?;
            }
            other => writer.write_event(other)?,
        }
    }
    writer.get_mut().write_all(b"\n")
}

fn write_properties<W: Write>(writer: &mut Writer<W>, properties: &[(String, String)]) -> io::Result<()> {
    writer.write_event(Event::Start(BytesStart::new("properties")))?;
    for (name, value) in properties {
        let mut property = BytesStart::new("property");
        property.push_attribute(("name", text(name).as_str()));
        property.push_attribute(("value", text(value).as_str()));
        writer.write_event(Event::Empty(property))?;
    }
    writer.write_event(Event::End(BytesEnd::new("properties")))
}

fn with_totals<'a>(mut element: BytesStart<'a>, totals: &Totals) -> BytesStart<'a> {
    let counts = [
        ("tests", totals.tests),
        ("failures", totals.failures),
        ("errors", totals.errors),
        ("skipped", totals.skipped),
    ];
    for (name, count) in counts {
        element.push_attribute((name, count.to_string().as_str()));
    }
    element.push_attribute(("time", seconds(totals.time as f64 / 1e9).as_str()));
    element
}

fn without(element: &BytesStart<'_>, names: &[&str]) -> io::Result<BytesStart<'static>> {
    let mut kept = BytesStart::new(String::from_utf8_lossy(element.name().as_ref()).into_owned());
    for attribute in element.attributes() {
        let attribute = attribute.map_err(io::Error::other)?;
        if !names.iter().any(|name| attribute.key.as_ref() == name.as_bytes()) {
            kept.push_attribute(attribute);
        }
    }
    Ok(kept)
}

fn timed(case: &BytesStart<'_>) -> io::Result<BytesStart<'static>> {
    let time = case.try_get_attribute("time").map_err(io::Error::other)?;
    let time = time.and_then(|time| std::str::from_utf8(&time.value).ok()?.parse().ok()).unwrap_or(0.0);
    let mut timed = without(case, &["time"])?;
    timed.push_attribute(("time", seconds(time).as_str()));
    Ok(timed)
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}

fn milliseconds(nanos: Nanos) -> Duration {
    Duration::milliseconds(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
}

fn text(text: &str) -> String {
    XmlText::new(text).as_str().to_owned()
}
