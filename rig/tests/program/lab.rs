//! A lab for one test: a plan and a fixture made from the committed ones, and the program that plays them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::event::{Delivery, Event, Fact};
use rig::verdict::{Findings, Tally};
use tempfile::TempDir;

/// Far longer than anything here takes, on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A plan, a fixture and a folder for sessions.
pub struct Lab {
    folder: Rc<TempDir>,
    plan: String,
    fixture: String,
}

impl Lab {
    /// A committed plan on the committed virtual bench.
    pub fn new(plan: &str) -> Self {
        Self::on(plan, "virtual")
    }

    /// A committed plan on a committed fixture with a bench. Where the machine is busy with other things, a stall voids
    /// no trial, and a dip that lasts too long neither voids one nor islands anything.
    pub fn on(plan: &str, fixture: &str) -> Self {
        let read = |path: String| fs::read_to_string(root().join(path)).expect("a committed file");
        let lab = Self {
            folder: Rc::new(tempfile::tempdir().expect("a temporary folder")),
            plan: read(format!("testplans/{plan}.toml")).replace(r#"at-most = "35ms""#, r#"at-most = "250ms""#),
            fixture: read(format!("fixtures/{fixture}.toml")),
        };
        let lab = lab.fixture(r#"stall-limit = "100ms""#, r#"stall-limit = "10s""#);
        lab.fixture(r#"ride-through = "40ms""#, r#"ride-through = "300ms""#)
    }

    /// A committed plan with budgets that five trials can decide: 5 of 5 show more than 50 % at 95 % confidence, 0 of
    /// 5 show less, and nothing in between shows anything.
    pub fn lax(plan: &str) -> Self {
        let lab = Self::new(plan);
        let reliabilities = ["99.5%", "99%", "98%"].map(|share| format!("reliability = \"{share}\""));
        let plan = reliabilities.iter().fold(lab.plan, |plan, share| plan.replace(share, "reliability = \"50%\""));
        Self { plan, ..lab }.trials(5)
    }

    /// A committed plan in which each limit is half a second, and a payload that does not come is soon given up.
    pub fn quick(plan: &str) -> Self {
        let lab = Self::lax(plan);
        let limits = ["2s", "4s", "5s", "6s", "8s", "10s", "12s"].map(|limit| format!("latency = \"{limit}\""));
        let plan = limits.iter().fold(lab.plan, |plan, limit| plan.replace(limit, "latency = \"500ms\""));
        Self { plan, ..lab }.plan(r#"patience = "2s""#, r#"patience = "500ms""#)
    }

    /// The plan with this in place of that, wherever it stands.
    pub fn plan(self, that: &str, this: &str) -> Self {
        assert!(self.plan.contains(that), "{that} is not in the plan");
        Self { plan: self.plan.replace(that, this), ..self }
    }

    /// The fixture with this in place of that, wherever it stands.
    pub fn fixture(self, that: &str, this: &str) -> Self {
        assert!(self.fixture.contains(that), "{that} is not in the fixture");
        Self { fixture: self.fixture.replace(that, this), ..self }
    }

    /// The fixture with more at its end.
    pub fn and(mut self, more: &str) -> Self {
        self.fixture.push_str(more);
        self
    }

    /// Starts the fixture's virtual bench by itself; the fixture has its devices on that one's ports then.
    #[allow(dead_code, clippy::allow_attributes, reason = "not every test that has this module starts a bench apart")]
    pub fn with_bench_apart(mut self) -> (Self, Running) {
        fs::write(self.path("bench.toml"), &self.fixture).expect("the fixture is written");
        fs::create_dir(self.path("ports")).expect("a folder for ports");
        let mut bench = self.start(self.rig(&["bench", "bench.toml", "--dir", "ports"]));
        bench.until_printed("ready");
        let (devices, _) = self.fixture.split_once("\n[bench]\n").expect("the fixture has a bench");
        self.fixture = devices.replace("bench:", "ports/");
        (self, bench)
    }

    /// The plan with so many trials.
    pub fn trials(self, trials: u32) -> Self {
        let line = self.plan.lines().find(|line| line.starts_with("trials = ")).expect("a plan has trials").to_owned();
        self.plan(&line, &format!("trials = {trials}"))
    }

    /// A path in the lab's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The session's folder, of sessions that are played without `--output` and `--name`.
    pub fn session(&self) -> PathBuf {
        self.path("reports/s")
    }

    /// `rig run` on plan and fixture, as they are now.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let (plan, fixture) = (self.path("plan.toml"), self.path("fixture.toml"));
        fs::write(&plan, &self.plan).expect("the plan is written");
        fs::write(&fixture, &self.fixture).expect("the fixture is written");
        let mut command = self.rig(&["run", "plan.toml", "--fixture", "fixture.toml"]);
        let given = |option| arguments.contains(&option);
        if !given("--output") {
            command.args(["--output", "reports"]);
        }
        if !given("--name") {
            command.args(["--name", "s"]);
        }
        command.args(arguments);
        command
    }

    /// The program, in the lab's folder.
    pub fn rig(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rig"));
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command
    }

    /// Plays a session to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(self.command(arguments)).end()
    }

    /// Runs the program to its end.
    pub fn ask(&self, arguments: &[&str]) -> Ended {
        self.start(self.rig(arguments)).end()
    }

    /// Starts a program whose end is waited for.
    pub fn start(&self, mut command: Command) -> Running {
        let name = format!("said-{}", fs::read_dir(self.folder.path()).map_or(0, Iterator::count));
        let (out, err) = (self.path(&format!("{name}.out")), self.path(&format!("{name}.err")));
        let file = |path: &Path| File::create(path).expect("a file for what is said");
        command.stdout(file(&out)).stderr(file(&err));
        Running {
            child: command.spawn().expect("the program starts"),
            out,
            err,
            session: self.session(),
            folder: Rc::clone(&self.folder),
        }
    }
}

/// A program that runs.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    session: PathBuf,
    folder: Rc<TempDir>,
}

impl Running {
    /// The process's number.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process's number")
    }

