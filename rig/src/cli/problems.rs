//! Draws the problems of a file: name, line, caret, and what to do.

use std::fmt;
use std::io::IsTerminal as _;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use rig::problem::{Problem, Problems, is_bidirectional};

/// So many are drawn; the rest is counted.
const MOST: usize = 50;

/// A line longer than this many bytes is not drawn.
const LONGEST_LINE: usize = 500;

const WIDTH: usize = 100;

/// The problems as text, in colour where standard error is a terminal and `NO_COLOR` is not set.
pub fn draw(problems: &Problems) -> String {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    draw_with(problems, if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() })
}

/// The problems as text.
pub fn draw_with(problems: &Problems, theme: GraphicalTheme) -> String {
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_context_lines(0).with_links(false);
    let mut text = String::new();
    for problem in problems.iter().take(MOST) {
        let drawing = Drawing::of(problem);
        let start = text.len();
        if drawing.source.is_none() || handler.render_report(&mut text, &drawing).is_err() {
            text.truncate(start);
            text.push_str(&format!("{problem}\n"));
        }
        text.push('\n');
    }
    if problems.len() > MOST {
        text.push_str(&format!("and {} more problems\n\n", problems.len() - MOST));
    }
    text
}

/// A problem as miette draws it.
#[derive(Debug)]
struct Drawing<'a> {
    problem: &'a Problem,
    /// None where there is no place to show, or its line would fill the screen.
    source: Option<NamedSource<String>>,
}

impl<'a> Drawing<'a> {
    fn of(problem: &'a Problem) -> Self {
        let text = &problem.source.text;
        let fits = problem.span.as_ref().is_some_and(|span| {
            let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
            let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline);
            end - start <= LONGEST_LINE
        });
        let source = fits.then(|| NamedSource::new(&*problem.source.name, harmless(text)));
        Self { problem, source }
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(&self.problem.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, span))))
    }
}

/// A text of the same length in bytes that steers no terminal and turns no text around.
fn harmless(text: &str) -> String {
    let stand_in = |character: char| match character {
        '\n' | '\t' => character,
        _ if !character.is_control() && !is_bidirectional(character) => character,
        _ => match character.len_utf8() {
            1 => '?',
            2 => '¿',
            _ => '\u{fffd}',
        },
    };
    text.chars().map(stand_in).collect()
}

#[cfg(test)]
mod tests {
    use rig::fixture::Fixture;
    use rig::plan::Plan;
    use rig::problem::Source;

    use super::*;

    const PLAN: &str = include_str!("../../../testplans/dispatch.toml");
    const FIXTURE: &str = include_str!("../../../fixtures/virtual.toml");

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
 × `trials` is missing here
  ╭─[plan.toml:1:1]
1 │ #
  · ▲
  ╰────
 help: add `trials = 600`

 × there is no key `trails` here
   ╭─[plan.toml:13:1]
13 │ trails
   · ──────
   ╰────
 help: did you mean `trials`?

 × `10` is no duration
   ╭─[plan.toml:17:10]
17 │ "10"
   · ────
   ╰────
 help: write a number and a unit such as "8s", "20ms" or "1m 30s"

 × wrong type: integer `2`
   ╭─[plan.toml:34:11]
34 │ 2
   · ─
   ╰────
 help: write a duration such as "8s" or "20ms"

 × no count of trials shows more than 100 %
   ╭─[plan.toml:35:15]
35 │ "100%"
   · ──────
   ╰────
 help: it must be exceeded: write less than "100%", such as reliability = "99.5%"

 × no step plays row `D4`
   ╭─[plan.toml:59:6]
59 │ "D4"
   · ────
   ╰────
 help: add a [[step]] with send, expect, exchange or forward for it, or leave the row out

 × there is no row `D44`
    ╭─[plan.toml:174:19]
174 │ "D44"
    · ─────
    ╰────
 help: did you mean `D4`?

 × row `D4` has not arrived at DAC - sub before this step
    ╭─[plan.toml:179:12]
179 │ "D4"
    · ────
    ╰────
 help: move this step after the one that waits for it
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
31 │ []
   · ──
   ╰────
 help: name an actor: from = ["DAC - sub"]

