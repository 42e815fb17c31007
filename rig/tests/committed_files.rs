//! The committed plans and fixtures: they are without a problem, and the plans say what the requirements say.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rig::fixture::Fixture;
use rig::plan::{Plan, RowId};
use test_case::test_case;

const CSV: &str = include_str!("../../testplans/requirements/budgets.csv");
const SOURCE: &str = include_str!("../../testplans/requirements/opensg-distributed-customer-storage.txt");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn plan(name: &str) -> Plan {
    Plan::load(&root().join("testplans").join(name)).unwrap_or_else(|problems| panic!("{problems}")).value
}

fn fixture(name: &str) -> Fixture {
    Fixture::load(&root().join("fixtures").join(name)).unwrap_or_else(|problems| panic!("{problems}")).value
}

/// A line of the table, cell by cell.
fn table() -> Vec<BTreeMap<&'static str, String>> {
    let mut lines = CSV.lines();
    let header: Vec<_> = lines.next().expect("the table has a header").split(',').collect();
    lines.map(|line| header.iter().copied().zip(cells(line)).collect()).collect()
}

/// RFC 4180, section 2: a comma inside double quotes separates nothing.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().expect("one cell at least").push(character),
        }
    }
    cells
}

/// What a plan says, written as the table writes it.
fn as_table(plan: &Plan, scenario: &str) -> BTreeMap<String, Vec<String>> {
    let mut lines = BTreeMap::new();
    let percent = |share: f64| format!("{}", (share * 1e6).round() / 1e4);
    let seconds = |limit: Duration| format!("{}", limit.as_secs_f64());
    let ends = |row: RowId, end: fn(&rig::plan::Edge) -> &String| {
        let mut names: Vec<String> = Vec::new();
        for edge in plan.edges.iter().filter(|edge| edge.row == row) {
            if !names.contains(end(edge)) {
                names.push(end(edge).clone());
            }
        }
        names.join(", ")
    };
    for (index, row) in plan.rows.iter().enumerate() {
        let id = RowId(u16::try_from(index).expect("few rows"));
        let line = [
            row.id.clone(),
            scenario.to_owned(),
            row.phase.clone(),
            ends(id, |edge| &edge.from),
            ends(id, |edge| &edge.to),
            row.payload.clone(),
            seconds(row.budget.latency),
            percent(row.budget.reliability),
            row.size.0.to_string(),
            row.size.1.to_string(),
        ];
        lines.insert(row.id.clone(), line.to_vec());
    }
    for sub_total in &plan.sub_totals {
        let claim = sub_total.claim.as_ref();
        let cell = |value: Option<String>| value.unwrap_or_default();
        let line = [
            sub_total.id.clone(),
            scenario.to_owned(),
            sub_total.phase.clone(),
            cell(claim.map(|claim| plan.row_of(claim.request).id.clone())),
            cell(claim.map(|claim| plan.row_of(claim.reply).id.clone())),
            "sub-total".to_owned(),
            cell(claim.map(|claim| seconds(claim.budget.latency))),
            cell(claim.map(|claim| percent(claim.budget.reliability))),
            cell(claim.map(|claim| claim.size.0.to_string())),
            cell(claim.map(|claim| claim.size.1.to_string())),
        ];
        lines.insert(sub_total.id.clone(), line.to_vec());
    }
    lines
}

#[test_case("dispatch.toml", &["dispatch"])]
#[test_case("islanded.toml", &["islanded"])]
#[test_case("smoke.toml", &["dispatch", "islanded"])]
fn a_plan_says_row_by_row_what_the_requirements_say(file: &str, scenarios: &[&str]) {
    let plan = plan(file);
    let header = [
        "row",
        "scenario",
        "phase",
        "from",
        "to",
        "payload",
        "latency_s",
        "reliability_pct",
        "size_min_bytes",
        "size_max_bytes",
    ];
    let mut required = 0;
    for line in table().iter().filter(|line| scenarios.contains(&line["scenario"].as_str())) {
        let wanted: Vec<_> = header.iter().map(|column| line[column].clone()).collect();
        let said = as_table(&plan, &line["scenario"]);
        assert_eq!(said.get(&line["row"]), Some(&wanted), "{} in {file}", line["row"]);
        required += 1;
    }
    assert_eq!(plan.rows.len() + plan.sub_totals.len(), required, "{file} has rows that are not required");
}

#[test]
fn the_scenarios_have_as_many_rows_edges_and_sub_totals_as_the_source() {
    let (dispatch, islanded) = (plan("dispatch.toml"), plan("islanded.toml"));
    assert_eq!((dispatch.rows.len(), dispatch.edges.len()), (9, 11));
    assert_eq!((islanded.rows.len(), islanded.edges.len()), (12, 26));
    let valued = |plan: &Plan| plan.sub_totals.iter().filter(|sub_total| sub_total.claim.is_some()).count();
    assert_eq!((valued(&dispatch), dispatch.sub_totals.len()), (4, 4));
    assert_eq!((valued(&islanded), islanded.sub_totals.len()), (0, 2));
}

/// The source wraps no name and writes a dash as it likes.
fn plain(text: &str) -> String {
    text.replace('–', "-")
}

