//! The supply of the `scpi` driver is a server over TCP.

use rig::event::PowerStage;
use rig::fixture::{Fixture, Level};
use rig::link::BenchPorts;
use rig::power::{PowerError, Rails};
use rig::problem::Source;
use rig::stamp::Clock;

use crate::process::Peer;

/// A fixture with one rail, which the supply switches and senses.
fn fixture(port: &str, output: u16) -> Fixture {
    let text = format!(
        r#"
        version = 1
        name = "supply"
        title = "A supply over TCP"
        stall-limit = "1s"
        [actors]
        [instrument.source]
        driver = "scpi"
        link = {{ tcp = "127.0.0.1:{port}" }}
        [rail.feeder]
        switch = {{ instrument = "source", channel = {output} }}
        sense = {{ driver = "scpi", instrument = "source", channel = 1, threshold-volts = 115.0, timeout = "10s" }}
        safe = "on"
        dwell = "1ms"
        max-cuts-per-minute = 1000
        "#
    );
    Fixture::parse(&Source::new("supply.toml", &text)).unwrap_or_else(|problems| panic!("{problems}")).value
}

#[tokio::test]
async fn a_peer_supply_is_cut_restored_and_sensed() {
    let (supply, port) = Peer::start("supply.py", &[]);
    let rails = Rails::open(&fixture(&port, 1), &BenchPorts::None, Clock::start()).await.expect("the supply answers");
    assert_eq!(rails.obtained()[0].1["identity"], "Peer,One output,0,1.0");
    assert_eq!(rails.level("feeder"), Some(Level::On));
    for to in [Level::Off, Level::On] {
        let mut stages = Vec::new();
        rails.set("feeder", to, &mut |stage, at| stages.push((stage, at))).await.expect("it is sensed");
        let [(PowerStage::Commanded, commanded), (PowerStage::Acknowledged, _), (PowerStage::Sensed, sensed)] =
            stages[..]
        else {
            panic!("{stages:?}")
        };
        // The voltage follows the command after 2 ms.
        assert!(sensed.hi - commanded.lo >= 2_000_000, "{commanded:?} {sensed:?}");
        assert_eq!(rails.level("feeder"), Some(to));
    }
    let heard: Vec<_> = std::iter::repeat_with(|| supply.next()).take_while(|line| line != "OUTP ON").collect();
    assert_eq!(heard[..2], ["*IDN?", "SYST:ERR?"]);
    let after = |line: &str| heard.iter().position(|heard| heard == line).map(|at| heard[at + 1].as_str());
    assert_eq!(after("OUTP OFF"), Some("SYST:ERR?"), "every command is followed by the question for its error");
}

#[tokio::test]
async fn what_a_peer_supply_refuses_is_told() {
    let (_supply, port) = Peer::start("supply.py", &[]);
    let rails = Rails::open(&fixture(&port, 2), &BenchPorts::None, Clock::start()).await.expect("the supply answers");
    let error = rails.set("feeder", Level::Off, &mut |_, _| {}).await.expect_err("there is no output 2");
    assert!(matches!(error, PowerError::Refused { .. }), "{error}");
    assert_eq!(error.to_string(), "source: refused OUTP OFF,(@2): -222,\"Data out of range\"");
    assert_eq!(rails.level("feeder"), None);
}
