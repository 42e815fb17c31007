//! A full disk: said, with its own exit code, and no report that looks whole.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};

use crate::lab::{Ended, Lab};

/// Plays a plan where no file can grow over a limit: the system refuses as it does on a full disk, for everyone and
/// without a disk of one's own.
fn play(lab: &Lab, limit: u64, arguments: &[&str]) -> Ended {
    let mut command = lab.command(arguments);
    let limited = move || {
        // Without this the signal ends the program before it hears of the error.
        // SAFETY: ignoring a signal runs no handler.
        unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn)? };
        setrlimit(Resource::RLIMIT_FSIZE, limit, limit)?;
        Ok(())
    };
    // SAFETY: both calls are async-signal-safe (signal-safety(7)) and allocate nothing.
    unsafe { command.pre_exec(limited) };
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
    assert!(reported.out.contains("the record breaks off"), "{}", reported.out);
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

/// A disk of so much, mounted for as long as this lives; none where this process may not mount.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(at: &'a Path, kilobytes: u32) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder to mount on");
        let size = format!("size={kilobytes}k");
        let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        mount.is_ok_and(|mounted| mounted.status.success()).then_some(Self(at))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0).output();
    }
}

#[test]
fn a_disk_that_fills_with_plots_leaves_each_whole_or_not_at_all() {
    let lab = Lab::lax("smoke");
    let disk = lab.path("reports");
    let Some(_disk) = Disk::mount(&disk, 1_024) else {
        // Files that cannot grow stand in for a disk that is full: see the tests above.
        eprintln!("this process may not mount; a small tmpfs needs root");
        return;
    };
    let ended = lab.run(&["--simulate"]);
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
