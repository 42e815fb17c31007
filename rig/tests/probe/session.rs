//! Whole sessions on `fixtures/qemu.toml`: firmware is flashed, started, watched and, where it has a bug, found out.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rig::event::{End, Event, Fact, Firmware, Installed, Misbehaviour, RigFault};
use tempfile::TempDir;
use test_case::test_case;

use crate::processes::{command_of_child, wait_until};
use crate::{elf, root};

/// A plan and a fixture made from the committed ones.
struct Lab {
    folder: TempDir,
    plan: String,
    fixture: String,
}

/// What a session left.
struct Ended {
    folder: std::path::PathBuf,
    events: Vec<Event>,
    said: String,
}

impl Lab {
    /// On a machine that is busy a stall voids no trial, and a payload that does not come is soon given up.
    fn new(plan: &str, trials: u32) -> Self {
        let read = |path: String| fs::read_to_string(root().join(path)).expect("a committed file");
        let plan = read(format!("testplans/{plan}.toml"));
        let was = plan.lines().find(|line| line.starts_with("trials = ")).expect("a plan has trials").to_owned();
        let plan =
            plan.replace(&was, &format!("trials = {trials}")).replace(r#"at-most = "35ms""#, r#"at-most = "1s""#);
        let plan = ["5s", "6s", "8s", "10s", "12s"]
            .iter()
            .fold(plan, |plan, limit| plan.replace(&format!("latency = \"{limit}\""), "latency = \"4s\""));
        let fixture = read("fixtures/qemu.toml".to_owned());
        let lab = Self { folder: tempfile::tempdir().expect("a folder"), plan, fixture };
        let programs = elf("meter");
        let programs = programs.parent().expect("a folder").display().to_string();
        lab.fixture("../target/firmware/mps2-an385", &programs)
            .fixture("../firmware/board", &root().join("firmware/board").display().to_string())
            .fixture(r#"stall-limit = "250ms""#, r#"stall-limit = "10s""#)
    }

    fn fixture(self, that: &str, this: &str) -> Self {
        assert!(self.fixture.contains(that), "{that} is not in the fixture");
        Self { fixture: self.fixture.replace(that, this), ..self }
    }

    /// The fixture with more at its end.
    fn and(mut self, more: &str) -> Self {
        self.fixture.push_str(more);
        self
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        fs::write(self.folder.path().join("plan.toml"), &self.plan).expect("the plan is written");
        fs::write(self.folder.path().join("fixture.toml"), &self.fixture).expect("the fixture is written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rig"));
        command.current_dir(self.folder.path()).args(["run", "plan.toml", "--fixture", "fixture.toml"]);
        command.args(["--output", ".", "--seed", "1", "--name", name]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn play(&self, name: &str, arguments: &[&str]) -> Ended {
        let output = self.command(name, arguments).output().expect("rig runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        Ended::read(&self.folder.path().join(name), said)
    }
}

impl Ended {
    fn read(folder: &Path, said: String) -> Self {
        let text = fs::read_to_string(folder.join("events.jsonl")).unwrap_or_else(|error| panic!("{error}: {said}"));
        // The lines that are no events belong to the record's own bookkeeping.
        let events = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Self { folder: folder.to_owned(), events, said }
    }

    fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.events.iter().map(|event| &event.fact)
    }

    fn firmware(&self) -> Vec<&Firmware> {
        self.facts()
            .filter_map(|fact| if let Fact::Firmware(firmware) = fact { Some(firmware) } else { None })
            .collect()
    }

    fn misbehaved(&self, wanted: Misbehaviour) -> Vec<(&str, &str)> {
        self.facts()
            .filter_map(|fact| match fact {
                Fact::Misbehaved { device, how, detail } if *how == wanted => Some((device.as_str(), detail.as_str())),
                _ => None,
            })
            .collect()
    }

    fn logged(&self, device: &str, text: &str) -> usize {
        let is_it = |fact: &&Fact| matches!(fact, Fact::Log { device: of, text: said, .. } if of == device && said.contains(text));
        self.facts().filter(is_it).count()
    }

    fn ends(&self) -> Option<&End> {
        self.facts().find_map(|fact| if let Fact::Ended(end) = fact { Some(end) } else { None })
    }

    fn page(&self) -> String {
        fs::read_to_string(self.folder.join("report.html")).expect("a page")
    }
}

#[test]
fn firmware_is_flashed_where_it_is_not_there_and_watched_through_power_cuts() {
    let lab = Lab::new("dispatch", 6);
    let ended = lab.play("s", &[]);
    assert_eq!(ended.ends(), Some(&End::Complete), "{}", ended.said);
    let firmware = ended.firmware();
    assert_eq!(firmware.len(), 3, "{}", ended.said);
    for held in &firmware {
        assert_eq!(held.how, Installed::Flashed);
        assert_eq!((held.version.as_deref(), held.build_id.as_ref().map(String::len)), (Some("0.1.0"), Some(32)));
        assert_eq!(held.elf, format!("{}.elf", held.device));
    }
    // Its supply is cut in each trial: boots are in the log, read through a probe that was attached anew. On a busy machine
    // some lives are over before it is attached.
    assert!(ended.logged("storage", "reset=power-on") >= 2, "{}", ended.said);
    assert!(ended.logged("breaker", "received circuit-brk_device_status_cmd") >= 4, "{}", ended.said);
    assert!(ended.misbehaved(Misbehaviour::Crashed).is_empty(), "{}", ended.said);
    let page = ended.page();
    assert!(page.contains("<h2 id=\"firmware\">Firmware</h2>") && page.contains("flashed before the first trial"));
    assert!(ended.said.contains("firmware meter: meter.elf version 0.1.0 (SHA-256 "), "{}", ended.said);
}

#[test]
fn firmware_that_is_there_is_not_flashed_again_and_can_be_trusted() {
    let images = "probe = true\n\n[bench.board.breaker]";
    let with_image = |lab: Lab, program: &str| {
        let image = format!("probe = true\nimage = {:?}\n\n[bench.board.breaker]", elf(program));
        lab.fixture(images, &image)
    };
    let held = with_image(Lab::new("islanded", 1), "storage").play("held", &[]);
    let how =
        |ended: &Ended, device: &str| ended.firmware().iter().find(|held| held.device == device).map(|held| held.how);
    assert_eq!(how(&held, "storage"), Some(Installed::Held), "{}", held.said);
    assert_eq!(how(&held, "meter"), Some(Installed::Flashed));

    let trusted = with_image(Lab::new("islanded", 1), "storage").play("trusted", &["--no-flash"]);
    assert_eq!(how(&trusted, "storage"), Some(Installed::Trusted), "{}", trusted.said);
    let identity =
        trusted.firmware().iter().find(|held| held.device == "storage").and_then(|held| held.build_id.clone());
    assert!(identity.is_some(), "it is read all the same");
    let unknown = "meter: what it holds does not say what it is, and was not compared";
    let warned = |fact: &Fact| matches!(fact, Fact::Warning { detail } if detail == unknown);
    assert!(trusted.facts().any(warned), "{}", trusted.said);
}

#[test_case("crash", 8, Misbehaviour::Crashed, &["hard-fault at pc ", "undefined instruction"]; "a crash on the 7th cap command")]
#[test_case("leak", 18, Misbehaviour::Crashed, &["panic", "out of slots"]; "a leak")]
#[test_case("stall", 4, Misbehaviour::SlowAnswer, &["it held meter_capped_kwh_mode", "before it answered; 1s 500ms is allowed"]; "a stall of three seconds")]
fn a_seeded_bug_is_found_and_named(bug: &str, trials: u32, how: Misbehaviour, words: &[&str]) {
    let lab = Lab::new("islanded", trials).fixture("/meter.elf", &format!("/meter-bug-{bug}.elf"));
    let ended = lab.play("s", &[]);
    let found = ended.misbehaved(how);
    let named = |(device, detail): &(&str, &str)| *device == "meter" && words.iter().all(|word| detail.contains(word));
    assert!(found.iter().any(named), "{found:?} {}", ended.said);
    assert!(found.iter().all(|(device, _)| *device == "meter"), "{found:?}");
    let page = ended.page();
    assert!(words.iter().all(|word| page.contains(word)), "the page says so");
    if how == Misbehaviour::Crashed {
        assert!(page.contains("meter: log: received meter_capped_kwh_mode"), "with what it logged before");
        assert!(!ended.misbehaved(Misbehaviour::UnexpectedBoot).is_empty(), "its count of boots says so too");
    }
}

#[test_case("no-ack", "device meter: no target answers the probe"; "nobody acknowledges")]
#[test_case("hang", "device meter: the probe did not attach to its target within 15s"; "it hangs")]
#[test_case("worn-flash", "device meter: the flash holds something else than was programmed"; "the flash is worn")]
fn a_probe_that_fails_before_the_first_trial_ends_the_session_with_safe_rails(fault: &str, words: &str) {
    let lab = Lab::new("islanded", 1).and(&format!("\n[[bench.board.meter.fault]]\nkind = \"{fault}\"\n"));
    let ended = lab.play("s", &[]);
    assert_eq!(ended.ends(), Some(&End::Aborted), "{}", ended.said);
    let fault = ended.facts().find_map(|fact| match fact {
        Fact::RigFault { fault: RigFault::Probe, detail } => Some(detail.as_str()),
        _ => None,
    });
    assert!(fault.is_some_and(|detail| detail.contains(words)), "{}", ended.said);
    let safe = ended.facts().filter(|fact| matches!(fact, Fact::Safe { error: None, .. }));
    assert_eq!(safe.count(), 4, "{}", ended.said);
}

#[test]
fn a_probe_that_fails_while_a_session_runs_costs_its_log_and_no_trial() {
    let lab = Lab::new("islanded", 40);
    let rig = lab.command("s", &[]).spawn().expect("rig runs");
    let events = lab.folder.path().join("s/events.jsonl");
    let has = |word: &str| fs::read_to_string(&events).unwrap_or_default().contains(word);
    wait_until("the second trial is played", || has(r#""trial":2"#));
    let bench = command_of_child(rig.id(), "--until-stdin-closes").expect("the virtual bench");
    let folder = bench.split("--dir ").nth(1).and_then(|rest| rest.split(' ').next()).expect("its folder");
    let mut control = UnixStream::connect(Path::new(folder).join("meter.probe.control")).expect("it listens");
    control.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    control.write_all(b"no-ack\n").expect("it reads");
    control.read_exact(&mut [0; 3]).expect("it answers");
    let output = rig.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let ended = Ended::read(&lab.folder.path().join("s"), said);
    assert_eq!(ended.ends(), Some(&End::Complete), "{}", ended.said);
    let warned = |fact: &Fact| matches!(fact, Fact::Warning { detail } if detail.starts_with("the log of meter is not read for now: "));
    assert_eq!(ended.facts().filter(|fact| warned(fact)).count(), 1, "{}", ended.said);
    assert!(
        !ended.facts().any(|fact| matches!(fact, Fact::RigFault { .. } | Fact::TrialEnded { void: true })),
        "{}",
        ended.said
    );
}
