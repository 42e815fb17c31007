//! `rig check`: every problem of plans and fixtures, the trials that each claim needs, and how long a session takes.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use rig::document::{self, Checked, FileKind};
use rig::estimate::Estimate;
use rig::fixture::Fixture;
use rig::plan::{Need, Plan, Rule};
use rig::problem::Problems;

use super::{ExitCode, problems, stdout};

/// How `rig check` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig check testplans/islanded.toml
  rig check testplans/islanded.toml fixtures/example-lab.toml
";

/// What to check.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// Plans and fixtures; a plan and a fixture together are also checked against each other
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
}

/// Checks the files; 0 where nothing is wrong, else 5.
pub fn run(args: &CheckArgs) -> ExitCode {
    let (said, found) = check(&args.files);
    if !found.is_empty() {
        problems::show(&found);
    }
    match (found.is_empty(), stdout::print(said.as_bytes())) {
        (false, _) => ExitCode::BadInput,
        (true, Err(_)) => ExitCode::NotWritten,
        (true, Ok(())) => ExitCode::Pass,
    }
}

/// What is to be said of the files that are in order, and the problems of the others.
fn check(files: &[PathBuf]) -> (String, Problems) {
    let mut found = Problems::default();
    let (mut plans, mut fixtures) = (Vec::new(), Vec::new());
    for file in files {
        match load(file) {
            Ok(Loaded::Plan(plan)) => plans.push(plan),
            Ok(Loaded::Fixture(fixture)) => fixtures.push(fixture),
            Err(problems) => found.extend(problems),
        }
    }
    let mut said = String::new();
    for fixture in &fixtures {
        said += &of_fixture(fixture);
    }
    for plan in &plans {
        said += &of_plan(plan);
        for fixture in &fixtures {
            let problems = rig::check::together(plan, fixture);
            if problems.is_empty() {
                said += &of_both(&plan.value, &fixture.value);
            }
            found.extend(problems);
        }
        if fixtures.is_empty() {
            said += "  name a fixture too, to hear whether it fits and how long a session takes\n";
        }
    }
    (said, found)
}

enum Loaded {
    Plan(Box<Checked<Plan>>),
    Fixture(Box<Checked<Fixture>>),
}

fn load(path: &Path) -> Result<Loaded, Problems> {
    let source = document::read(path)?;
    match FileKind::of(&source.text) {
        FileKind::Plan => Plan::parse(&source).map(Box::new).map(Loaded::Plan),
        FileKind::Fixture => Fixture::parse(&source).map(Box::new).map(Loaded::Fixture),
    }
}

fn of_fixture(fixture: &Checked<Fixture>) -> String {
    let Checked { value, source, .. } = fixture;
    let parts = [
        count(value.actors.len(), "actor"),
        count(value.devices.len(), "device"),
        count(value.rails.len(), "rail"),
        count(value.hops.len(), "hop"),
    ];
    format!("{}: fixture `{}` is in order: {}\n", source.name, value.name, parts.join(", "))
}

fn of_plan(plan: &Checked<Plan>) -> String {
    let Checked { value, source, .. } = plan;
    let parts =
        [count(value.rows.len(), "row"), count(value.edges.len(), "edge"), count(value.trials as usize, "trial")];
    let mut said = format!("{}: plan `{}` is in order: {}\n", source.name, value.name, parts.join(", "));
    let needs = value.needs();
    // Writing to a String does not fail.
    let _ = writeln!(said, "  {:>7}  {:<11}  {:<16}  claim", "needs", "allows", "to show");
    for need in &needs {
        let show = format!("> {} at {}", Share(need.reliability), Share(need.confidence));
        let _ = writeln!(said, "  {:>7}  {:<11}  {show:<16}  {}", Trials(need.trials), allows(need), need.label);
    }
    said += &conclusion(value, &needs);
    said
}

fn allows(need: &Need) -> String {
    need.failures
        .map_or("cannot pass".to_owned(), |failures| count(usize::try_from(failures).unwrap_or(usize::MAX), "failure"))
}

