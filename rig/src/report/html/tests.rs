//! The page: complete, in order, well-formed whatever the names, fit for a strict content policy.

use std::collections::BTreeMap;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;
use crate::event::End;
use crate::report::{demo, plot};
use crate::verdict::Verdict;

/// All elements of the page as `name attribute=value…`; a panic where it is not well-formed.
fn elements(html: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut reader = Reader::from_str(html);
    let mut elements = Vec::new();
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => return elements,
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.expect("a well-formed attribute");
                    let value = String::from_utf8(attribute.value.to_vec()).expect("UTF-8");
                    (String::from_utf8_lossy(attribute.key.as_ref()).into_owned(), value)
                });
                let attributes = attributes.collect();
                elements.push((String::from_utf8_lossy(tag.name().as_ref()).into_owned(), attributes));
            }
            _ => {}
        }
    }
}

/// The page's words without its markup.
fn words(html: &str) -> String {
    let mut words = String::new();
    for part in html.split('<').skip(1) {
        words.push_str(part.split_once('>').map_or("", |(_, text)| text));
    }
    words.replace("&#160;", " ").replace(['\u{a0}', '\u{202f}'], " ").replace("&lt;", "<").replace("&gt;", ">")
}

#[test]
fn the_page_of_a_session_links_every_plot_and_obeys_a_strict_policy() {
    // The page and its plots stay there, to be looked at: target/tmp/report-demo.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmp/report-demo");
    let findings = demo::large();
    let plots = plot::write(&folder, &findings).expect("a writable folder");
    let html = render(&findings, &plots).expect("a page");
    std::fs::write(folder.join(PAGE), &html).expect("a writable folder");
    std::fs::write(folder.join(STYLE), CSS).expect("a writable folder");

    let elements = elements(&html);
    let count = |name| elements.iter().filter(|element| element.0 == name).count();
    assert_eq!(count("img"), plots.len());
    assert_eq!((count("script"), count("style"), count("link")), (0, 0, 1));
    let mut ids = std::collections::BTreeSet::new();
    for (name, attributes) in &elements {
        assert!(!attributes.contains_key("style") && !attributes.keys().any(|key| key.starts_with("on")), "{name}");
        assert!(attributes.get("id").is_none_or(|id| ids.insert(id.clone())), "{attributes:?} twice");
        for target in ["src", "href"].iter().filter_map(|key| attributes.get(*key)) {
            let target = target.replace("&#x2f;", "/");
            assert!(target.starts_with('#') || folder.join(&target).is_file(), "{target}");
        }
    }
    for (_, attributes) in &elements {
        let inside = attributes.get("href").and_then(|href| href.strip_prefix('#'));
        assert!(inside.is_none_or(|id| ids.contains(id)), "{attributes:?}");
    }
}

