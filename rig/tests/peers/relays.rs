//! The relay board of the `modbus-coil` driver is pymodbus.

use std::path::Path;

use rig::event::RigFault;
use rig::fixture::{Fixture, Level};
use rig::link::BenchPorts;
use rig::power::{PowerError, Rails};
use rig::problem::Source;
use rig::stamp::Clock;

use crate::process::{Peer, Wire};

/// A fixture with one rail, on a coil of the board.
fn fixture(port: &Path, unit: u8, coil: u16) -> Fixture {
    let text = format!(
        r#"
        version = 1
        name = "coils"
        title = "A relay board of Modbus RTU coils"
        stall-limit = "1s"
        [actors]
        [instrument.board]
        driver = "modbus-coil"
        unit = {unit}
        link = {{ port = "{}", baud = 9600 }}
        [rail.lamp]
        switch = {{ instrument = "board", channel = {coil} }}
        sense = {{ driver = "none", settle = "20ms" }}
        safe = "off"
        dwell = "1ms"
        max-cuts-per-minute = 1000
        "#,
        port.display()
    );
    Fixture::parse(&Source::new("coils.toml", &text)).unwrap_or_else(|problems| panic!("{problems}")).value
}

async fn open(fixture: &Fixture) -> Result<Rails, PowerError> {
    Rails::open(fixture, &BenchPorts::None, Clock::start()).await
}

#[tokio::test]
async fn a_peer_board_switches_what_it_is_told_and_reads_back() {
    let wire = Wire::new();
    let (board, _) = Peer::start("relays.py", &[&wire.peer()]);
    let rails = open(&fixture(&wire.rig(), 1, 3)).await.expect("the board answers");
    // The coil is channel 3, and address 2 on the wire.
    assert_eq!(board.next(), "unit 1, function 1, address 2, []");
    assert_eq!(rails.level("lamp"), Some(Level::Off));

    for (to, bits) in [(Level::On, "[True]"), (Level::Off, "[False]"), (Level::On, "[True]")] {
        let mut stages = 0;
        rails.set("lamp", to, &mut |_, _| stages += 1).await.expect("the board does it");
        assert_eq!((stages, rails.level("lamp")), (3, Some(to)));
        assert_eq!(board.next(), format!("unit 1, function 5, address 2, {bits}"));
        assert_eq!(board.next(), "unit 1, function 1, address 2, []");
    }

    drop(rails);
    let again = open(&fixture(&wire.rig(), 1, 3)).await.expect("the board answers");
    assert_eq!(again.level("lamp"), Some(Level::On), "the coil stays as it was left");
    assert_eq!(again.make_safe().await.len(), 1);
    assert_eq!(again.level("lamp"), Some(Level::Off));
}

#[tokio::test]
async fn a_peer_board_of_another_unit_is_the_rigs_fault() {
    let wire = Wire::new();
    let (_board, _) = Peer::start("relays.py", &[&wire.peer()]);
    let error = open(&fixture(&wire.rig(), 2, 1)).await.err().expect("there is no unit 2");
    assert_eq!(error.fault(), RigFault::Instrument);
    assert_eq!(error.to_string(), "board: refused to read a coil: exception 4, server device failure");
}

#[tokio::test]
async fn a_coil_that_the_peer_board_does_not_have_is_told() {
    let wire = Wire::new();
    let (_board, _) = Peer::start("relays.py", &[&wire.peer()]);
    let error = open(&fixture(&wire.rig(), 1, 200)).await.err().expect("there is no coil 200");
    assert_eq!(error.to_string(), "board: refused to read a coil: exception 2, illegal data address");
}