fn conclusion(plan: &Plan, needs: &[Need]) -> String {
    let short = needs.iter().filter(|need| need.failures.is_none()).count();
    let most = needs.iter().map(|need| need.trials).max().unwrap_or_default();
    let each = if plan.decision.family_wise { "all claims together" } else { "each claim alone" };
    match (short, plan.decision.rule) {
        (0, Rule::Fixed) => {
            format!("  {} trials can decide every claim; the confidence is that of {each}\n", plan.trials)
        }
        (0, Rule::Sequential { .. }) => {
            format!("  judged after every trial, at most {}; the confidence is that of {each}\n", plan.trials)
        }
        _ => format!(
            "  {} trials cannot pass {short} of {} claims, however good the devices: they stay inconclusive unless they \
             fail; {} trials could\n",
            plan.trials,
            needs.len(),
            Trials(most)
        ),
    }
}

fn of_both(plan: &Plan, fixture: &Fixture) -> String {
    let estimate = Estimate::of(plan, fixture);
    let paced = if estimate.paced { "; the highest rate of cuts of a rail sets the pace" } else { "" };
    format!(
        "  on fixture `{}`: about {}, {} a trial{paced}\n",
        fixture.name,
        Rough(estimate.session),
        Rough(estimate.trial)
    )
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A share in percent, with as many digits as it needs.
struct Share(f64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", (self.0 * 1e6).round() / 1e4)
    }
}

/// A number of trials; more than anyone can run is said so.
struct Trials(u64);

impl fmt::Display for Trials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1_000_000 { f.pad("> 10^6") } else { f.pad(&self.0.to_string()) }
    }
}

