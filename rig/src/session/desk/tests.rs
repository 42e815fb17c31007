//! What the desk says of payloads that come early, late, twice, broken, or for another trial.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};

use rig_payload::{Actor, Body, Header, Kind, State};
use time::OffsetDateTime;

use super::{Desk, Ending, Expected, Landed};
use crate::event::{Event, Fact, Flaw, Size, Stray};
use crate::journal::Record;
use crate::plan::{EdgeId, Plan};
use crate::session::notes::Notes;
use crate::stamp::{Clock, Nanos, Source, Stamp};

struct Bench {
    desk: Desk,
    records: Receiver<Record>,
}

impl Bench {
    fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../testplans/islanded.toml");
        let plan = Plan::load(&path).unwrap_or_else(|problems| panic!("{problems}")).value;
        let (sender, records) = mpsc::channel();
        let desk = Desk::new(&plan, Notes::new(Clock::start(), OffsetDateTime::UNIX_EPOCH, sender));
        Self { desk, records }
    }

    fn edge(&self, header: &Header) -> EdgeId {
        self.desk.edge_of(header).expect("an edge of the plan")
    }

    fn land(&self, header: Header, at: Nanos) {
        let stamp = Stamp::new(at, at, Source::User);
        let size = Size { payload: 50, pdu: 50, wire: 52 };
        let body = Body::from(State::default());
        self.desk.land(
            self.edge(&header),
            &Landed { header, body, size, first: stamp, last: stamp, on_wire: None, made: None, flaw: None },
        );
    }

    async fn wait(&self, header: &Header) -> Ending {
        self.desk.wait(self.edge(header), 1_000).await
    }

    /// The strays so far, each with whether an edge is charged and whether a hop made it.
    fn strays(&self) -> Vec<(Flaw, bool, bool)> {
        let facts = self.records.try_iter().filter_map(|record| match record {
            Record::Event(Event { fact: Fact::Stray(Stray { flaw, edge, by_hop, .. }), .. }) => {
                Some((flaw, edge.is_some(), by_hop))
            }
            _ => None,
        });
        facts.collect()
    }
}

fn alarm(sequence: u16, trips: u16) -> Header {
    let (kind, source, destination) = (Kind::InIslandAlarm, Actor::Storage, Actor::DacSub);
    Header { kind, source, destination, sequence, correlation: trips, stamp: 0 }
}

