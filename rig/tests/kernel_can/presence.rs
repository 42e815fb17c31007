//! What is missing or set wrongly on a bus of the kernel is told before the first trial, with what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use test_case::test_case;

use crate::lab::Lab;
use crate::peer::without;

/// A lab whose storage is on this bus, which its virtual bench has nothing to do with.
pub fn lab(bus: &str) -> Lab {
    Lab::on("smoke", "virtual-can").fixture("port = \"bench:can\"\nbitrate = 500000", bus)
}

#[test_case(
    "interface = \"nocan7\"\nbitrate = 500000",
    "nocan7: no such interface; the CAN interfaces here are vcan0, vcan1, vcan2. Check the adapter's cable and driver; a \
     virtual one is made by `sudo ip link add nocan7 type vcan`";
    "none of this name"
)]
#[test_case(
    "interface = \"vcan2\"\nbitrate = 500000",
    "vcan2: the interface is down; bring it up with `sudo ip link set vcan2 up`";
    "one that is down"
)]
#[test_case(
    "interface = \"vcan1\"\nbitrate = 500000\ndata-bitrate = 2000000",
    "vcan1: this is a classic interface (MTU 16), and the fixture has FD frames on it (data-bitrate); switch FD on with \
     `sudo ip link set vcan1 mtu 72`, or leave `data-bitrate` out";
    "a classic one for a bus of FD frames"
)]
#[test_case(
    "interface = \"lo\"\nbitrate = 500000",
    "lo: this is no CAN interface; see `ip link show type can`";
    "one that is none of CAN"
)]
fn an_interface_that_does_not_fit_is_refused(bus: &str, said: &str) {
    lab(bus).run(&[]).assert_bus_refused(said);
}

#[test]
fn a_user_who_may_not_open_can_sockets_is_told() {
    let lab = lab("interface = \"vcan0\"\nbitrate = 500000");
    let allowed = lab.command(&[]);
    let mut denied = Command::new("python3");
    denied.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernel_can/deny_can.py"));
    denied.arg(allowed.get_program()).args(allowed.get_args()).current_dir(lab.path("."));
    let said = "vcan0: permission denied; this user or sandbox may not open CAN sockets (AF_CAN)";
    lab.start(denied).end().assert_bus_refused(said);
}

#[test]
fn a_user_who_may_not_open_an_adapters_tty_is_told() {
    let (lab, _bench) = Lab::on("smoke", "virtual-can").with_bench_apart();
    let tty = fs::canonicalize(lab.path("ports/can")).expect("a tty");
    fs::set_permissions(&tty, fs::Permissions::from_mode(0o000)).expect("it is ours");
    let ended = lab.start(without("dac_override", &lab.command(&[]))).end();
    ended.assert_bus_refused("ports/can: permission denied");
}
