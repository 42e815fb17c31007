//! Reports of made-up records, read back by others.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, TestCaseStatus};

use super::*;
use crate::event::{End, Event, Fact};
use crate::journal;
use crate::journal::synthetic::Synthetic;
use crate::verdict::{Tally, Verdict};

const FILES: [&str; 6] = ["junit.xml", "latency.hlog", "metrics.txt", "payloads.csv", "summary.json", "summary.md"];

/// The page and every plot.
fn pictures(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let plots = fs::read_dir(folder.join("plots")).expect("a folder").map(|entry| entry.expect("a file").path());
    plots.chain([folder.join("report.html")]).map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

fn found(synthetic: Synthetic) -> Findings {
    let mut tally = Tally::new(synthetic.start());
    synthetic.events().for_each(|event| tally.note(&event));
    tally.findings()
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("memory takes everything");
    String::from_utf8(bytes).expect("reports are UTF-8")
}

fn junit_of(findings: &Findings) -> quick_junit::Report {
    let xml = text(|out| junit::write(out, findings));
    quick_junit::Report::deserialize_from_str(&xml).expect("an independent reader takes it")
}

fn file(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).expect("a report")
}

#[test]
fn a_record_gives_the_same_reports_again_and_again() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("session");
    let synthetic = Synthetic::of_deliveries(20_000);
    synthetic.write(&folder).expect("a record");
    let findings = journal::findings(&folder).expect("findings");
    assert_eq!(findings.verdict, Verdict::Pass, "{:?}", findings.reasons);
    write_all(&folder, &findings).expect("reports");
    let first = FILES.map(|name| file(&folder, name));
    let shown = pictures(&folder);
    // Of an earlier report, and of someone else.
    fs::write(folder.join("plots/x9-gone-ecdf.svg"), "<svg/>").expect("a file");
    write_all(&folder, &found(synthetic)).expect("reports");
    assert!(first == FILES.map(|name| file(&folder, name)));
    assert!(shown == pictures(&folder), "and nothing of an earlier report is left");
    let names: Vec<_> = fs::read_dir(&folder).expect("a folder").collect();
    // The record's two files, the page, its style sheet and the plots' folder.
    assert_eq!(names.len(), FILES.len() + 5, "nothing else is left: {names:?}");

    let lines = String::from_utf8(file(&folder, "payloads.csv")).expect("text").lines().count();
    assert_eq!(lines, 20_001);
}

#[test]
fn a_report_that_cannot_be_written_is_not_there() {
    let parent = tempfile::tempdir().expect("a folder");
    let error = put(parent.path(), "junit.xml", |out| {
        io::Write::write_all(out, b"<testsuites>")?;
        Err(io::ErrorKind::StorageFull.into())
    });
    assert!(error.expect_err("an error").to_string().contains("junit.xml"));
    assert_eq!(fs::read_dir(parent.path()).expect("a folder").count(), 0);
    let nowhere = parent.path().join("nowhere");
    assert!(matches!(write_all(&nowhere, &found(Synthetic::of_deliveries(5))), Err(ReportError::Write { .. })));
}

#[test]
fn every_report_tells_the_same_percentiles() {
    let findings = demo::large();
    // Flawed: 27 of 598 or so arrived corrupt, and rank above any limit.
    let finding = &findings.edges[9];
    let spread = spread::Spread::of(finding);
    assert!(spread.never() > 6 && finding.latency.len() + spread.never() == spread.n());
    let json: serde_json::Value = serde_json::from_str(&text(|out| summary::write_json(out, &findings))).expect("JSON");
    let latency = &json["edges"][9]["latency_ns"];
    let spread::Quantile::Latency(median) = spread.quantile(1, 2) else { panic!("a median") };
    assert_eq!((&latency["p50"], &latency["max"]), (&median.into(), &"over-any-limit".into()));
    assert_eq!(latency["p99"], "over-any-limit");

    let words = quantity::plain(&quantity::latency(median));
    let row =
        |report: &str| report.lines().find(|line| line.contains(&finding.label)).map(str::to_owned).expect("a row");
    let markdown = row(&text(|out| summary::write_markdown(out, &findings)));
    assert!(markdown.ends_with(&format!("| {words} | over any limit | over any limit |")), "{markdown}");
    let junit = text(|out| junit::write(out, &findings));
    let (_, case) = junit.split_once(&format!("name=\"{}\"", finding.label)).expect("a case");
    let case = case.split_once("</testcase>").expect("its end").0;
    assert!(case.contains(&format!("latency p50: {words}\n")), "{case}");
    assert!(case.contains("latency p99: over any limit\nlatency max: over any limit"), "{case}");
    let metrics = text(|out| metrics::write(out, &findings));
    let of_edge = |line: &&str| line.starts_with("rig_latency_seconds{") && line.contains("to=\"MDMS\"");
    let of_edge: Vec<_> = metrics.lines().filter(of_edge).collect();
    assert!(of_edge.iter().any(|line| line.ends_with(&format!("quantile=\"0.5\"}} {}", median as f64 / 1e9))));
    assert!(of_edge.iter().any(|line| line.ends_with("quantile=\"0.99\"} +Inf")), "{of_edge:?}");
    let html = quantity::plain(&html::render(&findings, &[]).expect("a page"));
    assert!(html.contains(&format!("<td data-label=\"p50\" class=\"number\">{words}</td>")));
}

