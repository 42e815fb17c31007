//! What a person sees of the main bad inputs.

use rig::fixture::Fixture;
use rig::plan::Plan;
use rig::problem::Source;

use super::*;

const PLAN: &str = include_str!("../../../../testplans/dispatch.toml");
const FIXTURE: &str = include_str!("../../../../fixtures/virtual.toml");

fn drawn(problems: &Problems) -> String {
    draw_with(problems, GraphicalTheme::unicode_nocolor())
}

/// The problems of the dispatch plan with some of its text replaced.
fn plan(replaced: &[(&str, &str)]) -> String {
    let text = replace(PLAN, replaced);
    Plan::parse(&Source::new("plan.toml", &text)).map_or_else(|problems| drawn(&problems), |_| String::new())
}

/// The problems of the virtual fixture with some of its text replaced.
fn fixture(replaced: &[(&str, &str)]) -> String {
    let text = replace(FIXTURE, replaced);
    Fixture::parse(&Source::new("fixture.toml", &text)).map_or_else(|problems| drawn(&problems), |_| String::new())
}

fn replace(text: &str, replaced: &[(&str, &str)]) -> String {
    replaced.iter().fold(text.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

#[test]
fn several_problems_come_at_once() {
    insta::assert_snapshot!(plan(&[
        ("trials = 600", "trails = 600"),
        ("latency = \"2s\"", "latency = 2"),
        ("settle = \"10ms\"", "settle = \"10\""),
        ("reliability = \"99.5%\"", "reliability = \"100%\""),
        ("exchange = [\"D3\", \"D4\"]", "exchange = [\"D3\", \"D44\"]"),
    ]), @r#"
 × there is no key `trails` here
   ╭─[plan.toml:13:1]
12 │ # 598 trials without a failure show more than 99.5 % at 95 % confidence, 597 do not; two more cost nothing.
13 │ trails = 600
   · ──────
14 │ # A payload that is late is told from one that is lost by waiting this much longer than its limit.
   ╰────
 help: did you mean `trials`?

 × `10` is no duration
   ╭─[plan.toml:17:10]
16 │ # Duplicates and payloads that nothing asked for come right after the others, if they come.
17 │ settle = "10"
   ·          ────
18 │ # A device that answers nothing would otherwise take 600 times the limits.
   ╰────
 help: write a number and a unit such as "8s", "20ms" or "1m 30s"

 × wrong type: integer `2`
   ╭─[plan.toml:34:11]
33 │ payload = "circuit-brk_device_status_cmd"
34 │ latency = 2
   ·           ─
35 │ reliability = "100%"
   ╰────
 help: write a duration such as "8s" or "20ms"

 × no count of trials shows more than 100 %
   ╭─[plan.toml:35:15]
34 │ latency = 2
35 │ reliability = "100%"
   ·               ──────
36 │ size = 25
   ╰────
 help: it must be exceeded: write less than "100%", such as reliability = "99.5%"

 × there is no row `D44`
    ╭─[plan.toml:174:19]
173 │ [[step]]
174 │ exchange = ["D3", "D44"]
    ·                   ─────
175 │ 
    ╰────
 help: did you mean `D4`?
"#);
}

#[test]
fn a_row_without_edge_and_a_row_that_nobody_plays() {
    insta::assert_snapshot!(plan(&[
        ("from = [\"DAC - sub\"]", "from = []"),
        ("exchange = [\"D8\", \"D9\"]", "wait = \"1ms\""),
    ]), @r#"
 × row `D1` has no edge
   ╭─[plan.toml:31:8]
30 │ phase = "breaker-status"
31 │ from = []
   ·        ──
32 │ to = ["Feeder Circuit Breaker"]
   ╰────
 help: name an actor: from = ["DAC - sub"]

 × no step plays row `D8`
    ╭─[plan.toml:99:6]
 98 │ [[row]]
 99 │ id = "D8"
    ·      ────
100 │ phase = "charge"
    ╰────
 help: add a [[step]] with send, expect, exchange or forward for it, or leave the row out

 × no step plays row `D9`
    ╭─[plan.toml:109:6]
108 │ [[row]]
109 │ id = "D9"
    ·      ────
110 │ phase = "charge"
    ╰────
 help: add a [[step]] with send, expect, exchange or forward for it, or leave the row out
"#);
}

#[test]
fn steps_that_cannot_be_played() {
    insta::assert_snapshot!(plan(&[
        ("received = \"D4\"", "received = \"D7\""),
        ("restore = \"storage-supply\"", "restore = \"storage-suply\""),
        ("exchange = [\"D6\", \"D7\"]", "exchange = [\"D6\", \"D7\"]\ncause = { rail = \"feeder\" }"),
    ]), @r#"
 × rail `storage-supply` is still down at the end of the trial
    ╭─[plan.toml:167:7]
166 │ [[step]]
167 │ cut = "storage-supply"
    ·       ────────────────
168 │ 
    ╰────
 help: add a later step `restore = "storage-supply"`: every trial starts as the one before

 × rail `storage-suply` is not cut before this step
    ╭─[plan.toml:171:11]
170 │ after = "1ms..4ms"
171 │ restore = "storage-suply"
    ·           ───────────────
172 │ 
    ╰────
 help: cut it in an earlier step, or leave this one out

 × row `D7` has not arrived at DAC - sub before this step
    ╭─[plan.toml:179:12]
178 │ forward = "D5"
179 │ received = "D7"
    ·            ────
180 │ 
    ╰────
 help: move this step after the one that waits for it

 × `cause` belongs to an `expect`
    ╭─[plan.toml:185:9]
184 │ exchange = ["D6", "D7"]
185 │ cause = { rail = "feeder" }
    ·         ───────────────────
186 │ 
    ╰────
 help: leave it out of this step
"#);
}

#[test]
fn control_characters_and_broken_toml() {
    insta::assert_snapshot!(plan(&[("id = \"D1\"", "id = \"D\\u001b[31m1\"")]), @r#"
 × a name with a control character
   ╭─[plan.toml:29:6]
28 │ [[row]]
29 │ id = "D\u001b[31m1"
   ·      ──────────────
30 │ phase = "breaker-status"
   ╰────
 help: leave out tabs, line ends and escapes
"#);
    insta::assert_snapshot!(plan(&[("id = \"D1\"", "id = \"D\u{1b}[31m1")]), @r#"
 × invalid basic string, expected non-double-quote visible characters, `\`
   ╭─[plan.toml:29:8]
28 │ [[row]]
29 │ id = "D?[31m1
   ·        ─
30 │ phase = "breaker-status"
   ╰────
 help: this is not TOML; see https://toml.io for how it is written

 × invalid basic string, expected `"`
   ╭─[plan.toml:29:14]
28 │ [[row]]
29 │ id = "D?[31m1
   ·              ▲
30 │ phase = "breaker-status"
   ╰────
 help: this is not TOML; see https://toml.io for how it is written
"#);
}

#[test]
fn sub_totals_that_are_no_sums() {
    insta::assert_snapshot!(plan(&[("size = 75", "size = 70"), ("reply = \"D4\"", "reply = \"D7\"")]), @r#"
 × not the sum of request and reply
    ╭─[plan.toml:125:8]
124 │ reliability = "99%"
125 │ size = 70
    ·        ──
126 │ 
    ╰────
 help: write size = 75

 × not the sum of request and reply
    ╭─[plan.toml:134:8]
133 │ reliability = "99%"
134 │ size = 75
    ·        ──
135 │ 
    ╰────
 help: write size = 50
"#);
}

#[test]
fn a_fixture_with_impossible_settings() {
    insta::assert_snapshot!(fixture(&[
        ("port = \"bench:storage\", baud = 115200", "port = \"bench:storage\", baud = 0"),
        ("port = \"bench:breaker\"", "port = \"bench:storage\""),
        ("\"2-Way Meter - Electr\" = { device = \"meter\" }", "\"2-Way Meter - Electr\" = { device = \"metre\" }"),
        ("\"DMS\" = \"emulated\"", "\"DMS\" = \"simulated\""),
        ("channel = 3 }", "channel = 2 }"),
        ("delay = \"1ms\"", "delay = 1"),
    ]), @r#"
 × the twin `storage` behaves as Distr. Cust. Storage
   ╭─[fixture.toml:14:28]
13 │ [actors]
14 │ "Feeder Circuit Breaker" = { device = "breaker" }
   ·                            ──────────────────────
15 │ "Distr. Cust. Storage" = { device = "storage" }
   ╰────
 help: bind the device to that actor

 × there is no device `metre`
   ╭─[fixture.toml:16:26]
15 │ "Distr. Cust. Storage" = { device = "storage" }
16 │ "2-Way Meter - Electr" = { device = "metre" }
   ·                          ────────────────────
17 │ "DAC - sub" = "emulated"
   ╰────
 help: did you mean `meter`?

 × wrong value: string "simulated"
   ╭─[fixture.toml:20:9]
19 │ "Distr. SCADA FEP" = "emulated"
20 │ "DMS" = "simulated"
   ·         ───────────
21 │ "OMS" = "emulated"
   ╰────
 help: write "emulated", "database", { device = "NAME" } or { external = "host:port" }

 × 0 is no possible baud rate
   ╭─[fixture.toml:31:41]
30 │ identity = { make = "rig", model = "storage twin" }
31 │ link = { port = "bench:storage", baud = 0 }
   ·                                         ─
32 │ feeder = "feeder"
   ╰────
 help: write a number from 50 to 12000000

 × this contact switches rail `breaker-supply` already
   ╭─[fixture.toml:94:10]
93 │ [rail.meter-supply]
94 │ switch = { instrument = "relays", channel = 2 }
   ·          ──────────────────────────────────────
95 │ sense = { driver = "none", settle = "5ms" }
   ╰────
 help: name another channel

 × on the bench this contact switches rail `breaker-supply`
   ╭─[fixture.toml:94:10]
93 │ [rail.meter-supply]
94 │ switch = { instrument = "relays", channel = 2 }
   ·          ──────────────────────────────────────
95 │ sense = { driver = "none", settle = "5ms" }
   ╰────
 help: name `meter-supply` there in the [bench] table, or another channel here

 × wrong type: integer `1`
    ╭─[fixture.toml:103:9]
102 │ [hop."FAN gateway - field"]
103 │ delay = 1
    ·         ─
104 │ 
    ╰────
 help: write "3ms", "1ms..5ms", { mean = "3ms", deviation = "1ms" } or { floor = "1ms", mean =
       "2ms" }
"#);
}

#[test]
fn a_bench_that_is_wired_otherwise() {
    insta::assert_snapshot!(fixture(&[
        ("link = { port = \"bench:meter\", baud = 115200 }", "link = { port = \"bench:metre\", baud = 115200 }"),
        ("rails = [\"storage-supply\", \"breaker-supply\", \"meter-supply\"]", "rails = [\"breaker-supply\", \"storage-supply\"]"),
        ("role = \"meter\"", "role = \"metre\""),
        ("ride-through = \"40ms\"", "ride-through = \"30\""),
    ]), @r#"
 × there is no bench.twin `metre`
   ╭─[fixture.toml:54:17]
53 │ identity = { make = "rig", model = "meter twin" }
54 │ link = { port = "bench:metre", baud = 115200 }
   ·                 ─────────────
55 │ supply = "meter-supply"
   ╰────
 help: write one of: breaker, storage

 × on the bench this contact switches rail `breaker-supply`
   ╭─[fixture.toml:80:10]
79 │ [rail.storage-supply]
80 │ switch = { instrument = "relays", channel = 1 }
   ·          ──────────────────────────────────────
81 │ sense = { driver = "none", settle = "5ms" }
   ╰────
 help: name `storage-supply` there in the [bench] table, or another channel here

 × on the bench this contact switches rail `storage-supply`
   ╭─[fixture.toml:87:10]
86 │ [rail.breaker-supply]
87 │ switch = { instrument = "relays", channel = 2 }
   ·          ──────────────────────────────────────
88 │ sense = { driver = "none", settle = "5ms" }
   ╰────
 help: name `breaker-supply` there in the [bench] table, or another channel here

 × on the bench nothing is wired to this contact
   ╭─[fixture.toml:94:10]
93 │ [rail.meter-supply]
94 │ switch = { instrument = "relays", channel = 3 }
   ·          ──────────────────────────────────────
95 │ sense = { driver = "none", settle = "5ms" }
   ╰────
 help: name `meter-supply` there in the [bench] table, or another channel here

 × time unit needed, for example 30sec or 30ms
    ╭─[fixture.toml:189:16]
188 │ # Longer than the dip that dispatch.toml makes, however late this machine ends it.
189 │ ride-through = "30"
    ·                ────
190 │ enter-service = "20ms"
    ╰────
 help: write it as "30ms" or "5s"

 × `metre` is not known here
    ╭─[fixture.toml:201:8]
200 │ [bench.twin.meter]
201 │ role = "metre"
    ·        ───────
202 │ baud = 115200
    ╰────
 help: did you mean `meter`?
"#);
}

#[test]
fn one_endless_line_does_not_fill_the_screen() {
    let text = format!("version = 1\nname = \"{}\"\n", "x".repeat(100_000));
    let problems = Plan::parse(&Source::new("plan.toml", &text)).expect_err("a name that long");
    assert!(drawn(&problems).len() < 20_000);
}