    /// Waits until the session's events hold this text.
    pub fn until_event(&mut self, text: &str) {
        let events = self.session.join("events.jsonl");
        self.until(text, |_| fs::read_to_string(&events).is_ok_and(|events| events.contains(text)));
    }

    /// Waits until standard error holds this text.
    pub fn until_said(&mut self, text: &str) {
        self.until(text, |running| read(&running.err).contains(text));
    }

    /// Waits until standard output holds this text.
    pub fn until_printed(&mut self, text: &str) {
        self.until(text, |running| read(&running.out).contains(text));
    }

    fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !reached(self) {
            let ended = self.child.try_wait().expect("the program can be waited for");
            assert!(ended.is_none() || reached(self), "it ended before {what}: {}", read(&self.err));
            assert!(since.elapsed() < DEADLINE, "no {what}: {}", read(&self.err));
            std::thread::sleep(PAUSE);
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the signal is sent");
    }

    /// Waits for the end.
    pub fn end(self) -> Ended {
        self.end_within(DEADLINE)
    }

    /// Waits for the end of something that takes long.
    pub fn end_within(mut self, deadline: Duration) -> Ended {
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program can be waited for") {
                break status;
            }
            assert!(since.elapsed() < deadline, "it does not end: {}", read(&self.err));
            std::thread::sleep(PAUSE);
        };
        let ended = Ended {
            code: status.code(),
            out: read(&self.out),
            err: read(&self.err),
            session: self.session.clone(),
            _folder: Rc::clone(&self.folder),
        };
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("a file is read")).into_owned()
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it said on standard output.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
    session: PathBuf,
    /// The lab's folder is there for as long as anyone may read in it.
    _folder: Rc<TempDir>,
}

impl Ended {
    /// What it said on standard output, as one line: a terminal's width decides where lines end.
    pub fn said(&self) -> String {
        self.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A file of the session.
    pub fn file(&self, name: &str) -> String {
        read(&self.session.join(name))
    }

    /// The events of the session.
    pub fn facts(&self) -> Vec<Fact> {
        self.events().into_iter().map(|event| event.fact).collect()
    }

    /// The events of the session, with their times.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        rig::journal::read(&self.session, |event| events.push(event)).expect("a record");
        events
    }

    /// What the session shows.
    pub fn findings(&self) -> Findings {
        let events = self.events();
        let Some(Event { fact: Fact::Started(start), .. }) = events.first() else { panic!("no start: {events:?}") };
        let mut tally = Tally::new((**start).clone());
        for event in &events {
            tally.note(event);
        }
        tally.findings()
    }

    /// So many trials count, every delivery of theirs was in time, and nothing else was seen.
    pub fn assert_all_in_time(&self, trials: u32) {
        let findings = self.findings();
        assert_eq!(findings.trials.counted, trials, "{}", self.out);
        for claim in findings.edges.iter().chain(&findings.sub_totals) {
            assert_eq!(claim.counts.on_time, u64::from(trials), "{}: {}", claim.label, self.out);
        }
        assert!(findings.misbehaviours.is_empty(), "{:?}", findings.misbehaviours);
        assert!(findings.strays.is_empty(), "{:?}", findings.strays);
    }

    /// Deliveries on the edges that an actor plays a part in, each with its edge's label.
    pub fn deliveries_of(&self, actor: &str) -> Vec<(String, Delivery)> {
        let facts = self.facts();
        let Some(Fact::Started(start)) = facts.first() else { panic!("no start: {facts:?}") };
        let plan = &start.plan;
        let of = |fact: &Fact| match fact {
            Fact::Delivery(delivery) => Some(delivery.clone()),
            _ => None,
        };
        let plays = |delivery: &Delivery| {
            let edge = plan.edge(delivery.edge);
            edge.from == actor || edge.to == actor
        };
        facts.iter().filter_map(of).filter(plays).map(|delivery| (plan.label(delivery.edge), delivery)).collect()
    }

    /// The session's summary.
    pub fn summary(&self) -> serde_json::Value {
        serde_json::from_str(&self.file("summary.json")).expect("summary.json is JSON")
    }

    /// Labels of the claims with this verdict, sorted.
    pub fn claims(&self, verdict: &str) -> Vec<String> {
        let summary = self.summary();
        let of = |key: &str| summary[key].as_array().expect("claims").clone();
        let claims = of("edges").into_iter().chain(of("sub_totals"));
        let mut labels: Vec<_> = claims
            .filter(|claim| claim["verdict"] == verdict)
            .map(|claim| claim["label"].as_str().expect("a label").to_owned())
            .collect();
        labels.sort();
        labels
    }
}