#[test]
fn junit_says_what_was_found() {
    let mut findings = found(Synthetic { planned: 598, played: 598, lost: 0.1, seed: 3 });
    findings.edges[1].verdict = None;
    let report = junit_of(&findings);
    let suite = &report.test_suites[0];
    assert_eq!((suite.tests, suite.failures, suite.errors), (7, 3, 0));
    assert_eq!(text(|out| junit::write(out, &findings)).matches("skipped=\"2\"").count(), 2);
    let status: Vec<_> = suite.test_cases.iter().map(|case| (case.name.as_str(), kind(&case.status))).collect();
    assert_eq!(
        status,
        [
            ("S1 DAC - sub → Feeder Circuit Breaker", "pass"),
            ("S2 Feeder Circuit Breaker → DAC - sub", "skipped"),
            ("S3 Distr. Cust. Storage → DMS", "failure"),
            ("S3 Distr. Cust. Storage → OMS", "failure"),
            ("S3 Distr. Cust. Storage → LMS - Utility", "failure"),
            ("S-T1 sub-total", "pass"),
            ("S-T2 sub-total", "skipped"),
        ]
    );
    assert!(suite.test_cases.iter().all(|case| case.classname.as_deref() == Some("rig.nothing.synthetic")));
    let TestCaseStatus::Skipped { message, .. } = &suite.test_cases[6].status else { panic!("a skipped case") };
    assert_eq!(message.as_ref().map(quick_junit::XmlString::as_str), Some("left blank by the source"));
    assert!(
        suite
            .properties
            .iter()
            .any(|property| property.name.as_str() == "simulated" && property.value.as_str() == "true")
    );
}

fn kind(status: &TestCaseStatus) -> &'static str {
    match status {
        TestCaseStatus::Success { .. } => "pass",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
        TestCaseStatus::Skipped { .. } => "skipped",
    }
}

#[test]
fn too_few_trials_are_errors_and_so_is_a_session_without_end() {
    let few = junit_of(&found(Synthetic { planned: 20, played: 20, lost: 0.0, seed: 3 }));
    assert_eq!((few.test_suites[0].errors, few.test_suites[0].failures), (6, 0));

    let synthetic = Synthetic { planned: 598, played: 598, lost: 0.0, seed: 3 };
    let mut tally = Tally::new(synthetic.start());
    synthetic.events().filter(|event| !matches!(event.fact, Fact::Ended(_))).for_each(|event| tally.note(&event));
    let broken = junit_of(&tally.clone().findings());
    let last = broken.test_suites[0].test_cases.last().expect("cases");
    assert_eq!((last.name.as_str(), kind(&last.status)), ("session", "error"));
    tally.note(&Event { at: u64::MAX, trial: None, fact: Fact::Ended(End::Complete) });
    assert_eq!(junit_of(&tally.findings()).test_suites[0].errors, 0);
}

#[test]
fn times_have_three_decimals() {
    let mut findings = found(Synthetic::of_deliveries(50));
    findings.edges[0].latency.reset();
    findings.edges[0].latency.record(1_118_000_000).expect("it grows");
    let xml = text(|out| junit::write(out, &findings));
    let times: Vec<_> = xml.split(" time=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(
        times.iter().all(|time| time.split_once('.').is_some_and(|(_, decimals)| decimals.len() == 3)),
        "{times:?}"
    );
}