 × no step plays row `D8`
   ╭─[plan.toml:99:6]
99 │ "D8"
   · ────
   ╰────
 help: add a [[step]] with send, expect, exchange or forward for it, or leave the row out

 × no step plays row `D9`
    ╭─[plan.toml:109:6]
109 │ "D9"
    · ────
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
167 │ "storage-supply"
    · ────────────────
    ╰────
 help: add a later step `restore = "storage-supply"`: every trial starts as the one before

 × rail `storage-suply` is not cut before this step
    ╭─[plan.toml:171:11]
171 │ "storage-suply"
    · ───────────────
    ╰────
 help: cut it in an earlier step, or leave this one out

 × row `D7` has not arrived at DAC - sub before this step
    ╭─[plan.toml:179:12]
179 │ "D7"
    · ────
    ╰────
 help: move this step after the one that waits for it

 × `cause` belongs to an `expect`
    ╭─[plan.toml:185:9]
185 │ { rail = "feeder" }
    · ───────────────────
    ╰────
 help: leave it out of this step
"#);
    }

    #[test]
    fn control_characters_and_broken_toml() {
        insta::assert_snapshot!(plan(&[("id = \"D1\"", "id = \"D\\u001b[31m1\"")]), @r#"
 × a name with a control character
   ╭─[plan.toml:29:6]
29 │ "D\u001b[31m1"
   · ──────────────
   ╰────
 help: leave out tabs, line ends and escapes

 × there is no row `D1`
    ╭─[plan.toml:121:11]
121 │ "D1"
    · ────
    ╰────
 help: did you mean `D2`?

 × there is no row `D1`
    ╭─[plan.toml:157:13]
157 │ "D1"
    · ────
    ╰────
 help: did you mean `D2`?
"#);
        insta::assert_snapshot!(plan(&[("id = \"D1\"", "id = \"D\u{1b}[31m1")]), @r#"
 × invalid basic string, expected non-double-quote visible characters, `\`
   ╭─[plan.toml:29:8]
29 │ ?
   · ─
   ╰────
 help: this is not TOML; see https://toml.io for how it is written

 × invalid basic string, expected `"`
  ╭─[plan.toml:29:14]
  ╰────
 help: this is not TOML; see https://toml.io for how it is written
"#);
    }

    #[test]
    fn sub_totals_that_are_no_sums() {
        insta::assert_snapshot!(plan(&[("size = 75", "size = 70"), ("reply = \"D4\"", "reply = \"D7\"")]), @r"
 × not the sum of request and reply
    ╭─[plan.toml:125:8]
125 │ 70
    · ──
    ╰────
 help: write size = 75

 × not the sum of request and reply
    ╭─[plan.toml:134:8]
134 │ 75
    · ──
    ╰────
 help: write size = 50
");
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
14 │ { device = "breaker" }
   · ──────────────────────
   ╰────
 help: bind the device to that actor

 × there is no device `metre`
   ╭─[fixture.toml:16:26]
16 │ { device = "metre" }
   · ────────────────────
   ╰────
 help: did you mean `meter`?

 × invalid value: string "simulated"
   ╭─[fixture.toml:20:9]
20 │ "simulated"
   · ───────────
   ╰────
 help: write "emulated", "database", { device = "NAME" } or { external = "host:port" }

 × this port is used by device.breaker already
   ╭─[fixture.toml:31:17]
31 │ "bench:storage"
   · ───────────────
   ╰────
 help: every port has one user; check the path

 × 0 is no possible baud rate
   ╭─[fixture.toml:31:41]
31 │ 0
   · ─
   ╰────
 help: write a number from 50 to 12000000

 × the twin `storage` runs at 115200 baud, this link at 50
   ╭─[fixture.toml:31:41]
31 │ 0
   · ─
   ╰────
 help: write baud = 115200 here, or baud = 50 in [bench.twin.storage]

 × the twin `storage` has another supply
   ╭─[fixture.toml:46:10]
46 │ "breaker-supply"
   · ────────────────
   ╰────
 help: write the same `supply` here and in [bench.twin.storage]

 × the twin `storage` is set to another delay
   ╭─[fixture.toml:49:17]
49 │ "0s"
   · ────
   ╰────
 help: write the same `enter-service` here and in [bench.twin.storage]

 × this contact switches rail `breaker-supply` already
   ╭─[fixture.toml:94:10]
94 │ { instrument = "relays", channel = 2 }
   · ──────────────────────────────────────
   ╰────
 help: name another channel

 × on the bench this contact switches rail `breaker-supply`
   ╭─[fixture.toml:94:10]
94 │ { instrument = "relays", channel = 2 }
   · ──────────────────────────────────────
   ╰────
 help: name `meter-supply` there in the [bench] table, or another channel here

 × wrong type: integer `1`
    ╭─[fixture.toml:103:9]
103 │ 1
    · ─
    ╰────
 help: write "3ms", "1ms..5ms", { mean = "3ms", deviation = "1ms" } or { floor = "1ms", mean =
       "2ms" }

 × there is no hop `FAN gateway - field`
    ╭─[fixture.toml:137:29]
137 │ "FAN gateway - field"
    · ─────────────────────
    ╰────
 help: did you mean `FAN gateway - sub`?

 × there is no hop `FAN gateway - field`
    ╭─[fixture.toml:142:8]
142 │ "FAN gateway - field"
    · ─────────────────────
    ╰────
 help: did you mean `FAN gateway - sub`?

 × there is no hop `FAN gateway - field`
    ╭─[fixture.toml:147:8]
147 │ "FAN gateway - field"
    · ─────────────────────
    ╰────
 help: did you mean `FAN gateway - sub`?

 × there is no hop `FAN gateway - field`
    ╭─[fixture.toml:152:8]
152 │ "FAN gateway - field"
    · ─────────────────────
    ╰────
 help: did you mean `FAN gateway - sub`?
"#);
    }

    #[test]
    fn a_bench_that_is_wired_otherwise() {
        insta::assert_snapshot!(fixture(&[
            ("link = { port = \"bench:meter\", baud = 115200 }", "link = { port = \"bench:metre\", baud = 115200 }"),
            ("rails = [\"storage-supply\", \"breaker-supply\", \"meter-supply\"]", "rails = [\"breaker-supply\", \"storage-supply\"]"),
            ("role = \"meter\"", "role = \"metre\""),
            ("ride-through = \"30ms\"", "ride-through = \"30\""),
        ]), @r#"
 × there is no bench.twin `metre`
   ╭─[fixture.toml:54:17]
54 │ "bench:metre"
   · ─────────────
   ╰────
 help: write one of: breaker, storage

 × on the bench this contact switches rail `breaker-supply`
   ╭─[fixture.toml:80:10]
80 │ { instrument = "relays", channel = 1 }
   · ──────────────────────────────────────
   ╰────
 help: name `storage-supply` there in the [bench] table, or another channel here

 × on the bench this contact switches rail `storage-supply`
   ╭─[fixture.toml:87:10]
87 │ { instrument = "relays", channel = 2 }
   · ──────────────────────────────────────
   ╰────
 help: name `breaker-supply` there in the [bench] table, or another channel here

 × on the bench nothing is wired to this contact
   ╭─[fixture.toml:94:10]
94 │ { instrument = "relays", channel = 3 }
   · ──────────────────────────────────────
   ╰────
 help: name `meter-supply` there in the [bench] table, or another channel here

 × time unit needed, for example 30sec or 30ms
    ╭─[fixture.toml:189:16]
189 │ "30"
    · ────
    ╰────
 help: write it as "30ms" or "5s"

 × `role` is missing here
    ╭─[fixture.toml:200:1]
200 │ [bench.twin.meter]
    · ──────────────────
    ╰────
 help: add it

 × `metre` is not known here
    ╭─[fixture.toml:201:8]
201 │ "metre"
    · ───────
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
}
