//! A program of a lab that has ended, and what its session left.

use std::path::PathBuf;
use std::rc::Rc;

use rig::event::{Delivery, Event, Fact};
use rig::verdict::{Findings, Tally};
use tempfile::TempDir;

use super::read;

/// A program that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it said on standard output.
    pub out: String,
    /// What it said on standard error.
    pub err: String,
    pub(super) session: PathBuf,
    /// The lab's folder is there for as long as anyone may read in it.
    pub(super) _folder: Rc<TempDir>,
}

impl Ended {
    /// What it said on standard output, as one line: a terminal's width decides where lines end.
    pub fn said(&self) -> String {
        self.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A file of the session.
    pub fn file(&self, name: &str) -> String {
        read(&self.session.join(name))
    }

    /// The events of the session.
    pub fn facts(&self) -> Vec<Fact> {
        self.events().into_iter().map(|event| event.fact).collect()
    }

    /// The events of the session, with their times: all of them, or the test fails.
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let reading = rig::journal::read(&self.session, |event| events.push(event));
        let reading = reading.unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err));
        assert!(!reading.torn, "the record breaks off: {}{}", self.out, self.err);
        events
    }

    /// What the session shows.
    pub fn findings(&self) -> Findings {
        let events = self.events();
        let Some(Event { fact: Fact::Started(start), .. }) = events.first() else { panic!("no start: {events:?}") };
        let mut tally = Tally::new((**start).clone());
        for event in &events {
            tally.note(event);
        }
        tally.findings()
    }

    /// The session ended before its first trial, by the rig's fault: the bus of storage, with this message.
    pub fn assert_bus_refused(&self, said: &str) {
        assert_eq!(self.code, Some(3), "{}{}", self.out, self.err);
        let fault = format!("the rig's fault: bus storage: {said}");
        assert!(self.said().contains(&fault), "{fault}\n{}", self.out);
        assert!(!self.facts().contains(&Fact::TrialStarted));
    }

    /// So many trials count, every delivery of theirs was in time, and nothing else was seen.
    pub fn assert_all_in_time(&self, trials: u32) {
        let findings = self.findings();
        assert_eq!(findings.trials.counted, trials, "{}", self.out);
        for claim in findings.edges.iter().chain(&findings.sub_totals) {
            assert_eq!(claim.counts.on_time, u64::from(trials), "{}: {}", claim.label, self.out);
        }
        assert!(findings.misbehaviours.is_empty(), "{:?}", findings.misbehaviours);
        assert!(findings.strays.is_empty(), "{:?}", findings.strays);
    }

    /// Deliveries on the edges that an actor plays a part in, each with its edge's label.
    pub fn deliveries_of(&self, actor: &str) -> Vec<(String, Delivery)> {
        let facts = self.facts();
        let Some(Fact::Started(start)) = facts.first() else { panic!("no start: {facts:?}") };
        let plan = &start.plan;
        let of = |fact: &Fact| match fact {
            Fact::Delivery(delivery) => Some(delivery.clone()),
            _ => None,
        };
        let plays = |delivery: &Delivery| {
            let edge = plan.edge(delivery.edge);
            edge.from == actor || edge.to == actor
        };
        facts.iter().filter_map(of).filter(plays).map(|delivery| (plan.label(delivery.edge), delivery)).collect()
    }

    /// The session's summary.
    pub fn summary(&self) -> serde_json::Value {
        serde_json::from_str(&self.file("summary.json")).expect("summary.json is JSON")
    }

    /// Labels of the claims with this verdict, sorted.
    pub fn claims(&self, verdict: &str) -> Vec<String> {
        let summary = self.summary();
        let of = |key: &str| summary[key].as_array().expect("claims").clone();
        let claims = of("edges").into_iter().chain(of("sub_totals"));
        let mut labels: Vec<_> = claims
            .filter(|claim| claim["verdict"] == verdict)
            .map(|claim| claim["label"].as_str().expect("a label").to_owned())
            .collect();
        labels.sort();
        labels
    }
}
