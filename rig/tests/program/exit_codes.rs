//! The exit code says how a session ended.

use std::fs;

use test_case::test_case;

use crate::lab::Lab;

#[test]
fn a_budget_that_is_shown_to_be_met_ends_with_0() {
    let ended = Lab::lax("smoke").run(&[]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(ended.claims("pass").len(), 41);
    assert!(ended.out.contains("verdict: pass\nreport:  "), "{}", ended.out);
}

#[test]
fn too_few_trials_end_with_3_and_say_how_many_are_missing() {
    let ended = Lab::new("smoke").run(&["--trials", "2"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    let missing = "41 of 41 claims are not decided; 596 more trials, all in time, would decide them";
    assert!(ended.out.contains(missing), "{}", ended.out);
    assert!(ended.file("summary.md").contains("596"), "{}", ended.file("summary.md"));
    assert!(ended.file("junit.xml").contains("<error"), "inconclusive is an error to a CI");
    assert!(!ended.file("junit.xml").contains("<failure"), "and never a failure");
}

#[test_case(&["--trials", "none"], "--trials"; "no number")]
#[test_case(&["--name", "../up"], "do not start with `.`"; "a path for a name")]
#[test_case(&["--only", "D1", "X9"], "no row \"X9\"; its rows are D1, D2"; "a row that is not there")]
fn wrong_usage_ends_with_2_and_leaves_nothing(arguments: &[&str], said: &str) {
    let lab = Lab::new("smoke");
    let ended = lab.start(lab.command(arguments)).end();
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.contains(said), "{}", ended.err);
    assert!(!lab.path("reports").exists());
}

#[test]
fn a_session_folder_that_is_there_is_left_alone_and_ends_with_6() {
    let lab = Lab::new("smoke");
    fs::create_dir_all(lab.session()).unwrap();
    let ended = lab.run(&[]);
    assert_eq!(ended.code, Some(6), "{}", ended.err);
    let said = "error: the session folder reports/s exists already: give the session another name or move the folder \
                away\n";
    assert_eq!(ended.err, said);
    assert_eq!(fs::read_dir(lab.session()).unwrap().count(), 0);
}

#[test]
fn an_output_that_is_no_folder_ends_with_6_and_says_what_the_system_said() {
    let ended = Lab::new("smoke").run(&["--output", "plan.toml"]);
    assert_eq!(ended.code, Some(6), "{}", ended.err);
    let said = "error: cannot create plan.toml: check that the folder above it can be written to (File exists (os \
                error 17))\n";
    assert_eq!(ended.err, said);
}

#[test]
fn a_report_of_no_session_ends_with_6() {
    let lab = Lab::new("smoke");
    let ended = lab.ask(&["report", "nowhere"]);
    assert_eq!(ended.code, Some(6));
    let said = "error: cannot read nowhere/events.jsonl: name the folder of a session, with an events.jsonl in it (No \
                such file or directory (os error 2))\n";
    assert_eq!(ended.err, said);
}
