//! A full disk: said, with its own exit code, and no report that looks whole.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use crate::lab::{Ended, Lab};

/// Plays a plan where no file can grow over so many bytes: the system refuses as it does on a full disk, for everyone
/// and without a disk of one's own.
fn play(lab: &Lab, limit: u32, arguments: &[&str]) -> Ended {
    let rig = lab.command(arguments);
    let mut command = Command::new("sh");
    // Ignored, the signal does not end the program before it hears of the error.
    command.args(["-c", r#"trap '' XFSZ; exec prlimit --fsize="$0" -- "$@""#, &limit.to_string()]);
    command.arg(rig.get_program()).args(rig.get_args()).current_dir(lab.path("."));
    lab.start(command).end()
}

fn is_there(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}

#[test]
fn a_record_that_cannot_be_written_whole_leaves_no_reports() {
    let lab = Lab::lax("smoke");
    // Enough for the start, not for all five trials.
    let ended = play(&lab, 40_000, &["--simulate"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.out, ended.err);
    let said = "error: cannot write events.jsonl, so the record is not whole: check the free space of the disk (File \
                too large (os error 27))\n";
    assert!(ended.err.contains(said), "{}", ended.err);
    assert!(ended.out.contains("verdict: inconclusive"), "{}", ended.out);
    assert!(!ended.out.contains("report:"), "there is none: {}", ended.out);
    for report in ["junit.xml", "summary.json", "summary.md", "report.html", "plots"] {
        assert!(!is_there(&lab.session(), report), "{report}");
    }
    // What was written is a true beginning, and says that it is no more.
    let reported = lab.ask(&["report", "reports/s"]);
    assert_eq!(reported.code, Some(3), "{}", reported.err);
    assert!(reported.said().contains("the record breaks off"), "{}", reported.out);
}

#[test]
fn a_database_that_cannot_grow_is_the_rigs_fault() {
    let lab = Lab::quick("dispatch");
    // Less than the database's tables take.
    let ended = play(&lab, 10_000, &[]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.out, ended.err);
    assert!(!ended.out.contains("FAIL"), "{}", ended.out);
}

#[test]
fn reports_that_cannot_be_written_leave_no_half_of_one() {
    let lab = Lab::lax("smoke");
    // Enough for the record, not for the metrics and the page.
    let ended = play(&lab, 120_000, &["--simulate"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.out, ended.err);
    let said = "error: the reports could not be written: cannot write the report metrics.txt: check that the \
                session's folder can be written to and the disk has room (File too large (os error 27))\n";
    assert!(ended.err.ends_with(said), "{}", ended.err);
    assert!(!ended.out.contains("report:"), "there is none: {}", ended.out);
    assert!(ended.out.contains("verdict: pass"), "the verdict is known all the same: {}", ended.out);
    for report in ["junit.xml", "summary.json", "report.html", ".metrics.txt.part", "metrics.txt"] {
        assert!(!is_there(&lab.session(), report), "{report}");
    }
    let reported = lab.ask(&["report", "reports/s"]);
    assert_eq!(reported.code, Some(0), "with room, the same record gives all reports: {}", reported.err);
}

/// Plays a plan onto a disk of so many kilobytes, in a mount namespace of its own, and copies what is on it then to where
/// sessions lie.
fn play_onto_disk(lab: &Lab, kilobytes: u32, arguments: &[&str]) -> Ended {
    const NO_DISK: i32 = 99;
    let script = format!(
        r#"mount -t tmpfs -o size={kilobytes}k tmpfs disk || exit {NO_DISK}
        "$0" "$@"
        code=$?
        cp -r disk reports
        exit $code"#
    );
    fs::create_dir(lab.path("disk")).expect("a folder to mount on");
    let rig = lab.command(&[&["--output", "disk"], arguments].concat());
    let mut command = Command::new("unshare");
    let is_root = fs::metadata(lab.path("disk")).expect("it was made just now").uid() == 0;
    // Root needs nobody's leave; another user is root of a namespace alone, where the system lets them.
    command.arg("--mount").args((!is_root).then_some("--map-root-user"));
    command.args(["sh", "-c", &script]).arg(rig.get_program()).args(rig.get_args()).current_dir(lab.path("."));
    let ended = lab.start(command).end();
    let needs = "this test mounts a small tmpfs: run it as root, or where users may make namespaces of their own";
    assert!(lab.session().is_dir() && ended.code != Some(NO_DISK), "{needs}: {}", ended.err);
    ended
}

#[test]
fn a_disk_that_fills_with_plots_leaves_each_whole_or_not_at_all() {
    let lab = Lab::lax("smoke");
    let ended = play_onto_disk(&lab, 1_024, &["--simulate"]);
    assert_eq!(ended.code, Some(6), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("No space left on device"), "{}", ended.err);
    assert!(!ended.out.contains("report:"), "there is none: {}", ended.out);
    for report in ["junit.xml", "summary.json", "report.html"] {
        assert!(!is_there(&lab.session(), report), "{report}");
    }
    let plots: Vec<_> = fs::read_dir(lab.session().join("plots")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(plots.len() > 5, "the disk was full before the plots: {plots:?}");
    for plot in plots {
        assert!(fs::read_to_string(&plot).unwrap().ends_with("</svg>\n"), "{}", plot.display());
    }
}
