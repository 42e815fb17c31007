mod bench;
#[cfg(unix)]
mod programs;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;

use super::{PowerError, Rails};
use crate::event::{PowerStage, RigFault};
use crate::fixture::{self, Contact, Fixture, Flow, Instrument, Level, Parity, Port, Rail, Sense, Serial};
use crate::link::BenchPorts;
use crate::stamp::{Clock, Source, Stamp};
use bench::{Bench, board, coils, supply};

const MS: u64 = 1_000_000;

fn serial(name: &str) -> Serial {
    let port = Port::Bench(name.into());
    Serial { port, baud: 9_600, parity: Parity::None, stop_bits: 1, flow: Flow::None, rs485_echo: false }
}

fn rail(instrument: &str, sense: Sense) -> Rail {
    Rail {
        switch: Contact { instrument: instrument.into(), channel: 1 },
        sense,
        energised_means: Level::On,
        safe: Level::On,
        dwell: Duration::ZERO,
        max_cuts_per_minute: 1_000,
    }
}

fn volts(timeout: Duration) -> Sense {
    Sense::Scpi { contact: Contact { instrument: "supply".into(), channel: 1 }, threshold: 115.0, timeout }
}

fn fixture(instrument: (&str, Instrument), rail: Rail) -> Fixture {
    Fixture {
        name: "test".into(),
        title: "test".into(),
        actors: BTreeMap::new(),
        devices: BTreeMap::new(),
        buses: BTreeMap::new(),
        instruments: BTreeMap::from([(instrument.0.to_owned(), instrument.1)]),
        rails: BTreeMap::from([("grid".to_owned(), rail)]),
        hops: BTreeMap::new(),
        paths: Vec::new(),
        stall_limit: Duration::from_millis(100),
        bench: None,
    }
}

fn with_supply(rail: Rail) -> Fixture {
    fixture(("supply", Instrument::Scpi(fixture::Stream::Serial(serial("supply")))), rail)
}

fn with_coils(unit: u8, channel: u16) -> Fixture {
    let mut rail = rail("coils", Sense::None { settle: Duration::ZERO });
    rail.switch.channel = channel;
    fixture(("coils", Instrument::ModbusCoil { serial: serial("coils"), unit }), rail)
}

fn with_board(rail: Rail) -> Fixture {
    fixture(("board", Instrument::Lcus(serial("board"))), rail)
}

struct Open {
    rails: Rails,
    clock: Clock,
}

async fn open(fixture: &Fixture, bench: &Rc<Bench>) -> Result<Open, PowerError> {
    let clock = Clock::start();
    let ports = BenchPorts::Memory(BTreeMap::from([
        ("supply".to_owned(), bench.port(supply)),
        ("board".to_owned(), bench.port(board)),
        ("coils".to_owned(), bench.port(coils)),
    ]));
    Ok(Open { rails: Rails::open(fixture, &ports, clock).await?, clock })
}

impl Open {
    async fn set(&self, to: Level) -> Result<Vec<(PowerStage, Stamp)>, PowerError> {
        let mut stages = Vec::new();
        self.rails.set("grid", to, &mut |stage, at| stages.push((stage, at))).await?;
        Ok(stages)
    }
}

/// Runs a test in virtual time, with tasks of its own thread.
fn play(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime");
    LocalSet::new().block_on(&runtime, test);
}

#[test]
fn a_sensed_edge_lies_between_the_last_look_that_saw_the_old_level_and_the_first_that_saw_the_new() {
    play(async {
        let bench = Rc::new(Bench::default());
        bench.on.set(true);
        bench.travel.set(Duration::from_millis(40));
        let open = open(&with_supply(rail("supply", volts(Duration::from_secs(1)))), &bench).await.expect("it opens");
        assert_eq!(open.rails.level("grid"), Some(Level::On));
        let begun = open.clock.now();
        let stages = open.set(Level::Off).await.expect("it is sensed");
        let [
            (PowerStage::Commanded, commanded),
            (PowerStage::Acknowledged, acknowledged),
            (PowerStage::Sensed, sensed),
        ] = stages[..]
        else {
            panic!("{stages:?}")
        };
        assert_eq!((commanded.lo, commanded.hi), (begun, begun));
        let edge = begun + 40 * MS;
        assert!(acknowledged.hi < edge);
        assert!(sensed.lo <= edge && edge <= sensed.hi && sensed.hi - sensed.lo <= 5 * MS, "{sensed:?}");
        assert_eq!(sensed.source, Source::User);
        assert_eq!(open.rails.level("grid"), Some(Level::Off));
        assert_eq!(bench.heard.borrow()[..2], ["*IDN?", "SYST:ERR?"]);
    });
}

#[test]
fn an_edge_that_is_not_sensed_is_the_rigs_fault() {
    play(async {
        let bench = Rc::new(Bench::default());
        bench.travel.set(Duration::from_secs(60));
        let open = open(&with_supply(rail("supply", volts(Duration::from_secs(1)))), &bench).await.expect("it opens");
        let error = open.set(Level::On).await.expect_err("the output takes a minute");
        assert_eq!(error.fault(), RigFault::EdgeNotSensed);
        insta::assert_snapshot!(error, @"grid: not sensed up within 1s: 0.1 V, threshold 115 V; check the wiring of switch and sense");
        assert_eq!(open.rails.level("grid"), None);
    });
}