#[test]
fn the_verdict_comes_first_and_every_part_follows_in_order() {
    let html = render(&demo::large(), &[]).expect("a page");
    let order = [
        "<h2 id=\"verdict\">fail</h2>",
        "Exit code 1.",
        "id=\"trials\"",
        "id=\"edges\"",
        "left blank by the source",
        "id=\"details\"",
        "id=\"detection\"",
        "id=\"power\"",
        "id=\"bench\"",
        "id=\"record\"",
        "rig run &#x27;my plans&#x2f;demo.toml&#x27; --fixture virtual.toml --trials 600 --seed 4711",
        "id=\"noted\"",
        "id=\"words\"",
    ];
    let places: Vec<_> =
        order.iter().map(|part| html.find(part).unwrap_or_else(|| panic!("{part} is missing"))).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_small_session_reads_like_this() {
    let findings = demo::small(vec![demo::on_time(1, 12_345_678), demo::lost(2)]);
    let html = render(&findings, &[]).expect("a page");
    let body = html
        .split_once("<main>")
        .expect("it is there")
        .1
        .split_once("<section aria-labelledby=\"power\">")
        .expect("it is there")
        .0;
    let words = words(body);
    let lines: Vec<_> = words.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    inconclusive
    Nothing is shown to fail, and not everything is shown to pass. Exit code 3.
    1 of 1 edges is undecided
    inconclusive 1
    Trials
    Edges
    Plots
    Power
    Bench
    Record
    Noted
    Words
    Trials
    planned2
    counted2
    void0
    share void0.00 %
    most allowed2 %
    Judged once, after all trials, by exact binomial bounds (one-sided Clopper–Pearson): an edge passes when the lower bound of its success ratio is above the requirement, fails when the upper bound is below it, and is inconclusive otherwise.
    The confidence of 95 % holds for each claim alone (per edge), not for all together: of many claims, some may be wrong.
    Limits and requirements are strict: “under 2 s” is not met by 2.000 s. An undecided delivery counts as a failure in the lower bound and as a success in the upper bound.
    Edges
    Edge
    Required
    n
    In time
    Failures
    Success ratio
    p50
    p99
    Max
    Verdict
    breaker-status
    D1 DAC - sub → Feeder Circuit Breaker circuit-brk_device_status_cmd, 25 B
    > 99.5 % under 2 s
    2
    1
    1 lost
    50.00 % 22.3606 % to 100.0000 %
    12.34 ms
    too few
    over any limit 12.34 ms arrived
    inconclusive 1 of 2 in time show neither
    Sub-totals
    I-T1 (into-island): left blank by the source, so there is nothing to judge.
    Edge by edge
    What failed or is inconclusive is open.
    D1 DAC - sub → Feeder Circuit Breaker inconclusive
    circuit-brk_device_status_cmd, 25 B. Required: more than 99.5 % in under 2 s. 1 of 2 in time show neither.
    deliveries2
    in time1
    lost1
    success ratio50.00 %
    lower bound22.3606 %
    upper bound100.0000 %
    more trials needed596
    smallest12.34 ms
    50th percentile12.34 ms
    90th percentiletoo few
    99th percentiletoo few
    99.9th percentiletoo few
    maximumover any limit
    largest that arrived12.34 ms
    without a latency1
    Deliveries that were not in time
    TrialSession timeWhatLatency
    20:00:00.580lost–
    ");
}

#[test]
fn a_simulated_session_and_a_broken_record_say_so_before_the_verdict() {
    let mut findings = demo::small(vec![demo::on_time(1, 1)]);
    let html = render(&findings, &[]).expect("a page");
    assert!(!html.contains("Simulated.") && !html.contains("Incomplete record."));
    findings.start.simulated = true;
    for (end, words) in [
        (None, "The record breaks off"),
        (Some(End::GaveUp), "gave up"),
        (Some(End::Interrupted), "interrupted by a signal"),
        (Some(End::Aborted), "was aborted"),
    ] {
        findings.end = end;
        let html = render(&findings, &[]).expect("a page");
        let (before, _) = html.split_once("id=\"verdict\"").expect("it is there");
        assert!(before.contains("Simulated.") && before.contains("Incomplete record.") && before.contains(words));
    }
    findings.end = Some(End::Interrupted);
    assert!(render(&findings, &[]).expect("a page").contains("Exit code 130."));
}

#[test]
fn only_what_needs_a_look_is_open() {
    let mut findings = demo::small(vec![demo::on_time(1, 1)]);
    for (verdict, open) in
        [(Some(Verdict::Pass), false), (Some(Verdict::Fail), true), (Some(Verdict::Inconclusive), true), (None, false)]
    {
        findings.edges[0].verdict = verdict;
        assert_eq!(render(&findings, &[]).expect("a page").contains("open=\"open\""), open, "{verdict:?}");
    }
}

#[test]
fn a_terminal_sequence_of_a_device_is_shown_and_not_sent_on() {
    let html = render(&demo::large(), &[]).expect("a page");
    assert!(html.contains("device ␛[31mred␇ said &lt;b&gt;"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_text_breaks_the_page(texts in proptest::collection::vec("(?s).{0,40}|[<>&\"'/\u{0}\u{1b}]{1,8}", 8)) {
        let mut findings = demo::large();
        findings.edges.truncate(2);
        for edge in &mut findings.edges {
            edge.points.truncate(2);
            edge.label.clone_from(&texts[0]);
            edge.id.clone_from(&texts[1]);
            edge.phase.clone_from(&texts[2]);
            edge.payload.clone_from(&texts[3]);
            edge.reason.clone_from(&texts[4]);
        }
        findings.reasons = vec![texts[5].clone()];
        findings.start.session.clone_from(&texts[6]);
        findings.start.wall.clone_from(&texts[7]);
        findings.start.plan.title.clone_from(&texts[0]);
        findings.start.plan.edges[0].from.clone_from(&texts[1]);
        findings.start.host.insert(texts[2].clone(), texts[3].clone());
        findings.notes[0].detail.clone_from(&texts[4]);
        findings.strays[0].0.clone_from(&texts[5]);
        let known: Vec<_> = elements(&render(&demo::large(), &[]).expect("a page")).into_iter().map(|element| element.0).collect();
        let html = render(&findings, &[]).expect("a page");
        prop_assert!(!html.chars().any(|c| c.is_control() && c != '\n'));
        for (name, attributes) in elements(&html) {
            prop_assert!(known.contains(&name), "{} came from a text", name);
            prop_assert!(attributes.keys().all(|key| ["style", "onerror", "onload"].iter().all(|bad| key != bad)));
        }
    }
}
