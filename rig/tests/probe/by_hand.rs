//! `rig flash`, `rig probe list` and `rig probe log`.

use rig::probe::Target;

use crate::bench::Board;
use crate::lab::{Ended, Lab, Running, root};

/// Starts a command on a target's probe.
fn start(board: &Board, arguments: &[&str], target: &Target) -> Running {
    let Target { selector, chip, description, firmware, .. } = target;
    let mut command = board.lab.rig(arguments);
    command.args(firmware).args(["--probe", selector, "--chip", chip]);
    command.args(description.iter().flat_map(|path| ["--description".as_ref(), path.as_os_str()]));
    board.lab.start(command)
}

fn flash(board: &Board, target: &Target) -> Ended {
    start(board, &["flash"], target).end()
}

#[test]
fn firmware_is_flashed_once_and_its_log_is_printed() {
    let board = Board::new();
    let target = board.target("storage");
    for told in ["programmed and compared; version 0.1.0, build ", "was there already; version 0.1.0, build "] {
        let ended = flash(&board, &target);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.out.contains(told), "{}{}", ended.out, ended.err);
    }
    start(&board, &["probe", "log"], &target).until_printed("INFO  boot role=storage");
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
        let ended = flash(&board, &target);
        assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
        assert!(ended.out.is_empty() && ended.err.starts_with("error: "), "{}{}", ended.out, ended.err);
    }
}

#[test]
fn the_probes_of_a_fixture_are_listed() {
    let lab = Lab::of("smoke", "qemu");
    let fixture = root().join("fixtures/qemu.toml").display().to_string();
    let ended = lab.ask(&["probe", "list", "--fixture", &fixture]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains("bench:meter  device meter: there while the virtual bench runs"), "{}", ended.out);
}
