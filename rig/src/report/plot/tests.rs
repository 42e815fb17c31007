//! Plots as text: well-formed whatever the names, bounded whatever the number, the same every time.

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;
use crate::event::Flaw;
use crate::report::demo;
use crate::verdict::Outcome;

fn is_well_formed(svg: &str) -> bool {
    let mut reader = Reader::from_str(svg);
    reader.config_mut().check_end_names = true;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return true,
            Ok(Event::Start(tag) | Event::Empty(tag)) => {
                if tag.attributes().any(|attribute| attribute.is_err()) {
                    return false;
                }
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

fn drawn(findings: &Findings) -> Vec<(PlotFile, String)> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = write(folder.path(), findings).expect("a writable folder");
    let read = |file: PlotFile| {
        let svg = std::fs::read_to_string(folder.path().join(&file.path)).expect("it is there");
        (file, svg)
    };
    files.into_iter().map(read).collect()
}

/// The texts of a plot, one a line.
fn texts(svg: &str) -> String {
    let lines = svg.split("<text").skip(1).filter_map(|rest| rest.split_once(">\n")?.1.split_once('\n'));
    lines.map(|(words, _)| words.replace(['\u{a0}', '\u{202f}'], " ")).collect::<Vec<_>>().join("\n")
}

fn of_kind(plots: &[(PlotFile, String)], kind: Kind) -> &str {
    &plots.iter().find(|(file, _)| file.kind == kind).expect("it is there").1
}

#[test]
fn a_session_has_an_overview_its_power_and_three_plots_for_each_claim() {
    let plots = drawn(&demo::large());
    assert_eq!(plots.len(), 2 + 13 * 3);
    assert_eq!(plots[0].0.path, "plots/session-1-boxes.svg");
    assert_eq!(plots[1].0.path, "plots/session-1-power.svg");
    assert_eq!(plots[2].0.path, "plots/d1-dac-sub-feeder-circuit-breaker-timeline.svg");
    let mut paths: Vec<_> = plots.iter().map(|(file, _)| &file.path).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), plots.len());
    assert!(plots.iter().all(|(_, svg)| is_well_formed(svg) && !svg.contains("style=")));
}

#[test]
fn the_same_findings_give_the_same_bytes() {
    assert_eq!(drawn(&demo::large()), drawn(&demo::large()));
}