/// A time to two or three digits.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = match self.0.as_secs() {
            0 => Duration::from_millis(u64::from(self.0.subsec_millis())),
            1..60 => Duration::from_millis(self.0.as_secs() * 1_000 + u64::from(self.0.subsec_millis() / 100 * 100)),
            60..3_600 => Duration::from_secs(self.0.as_secs()),
            seconds => Duration::from_secs(seconds / 60 * 60),
        };
        write!(f, "{}", humantime::format_duration(rounded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
    }

    /// What is said, without the part of the path that differs from machine to machine.
    fn said(files: &[&str]) -> String {
        let files: Vec<_> = files.iter().map(|file| root(file)).collect();
        let (said, found) = check(&files);
        assert!(found.is_empty(), "{found}");
        said.replace(&root("").display().to_string(), "")
    }

    #[test]
    fn a_plan_on_a_fixture() {
        insta::assert_snapshot!(said(&["testplans/dispatch.toml", "fixtures/virtual.toml", "fixtures/example-lab.toml"]), @r"
fixtures/virtual.toml: fixture `virtual` is in order: 13 actors, 3 devices, 4 rails, 7 hops
fixtures/example-lab.toml: fixture `example-lab` is in order: 13 actors, 3 devices, 4 rails, 7 hops
testplans/dispatch.toml: plan `dispatch` is in order: 9 rows, 11 edges, 600 trials
    needs  allows       to show           claim
      598  0 failures   > 99.5 % at 95 %  D1 DAC - sub → Feeder Circuit Breaker
      598  0 failures   > 99.5 % at 95 %  D2 Feeder Circuit Breaker → DAC - sub
      598  0 failures   > 99.5 % at 95 %  D3 DAC - sub → Distr. Cust. Storage
      598  0 failures   > 99.5 % at 95 %  D4 Distr. Cust. Storage → DAC - sub
      598  0 failures   > 99.5 % at 95 %  D5 DAC - sub → DAC - Ops/Regnl
      598  0 failures   > 99.5 % at 95 %  D5 DAC - sub → DMS
      598  0 failures   > 99.5 % at 95 %  D5 DAC - sub → Analytic DB
      598  0 failures   > 99.5 % at 95 %  D6 DAC - sub → Distr. Cust. Storage
      598  0 failures   > 99.5 % at 95 %  D7 Distr. Cust. Storage → DAC - sub
      598  0 failures   > 99.5 % at 95 %  D8 DAC - sub → Distr. Cust. Storage
      598  0 failures   > 99.5 % at 95 %  D9 Distr. Cust. Storage → DAC - sub
      299  1 failure    > 99 % at 95 %    D-T1 sub-total
      299  1 failure    > 99 % at 95 %    D-T2 sub-total
      299  1 failure    > 99 % at 95 %    D-T3 sub-total
      299  1 failure    > 99 % at 95 %    D-T4 sub-total
  600 trials can decide every claim; the confidence is that of each claim alone
  on fixture `virtual`: about 1m 12s, 121ms a trial
  on fixture `example-lab`: about 4h 28m, 26s 800ms a trial
");
    }

    #[test]
    fn too_few_trials_are_said_to_be_so() {
        insta::assert_snapshot!(said(&["testplans/smoke.toml"]).lines().last().unwrap_or_default(), @"  name a fixture too, to hear whether it fits and how long a session takes");
        insta::assert_snapshot!(said(&["testplans/islanded.toml", "fixtures/virtual.toml"]), @r"
fixtures/virtual.toml: fixture `virtual` is in order: 13 actors, 3 devices, 4 rails, 7 hops
testplans/islanded.toml: plan `islanded` is in order: 12 rows, 26 edges, 600 trials
    needs  allows       to show           claim
      598  0 failures   > 99.5 % at 95 %  I1 Distr. Cust. Storage → DAC - sub
      598  0 failures   > 99.5 % at 95 %  I1 Distr. Cust. Storage → Distr. SCADA FEP
      598  0 failures   > 99.5 % at 95 %  I2 Distr. SCADA FEP → DAC - Ops/Regnl
      598  0 failures   > 99.5 % at 95 %  I2 Distr. SCADA FEP → DMS
      598  0 failures   > 99.5 % at 95 %  I2 Distr. SCADA FEP → OMS
      598  0 failures   > 99.5 % at 95 %  I2 Distr. SCADA FEP → Analytic DB
      149  6 failures   > 98 % at 95 %    I3 Distr. Cust. Storage → LMS - Utility
      149  6 failures   > 98 % at 95 %    I3 DAC - Ops/Regnl → LMS - Utility
      149  6 failures   > 98 % at 95 %    I4 LMS - Utility → 2-Way Meter - Electr
      149  6 failures   > 98 % at 95 %    I5 2-Way Meter - Electr → LMS - Utility
      149  6 failures   > 98 % at 95 %    I6 2-Way Meter - Electr → IPD
      149  6 failures   > 98 % at 95 %    I6 2-Way Meter - Electr → Cust. EMS
      149  6 failures   > 98 % at 95 %    I6 2-Way Meter - Electr → MDMS
      598  0 failures   > 99.5 % at 95 %  I7 Distr. Cust. Storage → DAC - sub
      598  0 failures   > 99.5 % at 95 %  I7 Distr. Cust. Storage → Distr. SCADA FEP
      598  0 failures   > 99.5 % at 95 %  I8 Distr. SCADA FEP → DAC - Ops/Regnl
      598  0 failures   > 99.5 % at 95 %  I8 Distr. SCADA FEP → DMS
      598  0 failures   > 99.5 % at 95 %  I8 Distr. SCADA FEP → OMS
      598  0 failures   > 99.5 % at 95 %  I8 Distr. SCADA FEP → Analytic DB
      149  6 failures   > 98 % at 95 %    I9 Distr. Cust. Storage → LMS - Utility
      149  6 failures   > 98 % at 95 %    I9 DAC - Ops/Regnl → LMS - Utility
      149  6 failures   > 98 % at 95 %    I10 LMS - Utility → 2-Way Meter - Electr
      149  6 failures   > 98 % at 95 %    I11 2-Way Meter - Electr → LMS - Utility
      149  6 failures   > 98 % at 95 %    I12 2-Way Meter - Electr → IPD
      149  6 failures   > 98 % at 95 %    I12 2-Way Meter - Electr → Cust. EMS
      149  6 failures   > 98 % at 95 %    I12 2-Way Meter - Electr → MDMS
  600 trials can decide every claim; the confidence is that of each claim alone
  on fixture `virtual`: about 2m 5s, 209ms a trial
");
    }

    #[test]
    fn a_file_that_is_not_there_or_no_file() {
        let (_, found) = check(&[PathBuf::from("no-such.toml"), PathBuf::from(env!("CARGO_MANIFEST_DIR"))]);
        let found = found.to_string().replace(env!("CARGO_MANIFEST_DIR"), "HERE");
        insta::assert_snapshot!(found, @r"
no-such.toml: there is no such file; check the path; plans are in testplans/, fixtures in fixtures/
HERE: this is not a file; give the path of a .toml file
");
    }

    #[test]
    fn a_huge_file_is_refused_unread() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("huge.toml");
        let file = std::fs::File::create(&path).expect("a file for the test");
        file.set_len(1 << 40).expect("a sparse file");
        let (_, found) = check(&[path]);
        assert!(found.to_string().contains("larger than 1 MiB"), "{found}");
    }
}
