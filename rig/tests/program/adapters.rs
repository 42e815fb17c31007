//! What keeps a CAN bus from being used is told before the first trial, with what to do.

use std::os::fd::OwnedFd;

use nix::pty::openpty;
use nix::unistd::ttyname;

use crate::lab::Lab;

const ADAPTER: &str = r#"port = "bench:can""#;

#[test]
fn a_tty_behind_which_no_adapter_answers_is_told() {
    let pty = openpty(None, None).expect("a tty");
    let (port, _held): (_, OwnedFd) = (ttyname(&pty.slave).expect("its name").display().to_string(), pty.master);
    let ended = Lab::on("smoke", "virtual-can").fixture(ADAPTER, &format!("port = \"{port}\"")).run(&[]);
    let said = "nothing there answers as an adapter of LAWICEL's protocol; check the port, its baud rate (115200), and \
                that the adapter has slcan firmware";
    ended.assert_bus_refused(&format!("{port}: {said}"));
}

#[test]
fn a_tty_that_is_not_there_is_told() {
    let ended = Lab::on("smoke", "virtual-can").fixture(ADAPTER, r#"port = "/dev/no-such-adapter""#).run(&[]);
    ended.assert_bus_refused("/dev/no-such-adapter: no such port");
}

#[test]
fn an_adapter_whose_bus_runs_at_another_bit_rate_is_told_by_its_errors() {
    let bench = Lab::on("smoke", "virtual-can").fixture("bitrate = 500000", "bitrate = 250000");
    let (lab, _bench) = bench.with_bench_apart();
    let ended = lab.fixture("bitrate = 250000", "bitrate = 500000").run(&[]);
    ended.assert_bus_refused("rig's adapter tells of ");
    // How many errors there were until then, and so which advice it is, is a matter of time.
    let said = ended.said();
    assert!(said.contains(" and hears not one frame: ") && said.contains(" bit rate"), "{said}");
}

/// Where the kernel has CAN, it is the interface that is missing.
#[cfg(target_os = "linux")]
#[test]
fn a_kernel_without_can_is_told() {
    let ended = Lab::on("smoke", "virtual-can").fixture(ADAPTER, r#"interface = "nocan7""#).run(&[]);
    let has_can = std::fs::exists("/proc/net/can").unwrap();
    let said = if has_can {
        "nocan7: no such interface; the CAN interfaces here are "
    } else {
        "nocan7: this kernel has no CAN; load it with `sudo modprobe can-raw`, or use a kernel that has it"
    };
    ended.assert_bus_refused(said);
}
