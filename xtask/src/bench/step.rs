//! The same exchange as a step of a whole rig session: plan and fixture checked, session on its wire thread, journal
//! written on another.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::mpsc;

use rig::event::{Event, Fact};
use rig::fixture::Fixture;
use rig::journal::Recorder;
use rig::plan::{EdgeId, Plan};
use rig::problem::Source;
use rig::session::{self, Session};
use rig_payload::Actor;

use super::block::Block;
use super::{payload, peer};

const REQUEST: EdgeId = EdgeId(0);
const REPLY: EdgeId = EdgeId(1);

/// Plays a session of so many trials, each of one exchange.
pub fn exchanges(port: &Path, count: u16, block: &mut Block) -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let session = Session {
        id: "bench".to_owned(),
        folder: folder.path().join("session"),
        plan: Plan::parse(&Source::new("plan.toml", &plan(count)))
            .map_err(|it| io::Error::other(it.to_string()))?
            .value,
        fixture: Fixture::parse(&Source::new("fixture.toml", &fixture(port)))
            .map_err(|problems| io::Error::other(problems.to_string()))?
            .value,
        fixture_file: "fixture.toml".into(),
        sources: BTreeMap::new(),
        seed: 1,
        command: Vec::new(),
        simulated: false,
        flash: true,
    };
    let journal = Recorder::create(&session.folder).map_err(io::Error::other)?;
    let (records, received) = mpsc::channel();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let mut watch = Watch::default();
    let outcome = std::thread::scope(|scope| {
        // The calling thread plays the session, for it has what the host grants; the recorder is an ordinary thread.
        let seen = &mut *block;
        let writer = scope.spawn(move || journal.run(&received, |event, _, _| watch.note(event, seen)));
        session::run(&session, records, stopped)?;
        writer.join().map_err(|_| io::Error::other("the recorder panicked"))?.map_err(io::Error::other)
    })?;
    let trials = outcome.findings.trials;
    if outcome.error.is_some() || trials.void > 0 || block.whole.len() != usize::from(count) {
        let faults = outcome.findings.rig_faults.iter().map(|fault| fault.detail.as_str()).collect::<Vec<_>>();
        let exchanges = block.whole.len();
        return Err(io::Error::other(format!(
            "{exchanges} exchanges of {count}, {} trials void: {}",
            trials.void,
            faults.join("; ")
        )));
    }
    Ok(())
}

/// Reads the times off the events as they are recorded.
#[derive(Default)]
struct Watch {
    began: u64,
    sent: u64,
}

impl Watch {
    fn note(&mut self, event: &Event, block: &mut Block) {
        match &event.fact {
            Fact::TrialStarted => self.began = event.at,
            Fact::Delivery(delivery) if delivery.edge == REPLY => {
                if let Some(arrived) = delivery.arrived {
                    block.whole.push(event.at - self.began);
                    block.round_trips.push(arrived.hi.saturating_sub(self.sent));
                }
            }
            // The request's delivery is noted right before its reply's.
            Fact::Delivery(delivery) if delivery.edge == REQUEST => self.sent = delivery.sent.map_or(0, |sent| sent.lo),
            _ => {}
        }
    }
}

fn plan(trials: u16) -> String {
    let (dac, storage) = (Actor::DacSub.name(), Actor::Storage.name());
    let (request, reply) = (payload::REQUEST.name(), payload::REPLY.name());
    format!(
        r#"
version = 1
name = "bench"
title = "One exchange"
trials = {trials}
patience = "1s"
settle = "0s"
give-up-after = 2
[decision]
rule = "fixed"
confidence = "95%"
family-wise = false
void-cap = "5%"
[[row]]
id = "B1"
phase = "bench"
from = ["{dac}"]
to = ["{storage}"]
payload = "{request}"
latency = "1s"
reliability = "90%"
size = 25
[[row]]
id = "B2"
phase = "bench"
from = ["{storage}"]
to = ["{dac}"]
payload = "{reply}"
latency = "1s"
reliability = "90%"
size = 50
[[step]]
exchange = ["B1", "B2"]
"#
    )
}

fn fixture(port: &Path) -> String {
    let (port, baud) = (port.display(), peer::BAUD);
    let storage = Actor::Storage.name();
    let others = Actor::ALL.into_iter().filter(|actor| *actor != Actor::Storage);
    let emulated: Vec<_> = others.map(|actor| format!("\"{}\" = \"emulated\"", actor.name())).collect();
    let emulated = emulated.join("\n");
    format!(
        r#"
version = 1
name = "bench"
title = "One tty"
# The bench measures itself; a processor that other programs take for a moment is in its figures.
stall-limit = "10s"
[actors]
"{storage}" = {{ device = "storage" }}
{emulated}
[device.storage]
link = {{ port = "{port}", baud = {baud} }}
boot = "1s"
detection = "1s"
enter-service = "0s"
stamp-drift-ppm = 100.0
"#
    )
}