fn ack(sequence: u16, command: u16) -> Header {
    let (kind, source, destination) = (Kind::CapAck, Actor::Meter, Actor::Lms);
    Header { kind, source, destination, sequence, correlation: command, stamp: 0 }
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_was_there_before_the_cut_is_not_the_cuts() {
    let bench = Bench::new();
    bench.land(alarm(1, 1), 50);
    bench.desk.open(bench.edge(&alarm(1, 1)), Expected::Newer(100));
    assert!(matches!(bench.wait(&alarm(1, 1)).await, Ending::Absent));
    assert_eq!(bench.strays(), [(Flaw::Unsolicited, true, false)]);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_the_last_trial_missed_is_not_charged_to_this_one() {
    let bench = Bench::new();
    let edge = bench.edge(&alarm(1, 1));
    bench.desk.open(edge, Expected::Newer(0));
    assert!(matches!(bench.wait(&alarm(1, 1)).await, Ending::Absent));
    bench.desk.clear();
    bench.land(alarm(1, 1), 1_100);
    bench.desk.open(edge, Expected::Newer(1_200));
    bench.land(alarm(2, 2), 1_300);
    assert!(matches!(bench.wait(&alarm(2, 2)).await, Ending::Landed(landed) if landed.header.correlation == 2));
    assert_eq!(bench.strays(), [(Flaw::OutOfOrder, false, false)]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_all_patience_is_noted_and_delivers_nothing() {
    for expected in [Expected::Newer(0), Expected::Correlation(1), Expected::Sequence(1)] {
        let bench = Bench::new();
        let edge = bench.edge(&alarm(1, 1));
        bench.desk.open(edge, expected);
        assert!(matches!(bench.wait(&alarm(1, 1)).await, Ending::Absent));
        bench.land(alarm(1, 1), 1_100);
        assert!(bench.desk.delivered(edge).is_none(), "{expected:?}");
        assert_eq!(bench.strays(), [(Flaw::OutOfOrder, false, false)], "{expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hops_copy_of_the_last_trials_alarm_is_charged_to_no_trial() {
    let bench = Bench::new();
    let edge = bench.edge(&alarm(1, 1));
    bench.desk.open(edge, Expected::Newer(0));
    bench.desk.expect_copies(edge, &alarm(1, 1), 1);
    bench.land(alarm(1, 1), 10);
    bench.desk.clear();
    bench.desk.open(edge, Expected::Newer(0));
    bench.land(alarm(1, 1), 20);
    bench.land(alarm(2, 2), 30);
    assert!(matches!(bench.wait(&alarm(2, 2)).await, Ending::Landed(_)));
    assert_eq!(bench.strays(), [(Flaw::OutOfOrder, false, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_lost_its_counts_may_begin_anew_even_before_the_edge_is_open() {
    let bench = Bench::new();
    let edge = bench.edge(&alarm(1, 1));
    bench.desk.open(edge, Expected::Newer(0));
    bench.land(alarm(1, 1), 10);
    bench.desk.clear();
    bench.desk.forget(Actor::Storage);
    bench.land(alarm(1, 1), 30);
    bench.desk.open(edge, Expected::Newer(20));
    assert!(matches!(bench.wait(&alarm(1, 1)).await, Ending::Landed(_)));
    assert_eq!(bench.strays(), []);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_count_spoils_its_own_trial_only() {
    let bench = Bench::new();
    let edge = bench.edge(&alarm(1, 1));
    let mut whole = Vec::new();
    for (sequence, trips) in [(1, 1), (2, 0x9000), (3, 3), (4, 4)] {
        bench.desk.open(edge, Expected::Newer(0));
        bench.land(alarm(sequence, trips), 10);
        whole.push(matches!(bench.wait(&alarm(1, 1)).await, Ending::Landed(_)));
        bench.desk.clear();
    }
    assert_eq!(whole, [true, false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_copy_of_the_command_is_the_hops_doing() {
    let bench = Bench::new();
    let command = Header { kind: Kind::CapCmd, source: Actor::Lms, destination: Actor::Meter, ..ack(7, 0) };
    bench.desk.expect_answers(&command, 1);
    let edge = bench.edge(&ack(1, 7));
    bench.land(ack(1, 7), 10);
    bench.land(ack(2, 7), 11);
    bench.desk.open(edge, Expected::Correlation(7));
    bench.land(ack(3, 7), 12);
    assert!(matches!(bench.wait(&ack(1, 7)).await, Ending::Landed(_)));
    assert_eq!(bench.strays(), [(Flaw::Duplicate, true, true), (Flaw::Unsolicited, true, false)]);
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_loses_something_else_has_not_lost_the_awaited_payload() {
    let bench = Bench::new();
    let edge = bench.edge(&ack(1, 7));
    bench.desk.open(edge, Expected::Correlation(7));
    bench.desk.lose(edge, ack(1, 6), "a hop".to_owned());
    bench.land(ack(2, 7), 10);
    assert!(matches!(bench.wait(&ack(2, 7)).await, Ending::Landed(_)));
    bench.desk.clear();
    bench.desk.lose(edge, ack(3, 8), "a hop".to_owned());
    bench.desk.open(edge, Expected::Correlation(8));
    assert!(matches!(bench.wait(&ack(3, 8)).await, Ending::LostInHop(hop) if hop == "a hop"));
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_claims_a_payload_which_comes_whole_explains_a_siblings_absence() {
    let bench = Bench::new();
    let sibling = Header { destination: Actor::ScadaFep, ..alarm(2, 1) };
    for header in [alarm(1, 1), sibling] {
        bench.desk.open(bench.edge(&header), Expected::Newer(0));
    }
    // A flipped bit in the destination: what was the sibling's claims to be the other's.
    bench.desk.land_broken(Actor::Storage, Flaw::Corrupt, Some(alarm(2, 1)));
    bench.land(alarm(1, 1), 10);
    assert!(matches!(bench.wait(&alarm(1, 1)).await, Ending::Landed(_)));
    assert!(matches!(bench.wait(&sibling).await, Ending::Broken(Flaw::Corrupt)));
    assert_eq!(bench.strays(), [], "no edge is charged with what it did not send");
}
