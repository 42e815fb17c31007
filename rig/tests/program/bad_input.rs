//! Bad input of every kind: a clear error that says what to do, the right exit code, and nothing that looks like a
//! session's results.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;

use nix::fcntl::{Flock, FlockArg};
use nix::pty::openpty;
use nix::unistd::ttyname;
use rig::event::Fact;
use test_case::test_case;

use crate::lab::{Ended, Lab};

/// A session that cannot start, because of what it was given.
fn refused(lab: &Lab, arguments: &[&str]) -> Ended {
    let ended = lab.run(arguments);
    assert_eq!(ended.code, Some(5), "{}{}", ended.out, ended.err);
    assert_eq!(ended.out, "");
    assert!(!lab.path("reports").exists(), "nothing is made of bad input");
    ended
}

#[test_case("baud = 115200 }\nfeeder", "baud = 0 }\nfeeder", "0 is no possible baud rate", "write a number from 50 to 12000000"; "zero baud")]
#[test_case("port = \"bench:meter\"", "port = \"bench:metre\"", "there is no bench.twin `metre`", "did you mean `meter`?"; "a port that the bench has not")]
#[test_case("\"OMS\" = \"emulated\"\n", "", "nobody plays OMS in fixture.toml", "add \"OMS\" = \"emulated\" to its [actors]"; "an actor that nobody plays")]
#[test_case("name = \"virtual\"", "name = \"vir\\u001b[2Jtual\"", "a name with a control character", "leave out tabs, line ends and escapes"; "a control character in a name")]
#[test_case("dwell = \"1ms\"", "dwell = 1", "wrong type: integer `1`", "write a duration such as \"8s\""; "a number for a time")]
fn a_bad_fixture_is_refused(that: &str, this: &str, what: &str, help: &str) {
    let ended = refused(&Lab::new("islanded").fixture(that, this), &[]);
    for said in [what, help, "fixture.toml", "in all"] {
        assert!(ended.err.contains(said), "no {said} in {}", ended.err);
    }
    assert!(!ended.err.contains('\x1b'), "{:?}", ended.err);
}

#[test_case("LMS - Utility", "LMS - Utillity", "no actor is named `LMS - Utillity`", "did you mean `LMS - Utility`"; "an unknown actor")]
#[test_case("[[step]]\nexpect = \"I12\"\ncause = { row = \"I10\" }\n", "", "no step plays row `I12`", "leave the row out"; "a row that no step plays")]
#[test_case("to = [\"IPD\", \"Cust. EMS\", \"MDMS\"]", "to = []", "row `I6` has no edge", "name an actor: to = [\"Feeder Circuit Breaker\"]"; "a row without an edge")]
#[test_case("reliability = \"98%\"", "reliability = \"100%\"", "no count of trials shows more than 100 %", "write less than \"100%\""; "a budget that no count of trials decides")]
#[test_case("reliability = \"98%\"", "reliability = \"99.9999999%\"", "a million trials without a failure do not show this", "lower the reliability or the confidence"; "a budget that no bench can decide")]
#[test_case("trials = 600", "trials = \"many\"", "wrong type: string \"many\"", "write a whole number"; "a word for a number")]
#[test_case("trials = 600", "trials = 600\ntrials = 601", "duplicate key", "plan.toml"; "a key twice")]
#[test_case("id = \"I5\"", "id = \"I\\u0007\"", "a name with a control character", "leave out tabs"; "a bell in an id")]
fn a_bad_plan_is_refused(that: &str, this: &str, what: &str, help: &str) {
    let ended = refused(&Lab::new("islanded").plan(that, this), &[]);
    for said in [what, help, "plan.toml", "in all"] {
        assert!(ended.err.contains(said), "no {said} in {}", ended.err);
    }
    assert!(!ended.err.contains(['\x1b', '\x07']), "{:?}", ended.err);
}

/// Checks and runs a path in place of the plan, and returns what is said; both say the same.
fn said_of(lab: &Lab, path: &str) -> String {
    let run = lab.ask(&["run", path, "--fixture", "fixture.toml", "--output", "reports"]);
    let check = lab.ask(&["check", path]);
    assert_eq!((run.code, check.code), (Some(5), Some(5)), "{}{}", run.err, check.err);
    assert!(!lab.path("reports").exists());
    assert_eq!(run.err, check.err);
    run.err
}

