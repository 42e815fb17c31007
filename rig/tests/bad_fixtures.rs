//! Fixtures that are no bench are refused, with what is wrong and where.

use rig::fixture::Fixture;
use rig::problem::Source;

const LAB: &str = include_str!("../../fixtures/example-lab.toml");

/// The problems of the example with some of its text replaced.
fn problems(replaced: &[(&str, &str)]) -> String {
    let text = replaced.iter().fold(LAB.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    });
    Fixture::parse(&Source::new("f", &text)).err().map(|problems| problems.to_string()).unwrap_or_default()
}

#[test]
fn links_that_are_none() {
    insta::assert_snapshot!(problems(&[
        ("{ tcp = \"192.0.2.17:5025\" }", "{ tcp = \"192.0.2.17\", baud = 9600 }"),
        ("link = { port = \"/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0\", baud = 9600 }", "link = { tcp = \"192.0.2.18:4001\" }"),
        ("port = \"/dev/serial/by-id/usb-FTDI_USB-RS232_Cable_EXAMPLE1-if00-port0\"", "port = \"\""),
        ("stop-bits = 1", "stop-bits = 3"),
        ("port = \"/dev/serial/by-id/usb-Silicon_Labs_CP2102N_EXAMPLE3-if00-port0\"", "port = \"bench:meter\""),
    ]), @r#"
f:36:17: an empty text; write 1 to 200 characters
f:52:126: 3 is no possible number of stop bits; write a number from 1 to 2
f:61:17: this fixture has no virtual bench; add a [bench] table with a twin, relays or supply `meter`, or write a path
f:71:8: this driver speaks over a serial port only; write link = { port = "/dev/serial/by-id/…" }
f:77:16: `192.0.2.17` is no TCP address; write host and port such as "localhost:4059" or "[::1]:4059"
f:77:37: a TCP link has no such setting; leave it out, or give a `port`
"#);
}

#[test]
fn rails_that_cannot_be_switched_or_sensed() {
    insta::assert_snapshot!(problems(&[
        ("switch = { instrument = \"source\", channel = 1 }", "switch = { instrument = \"sauce\", channel = 1 }"),
        ("instrument = \"source\", channel = 1, threshold-volts = 115.0", "instrument = \"relays\", channel = 1, threshold-volts = 0.0"),
        ("sense = { driver = \"none\", settle = \"40ms\" }", "sense = { driver = \"none\", timeout = \"40ms\" }"),
        ("channel = 2 }", "channel = 0 }"),
        ("safe = \"on\"", "safe = \"up\""),
    ]), @r#"
f:81:10: there is no instrument `sauce`; did you mean `source`?
f:83:9: instrument `relays` measures no voltage; name an instrument with driver = "scpi", or write driver = "none"
f:83:82: no voltage tells on from off here; write about half of the rail's voltage, such as 115.0
f:85:8: `up` is not known here; write one of: on, off
f:96:9: `settle` is missing here; add `settle = "20ms"`
f:96:38: nothing is measured here; leave it out, or write driver = "scpi"
f:104:10: a relay board has no channel 0; write a channel from 1
"#);
}

#[test]
fn actors_and_paths_that_lead_nowhere() {
    insta::assert_snapshot!(problems(&[
        ("\"OMS\" = \"emulated\"", "\"OMS\" = { external = \"localhost\" }"),
        ("\"IPD\" = \"emulated\"", "\"IPD\" = { device = \"meter\" }"),
        ("\"MDMS\" = \"emulated\"", "\"MDMS\" = {}"),
        ("via = [\"RTU\"]", "via = [\"RUT\"]"),
        ("delay = { mean = \"200ms\", deviation = \"50ms\" }", "delay = { mean = \"200ms\" }"),
        ("loss = \"0.1%\"", "loss = 0.001"),
    ]), @r#"
f:23:22: `localhost` is no TCP address; write host and port such as "localhost:4059" or "[::1]:4059"
f:25:9: device `meter` plays 2-Way Meter - Electr already; a device plays one actor; name another device, or "emulated"
f:27:10: an actor has one player; write "emulated", "database", { device = "NAME" } or { external = "host:port" }
f:123:8: wrong type: floating point `0.001`; write a percentage such as "99.5%"
f:133:9: no distribution has these numbers; write { mean = "3ms", deviation = "1ms" } or { floor = "1ms", mean = "2ms" }
f:151:8: there is no hop `RUT`; did you mean `RTU`?
"#);
}

#[test]
fn instruments_with_the_keys_of_others() {
    insta::assert_snapshot!(problems(&[
        ("driver = \"lcus\"", "driver = \"modbus-coil\""),
        ("driver = \"scpi\"\n", "driver = \"command\"\non = []\n"),
    ]), @r#"
f:69:1: `unit` is missing here; add `unit = 1`
f:75:1: `off` is missing here; add `off = ["uhubctl", "-a", "off", "-p", "{channel}"]`
f:75:1: `timeout` is missing here; add `timeout = "5s"`
f:77:6: no program; write program and arguments: on = ["uhubctl", "-a", "on", "-p", "{channel}"]
f:78:8: this driver has no `link`; leave it out, or check the driver
"#);
}

#[test]
fn boards_that_are_wired_wrongly() {
    let bench = r#"
[bench.board.meter]
machine = "microbit"
baud = 9600
feeder = "feeder"
supply = "meter-suply"
[[bench.board.meter.fault]]
kind = "hang"
rate = 2.0
"#;
    let virtual_bench = include_str!("../../fixtures/virtual.toml");
    let twin = virtual_bench.find("[bench.twin.meter]").expect("there is a twin");
    let relays = virtual_bench.find("[bench.relays.relays]").expect("there is a relay board");
    let text = format!("{}{bench}{}", &virtual_bench[..twin], &virtual_bench[relays..]);
    let problems = Fixture::parse(&Source::new("f", &text)).err().map(|problems| problems.to_string());
    insta::assert_snapshot!(problems.unwrap_or_default(), @r#"
f:52:9: the board `meter` has another feeder; write the same `feeder` here and in [bench.board.meter]
f:54:39: the board `meter` runs at 9600 baud, this link at 115200; write baud = 9600 here, or baud = 115200 in [bench.board.meter]
f:55:10: the board `meter` has another supply; write the same `supply` here and in [bench.board.meter]
f:179:1: there is no rail `meter-suply`; did you mean `meter-supply`?
f:179:1: board "meter" has faults of a probe that it has not; add probe = true
f:179:1: board "meter" has a feeder, which a micro:bit has no UART to sense; leave it out, or use mps2-an385
f:179:1: board "meter" has a fault of rate 2; a rate is from 0 to 1
"#);
}

#[test]
fn probes_that_are_wired_wrongly() {
    let probes = r#"
[device.storage.probe]
selector = "the blue one"
chip = "nRF52840_xxAA"
[device.breaker.probe]
selector = "bench:breaker"
chip = "QEMU_MPS2_AN385"
speed-khz = 0
[device.meter.probe]
selector = "bench:breaker"
firmwre = "meter.elf"
"#;
    let text = include_str!("../../fixtures/virtual.toml").to_owned() + probes;
    let problems = Fixture::parse(&Source::new("f", &text)).err().map(|problems| problems.to_string());
    insta::assert_snapshot!(problems.unwrap_or_default(), @r#"
f:217:12: `the blue one` selects no probe; write selector = "VID:PID" or "VID:PID:SERIAL", as `rig probe list` shows it, or "bench:NAME"
f:222:13: 0 is no possible clock in kHz; write a number from 1 to 100000
f:223:1: `chip` is missing here; add `chip = "nRF52840_xxAA"`
f:225:1: there is no key `firmwre` here; did you mean `firmware`?
"#);
}

#[test]
fn probes_of_boards_that_have_none_or_are_another_device() {
    let qemu = include_str!("../../fixtures/qemu.toml");
    let text = qemu
        .replacen("probe = true", "probe = false", 1)
        .replace(r#"selector = "bench:meter""#, r#"selector = "bench:breaker""#)
        .replace(r#"port = "bench:meter.in-home""#, r#"port = "bench:meter.at-home""#);
    let problems = Fixture::parse(&Source::new("f", &text)).err().map(|problems| problems.to_string());
    insta::assert_snapshot!(problems.unwrap_or_default(), @r"
f:45:12: the board `storage` has no probe; add probe = true in [bench.board.storage]
f:71:20: there is no bench.board `meter.at-home`; did you mean `meter.in-home`?
f:80:12: this probe is at device `breaker` already; every device has a probe of its own; give its serial number
f:80:12: device `meter` is not the board `breaker`; write the probe of its own board
");
}
