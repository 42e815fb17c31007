//! Programs put on a board, started, read and watched.

use std::time::{Duration, Instant};

use rig::probe::{CoreState, LogLine, Probe, ProbeError, Stage, Target, Told};

use crate::bench::{Board, driver};

async fn attach(board: &Board, program: &str) -> Probe {
    driver().attach(&board.target(program)).await.expect("a probe")
}

/// The lines of the log, until one is found.
async fn log_until(probe: &mut Probe, is_it: impl Fn(&LogLine) -> bool) -> Vec<LogLine> {
    let start = Instant::now();
    let mut lines = Vec::new();
    while !lines.iter().any(&is_it) {
        assert!(start.elapsed() < Duration::from_secs(60), "{lines:?}");
        lines.extend(probe.log().await.expect("a log").lines);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    lines
}

fn is_boot(line: &LogLine) -> bool {
    matches!(line.told(), Some(Told::Boot { .. }))
}

#[tokio::test]
async fn a_program_is_programmed_compared_identified_and_started() {
    let board = Board::new();
    let mut probe = attach(&board, "meter").await;
    assert!(probe.compare().await.expect("the flash can be read").is_some(), "it is erased");
    assert!(matches!(probe.identify().await, Err(ProbeError::NoIdentity { .. })));

    let mut told = Vec::new();
    probe.flash(|progress| told.push(progress)).await.expect("it is programmed");
    assert_eq!(probe.compare().await, Ok(None));
    let identity = probe.identify().await.expect("an identity");
    assert_eq!((identity.board.as_str(), identity.build_id.len()), ("mps2-an385", 32));
    let programmed = told.iter().rfind(|progress| progress.stage == Stage::Program).expect("progress");
    assert!(programmed.total > 0 && programmed.done == programmed.total, "{programmed:?}");

    probe.reset().await.expect("it starts");
    let lines = log_until(&mut probe, is_boot).await;
    let boot = lines.iter().find(|line| is_boot(line)).expect("a boot");
    assert!(boot.text.contains(&format!("build={}", identity.build_id)), "{boot:?}");
    assert!(boot.stamp.is_some() && boot.location.as_ref().is_some_and(|at| at.contains("program.rs")), "{boot:?}");
    probe.close().await;

    // Another image is told from it, and the same one again is not programmed twice.
    let mut probe = attach(&board, "storage").await;
    let differs = probe.compare().await.expect("the flash can be read");
    assert!(differs.is_some_and(|address| (0x2100_0000..0x2200_0000).contains(&address)), "{differs:?}");
}

#[tokio::test]
async fn a_core_is_halted_and_goes_on_and_its_memory_is_read() {
    let board = Board::new();
    let mut probe = attach(&board, "meter").await;
    probe.flash(|_| {}).await.expect("it is programmed");
    probe.reset().await.expect("it starts");
    log_until(&mut probe, is_boot).await;
    probe.halt().await.expect("it halts");
    assert_eq!(probe.state().await, Ok(CoreState::Halted));
    probe.run().await.expect("it goes on");
    assert_ne!(probe.state().await, Ok(CoreState::Halted));
    // The vector table starts with the stack's end, in RAM.
    let start = probe.read(0x2100_0000, 4).await.expect("flash");
    assert_eq!(start[3], 0x20, "{start:02x?}");
    assert!(probe.read(0x7000_0000, 4).await.is_err(), "nothing is there");
    probe.end().await;
    let mut probe = attach_when_free(&board.target("meter")).await;
    let state = probe.state().await.expect("what was asked for in vain does no lasting harm");
    assert_ne!(state, CoreState::Halted, "and it goes on");
}

#[tokio::test]
async fn a_core_that_is_locked_up_is_told_so() {
    let board = Board::new();
    let mut probe = attach(&board, "meter").await;
    board.control("lockup");
    assert_eq!(probe.state().await, Ok(CoreState::LockedUp));
}

#[tokio::test]
async fn a_reset_begins_a_new_log_and_the_count_of_boots_goes_on() {
    let board = Board::new();
    let mut probe = attach(&board, "breaker").await;
    probe.flash(|_| {}).await.expect("it is programmed");
    for boot in 1..=3 {
        probe.reset().await.expect("it starts");
        // A boot counts once it is kept.
        let lines = log_until(&mut probe, |line| line.text.starts_with("kept")).await;
        let boots: Vec<_> = lines.iter().filter_map(LogLine::told).collect();
        assert!(matches!(boots[..], [Told::Boot { boots, .. }] if boots == boot), "{boots:?}");
    }
}

#[tokio::test]
async fn a_target_without_a_program_keeps_no_log_yet() {
    let board = Board::new();
    let mut probe = attach(&board, "meter").await;
    let log = probe.log().await.expect("the target answers");
    assert!(!log.kept && log.lines.is_empty(), "{log:?}");
    let nameless = Target { firmware: None, ..board.target("meter") };
    drop(probe);
    let mut probe = attach_when_free(&nameless).await;
    assert!(matches!(probe.log().await, Err(ProbeError::NoFirmware)));
}

/// Attaches once the probe has noticed that the one before has gone.
async fn attach_when_free(target: &Target) -> Probe {
    let start = Instant::now();
    loop {
        match driver().attach(target).await {
            Ok(probe) => return probe,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(60), "{error}"),
        }
    }
}
