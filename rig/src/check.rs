//! Whether a plan can be played on a fixture: the rails it cuts are there, its actors are bound to who can play them,
//! and its payloads are known to the protocol.

use std::time::Duration;

use rig_payload::Kind;

use crate::document::Checked;
use crate::fixture::{Device, Fixture, Player};
use crate::plan::{Action, Cause, EdgeId, Plan, Step};
use crate::problem::{Problem, Problems};
use crate::review::{closest, suggest};

/// Every problem of a plan on a fixture.
#[must_use]
pub fn together(plan: &Checked<Plan>, fixture: &Checked<Fixture>) -> Problems {
    let mut pair = Pair { plan, fixture, found: Vec::new() };
    pair.actors();
    pair.payloads();
    pair.sub_totals();
    pair.steps(&plan.value.steps);
    Problems::from(pair.found)
}

struct Pair<'a> {
    plan: &'a Checked<Plan>,
    fixture: &'a Checked<Fixture>,
    found: Vec<Problem>,
}

impl<'a> Pair<'a> {
    /// A problem at a part of the plan.
    fn of_plan(&mut self, part: &str, message: &str, help: &str) {
        self.found.push(self.plan.problem(part, message, help));
    }

    /// A problem at a part of the fixture.
    fn of_fixture(&mut self, part: &str, message: &str, help: &str) {
        self.found.push(self.fixture.problem(part, message, help));
    }

