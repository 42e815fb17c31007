//! A bus that somebody floods while rig plays: every frame is accounted for, taken or lost, and what is lost fails no
//! device.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rig::event::{Fact, RigFault};
use rig::stamp::Clock;

use crate::lab::{Ended, Lab};
use crate::node;
use crate::peer::{HANGS, Peer, without};

/// What cangen floods with, and how often: frames of other nodes, with every identifier of 29 bits and frames of every
/// kind. Random ones of 11 bits would be the device's now and then.
const FLOOD: [(&[&str], u32); 3] =
    [(&["-e"], 40_000), (&["-m", "-I", "42A"], 40_000), (&["-I", "7A5", "-D", "i", "-L", "8"], 20_000)];

fn flood(options: &[&str], count: u32) {
    Peer::run("cangen", &[options, &["-g", "0", "-n", &count.to_string(), "vcan0"]].concat(), "");
}

/// How many frames were sent on the bus by whomever, as the kernel counts.
fn sent() -> u64 {
    let count = fs::read_to_string("/sys/class/net/vcan0/statistics/tx_packets").expect("the bus is there");
    count.trim().parse().expect("a count")
}

/// What a session's record says of the bus.
#[derive(Debug, Default)]
struct Account {
    frames: u64,
    lost: u64,
    /// Trials in which frames were lost, and trials that are void.
    touched: BTreeSet<u32>,
    void: BTreeSet<u32>,
    overruns: usize,
}

impl Account {
    fn of(ended: &Ended) -> Self {
        let mut account = Self::default();
        for event in ended.events() {
            match event.fact {
                Fact::BusLoad { frames, lost, .. } => {
                    account.frames += frames;
                    account.lost += lost;
                    account.touched.extend(event.trial.filter(|_| lost > 0));
                }
                Fact::TrialEnded { void: true } => account.void.extend(event.trial),
                Fact::RigFault { fault: RigFault::Overrun, .. } => account.overruns += 1,
                _ => {}
            }
        }
        account
    }

    /// Nothing is unexplained, and no device is charged with it.
    fn assert_whole(&self, ended: &Ended, sent: u64) {
        assert_eq!(self.frames + self.lost, sent, "{self:?}");
        assert_eq!(self.frames, ended.file("trace.candump").lines().count() as u64);
        // The trial that an interruption breaks off is neither void nor counted.
        let ended_trials: BTreeSet<_> = ended
            .events()
            .iter()
            .filter(|event| matches!(event.fact, Fact::TrialEnded { .. }))
            .filter_map(|event| event.trial)
            .collect();
        for trial in self.touched.intersection(&ended_trials) {
            assert!(self.void.contains(trial), "trial {trial} lost frames and counts: {self:?}");
        }
        assert_eq!(self.overruns > 0, self.lost > 0, "{self:?}");
        let findings = ended.findings();
        assert_eq!(findings.buses["storage"].lost, self.lost);
        for claim in findings.edges.iter().chain(&findings.sub_totals) {
            assert_eq!(claim.counts.on_time, u64::from(findings.trials.counted), "{}: {}", claim.label, ended.out);
        }
    }
}

#[test]
fn a_hundred_thousand_frames_of_other_nodes_are_all_accounted_for() {
    let before = sent();
    let lab = Lab::on("dispatch", "vcan").trials(600);
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":2"#);
    for (options, count) in FLOOD {
        flood(options, count);
    }
    let flooded = sent() - before;
    assert!(flooded >= 100_000, "{flooded}");
    let events = fs::read_to_string(lab.session().join("events.jsonl")).expect("events");
    let begun = events.matches("trial-started").count();
    running.until_event(&format!(r#""trial":{}"#, begun + 1));
    running.signal(Signal::SIGINT);
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}{}", ended.out, ended.err);
    let account = Account::of(&ended);
    account.assert_whole(&ended, sent() - before);
}

/// Nobody but root may have a buffer that holds so much: rig stands still while more comes than it has room for.
#[test]
fn an_overrun_is_counted_and_shown_and_voids_its_trial() {
    let before = sent();
    let lab = Lab::on("dispatch", "vcan").trials(20);
    let mut running = lab.start(without("net_admin", &lab.command(&[])));
    running.until_event(r#""trial":2"#);
    running.signal(Signal::SIGSTOP);
    flood(&["-e"], 20_000);
    running.signal(Signal::SIGCONT);
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    let account = Account::of(&ended);
    assert!(account.lost > 10_000 && !account.touched.is_empty(), "{account:?}");
    account.assert_whole(&ended, sent() - before);
    let fault = "frames or more were lost between the bus and rig";
    let said = ended.said();
    assert!(said.contains(fault) && said.contains(" lost by rig"), "{said}");
    assert!(ended.file("report.html").contains("frames or more were lost"));
}

#[test]
fn losses_are_told_although_no_frame_comes_after_them() {
    node::in_real_time(async || {
        let (bus, told) = node::open("vcan0", true, Clock::start()).await;
        let before = sent();
        // More than the largest buffer holds, and nobody listens meanwhile: the first are kept, the others lost.
        flood(&["-e"], 60_000);
        let sent = sent() - before;
        let count = || {
            let (frames, lost): (u64, u32) = (told.frames.borrow().len() as u64, told.lost.borrow().iter().sum());
            (frames, u64::from(lost))
        };
        let begun = Instant::now();
        while count().0 + count().1 < sent {
            assert!(begun.elapsed() < HANGS, "{:?} of {sent}", count());
            tokio::time::sleep(Duration::from_millis(10)).await;
            bus.look(&*told).await;
        }
        let (frames, lost) = count();
        assert!(frames + lost == sent && lost > 0, "{frames} and {lost} of {sent}");
    });
}
