//! A lab for one test: a plan and a fixture made from the committed ones, and the program that plays them.
#![allow(dead_code, clippy::allow_attributes, reason = "each test program that has this module uses what it needs")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use tempfile::TempDir;

mod ended;
pub mod processes;
mod running;

pub use ended::Ended;
pub use running::Running;

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

    /// A committed plan on a committed fixture with twins. Where the machine is busy with other things, a stall voids
    /// no trial, and a dip that lasts too long neither voids one nor islands anything.
    pub fn on(plan: &str, fixture: &str) -> Self {
        let lab = Self::of(plan, fixture).dips("250ms").fixture(r#"stall-limit = "100ms""#, r#"stall-limit = "10s""#);
        lab.fixture(r#"ride-through = "40ms""#, r#"ride-through = "300ms""#)
    }

    /// A committed plan on a committed fixture, as they are.
    pub fn of(plan: &str, fixture: &str) -> Self {
        let read = |path: String| fs::read_to_string(root().join(path)).expect("a committed file");
        Self {
            folder: Rc::new(tempfile::tempdir().expect("a temporary folder")),
            plan: read(format!("testplans/{plan}.toml")),
            fixture: read(format!("fixtures/{fixture}.toml")),
        }
    }

    /// The plan with dips of the feeder, where it has any, that void a trial only if they last longer than this.
    pub fn dips(self, at_most: &str) -> Self {
        let plan = self.plan.replace(r#"at-most = "35ms""#, &format!("at-most = \"{at_most}\""));
        Self { plan, ..self }
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
        let lab = Self::lax(plan).limits(&["2s", "4s", "5s", "6s", "8s", "10s", "12s"], "500ms");
        lab.plan(r#"patience = "2s""#, r#"patience = "500ms""#)
    }

    /// The plan with this limit in place of those, where it has them.
    pub fn limits(self, those: &[&str], this: &str) -> Self {
        let latency = |limit: &str| format!("latency = \"{limit}\"");
        let plan = those.iter().fold(self.plan, |plan, that| plan.replace(&latency(that), &latency(this)));
        Self { plan, ..self }
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
        let child = command.spawn().expect("the program starts");
        Running { child, out, err, session: self.session(), folder: Rc::clone(&self.folder) }
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("a file is read")).into_owned()
}