#[test]
fn the_source_holds_every_payload_and_actor_that_a_plan_names() {
    let source = plain(SOURCE);
    for plan in [plan("dispatch.toml"), plan("islanded.toml")] {
        for row in &plan.rows {
            assert!(source.contains(&row.payload), "{} of {}", row.payload, row.id);
            assert!(rig_payload::Kind::from_name(&row.payload).is_some(), "{} has no kind", row.payload);
        }
        for edge in &plan.edges {
            for actor in [&edge.from, &edge.to] {
                assert!(source.contains(actor), "{actor}");
                assert!(rig_payload::Actor::from_name(actor).is_some(), "{actor} has no address");
            }
        }
    }
}

#[test_case("virtual.toml")]
#[test_case("virtual-can.toml")]
#[test_case("vcan.toml")]
#[test_case("enter-service.toml")]
#[test_case("example-lab.toml")]
fn a_fixture_binds_all_actors_of_the_rows(file: &str) {
    let bound: Vec<_> = fixture(file).actors.into_keys().collect();
    let mut all: Vec<_> = rig_payload::Actor::ALL.map(|actor| actor.name().to_owned()).to_vec();
    all.sort();
    assert_eq!(bound, all);
}

/// Set this variable to write the schemas anew: `UPDATE_SCHEMAS=1 cargo test -p rig --test committed_files`.
const UPDATE: &str = "UPDATE_SCHEMAS";

fn committed_schema(path: &str, generated: &str) -> serde_json::Value {
    let path = root().join(path);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, generated).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("the schema is committed");
    assert_eq!(committed, generated, "{} is old: set {UPDATE}=1 and run this test", path.display());
    serde_json::from_str(&committed).expect("the schema is JSON")
}

fn assert_valid(schema: &serde_json::Value, file: &str) {
    let text = std::fs::read_to_string(root().join(file)).expect("the file is committed");
    let first = text.lines().next().unwrap_or_default();
    assert!(first.starts_with("#:schema ./"), "{file} names its schema");
    let value: serde_json::Value = toml::from_str(&text).expect("the file is TOML");
    let validator = jsonschema::draft7::new(schema).expect("the schema is one");
    let errors: Vec<_> = validator.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path)).collect();
    assert!(errors.is_empty(), "{file}: {errors:#?}");
}

#[test]
fn the_plans_fit_the_committed_schema() {
    let schema = committed_schema("testplans/plan.schema.json", &rig::schema::plan());
    for file in ["testplans/dispatch.toml", "testplans/islanded.toml", "testplans/smoke.toml"] {
        assert_valid(&schema, file);
    }
}

#[test]
fn the_fixtures_fit_the_committed_schema() {
    let schema = committed_schema("fixtures/fixture.schema.json", &rig::schema::fixture());
    for file in ["virtual.toml", "virtual-can.toml", "vcan.toml", "enter-service.toml", "example-lab.toml"] {
        assert_valid(&schema, &format!("fixtures/{file}"));
    }
}

#[test_case("plan", "trials = 600", "trails = 600"; "unknown key")]
#[test_case("plan", "latency = \"2s\"", "latency = 2"; "time without unit")]
#[test_case("plan", "reliability = \"99.5%\"", "reliability = 0.995"; "share without percent")]
#[test_case("fixture", "\"DMS\" = \"emulated\"", "\"DMS\" = \"simulated\""; "unknown player")]
#[test_case("fixture", "driver = \"lcus\"", "driver = \"lucs\""; "unknown driver")]
#[test_case("fixture", "role = \"meter\"", "roll = \"meter\""; "unknown key of the bench")]
fn what_the_checks_refuse_the_schema_refuses_too(kind: &str, old: &str, new: &str) {
    let (file, schema) = match kind {
        "plan" => ("testplans/dispatch.toml", rig::schema::plan()),
        _ => ("fixtures/virtual.toml", rig::schema::fixture()),
    };
    let text = std::fs::read_to_string(root().join(file)).expect("the file is committed");
    assert!(text.contains(old));
    let text = text.replacen(old, new, 1);
    let source = rig::problem::Source::new(file, &text);
    assert!(if kind == "plan" { Plan::parse(&source).is_err() } else { Fixture::parse(&source).is_err() });
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let value: serde_json::Value = toml::from_str(&text).expect("the file is TOML");
    let validator = jsonschema::draft7::new(&schema).expect("the schema is one");
    assert!(!validator.is_valid(&value));
}

#[test_case("dispatch.toml", "virtual.toml")]
#[test_case("islanded.toml", "virtual.toml")]
#[test_case("smoke.toml", "virtual.toml")]
#[test_case("dispatch.toml", "virtual-can.toml")]
#[test_case("islanded.toml", "virtual-can.toml")]
#[test_case("dispatch.toml", "vcan.toml")]
#[test_case("islanded.toml", "vcan.toml")]
#[test_case("islanded.toml", "enter-service.toml")]
#[test_case("dispatch.toml", "example-lab.toml")]
#[test_case("islanded.toml", "example-lab.toml")]
#[test_case("smoke.toml", "example-lab.toml")]
fn a_plan_can_be_played_on_a_fixture(plan: &str, fixture: &str) {
    let plan = Plan::load(&root().join("testplans").join(plan)).unwrap_or_else(|problems| panic!("{problems}"));
    let fixture = Fixture::load(&root().join("fixtures").join(fixture)).unwrap_or_else(|problems| panic!("{problems}"));
    let problems = rig::check::together(&plan, &fixture);
    assert!(problems.is_empty(), "{problems}");
}