#[test]
fn a_supply_that_refuses_is_quoted_safely() {
    play(async {
        let bench = Rc::new(Bench::default());
        let open = open(&with_supply(rail("supply", volts(Duration::from_secs(1)))), &bench).await.expect("it opens");
        assert_eq!(open.rails.obtained()[0].1["identity"], "Maker,Model,\\u{1b}[31m1,1.0");
        bench.error.replace(Some(format!("-221,\"Settings conflict\u{7}{}\"", "x".repeat(1_000))));
        let error = open.set(Level::On).await.expect_err("it refuses");
        let text = error.to_string();
        assert_eq!(error.fault(), RigFault::Instrument);
        assert!(text.starts_with("supply: refused OUTP ON: -221,"), "{text}");
        assert!(text.len() < 250 && !text.contains('\u{7}'), "{text}");
    });
}

#[test]
fn a_supply_that_does_not_answer_is_found_when_it_is_opened() {
    play(async {
        let bench = Rc::new(Bench::default());
        bench.silent.set(true);
        let opened = open(&with_supply(rail("supply", volts(Duration::from_secs(1)))), &bench).await;
        let error = opened.err().expect("nobody answers");
        assert!(matches!(error, PowerError::NoReply { .. }), "{error}");
    });
}

#[test]
fn a_port_that_was_gone_is_opened_again_once() {
    play(async {
        let bench = Rc::new(Bench::default());
        let open = open(&with_supply(rail("supply", volts(Duration::from_secs(1)))), &bench).await.expect("it opens");
        bench.vanish.set(true);
        let stages = open.set(Level::On).await.expect("it comes back");
        let commands = stages.iter().filter(|(stage, _)| *stage == PowerStage::Commanded).count();
        assert_eq!((commands, bench.opened.get(), bench.on.get()), (1, 2, true));
    });
}

#[test]
fn the_answer_to_an_abandoned_change_is_not_taken_for_the_next_ones() {
    play(async {
        let bench = Rc::new(Bench::default());
        let open = open(&with_supply(rail("supply", volts(Duration::from_secs(1)))), &bench).await.expect("it opens");
        bench.error.replace(Some("-100,\"of the abandoned change\"".into()));
        let abandoned = tokio::time::timeout(Duration::from_micros(500), open.set(Level::On)).await;
        assert!(abandoned.is_err());
        assert_eq!(open.rails.level("grid"), None);
        open.set(Level::Off).await.expect("the old error is not this command's");
    });
}

#[test]
fn a_board_that_reads_back_acknowledges_when_its_contact_has_moved() {
    play(async {
        let bench = Rc::new(Bench::default());
        bench.on.set(true);
        bench.travel.set(Duration::from_millis(10));
        let sense = Sense::None { settle: Duration::from_millis(20) };
        let open = open(&with_board(rail("board", sense)), &bench).await.expect("it opens");
        assert_eq!(open.rails.obtained()[0].1["readback"], "2 channels");
        assert_eq!(open.rails.level("grid"), Some(Level::On));
        let begun = open.clock.now();
        let stages = open.set(Level::Off).await.expect("it switches");
        let (acknowledged, sensed) = (stages[1].1, stages[2].1);
        assert!((begun + 10 * MS..begun + 15 * MS).contains(&acknowledged.hi), "{acknowledged:?}");
        assert_eq!((sensed.lo, sensed.hi, sensed.source), (begun, acknowledged.hi + 20 * MS, Source::Bounded));
    });
}

#[test]
fn a_board_without_readback_acknowledges_nothing_and_the_record_says_so() {
    play(async {
        let bench = Rc::new(Bench::default());
        bench.silent.set(true);
        let sense = Sense::None { settle: Duration::from_millis(20) };
        let open = open(&with_board(rail("board", sense)), &bench).await.expect("it opens");
        assert!(open.rails.obtained()[0].1["readback"].starts_with("none: no answer"));
        assert_eq!(open.rails.level("grid"), None);
        let stages = open.set(Level::Off).await.expect("it is told");
        assert_eq!(stages[1].1.source, Source::Bounded);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(*bench.heard.borrow(), ["[1, 0, 161]"]);
    });
}

#[test]
fn a_channel_that_a_board_does_not_have_is_found_when_it_is_opened() {
    play(async {
        let bench = Rc::new(Bench::default());
        let mut rail = rail("board", Sense::None { settle: Duration::ZERO });
        rail.switch.channel = 3;
        let error = open(&with_board(rail), &bench).await.err().expect("it has two");
        insta::assert_snapshot!(error, @"board: no channel 3; it has 1 to 2; correct the rail's channel in the fixture");
    });
}