#[test]
fn a_timeline_names_what_it_has() {
    let points = vec![
        demo::on_time(1, 900_000_000),
        demo::point(2, Outcome::Late, Some((2_100_000_000, 2_100_000_000))),
        demo::point(3, Outcome::Undecided, Some((1_900_000_000, 2_200_000_000))),
        demo::point(4, Outcome::Flawed(Flaw::Corrupt), Some((800_000_000, 800_000_000))),
        demo::lost(5),
    ];
    let plots = drawn(&demo::small(points));
    insta::assert_snapshot!(texts(of_kind(&plots, Kind::Timeline)), @r##"
    Latency over time · D1 DAC - sub → Feeder Circuit Breaker
    circuit-brk_device_status_cmd · 5 deliveries · 1 in time (20.00 %) · required: &gt; 99.5 % under 2 s
    in time
    late
    undecided
    flawed
    not arrived
    latency
    time since the session&apos;s start
    0 s
    0.5 s
    1 s
    1.5 s
    2 s
    0 s
    0.2 s
    0.4 s
    0.6 s
    0.8 s
    1 s
    1.2 s
    1.4 s
    1.6 s
    limit 2 s
    "##);
}

#[test]
fn a_lost_payload_keeps_the_distribution_from_reaching_the_top() {
    let points = vec![demo::on_time(1, 500_000_000), demo::on_time(2, 700_000_000), demo::lost(3)];
    let plots = drawn(&demo::small(points));
    insta::assert_snapshot!(of_kind(&plots, Kind::Ecdf), @r##"
    <svg width="900" height="420" viewBox="0 0 900 420" xmlns="http://www.w3.org/2000/svg">
    <rect x="0" y="0" width="900" height="420" opacity="1" fill="#FFFFFF" stroke="none"/>
    <text x="16" y="12" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="15.32258064516129" opacity="1" fill="#222222" font-weight="bold">
    Distribution of latency · D1 DAC - sub → Feeder Circuit Breaker
    </text>
    <text x="16" y="37" dy="0.76em" text-anchor="start" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#5F5F5F">
    circuit-brk_device_status_cmd · 3 deliveries · 2 in time (66.66 %) · required: &gt; 99.5 % under 2 s
    </text>
    <polyline fill="none" opacity="1" stroke="#0072B2" stroke-width="2" points="16,404 32,404 "/>
    <text x="38" y="404" dy="0.5ex" text-anchor="start" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    arrived by then, at the latest
    </text>
    <polyline fill="none" opacity="1" stroke="#D55E00" stroke-width="2" points="255,404 271,404 "/>
    <text x="277" y="404" dy="0.5ex" text-anchor="start" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    limit
    </text>
    <text x="8" y="197" dy="0.76em" text-anchor="middle" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#5F5F5F" transform="rotate(270, 8, 197)">
    share of deliveries
    </text>
    <text x="480" y="386" dy="-0.5ex" text-anchor="middle" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#5F5F5F">
    latency
    </text>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="82" y1="331" x2="82" y2="62"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="259" y1="331" x2="259" y2="62"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="437" y1="331" x2="437" y2="62"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="614" y1="331" x2="614" y2="62"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="792" y1="331" x2="792" y2="62"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="82" y1="331" x2="877" y2="331"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="82" y1="280" x2="877" y2="280"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="82" y1="229" x2="877" y2="229"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="82" y1="179" x2="877" y2="179"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="82" y1="128" x2="877" y2="128"/>
    <line opacity="1" stroke="#E5E5E5" stroke-width="1" x1="82" y1="77" x2="877" y2="77"/>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="81,62 81,331 "/>
    <text x="72" y="331" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    0 %
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="76,331 81,331 "/>
    <text x="72" y="280" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    20 %
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="76,280 81,280 "/>
    <text x="72" y="229" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    40 %
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="76,229 81,229 "/>
    <text x="72" y="179" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    60 %
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="76,179 81,179 "/>
    <text x="72" y="128" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    80 %
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="76,128 81,128 "/>
    <text x="72" y="77" dy="0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    100 %
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="76,77 81,77 "/>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="82,332 877,332 "/>
    <text x="82" y="342" dy="0.76em" text-anchor="middle" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    0 s
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="82,332 82,337 "/>
    <text x="259" y="342" dy="0.76em" text-anchor="middle" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    0.5 s
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="259,332 259,337 "/>
    <text x="437" y="342" dy="0.76em" text-anchor="middle" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    1 s
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="437,332 437,337 "/>
    <text x="614" y="342" dy="0.76em" text-anchor="middle" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    1.5 s
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="614,332 614,337 "/>
    <text x="792" y="342" dy="0.76em" text-anchor="middle" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#222222">
    2 s
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="792,332 792,337 "/>
    <rect x="82" y="77" width="795" height="85" opacity="0.16" fill="#D55E00" stroke="none"/>
    <text x="784" y="168" dy="0.76em" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#D55E00">
    1 without a latency: over any limit
    </text>
    <polyline fill="none" opacity="1" stroke="#5F5F5F" stroke-width="1" points="82,78 877,78 "/>
    <text x="90" y="76" dy="-0.5ex" text-anchor="start" font-family="sans-serif" font-size="12.096774193548388" opacity="1" fill="#5F5F5F">
    required &gt; 99.5 %
    </text>
    <polyline fill="none" opacity="1" stroke="#0072B2" stroke-width="2" points="82,331 259,331 259,246 330,246 330,162 877,162 "/>
    <polyline fill="none" opacity="1" stroke="#D55E00" stroke-width="2" points="792,331 792,62 "/>
    <text x="786" y="325" dy="-0.5ex" text-anchor="end" font-family="sans-serif" font-size="12.903225806451614" opacity="1" fill="#D55E00">
    limit 2 s
    </text>
    </svg>
    "##);
}

#[test]
fn percentiles_end_where_the_deliveries_do() {
    let points = (1..=20).map(|trial| demo::on_time(trial, u64::from(trial) * 50_000_000)).collect();
    let plots = drawn(&demo::small(points));
    insta::assert_snapshot!(texts(of_kind(&plots, Kind::Percentiles)), @r##"
    Latency by percentile · D1 DAC - sub → Feeder Circuit Breaker
    circuit-brk_device_status_cmd · 20 deliveries · 20 in time (100.00 %) · required: &gt; 99.5 % under 2 s
    latency, at the most
    limit
    latency (logarithmic)
    percentile (each further nine as wide as the one before)
    50 ms
    100 ms
    200 ms
    500 ms
    1 s
    2 s
    0 %
    50 %
    90 %
    nothing shown beyond n = 20 
    limit 2 s
    "##);
}

#[test]
fn nothing_played_is_drawn_too() {
    for (file, svg) in drawn(&demo::small(Vec::new())) {
        assert!(is_well_formed(&svg), "{}", file.path);
    }
}

#[test]
fn very_many_deliveries_stay_under_a_megabyte_each_and_show_every_kind_of_failure() {
    let points = (1..=120_000_u32).map(|trial| {
        let scattered = u64::from(trial).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        match trial % 5 {
            0 => demo::lost(trial),
            1 => demo::point(trial, Outcome::Late, Some((2_000_000_000, 2_000_000_000 + scattered))),
            2 => demo::point(trial, Outcome::Undecided, Some((scattered % 2_000_000_000, 2_000_000_000 + scattered))),
            _ => demo::on_time(trial, scattered % 2_000_000_000),
        }
    });
    let plots = drawn(&demo::small(points.collect()));
    for (file, svg) in &plots {
        assert!(svg.len() < 1_000_000, "{} has {} bytes", file.path, svg.len());
    }
    let timeline = texts(of_kind(&plots, Kind::Timeline));
    for words in ["in time", "late", "undecided", "not arrived"] {
        assert!(timeline.lines().any(|line| line == words), "{words} in {timeline}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let in_the_way = folder.path().join(FOLDER);
    std::fs::write(&in_the_way, "a file").expect("a writable folder");
    let error = write(folder.path(), &demo::small(Vec::new())).expect_err("a file is in the way");
    assert!(matches!(&error, Error::Write { path, .. } if *path == in_the_way), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_name_breaks_a_plot(label: String, payload: String, rail: String, at in any::<(u64, u64)>(), duration: u64) {
        let mut findings = demo::large();
        findings.edges.truncate(1);
        findings.sub_totals.clear();
        findings.power.truncate(8);
        findings.duration = duration;
        findings.edges[0].label = label;
        findings.edges[0].payload = payload;
        findings.edges[0].points.truncate(3);
        findings.edges[0].points[0].at = at.0;
        findings.edges[0].points[1].latency = Some(crate::stamp::Elapsed { lo: 0, hi: at.1 });
        for edge in &mut findings.power {
            edge.rail.clone_from(&rail);
        }
        for (file, svg) in drawn(&findings) {
            prop_assert!(is_well_formed(&svg), "{}", file.path);
            prop_assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