#[test]
fn what_is_no_plan_at_all_is_refused_with_what_to_do() {
    let lab = Lab::new("smoke");
    // Writes plan and fixture.
    drop(lab.command(&[]));
    insta::assert_snapshot!(said_of(&lab, "nowhere.toml"), @r"
    nowhere.toml: there is no such file; check the path; plans are in testplans/, fixtures in fixtures/

    1 problem in all
    ");
    insta::assert_snapshot!(said_of(&lab, "."), @r"
    .: this is not a file; give the path of a .toml file

    1 problem in all
    ");
    insta::assert_snapshot!(said_of(&lab, "/dev/null"), @r"
    /dev/null: this is not a file; give the path of a .toml file

    1 problem in all
    ");
    fs::write(lab.path("huge.toml"), "#".repeat(1024 * 1024 + 1)).unwrap();
    insta::assert_snapshot!(said_of(&lab, "huge.toml"), @r"
    huge.toml: larger than 1 MiB; a plan or fixture is a few kilobytes; check the path

    1 problem in all
    ");
    fs::write(lab.path("latin.toml"), b"title = \"caf\xe9\"").unwrap();
    insta::assert_snapshot!(said_of(&lab, "latin.toml"), @r"
    latin.toml: not UTF-8 at byte 12; save the file as UTF-8

    1 problem in all
    ");
    std::os::unix::fs::symlink("loop.toml", lab.path("loop.toml")).unwrap();
    insta::assert_snapshot!(said_of(&lab, "loop.toml"), @r"
    loop.toml: cannot be read: Too many levels of symbolic links (os error 40); check the path and its permissions

    1 problem in all
    ");
}

#[test]
fn an_unreadable_file_is_refused() {
    let lab = Lab::new("smoke");
    drop(lab.command(&[]));
    fs::set_permissions(lab.path("plan.toml"), fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads what nobody may read. A file that is there and whose reading fails is this process's own memory map.
    let path = if File::open(lab.path("plan.toml")).is_ok() { "/proc/self/mem" } else { "plan.toml" };
    let said = said_of(&lab, path);
    assert!(said.starts_with(&format!("{path}: cannot be read: ")), "{said}");
    assert!(said.contains("; check the path and its permissions\n"), "{said}");
}

#[test]
fn a_fixture_for_a_plan_and_a_plan_for_a_fixture_are_told_apart() {
    let lab = Lab::new("smoke");
    drop(lab.command(&[]));
    let swapped = lab.ask(&["run", "fixture.toml", "--fixture", "plan.toml", "--output", "reports"]);
    assert_eq!(swapped.code, Some(5));
    for said in ["fixture.toml: this is a fixture, not a plan", "plan.toml: this is a plan, not a fixture"] {
        assert!(swapped.err.contains(said), "no {said} in {}", swapped.err);
    }
    assert!(swapped.err.ends_with("2 problems in all\n"), "{}", swapped.err);
}

/// A session whose bench is not ready: it ends before the first trial, for a reason that is told.
fn not_ready(lab: &Lab) -> Ended {
    let ended = lab.run(&[]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    assert!(!ended.facts().contains(&Fact::TrialStarted));
    assert!(ended.said().contains("a fault of the rig ended the session after 0 trials"), "{}", ended.out);
    assert!(!ended.file("junit.xml").contains("<failure"), "no device is to blame");
    let safe = |fact: &&Fact| matches!(fact, Fact::Safe { error: None, .. });
    assert_eq!(ended.facts().iter().filter(safe).count(), 4, "the rails are safe all the same");
    ended
}

/// The committed bench with the storage's port somewhere else.
fn storage_at(port: &str) -> Lab {
    let lab = Lab::new("dispatch").fixture(r#"boot = "2s""#, r#"boot = "100ms""#);
    lab.fixture(r#"port = "bench:storage""#, &format!("port = \"{port}\""))
}

#[test_case("/dev/serial/by-id/none", "no such port; check the cable and the adapter's power; /dev/serial/by-id holds "; "a missing port")]
#[test_case("/dev/null", "this is no serial port; name a tty, best by its path in /dev/serial/by-id"; "no tty")]
fn a_port_that_is_none_is_told_before_the_first_trial(port: &str, said: &str) {
    let ended = not_ready(&storage_at(port));
    assert!(ended.said().contains(&format!("the rig's fault: device storage: {port}: {said}")), "{}", ended.out);
}

#[test]
fn a_busy_port_is_told_before_the_first_trial() {
    let tty = openpty(None, None).unwrap();
    let path = ttyname(&tty.slave).unwrap().display().to_string();
    // As programs of serial ports do; root would pass the kernel's own lock.
    let _held =
        Flock::lock(File::from(tty.slave), FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error).unwrap();
    let ended = not_ready(&storage_at(&path));
    let said = format!(
        "the rig's fault: device storage: {path}: another program uses the port; see which with `fuser {path}`"
    );
    assert!(ended.said().contains(&said), "{}", ended.out);
}