#[test]
fn a_coil_is_written_acknowledged_and_read_back() {
    play(async {
        let bench = Rc::new(Bench::default());
        let open = open(&with_coils(17, 1), &bench).await.expect("it opens");
        assert_eq!(open.rails.level("grid"), Some(Level::Off));
        let stages = open.set(Level::On).await.expect("it switches");
        assert!(bench.on.get());
        assert_eq!(stages[1].1.hi - stages[0].1.hi, 8 * MS, "eight bytes of a millisecond each");
        bench.travel.set(Duration::from_secs(1));
        let error = open.set(Level::Off).await.expect_err("the coil does not follow");
        insta::assert_snapshot!(error, @"coils: refused to write a coil: coil 1 reads back unchanged");
    });
}

#[test]
fn a_coil_that_is_not_there_and_a_unit_that_is_not_there_are_told_apart() {
    play(async {
        let bench = Rc::new(Bench::default());
        let error = open(&with_coils(17, 2), &bench).await.err().expect("no such coil");
        insta::assert_snapshot!(error, @"coils: refused to read a coil: exception 2, illegal data address");
        let error = open(&with_coils(3, 1), &bench).await.err().expect("no such unit");
        assert!(matches!(error, PowerError::NoReply { .. }), "{error}");
    });
}

#[test]
fn a_rail_that_is_energised_by_an_open_contact_is_cut_by_closing_it() {
    play(async {
        let bench = Rc::new(Bench::default());
        let sense = Sense::None { settle: Duration::ZERO };
        let inverted = Rail { energised_means: Level::Off, ..rail("board", sense) };
        let open = open(&with_board(inverted), &bench).await.expect("it opens");
        assert_eq!(open.rails.level("grid"), Some(Level::On));
        open.set(Level::Off).await.expect("it switches");
        assert!(bench.on.get());
    });
}

#[test]
fn a_rail_stays_in_each_state_for_its_dwell_time() {
    play(async {
        let bench = Rc::new(Bench::default());
        let sense = Sense::None { settle: Duration::ZERO };
        let slow = Rail { dwell: Duration::from_secs(2), ..rail("board", sense) };
        let open = open(&with_board(slow), &bench).await.expect("it opens");
        let begun = open.clock.now();
        let mut commands = Vec::new();
        for to in [Level::On, Level::Off, Level::Off, Level::On] {
            commands.push((open.set(to).await.expect("it switches")[0].1.lo - begun) / (1_000 * MS));
        }
        assert_eq!(commands, [0, 2, 2, 4]);
    });
}

#[test]
fn a_rail_is_not_cut_more_often_than_its_equipment_bears() {
    play(async {
        let bench = Rc::new(Bench::default());
        bench.on.set(true);
        let sense = Sense::None { settle: Duration::ZERO };
        let limited = Rail { max_cuts_per_minute: 2, ..rail("board", sense) };
        let open = open(&with_board(limited), &bench).await.expect("it opens");
        let begun = open.clock.now();
        let mut cuts = Vec::new();
        for _ in 0..5 {
            cuts.push((open.set(Level::Off).await.expect("it switches")[0].1.lo - begun) / (1_000 * MS));
            open.set(Level::On).await.expect("it switches");
        }
        assert_eq!(cuts, [0, 0, 60, 60, 120]);
    });
}

#[test]
fn the_safe_state_waits_for_no_guard_and_goes_on_after_errors() {
    play(async {
        let bench = Rc::new(Bench::default());
        let sense = || Sense::None { settle: Duration::ZERO };
        let slow = Rail { dwell: Duration::from_secs(3_600), ..rail("board", sense()) };
        let mut fixture = with_board(slow.clone());
        fixture.instruments.insert("supply".into(), Instrument::Scpi(fixture::Stream::Serial(serial("supply"))));
        fixture.rails.insert("aux".into(), rail("supply", sense()));
        let open = open(&fixture, &bench).await.expect("it opens");
        open.set(Level::On).await.expect("it switches");
        bench.on.set(false);
        // From here on neither answers: the board still does what it is told.
        bench.silent.set(true);
        let begun = open.clock.now();
        let safe = open.rails.make_safe().await;
        let failed: Vec<_> = safe.iter().map(|(name, to, result)| (name.as_str(), *to, result.is_err())).collect();
        assert_eq!(failed, [("aux", Level::On, true), ("grid", Level::On, true)]);
        assert!(open.clock.now() - begun <= 6_000 * MS, "both rails together have one deadline");
        assert!(bench.on.get(), "the contact was closed all the same");
        bench.silent.set(false);
        assert!(open.rails.make_safe().await.iter().all(|(_, _, result)| result.is_ok()));
        assert_eq!(open.rails.level("aux"), Some(Level::On));
    });
}

#[test]
fn rails_that_do_not_exist_are_named() {
    play(async {
        let bench = Rc::new(Bench::default());
        let open = open(&with_board(rail("board", Sense::None { settle: Duration::ZERO })), &bench).await;
        let open = open.expect("it opens");
        let error = open.rails.set("gird\n", Level::On, &mut |_, _| ()).await.expect_err("no such rail");
        assert_eq!(error.to_string(), "gird\\n: the fixture has no such rail");
        assert_eq!(open.rails.level("gird"), None);
    });
}