#[test]
fn hlog_is_read_back() {
    let findings = found(Synthetic::of_deliveries(500));
    let log = text(|out| hlog::write(out, &findings));
    let intervals: Vec<_> = IntervalLogIterator::new(log.as_bytes())
        .filter_map(|entry| match entry.expect("an entry") {
            LogEntry::Interval(interval) => Some(interval),
            _ => None,
        })
        .collect();
    assert_eq!(intervals.len(), 6);
    assert_eq!(
        intervals[0].tag().map(|tag| tag.as_str().to_owned()).as_deref(),
        Some("S1_DAC_-_sub_→_Feeder_Circuit_Breaker")
    );
    let tags: HashSet<_> = intervals.iter().map(|interval| interval.tag().map(|tag| tag.as_str())).collect();
    assert_eq!(tags.len(), 6);
    assert!(log.contains("simulated"));
    let mut deserializer = hdrhistogram::serialization::Deserializer::new();
    let bytes = base64_decode(intervals[0].encoded_histogram());
    let read: hdrhistogram::Histogram<u64> = deserializer.deserialize(&mut bytes.as_slice()).expect("a histogram");
    assert_eq!(read, findings.edges[0].latency);
}

/// RFC 4648 section 4, for a test alone.
fn base64_decode(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for value in text.chars().filter_map(|c| ALPHABET.find(c)) {
        bits = bits << 6 | u32::try_from(value).expect("six bits");
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    bytes
}

#[test]
fn texts_of_a_short_session() {
    let findings = found(Synthetic { planned: 3, played: 3, lost: 0.5, seed: 5 });
    insta::assert_snapshot!(text(|out| summary::write_markdown(out, &findings)), @r"
    ## ❔ synthetic: inconclusive (simulated)

    - 6 of 6 claims are not decided; 595 more trials, all in time, would decide them

    Session synthetic on nothing: 3 of 3 trials count, 0 void; confidence 95 % for each claim.

    | | claim | in time | required | lower bound | limit | p50 | p99 | max |
    | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | ❔ | S1 DAC - sub → Feeder Circuit Breaker | 3 of 3 | &gt; 99.5 % | 36.840315 % | &lt; 2 s | 525.0 ms |  | 744.0 ms |
    | ❔ | S2 Feeder Circuit Breaker → DAC - sub | 3 of 3 | &gt; 99.5 % | 36.840315 % | &lt; 2 s | 645.0 ms |  | 730.0 ms |
    | ❔ | S3 Distr. Cust. Storage → DMS | 2 of 3 | &gt; 98 % | 13.535036 % | &lt; 4 s | 2.453 s |  | over any limit |
    | ❔ | S3 Distr. Cust. Storage → OMS | 2 of 3 | &gt; 98 % | 13.535036 % | &lt; 4 s | 295.0 ms |  | over any limit |
    | ❔ | S3 Distr. Cust. Storage → LMS - Utility | 3 of 3 | &gt; 98 % | 36.840315 % | &lt; 4 s | 2.432 s |  | 2.963 s |
    | ❔ | S-T1 sub-total | 3 of 3 | &gt; 99 % | 36.840315 % | &lt; 4 s | 1.080 s |  | 1.255 s |

    Sub-total S-T2 is left blank by the source.
    ");
    let csv = text(|out| csv::write(out, &findings)).replace('\r', "");
    insta::assert_snapshot!(csv.lines().filter(|line| !line.contains("status")).collect::<Vec<_>>().join("\n"), @r#"
    trial,row,phase,payload,from,to,at_ns,latency_lo_ns,latency_hi_ns,limit_ns,outcome,simulated
    1,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","DMS",70050000000,2452980000,2453020000,4000000000,on-time,true
    2,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","DMS",132805000000,,,4000000000,lost,true
    3,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","DMS",190050000000,512980000,513020000,4000000000,on-time,true
    1,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","OMS",71340000000,,,4000000000,lost,true
    2,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","OMS",130050000000,294980000,295020000,4000000000,on-time,true
    3,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","OMS",190050000000,152980000,153020000,4000000000,on-time,true
    1,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","LMS - Utility",70050000000,2962980000,2963020000,4000000000,on-time,true
    2,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","LMS - Utility",130050000000,2431980000,2432020000,4000000000,on-time,true
    3,"S3","into-island","distr_cust_storage_in-island-mode_alarm","Distr. Cust. Storage","LMS - Utility",190050000000,987980000,988020000,4000000000,on-time,true
    "#);
    let metrics = text(|out| metrics::write(out, &findings));
    assert!(metrics.ends_with("\n# EOF\n"));
    let common = "plan=\"synthetic\",row=\"S3\",payload=\"distr_cust_storage_in-island-mode_alarm\",\
                  from=\"Distr. Cust. Storage\",to=\"DMS\",simulated=\"true\"";
    let of_dms: Vec<_> = metrics.lines().filter(|line| line.contains(common) && !line.ends_with(" 0")).collect();
    insta::assert_snapshot!(of_dms.join("\n").replace(common, "…"), @r##"
    rig_verdict{…,rig_verdict="inconclusive"} 1
    rig_deliveries_total{…,outcome="on-time"} 2
    rig_deliveries_total{…,outcome="lost"} 1
    rig_success_ratio{…} 0.6666666666666666
    rig_success_ratio_lower{…} 0.13535036217158405
    rig_success_ratio_upper{…} 0.9830475724915584
    rig_success_ratio_required{…} 0.98
    rig_latency_limit_seconds{…} 4
    rig_latency_seconds{…,quantile="0.5"} 2.45302
    rig_latency_seconds_count{…} 3
    "##);
    let json: serde_json::Value = serde_json::from_str(&text(|out| summary::write_json(out, &findings))).expect("JSON");
    assert_eq!(json["verdict"], "inconclusive");
    assert_eq!(json["simulated"], true);
    assert_eq!(json["edges"][0]["on_time"], 3);
    assert_eq!(json["blank_sub_totals"][0], "S-T2");
}

#[test]
fn a_family_of_metrics_comes_together_and_once() {
    let metrics = text(|out| metrics::write(out, &found(Synthetic::of_deliveries(50))));
    let mut seen = HashSet::new();
    let mut family = String::new();
    for line in metrics.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap_or_default().to_owned();
            assert!(seen.insert(family.clone()), "{family} twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&family), "{line} within {family}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_name_breaks_a_report(bytes: Vec<u8>, hostile in "[\\x00-\\x1f\\]>&<\"'=|,`\\\\a{}\u{ffff}]{0,30}") {
        let name = String::from_utf8_lossy(&bytes).into_owned() + &hostile;
        let mut start = Synthetic { planned: 2, played: 2, lost: 0.0, seed: 0 }.start();
        start.session.clone_from(&name);
        start.plan.title.clone_from(&name);
        start.host.insert(name.clone(), name.clone());
        for row in &mut start.plan.rows {
            row.id.clone_from(&name);
            row.payload.clone_from(&name);
        }
        for edge in &mut start.plan.edges {
            edge.to.clone_from(&name);
        }
        let mut tally = Tally::new(start);
        Synthetic { planned: 2, played: 2, lost: 0.5, seed: 0 }.events().for_each(|event| tally.note(&event));
        let findings = tally.findings();

        let report = junit_of(&findings);
        let names: HashSet<_> = report.test_suites[0].test_cases.iter().map(|case| case.name.as_str()).collect();
        prop_assert_eq!(names.len(), report.test_suites[0].tests);
        let log = text(|out| hlog::write(out, &findings));
        prop_assert!(IntervalLogIterator::new(log.as_bytes()).all(|entry| entry.is_ok()));
        let csv = text(|out| csv::write(out, &findings));
        prop_assert_eq!(csv.matches("\r\n").count(), 11);
        let metrics = text(|out| metrics::write(out, &findings));
        prop_assert!(metrics.lines().all(|line| line.starts_with("# ") || line.starts_with("rig_")));
        let markdown = text(|out| summary::write_markdown(out, &findings));
        prop_assert!(!markdown.contains("<a") && markdown.lines().filter(|line| line.starts_with('|')).count() == 8);
        let json = text(|out| summary::write_json(out, &findings));
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }
}
