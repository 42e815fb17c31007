//! Plans that cannot be played are refused, with what is wrong and where.

use proptest::prelude::*;
use rig::fixture::Fixture;
use rig::plan::{Action, Plan};
use rig::problem::Source;

const HEAD: &str = r#"
version = 1
name = "p"
title = "t"
trials = 600
patience = "2s"
settle = "20ms"
give-up-after = 20
decision = { rule = "fixed", confidence = "95%", void-cap = "5%" }
row = [
  { id = "A", phase = "a", from = ["X"], to = ["Y"], payload = "p", latency = "2s", reliability = "99.5%", size = 25 },
  { id = "B", phase = "a", from = ["Y"], to = ["X"], payload = "p", latency = "2s", reliability = "99.5%", size = 25 },
  { id = "C", phase = "a", from = ["X", "Y"], to = ["Z"], payload = "p", latency = "2s", reliability = "99.5%", size = 25 },
]
"#;

fn parse(steps: &str) -> Result<Plan, String> {
    let text = format!("{HEAD}step = [\n{steps}\n]\n");
    Plan::parse(&Source::new("p", &text)).map(|plan| plan.value).map_err(|problems| problems.to_string())
}

fn problems(steps: &str) -> String {
    parse(steps).err().unwrap_or_default()
}