    fn fixture_name(&self) -> &'a str {
        &self.fixture.source.name
    }

    fn player(&self, actor: &str) -> Option<&'a Player> {
        self.fixture.value.actors.get(actor)
    }

    /// The device that plays an actor.
    fn device(&self, actor: &str) -> Option<(&'a str, &'a Device)> {
        match self.player(actor)? {
            Player::Device(name) => {
                self.fixture.value.devices.get_key_value(name).map(|(name, device)| (&**name, device))
            }
            _ => None,
        }
    }

    fn actors(&mut self) {
        let mut actors: Vec<_> = self.plan.value.edges.iter().flat_map(|edge| [&edge.from, &edge.to]).collect();
        actors.sort();
        actors.dedup();
        for actor in actors {
            let place = format!("actor.{actor}");
            if self.player(actor).is_none() {
                let bound = self.fixture.value.actors.keys().map(String::as_str);
                let message = format!("nobody plays {actor} in {}", self.fixture_name());
                let mut help = format!("add \"{actor}\" = \"emulated\" to its [actors]");
                if let Some(close) = closest(actor, bound) {
                    help = format!("did you mean `{close}`? Or {help}");
                }
                self.of_plan(&place, &message, &help);
            }
            if rig_payload::Actor::from_name(actor).is_none() {
                let names = rig_payload::Actor::ALL.into_iter().map(rig_payload::Actor::name);
                let help = suggest(actor, names, "leave it out");
                self.of_plan(&place, &format!("the reference frame has no address for {actor}"), &help);
            }
        }
        for edge in &self.plan.value.edges {
            let of_device = |actor| matches!(self.player(actor), Some(Player::Device(_)));
            if of_device(&edge.from) && of_device(&edge.to) {
                let message =
                    format!("{} and {} are both devices: rig would see nothing of this edge", edge.from, edge.to);
                let row = &self.plan.value.rows[usize::from(edge.row.0)].id;
                self.of_plan(&format!("row.{row}"), &message, "let rig emulate one of them");
            }
        }
    }

    fn payloads(&mut self) {
        for row in &self.plan.value.rows {
            let Some(kind) = Kind::from_name(&row.payload) else {
                let help = suggest(&row.payload, Kind::ALL.into_iter().map(Kind::name), "correct it");
                let message = format!("the reference frame has no payload `{}`", row.payload);
                self.of_plan(&format!("row.{}.payload", row.id), &message, &help);
                continue;
            };
            let (smallest, largest) = kind.sizes();
            if usize::from(row.size.1) < smallest || usize::from(row.size.0) > largest {
                let size =
                    if smallest == largest { smallest.to_string() } else { format!("\"{smallest}..{largest}\"") };
                let help = format!("write size = {size}");
                let message = format!("the reference frame has no payload `{}` of this size", row.payload);
                self.of_plan(&format!("row.{}.size", row.id), &message, &help);
            }
        }
    }

    fn sub_totals(&mut self) {
        for claim in self.plan.value.sub_totals.iter().filter_map(|sub_total| sub_total.claim.as_ref()) {
            self.reply(claim.request, claim.reply);
        }
    }

    /// Checks that a reply is what the reference frame answers the request with.
    fn reply(&mut self, request: EdgeId, reply: EdgeId) {
        let (request, reply) = (self.plan.value.row_of(request), self.plan.value.row_of(reply));
        let (Some(asked), Some(answered)) = (Kind::from_name(&request.payload), Kind::from_name(&reply.payload)) else {
            return;
        };
        if asked.reply() == Some(answered) {
            return;
        }
        let (message, help) = match asked.reply() {
            Some(right) => (
                format!("`{}` is no reply to row `{}`", reply.payload, request.id),
                format!("its reply is `{}`", right.name()),
            ),
            None => (
                format!("row `{}` asks for no reply", request.id),
                "exchange a command and its response; play others with send, expect or forward".to_owned(),
            ),
        };
        self.of_plan(&format!("row.{}.payload", reply.id), &message, &help);
    }

    fn steps(&mut self, steps: &[Step]) {
        let mut sent: Vec<EdgeId> = Vec::new();
        for step in steps {
            match &step.action {
                Action::Send { edges } => {
                    self.sends(edges);
                    sent.extend(edges);
                }
                Action::Expect { edges, cause } if !edges.iter().all(|edge| sent.contains(edge)) => {
                    self.expects(edges, cause);
                }
                Action::Exchange { request, reply } => {
                    self.sends(&[*request]);
                    self.reply(*request, *reply);
                }
                Action::Forward { edges, .. } => self.sends(edges),
                Action::Cut { rail } | Action::Restore { rail } => {
                    self.rail(rail);
                }
                Action::BrownOut { rail, down, .. } => self.dip(rail, *down, "down"),
                Action::Bounce { rail, each, .. } => self.dip(rail, *each, "each"),
                Action::Expect { .. } | Action::Wait => {}
                Action::Parallel(branches) => branches.iter().for_each(|branch| self.steps(branch)),
            }
        }
    }

    /// rig sends only for actors that it plays itself.
    fn sends(&mut self, edges: &[EdgeId]) {
        for edge in edges.iter().take(1) {
            let (row, from) = (self.plan.value.row_of(*edge), &self.plan.value.edge(*edge).from);
            let plays = match self.player(from) {
                Some(Player::Device(device)) => format!("device `{device}` plays it"),
                Some(Player::External(address)) => format!("the program at {address} plays it"),
                Some(Player::Emulated | Player::Database) | None => continue,
            };
            let message = format!("rig cannot send row `{}` for {from}: {plays}", row.id);
            let help = format!("write \"emulated\" here, or let the plan expect = \"{}\"", row.id);
            self.of_fixture(&format!("player.{from}"), &message, &help);
        }
    }

    fn expects(&mut self, edges: &[EdgeId], cause: &Cause) {
        let Some(edge) = edges.first() else { return };
        let (row, from) = (self.plan.value.row_of(*edge), &self.plan.value.edge(*edge).from);
        if matches!(self.player(from), Some(Player::Emulated | Player::Database)) {
            let message = format!("{from} sends row `{}` by itself, but rig plays it", row.id);
            let help = "bind it to a device or an external program, or let the plan send or forward the row";
            self.of_fixture(&format!("player.{from}"), &message, help);
        }
        let (Cause::Rail(rail), Some((name, device))) = (cause, self.device(from)) else { return };
        let senses = [&device.feeder, &device.supply].into_iter().any(|sensed| sensed.as_ref() == Some(rail));
        if self.fixture.value.rails.contains_key(rail) && !senses {
            let message = format!("row `{}` is caused by rail `{rail}`, which device `{name}` does not sense", row.id);
            self.of_fixture(&format!("device.{name}"), &message, &format!("write feeder = \"{rail}\" here"));
        }
    }

    fn rail(&mut self, rail: &str) -> bool {
        let rails = &self.fixture.value.rails;
        let found = rails.contains_key(rail);
        if !found {
            let message = format!("{} has no rail `{rail}`", self.fixture_name());
            let help = suggest(rail, rails.keys().map(String::as_str), &format!("add a [rail.{rail}] table there"));
            self.of_plan(&format!("rail.{rail}"), &message, &help);
        }
        found
    }

    /// A rail that is down, or up, only for a given time must be able to change so fast.
    fn dip(&mut self, rail: &str, time: Duration, key: &str) {
        if !self.rail(rail) {
            return;
        }
        let dwell = self.fixture.value.rails[rail].dwell;
        if time < dwell {
            let (time, dwell) = (humantime::format_duration(time), humantime::format_duration(dwell));
            let message = format!("rail `{rail}` stays {dwell} in a state, not {time}");
            let help =
                format!("write {key} = \"{dwell}\" or more in the plan, or shorten `dwell` in {}", self.fixture_name());
            self.of_plan(&format!("rail.{rail}"), &message, &help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Source;

    const PLAN: &str = r#"
version = 1
name = "p"
title = "t"
trials = 600
patience = "2s"
settle = "20ms"
give-up-after = 20
decision = { rule = "fixed", confidence = "95%", void-cap = "5%" }
row = [
  { id = "A", phase = "a", from = ["Distr. Cust. Storage"], to = ["DAC - sub"], payload = "distr_cust_storage_in-island-mode_alarm", latency = "8s", reliability = "99.5%", size = 50 },
  { id = "B", phase = "a", from = ["DAC - sub"], to = ["Feeder Circuit Breaker"], payload = "circuit-brk_device_status_cmd", latency = "2s", reliability = "99.5%", size = 25 },
  { id = "C", phase = "a", from = ["Feeder Circuit Breaker"], to = ["DAC - sub"], payload = "circuit-brk_status_resp-data", latency = "2s", reliability = "99.5%", size = 50 },
]
step = [
  { brown-out = { rail = "feeder", down = "5ms" } },
  { expect = "A", cause = { rail = "feeder" } },
  { exchange = ["B", "C"] },
]
"#;

    const FIXTURE: &str = include_str!("../../fixtures/virtual.toml");

    fn problems(plan: (&str, &str), fixture: (&str, &str)) -> String {
        assert!(PLAN.contains(plan.0) && FIXTURE.contains(fixture.0), "what is to be replaced is there");
        let plan = Source::new("plan.toml", &PLAN.replace(plan.0, plan.1));
        let fixture = Source::new("fixture.toml", &FIXTURE.replace(fixture.0, fixture.1));
        let plan = Plan::parse(&plan).unwrap_or_else(|problems| panic!("{problems}"));
        let fixture = Fixture::parse(&fixture).unwrap_or_else(|problems| panic!("{problems}"));
        together(&plan, &fixture).to_string()
    }

    const SAME: (&str, &str) = ("", "");

    #[test]
    fn a_plan_fits_a_fixture_that_has_all_it_names() {
        assert_eq!(problems(SAME, SAME), "");
    }

    #[test]
    fn a_rail_that_the_fixture_lacks_is_shown_in_the_plan() {
        insta::assert_snapshot!(problems(("\"feeder\"", "\"fedeer\""), SAME), @"plan.toml:16:26: fixture.toml has no rail `fedeer`; did you mean `feeder`?");
    }

    #[test]
    fn an_actor_that_nobody_plays_is_shown_where_the_plan_names_it() {
        insta::assert_snapshot!(problems(("to = [\"DAC - sub\"], payload = \"distr", "to = [\"DMS\"], payload = \"distr"), ("\"DMS\" = \"emulated\"", "\"DSM\" = \"emulated\"")), @r#"plan.toml:11:67: nobody plays DMS in fixture.toml; did you mean `DSM`? Or add "DMS" = "emulated" to its [actors]"#);
    }

    #[test]
    fn who_sends_and_who_is_waited_for_must_be_played_by_who_can() {
        insta::assert_snapshot!(problems(SAME, ("\"Distr. Cust. Storage\" = { device = \"storage\" }", "\"Distr. Cust. Storage\" = \"emulated\"")), @"fixture.toml:15:26: Distr. Cust. Storage sends row `A` by itself, but rig plays it; bind it to a device or an external program, or let the plan send or forward the row");
        insta::assert_snapshot!(problems(SAME, ("\"DAC - sub\" = \"emulated\"", "\"DAC - sub\" = { external = \"localhost:4059\" }")), @r#"fixture.toml:17:15: rig cannot send row `B` for DAC - sub: the program at localhost:4059 plays it; write "emulated" here, or let the plan expect = "B""#);
    }

    #[test]
    fn payloads_and_sizes_are_those_of_the_reference_frame() {
        insta::assert_snapshot!(problems(("\"circuit-brk_status_resp-data\"", "\"circuit-brk_status_resp\""), SAME), @"plan.toml:13:93: the reference frame has no payload `circuit-brk_status_resp`; did you mean `circuit-brk_status_resp-data`?");
        insta::assert_snapshot!(problems(("size = 25", "size = 20"), SAME), @"plan.toml:12:172: the reference frame has no payload `circuit-brk_device_status_cmd` of this size; write size = 25");
        insta::assert_snapshot!(problems(("\"circuit-brk_status_resp-data\"", "\"device_boot\""), SAME), @"plan.toml:13:93: `device_boot` is no reply to row `B`; its reply is `circuit-brk_status_resp-data`");
    }

    #[test]
    fn a_dip_shorter_than_the_dwell_is_shown() {
        insta::assert_snapshot!(problems(("\"5ms\"", "\"500us\""), SAME), @r#"plan.toml:16:26: rail `feeder` stays 1ms in a state, not 500us; write down = "1ms" or more in the plan, or shorten `dwell` in fixture.toml"#);
    }

    #[test]
    fn a_cause_that_the_device_does_not_sense_is_shown() {
        insta::assert_snapshot!(problems(("\"feeder\"", "\"meter-supply\""), SAME), @r#"fixture.toml:29:9: row `A` is caused by rail `meter-supply`, which device `storage` does not sense; write feeder = "meter-supply" here"#);
    }
}
