//! `rig flash`, `rig probe list` and `rig probe log`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use rig::probe::Target;

use crate::bench::Board;
use crate::root;

fn rig(arguments: &[&str], target: Option<&Target>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rig"));
    command.args(arguments).current_dir(root()).stdin(Stdio::null()).env("NO_COLOR", "1");
    if let Some(Target { selector, chip, description, firmware, .. }) = target {
        command.args(firmware).args(["--probe", selector, "--chip", chip]);
        command.args(description.iter().flat_map(|path| ["--description".as_ref(), path.as_os_str()]));
    }
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn firmware_is_flashed_once_and_its_log_is_printed() {
    let board = Board::new();
    let target = board.target("storage");
    for told in ["programmed and compared; version 0.1.0, build ", "was there already; version 0.1.0, build "] {
        let output = rig(&["flash"], Some(&target)).output().expect("rig runs");
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains(told), "{}", said(&output));
    }
    let mut logging = rig(&["probe", "log"], Some(&target)).stdout(Stdio::piped()).spawn().expect("rig runs");
    let mut lines = BufReader::new(logging.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("INFO  boot role=storage")), "the log is printed");
    logging.kill().expect("it is killed");
    logging.wait().expect("it ends");
}

#[test]
fn the_exit_code_says_whose_fault_it_is() {
    let board = Board::new();
    let target = board.target("meter");
    let cases = [
        (Target { selector: "nothing".to_owned(), ..target.clone() }, 2),
        (Target { chip: "no such chip".to_owned(), ..target.clone() }, 2),
        (Target { firmware: Some(root().join("Cargo.toml")), ..target.clone() }, 5),
        (Target { selector: "0d28:0204:0000".to_owned(), ..target }, 3),
    ];
    for (target, code) in cases {
        let output = rig(&["flash"], Some(&target)).output().expect("rig runs");
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).starts_with("error: "), "{}", said(&output));
    }
}

#[test]
fn the_probes_of_a_fixture_are_listed() {
    let output = rig(&["probe", "list", "--fixture", "fixtures/qemu.toml"], None).output().expect("rig runs");
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("bench:meter  device meter: there while the virtual bench runs"),
        "{}",
        said(&output)
    );
}