#[test]
fn every_kind_of_step_is_read() {
    let plan = parse(
        r#"
        { parallel = [
            [{ exchange = ["A", "B"] }, { after = "1ms..2ms", forward = "C", from = "X", received = "B" }],
            [{ bounce = { rail = "r", cuts = 3, each = "5ms" } }, { wait = "10ms" }],
        ] },
        { send = "C", from = "Y" },
        { brown-out = { rail = "r", down = "5ms" } },
        { cut = "r" },
        { restore = "r" },
        { expect = "C", from = "Y" },
        "#,
    )
    .expect("a plan in order");
    let names: Vec<_> = plan
        .steps
        .iter()
        .map(|step| match &step.action {
            Action::Parallel(branches) => format!("parallel {}", branches.iter().map(Vec::len).sum::<usize>()),
            Action::Send { edges } => format!("send {}", edges.len()),
            Action::BrownOut { .. } => "brown-out".to_owned(),
            Action::Cut { .. } => "cut".to_owned(),
            Action::Restore { .. } => "restore".to_owned(),
            Action::Expect { edges, .. } => format!("expect {}", edges.len()),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["parallel 4", "send 1", "brown-out", "cut", "restore", "expect 1"]);
}

const PLAYED: &str = r#"{ exchange = ["A", "B"] }, { forward = "C", from = "X", received = "B" }, { forward = "C", from = "Y", received = "A" },"#;

#[test]
fn a_plan_that_plays_every_edge_once_is_in_order() {
    assert_eq!(problems(PLAYED), "");
}

#[test]
fn an_edge_is_played_once_and_every_edge_is() {
    insta::assert_snapshot!(problems(&format!("{PLAYED} {{ exchange = [\"A\", \"B\"] }}")), @r"
p:16:136: row `A` from X is played twice in a trial; every edge counts once a trial; give the second its own row or leave it out
p:16:141: row `B` from Y is played twice in a trial; every edge counts once a trial; give the second its own row or leave it out
");
    insta::assert_snapshot!(problems(r#"{ exchange = ["A", "B"] }, { forward = "C", from = "X", received = "B" }"#), @"p:13:10: no step plays row `C` from Y; add a [[step]] with send, expect, exchange or forward for it, or leave the row out");
}

#[test]
fn what_is_sent_is_waited_for() {
    insta::assert_snapshot!(problems(r#"{ exchange = ["A", "B"] }, { send = "C", from = "X" }, { send = "C", from = "Y" }, { expect = "C", from = "Y" }"#), @r#"p:16:37: row `C` is sent here and never waited for; add a later step `expect = "C"`"#);
}

#[test]
fn a_row_of_several_originators_needs_one() {
    insta::assert_snapshot!(problems(r#"{ exchange = ["A", "B"] }, { send = "C" }"#), @r#"p:16:37: row `C` has 2 originators; say which one in this step: from = "X" or "Y""#);
    insta::assert_snapshot!(problems(r#"{ exchange = ["A", "B"] }, { send = "C", from = "Q" }"#), @r#"p:16:49: Q does not originate row `C`; write from = "X" or "Y""#);
}

#[test]
fn a_cause_lies_before_its_effect() {
    insta::assert_snapshot!(problems(r#"{ expect = "A", cause = { rail = "r" } }, { expect = "B", cause = { row = "C" } }, { expect = "C", from = "X" }, { expect = "C", from = "Y", cause = { row = "A", rail = "r" } }"#), @r#"
p:16:34: rail `r` has no power edge before this step; cut or restore it in an earlier step, or name the rail that was
p:16:75: Y is no destination of row `C`; name a row that this actor receives
p:16:84: `cause` is missing here; add `cause = { rail = "feeder" }`
p:16:150: a cause is one of a rail and a row; write cause = { rail = "feeder" } or cause = { row = "I4" }
"#);
}

#[test]
fn a_rail_is_down_before_it_is_restored_and_up_at_the_end() {
    insta::assert_snapshot!(problems(&format!(r#"{PLAYED} {{ restore = "r" }}, {{ cut = "r" }}, {{ cut = "r" }}, {{ brown-out = {{ rail = "r", down = "0s" }} }}"#)), @r#"
p:16:134: rail `r` is not cut before this step; cut it in an earlier step, or leave this one out
p:16:164: rail `r` is already down before this step; restore it in an earlier step
p:16:164: rail `r` is still down at the end of the trial; add a later step `restore = "r"`: every trial starts as the one before
p:16:194: rail `r` is already down before this step; restore it in an earlier step
p:16:206: no time at all; write a time such as down = "5ms"
"#);
}

#[test]
fn branches_do_not_count_on_each_other() {
    insta::assert_snapshot!(problems(&format!(r#"{PLAYED} {{ parallel = [[{{ cut = "r" }}], [{{ restore = "r" }}]] }}"#)), @r#"
p:16:135: two branches switch rail `r` at the same time; switch a rail in one branch only
p:16:145: rail `r` is still down at the end of the trial; add a later step `restore = "r"`: every trial starts as the one before
p:16:166: rail `r` is not cut before this step; cut it in an earlier step, or leave this one out
"#);
    insta::assert_snapshot!(problems(&format!(r#"{PLAYED} {{ parallel = [[{{ wait = "1ms" }}]] }}"#)), @"p:16:135: a parallel step has branches; write 2 to 16 lists of steps: parallel = [[…], […]]");
}

#[test]
fn a_step_does_one_thing() {
    insta::assert_snapshot!(problems(&format!(r#"{PLAYED} {{ cut = "r", wait = "1ms" }}, {{ after = "1ms" }}, {{ wiat = "1ms" }}"#)), @r"
p:16:142: a step does one thing; make it a [[step]] of its own
p:16:151: this step does nothing; write one of: send, expect, exchange, forward, cut, restore, brown-out, bounce, wait, parallel
p:16:172: there is no key `wiat` here; did you mean `wait`?
");
}

#[test]
fn an_exchange_goes_there_and_back() {
    insta::assert_snapshot!(problems(r#"{ exchange = ["A", "C"] }, { exchange = ["B"] }"#), @r#"
p:12:10: no step plays row `B`; add a [[step]] with send, expect, exchange or forward for it, or leave the row out
p:16:20: row `C` has 2 edges; a request or reply goes from one actor to one; use send and expect
p:16:41: an exchange is of two rows; write its request and its reply: exchange = ["I4", "I5"]
"#);
}

#[test]
fn a_misspelt_actor_is_named_once_and_taken_for_the_one_that_is_meant() {
    let dispatch = include_str!("../../testplans/dispatch.toml");
    let misspelt = |that: &str, this: &str| {
        assert!(dispatch.contains(that), "{that}");
        let text = dispatch.replacen(that, this, 1);
        Plan::parse(&Source::new("p", &text)).err().map(|problems| problems.to_string()).unwrap_or_default()
    };
    // Of a reply, and of a request.
    insta::assert_snapshot!(misspelt(r#"from = ["Distr. Cust. Storage"]"#, r#"from = ["Distr. Cust. Storge"]"#), @"p:61:9: no actor is named `Distr. Cust. Storge`; did you mean `Distr. Cust. Storage`?");
    insta::assert_snapshot!(misspelt(r#"to = ["Feeder Circuit Breaker"]"#, r#"to = ["feeder circuit braker"]"#), @"p:32:7: no actor is named `feeder circuit braker`; did you mean `Feeder Circuit Breaker`?");
    // Not one that is close: another actor, or one of another protocol.
    insta::assert_snapshot!(misspelt(r#"from = ["Distr. Cust. Storage"]"#, r#"from = ["Feeder Circuit Breaker"]"#), @r"
p:131:9: row `D4` is no reply to row `D3`; a reply goes from Distr. Cust. Storage to DAC - sub, and row `D4` goes from Feeder Circuit Breaker to DAC - sub
p:174:19: row `D4` is no reply to row `D3`; a reply goes from Distr. Cust. Storage to DAC - sub, and row `D4` goes from Feeder Circuit Breaker to DAC - sub
");
    insta::assert_snapshot!(misspelt(r#"from = ["Distr. Cust. Storage"]"#, r#"from = ["Battery"]"#), @r"
p:131:9: row `D4` is no reply to row `D3`; a reply goes from Distr. Cust. Storage to DAC - sub, and row `D4` goes from Battery to DAC - sub
p:174:19: row `D4` is no reply to row `D3`; a reply goes from Distr. Cust. Storage to DAC - sub, and row `D4` goes from Battery to DAC - sub
");
}

#[test]
fn steps_in_steps_in_steps_end_somewhere() {
    let deep = format!("{}{{ wait = \"1ms\" }}{}", "{ parallel = [[".repeat(20), "], []] }".repeat(20));
    assert!(problems(&format!("{PLAYED} {deep}")).contains("nested too deep"));
    let deeper = format!("{}{{ wait = \"1ms\" }}{}", "{ parallel = [[".repeat(10_000), "], []] }".repeat(10_000));
    assert!(!problems(&format!("{PLAYED} {deeper}")).is_empty());
}

#[test]
fn a_file_of_nothing_but_mistakes_is_answered_with_a_bounded_list() {
    let text = (0..40_000).map(|index| format!("key-{index} = {index}")).collect::<Vec<_>>().join("\n");
    let found = Plan::parse(&Source::new("p", &text)).expect_err("no plan");
    assert!(found.len() <= 60, "{}", found.len());
    assert!(found.to_string().contains("the rest was not looked at"), "{found}");
    let text = "[[row]]\n".repeat(100_000);
    assert!(Plan::parse(&Source::new("p", &text)).is_err());
}

#[test]
fn budgets_that_no_count_of_trials_decides_are_refused() {
    for share in ["100%", "0%", "99.9999%"] {
        let text = HEAD.replace("\"99.5%\"", &format!("\"{share}\"")) + "step = []\n";
        let found = Plan::parse(&Source::new("p", &text)).expect_err("no plan").to_string();
        assert!(found.contains("trials"), "{share}: {found}");
    }
    let text = HEAD.replace("\"95%\"", "\"100%\"") + "step = []\n";
    let found = Plan::parse(&Source::new("p", &text)).expect_err("no plan").to_string();
    assert!(found.contains("confidence"), "{found}");
}

/// A committed file with a piece of it replaced by another text.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof!["[\\[\\]{}=\"', .0-9a-z\n#-]{0,6}", ".{0,4}", Just("[[step]]\n".to_owned())];
    (0..text.len(), 0..40_usize, piece).prop_map(move |(start, length, piece)| {
        let start = (0..=start).rev().find(|byte| text.is_char_boundary(*byte)).unwrap_or(0);
        let end = (start + length..=text.len()).find(|byte| text.is_char_boundary(*byte)).unwrap_or(text.len());
        format!("{}{piece}{}", &text[..start], &text[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_plan_makes_the_check_panic(text in mutated(include_str!("../../testplans/islanded.toml"))) {
        if let Err(problems) = Plan::parse(&Source::new("p", &text)) {
            prop_assert!(!problems.is_empty());
        }
    }

    #[test]
    fn no_fixture_makes_the_check_panic(text in mutated(include_str!("../../fixtures/virtual.toml"))) {
        if let Err(problems) = Fixture::parse(&Source::new("f", &text)) {
            prop_assert!(!problems.is_empty());
        }
    }
}
