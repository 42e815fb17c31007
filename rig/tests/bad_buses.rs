//! CAN buses and devices on them that cannot be are refused, with what is wrong and where.

use rig::fixture::Fixture;
use rig::problem::Source;

const CAN: &str = include_str!("../../fixtures/virtual-can.toml");
const LINK: &str = r#"link = { bus = "storage", send = "600", receive = "601" }"#;

/// The problems of the virtual bench on CAN with some of its text replaced.
fn problems(replaced: &[(&str, &str)]) -> String {
    let text = replaced.iter().fold(CAN.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    });
    Fixture::parse(&Source::new("f", &text)).err().map(|problems| problems.to_string()).unwrap_or_default()
}

/// The virtual bench with a device of plain frames.
fn plain(messages: &str) -> String {
    let device = "link = { bus = \"storage\" }\nprotocol = \"plain-frames\"";
    let at_the_end = format!("travel = \"1ms\"\n{messages}");
    problems(&[(LINK, device), ("stamp-drift-ppm = 100.0", ""), ("travel = \"1ms\"", &at_the_end)])
}

#[test]
fn adapters_that_are_none() {
    insta::assert_snapshot!(problems(&[("port = \"bench:can\"\nbitrate = 500000", "interface = \"can/0\"\nbaud = 9600")]), @r#"
f:29:1: `bitrate` is missing here; add `bitrate = 500000`
f:30:13: no interface is named `can/0`; see `ip link show type can`
f:31:8: an interface of the kernel has no baud rate; leave it out, or give a `port`
"#);
    insta::assert_snapshot!(problems(&[("port = \"bench:can\"", "port = \"bench:kan\"\nlisten = \"devices\"")]), @r#"
f:30:8: there is no bench.bus adapter `kan`; did you mean `can`?
f:31:10: only the kernel can leave frames out; leave it out, or use an `interface`
"#);
    insta::assert_snapshot!(problems(&[("port = \"bench:can\"\nbitrate = 500000", "bitrate = 500000")]), @r#"f:29:1: a bus has one adapter: an `interface` or a `port`; write interface = "can0", or port = "/dev/serial/by-id/…" for an adapter that speaks slcan"#);
    insta::assert_snapshot!(problems(&[("port = \"bench:can\"\nbitrate = 500000", "port = \"bench:can\"\nbitrate = 400000")]), @r#"
f:29:6: [bench.bus.can] runs at 500000 bit/s, this bus at 400000; write bitrate = 500000 here, or correct it there
f:31:11: LAWICEL's protocol has no such bit rate; write one of 10000, 20000, 50000, 100000, 125000, 250000, 500000, 800000, 1000000
"#);
    insta::assert_snapshot!(problems(&[("port = \"bench:can\"\nbitrate = 500000", "port = \"bench:can\"\nbitrate = 250000")]), @"f:29:6: [bench.bus.can] runs at 500000 bit/s, this bus at 250000; write bitrate = 500000 here, or correct it there");
}

#[test]
fn nodes_that_cannot_be() {
    insta::assert_snapshot!(problems(&[(LINK, "link = { bus = \"store\", send = \"600\", receive = \"601\" }")]), @"f:36:16: there is no bus `store`; did you mean `storage`?");
    insta::assert_snapshot!(problems(&[(LINK, "link = { bus = \"storage\", send = \"0600\", receive = \"7FF\" }")]), @"f:36:34: `0600` is no identifier; write 3 hexadecimal digits up to 7FF, or 8 for an extended one, in quotes");
    insta::assert_snapshot!(problems(&[(LINK, "link = { bus = \"storage\", send = \"600\", receive = \"600\", baud = 9600, separation = \"150us\" }")]), @r#"
f:36:65: a link to a bus has no such setting; leave it out; the adapter's are in the [bus] table
f:36:84: flow control cannot ask for this separation time; write "0ms" to "127ms", or "100us" to "900us" in steps of 100
"#);
    insta::assert_snapshot!(problems(&[(LINK, "link = { bus = \"storage\", send = \"600\", receive = \"601\", fd = true, send-address = 3 }")]), @"f:36:8: extended addressing has two addresses; write both `send-address` and `receive-address`, or neither");
    insta::assert_snapshot!(problems(&[(LINK, "link = { bus = \"storage\", send = \"600\", receive = \"601\", fd = true }")]), @"f:36:16: FD frames on the classic bus `storage`; write data-bitrate = 2000000 in [bus.storage], or leave out `fd`");
    insta::assert_snapshot!(problems(&[("link = { port = \"bench:relays\", baud = 9600 }", "link = { bus = \"storage\" }")]), @"f:68:16: an instrument is not reached over a CAN bus; give it a `port` or a `tcp` address");
    insta::assert_snapshot!(problems(&[("link = { port = \"bench:relays\", baud = 9600 }", "link = { port = \"bench:relays\", send = \"602\" }")]), @"f:68:40: only a link to a CAN bus has this setting; leave it out");
    insta::assert_snapshot!(problems(&[("link = { port = \"bench:relays\", baud = 9600 }", "link = {}"), ("link = { port = \"bench:meter\", baud = 115200 }", "link = {}")]), @r#"
f:59:8: a link is one of a `port` and a `tcp` address; write { port = "/dev/serial/by-id/…", baud = 115200 } or { tcp = "host:port" }, or write bus = "NAME"
f:68:8: a link is one of a `port` and a `tcp` address; write { port = "/dev/serial/by-id/…", baud = 115200 } or { tcp = "host:port" }
"#);
    insta::assert_snapshot!(problems(&[(LINK, &format!("{LINK}\nin-home = {{ bus = \"storage\", send = \"602\" }}"))]), @"f:37:19: a device's port for a home is not on a CAN bus; give it a `port` or a `tcp` address");
    insta::assert_snapshot!(problems(&[("link = { port = \"bench:meter\", baud = 115200 }", "link = { port = \"bench:meter\", send = \"602\" }")]), @r#"f:59:39: only a link to a CAN bus has this setting; leave it out, or write bus = "NAME""#);
    insta::assert_snapshot!(problems(&[(LINK, "link = { bus = \"storage\", send = \"602\", receive = \"603\" }")]), @r#"f:36:16: no twin on [bench.bus.can] sends what this device sends; add can = { bus = "can", send = …, receive = … } to a twin, with the device's identifiers"#);
}

#[test]
fn a_device_s_frames_belong_to_it_alone() {
    let meter = "link = { port = \"bench:meter\", baud = 115200 }";
    insta::assert_snapshot!(problems(&[(meter, "link = { bus = \"storage\", send = \"700\", receive = \"601\" }")]), @r#"
f:16:26: the twin `storage` behaves as Distr. Cust. Storage; bind the device to that actor
f:36:16: frames with identifier 601 are of device `meter` already; every device on a bus has identifiers of its own
"#);
}

#[test]
fn messages_that_mean_nothing() {
    insta::assert_snapshot!(plain(""), @"f:36:8: no message says what the device's frames mean; add a [[device.NAME.message]] for each payload that it sends or receives");
    let message = |text: &str| format!("[[device.storage.message]]\n{text}");
    insta::assert_snapshot!(plain(&message(
        "payload = \"distr_cust_storage_status_cmd\"\nframes = [{ id = \"305\", data = \"0\" }]"
    )), @"f:227:32: this is no data of a frame; write two hexadecimal digits a byte: up to 8 bytes, on an FD bus 12, 16, 20, 24, 32, 48 or 64 too");
    insta::assert_snapshot!(plain(&message(
        "payload = \"distr_cust_storage_status_resp-data\"\nto = [\"DAC\"]\nframes = [{ id = \"351\", data = \"00\", signals = { mode = \"0|9@1+\", volts = \"0|8@1+\", boots = \"eight\" } }]"
    )), @r#"
f:227:7: no actor is named `DAC`; write one of: DAC - sub, DAC - Ops/Regnl, Feeder Circuit Breaker, Distr. Cust. Storage, DMS, Analytic DB, Distr. SCADA FEP, OMS, LMS - Utility, 2-Way Meter - Electr, IPD, Cust. EMS, MDMS
f:228:10: frame 351: mode (0|9@1+) lies outside of its 1 bytes: move it or make the data longer; correct the frames of this message
f:228:67: a payload has no `volts`; did you mean `boots`?
f:228:93: `eight` is no signal: write start bit, length, byte order and sign, such as 16|12@1- or 16|12@1- (0.1,0); write start bit, length, byte order and sign such as "16|12@1+"
"#);
    insta::assert_snapshot!(plain(&message("payload = \"status\"\nframes = []")), @"f:226:11: no payload is named `status`; write one of: circuit-brk_device_status_cmd, circuit-brk_status_resp-data, distr_cust_storage_status_cmd, distr_cust_storage_status_resp-data, distr_cust_storage_discharge_cmd, distr_cust_storage_discharge_cmd_ack, distr_cust_storage_charge-rate_cmd, distr_cust_storage_charge-rate_cmd_ack, distr_cust_storage_in-island-mode_alarm, distr_cust_storage_out-of-island-mode_alert, meter_capped_kwh_mode_c…");
    insta::assert_snapshot!(plain(&message(
        "payload = \"distr_cust_storage_status_resp-data\"\nto = [\"DAC - sub\"]\nframes = [{ id = \"351\", data = \"0000\", signals = { mode = \"0|8@1+\", boots = \"12|8@1+\" } }]"
    )), @"f:228:10: frame 351: boots (12|8@1+) lies outside of its 2 bytes: move it or make the data longer; correct the frames of this message");
}
