//! Whole sessions on `fixtures/qemu.toml`: firmware is flashed, started, watched and, where it has a bug, found out.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rig::event::{End, Fact, Firmware, Installed, Misbehaviour, RigFault};
use test_case::test_case;

use crate::bench::control;
use crate::elf;
use crate::lab::processes::{children_of, command_line, of_session, wait_until};
use crate::lab::{Ended, Lab, root};

/// Sessions of many trials, while three machines and rig share this one.
const HANGS: Duration = Duration::from_secs(600);

/// A plan on the firmware of the three devices. On a machine that is busy neither a stall nor an edge that is seen late
/// voids a trial, and a payload that does not come is soon given up.
fn lab(plan: &str, trials: u32) -> Lab {
    let programs = elf("meter");
    let programs = programs.parent().expect("a folder").display().to_string();
    Lab::of(plan, "qemu")
        .trials(trials)
        .dips("1s")
        .limits(&["5s", "6s", "8s", "10s", "12s"], "4s")
        .fixture("../target/firmware/mps2-an385", &programs)
        .fixture("../firmware/board", &root().join("firmware/board").display().to_string())
        .fixture(r#"stall-limit = "250ms""#, r#"stall-limit = "10s""#)
        .fixture(r#"timeout = "500ms""#, r#"timeout = "10s""#)
}

fn play(lab: &Lab, arguments: &[&str]) -> Ended {
    lab.start(lab.command(&[&["--seed", "1"], arguments].concat())).end_within(HANGS)
}

fn firmware(ended: &Ended) -> Vec<Firmware> {
    let of = |fact| if let Fact::Firmware(firmware) = fact { Some(firmware) } else { None };
    ended.facts().into_iter().filter_map(of).collect()
}

/// The devices that misbehaved in a way, each with its detail.
fn misbehaved(ended: &Ended, wanted: Misbehaviour) -> Vec<(String, String)> {
    let of = |fact| match fact {
        Fact::Misbehaved { device, how, detail } if how == wanted => Some((device, detail)),
        _ => None,
    };
    ended.facts().into_iter().filter_map(of).collect()
}

fn logged(ended: &Ended, device: &str, words: &str) -> usize {
    let is_it =
        |fact: &&Fact| matches!(fact, Fact::Log { device: of, text, .. } if of == device && text.contains(words));
    ended.facts().iter().filter(is_it).count()
}

#[test]
fn firmware_is_flashed_where_it_is_not_there_and_watched_through_power_cuts() {
    let lab = lab("dispatch", 6);
    let ended = play(&lab, &[]);
    assert_eq!(ended.findings().end, Some(End::Complete), "{}", ended.out);
    let held = firmware(&ended);
    assert_eq!(held.len(), 3, "{}", ended.out);
    for held in &held {
        assert_eq!(held.how, Installed::Flashed);
        assert_eq!((held.version.as_deref(), held.build_id.as_ref().map(String::len)), (Some("0.1.0"), Some(32)));
        assert_eq!(held.elf, format!("{}.elf", held.device));
    }
    // Its supply is cut in each trial: boots are in the log, read through a probe that was attached anew. On a busy machine
    // some lives are over before it is attached.
    assert!(logged(&ended, "storage", "reset=power-on") >= 2, "{}", ended.out);
    assert!(logged(&ended, "breaker", "received circuit-brk_device_status_cmd") >= 4, "{}", ended.out);
    assert!(misbehaved(&ended, Misbehaviour::Crashed).is_empty(), "{}", ended.out);
    let page = ended.file("report.html");
    assert!(page.contains("<h2 id=\"firmware\">Firmware</h2>") && page.contains("flashed before the first trial"));
    assert!(ended.said().contains("firmware meter: meter.elf version 0.1.0 (SHA-256 "), "{}", ended.out);
}

#[test]
fn firmware_that_is_there_is_not_flashed_again_and_can_be_trusted() {
    let images = "probe = true\n\n[bench.board.breaker]";
    let with_image = |lab: Lab, program: &str| {
        let image = format!("probe = true\nimage = {:?}\n\n[bench.board.breaker]", elf(program));
        lab.fixture(images, &image)
    };
    let held = play(&with_image(lab("islanded", 1), "storage"), &[]);
    let of = |ended: &Ended, device: &str| firmware(ended).into_iter().find(|held| held.device == device);
    let how = |ended: &Ended, device: &str| of(ended, device).map(|held| held.how);
    assert_eq!(how(&held, "storage"), Some(Installed::Held), "{}", held.out);
    assert_eq!(how(&held, "meter"), Some(Installed::Flashed));

    let trusted = play(&with_image(lab("islanded", 1), "storage"), &["--no-flash"]);
    assert_eq!(how(&trusted, "storage"), Some(Installed::Trusted), "{}", trusted.out);
    let identity = of(&trusted, "storage").and_then(|held| held.build_id);
    assert!(identity.is_some(), "it is read all the same");
    let unknown = "meter: what it holds does not say what it is, and was not compared";
    let warned = |fact: &Fact| matches!(fact, Fact::Warning { detail } if detail == unknown);
    assert!(trusted.facts().iter().any(warned), "{}", trusted.out);
}

#[test_case("crash", 8, Misbehaviour::Crashed, &["hard-fault at pc ", "undefined instruction"]; "a crash on the 7th cap command")]
#[test_case("hang", 4, Misbehaviour::Crashed, &["watchdog at pc "]; "a hang on the 5th command")]
#[test_case("leak", 18, Misbehaviour::Crashed, &["panic", "out of slots"]; "a leak")]
// What rig itself stood still for while a command left is no fault of the device, so there are four stalls, not one.
#[test_case("stall", 10, Misbehaviour::SlowAnswer, &["it held meter_capped_kwh_mode", "before it answered; 1s 500ms is allowed"]; "a stall of three seconds")]
fn a_seeded_bug_is_found_and_named(bug: &str, trials: u32, how: Misbehaviour, words: &[&str]) {
    let lab = lab("islanded", trials).fixture("/meter.elf", &format!("/meter-bug-{bug}.elf"));
    let ended = play(&lab, &[]);
    assert_eq!(ended.findings().end, Some(End::Complete), "{}{}", ended.out, ended.err);
    let found = misbehaved(&ended, how);
    let named =
        |(device, detail): &(String, String)| device == "meter" && words.iter().all(|word| detail.contains(word));
    assert!(found.iter().any(named), "{found:?} {}", ended.out);
    assert!(found.iter().all(|(device, _)| device == "meter"), "{found:?}");
    let page = ended.file("report.html");
    assert!(words.iter().all(|word| page.contains(word)), "the page says so");
    if how == Misbehaviour::Crashed {
        assert!(page.contains("meter: log: received meter_capped_kwh_mode"), "with what it logged before");
        assert!(!misbehaved(&ended, Misbehaviour::UnexpectedBoot).is_empty(), "its count of boots says so too");
    }
}

#[test_case("no-ack", "device meter: no target answers the probe"; "nobody acknowledges")]
#[test_case("hang", "device meter: the probe did not attach to its target within 15s"; "it hangs")]
#[test_case("worn-flash", "device meter: the flash holds something else than was programmed"; "the flash is worn")]
fn a_probe_that_fails_before_the_first_trial_ends_the_session_with_safe_rails(fault: &str, words: &str) {
    let lab = lab("islanded", 1).and(&format!("\n[[bench.board.meter.fault]]\nkind = \"{fault}\"\n"));
    let rig = lab.command(&["--seed", "1"]);
    // In a session of the system's, where whatever rig starts is found even when it is nobody's child any more.
    let mut alone = Command::new("setsid");
    alone.arg(rig.get_program()).args(rig.get_args()).current_dir(lab.path("."));
    let running = lab.start(alone);
    let rig = running.pid();
    for program in ["rig bench", "qemu-system-arm", "probe worker"] {
        let runs = || of_session(rig).into_iter().any(|process| command_line(process).contains(program));
        wait_until(&format!("{program} runs"), runs);
    }
    let ended = running.end_within(HANGS);
    wait_until("what it started is gone too", || of_session(rig).is_empty());
    assert_eq!(ended.findings().end, Some(End::Aborted), "{}", ended.out);
    let facts = ended.facts();
    let fault =
        |fact: &Fact| matches!(fact, Fact::RigFault { fault: RigFault::Probe, detail } if detail.contains(words));
    assert!(facts.iter().any(fault), "{}", ended.out);
    let safe = |fact: &&Fact| matches!(fact, Fact::Safe { error: None, .. });
    assert_eq!(facts.iter().filter(safe).count(), 4, "{}", ended.out);
}

#[test]
fn a_probe_that_fails_while_a_session_runs_costs_its_log_and_no_trial() {
    let lab = lab("islanded", 40);
    let mut running = lab.start(lab.command(&["--seed", "1"]));
    running.until_event(r#""trial":2"#);
    let mut children = children_of(running.pid()).into_iter().map(command_line);
    let bench = children.find(|line| line.contains("--until-stdin-closes")).expect("the virtual bench");
    let folder = bench.split("--dir ").nth(1).and_then(|rest| rest.split(' ').next()).expect("its folder");
    control(&Path::new(folder).join("meter.probe"), "no-ack");
    let ended = running.end_within(HANGS);
    assert_eq!(ended.findings().end, Some(End::Complete), "{}", ended.out);
    let facts = ended.facts();
    let warned = |fact: &&Fact| matches!(fact, Fact::Warning { detail } if detail.starts_with("the log of meter is not read for now: "));
    assert_eq!(facts.iter().filter(warned).count(), 1, "{}", ended.out);
    let costly = |fact: &Fact| matches!(fact, Fact::RigFault { .. } | Fact::TrialEnded { void: true });
    assert!(!facts.iter().any(costly), "{}", ended.out);
}
