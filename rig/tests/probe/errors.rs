//! Probes that are not there, hang or go, and targets that are not what was said: an error that says what to do, within
//! its deadline, and no process left.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use rig::probe::{ProbeError, Target};
use tempfile::TempDir;
use test_case::test_case;

use crate::bench::{Board, driver};
use crate::elf;
use crate::lab::processes::{children_of, lives, wait_until};
use crate::lab::{Lab, root};

/// The deadline of attaching is 15 s; a machine that is busy may be a little late.
const IN_TIME: Duration = Duration::from_secs(60);

/// What a probe that is none does with who connects.
#[derive(Clone, Copy)]
enum Habit {
    Silent,
    Closes,
}

/// A probe that is none, and the numbers of the processes that have connected to it.
struct Decoy {
    folder: TempDir,
    callers: Receiver<u32>,
}

impl Decoy {
    fn with(habit: Habit) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let (calls, callers) = channel();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let caller = getsockopt(&stream, PeerCredentials).expect("the kernel knows who connects").pid();
                calls.send(u32::try_from(caller).expect("a process's number")).ok();
                match habit {
                    Habit::Silent => held.push(stream),
                    Habit::Closes => drop(stream),
                }
            }
        });
        Self { folder, callers }
    }

    fn target(&self) -> Target {
        target(&self.folder.path().join(SOCKET))
    }

    /// Waits until a process connects.
    fn caller(&self) -> u32 {
        self.callers.recv_timeout(IN_TIME).expect("a process connects")
    }
}

const SOCKET: &str = "probe.sock";

fn target(socket: &Path) -> Target {
    Target {
        selector: format!("20b7:9db1:unix:{}", socket.display()),
        chip: "nRF51822_xxAA".to_owned(),
        description: None,
        speed: None,
        firmware: None,
    }
}

async fn failure(target: &Target) -> ProbeError {
    driver().attach(target).await.map(drop).expect_err("it cannot be attached to")
}

// A session over a socket that closes spins in probe-rs for ever.
#[test_case(Habit::Silent; "it says nothing")]
#[test_case(Habit::Closes; "it closes the connection")]
#[tokio::test]
async fn a_probe_that_does_not_answer_is_given_up_at_the_deadline_and_its_process_is_killed(habit: Habit) {
    let decoy = Decoy::with(habit);
    let start = Instant::now();
    let error = failure(&decoy.target()).await;
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
    assert!(matches!(&error, ProbeError::Silent { .. } | ProbeError::Unopened { .. }), "{error}");
    if matches!(habit, Habit::Silent) {
        let said = "the probe did not attach to its target within 15s: pull its cable and plug it in again";
        assert_eq!(error.to_string(), said);
    }
    let process = decoy.caller();
    wait_until("its process is gone", || !lives(process));
}

#[tokio::test]
async fn a_probe_that_is_not_there_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = failure(&target(&folder.path().join("no.sock"))).await;
    assert!(matches!(error, ProbeError::Unopened { .. }) && error.to_string().contains("No such file"), "{error}");
    let absent = Target { selector: "0d28:0204:0000".to_owned(), ..target(folder.path()) };
    assert_eq!(
        failure(&absent).await.to_string(),
        "no probe 0d28:0204:0000: plug it in; `rig probe list` shows what is there"
    );
    let nonsense = Target { selector: "the blue one".to_owned(), ..absent };
    assert!(matches!(failure(&nonsense).await, ProbeError::Selector(_)));
}

#[tokio::test]
async fn a_chip_or_description_or_program_that_cannot_be_is_told_before_the_probe_is_looked_for() {
    let nowhere = target(Path::new("/nowhere"));
    let misspelt = Target { chip: "nRF51823_xxAA".to_owned(), ..nowhere.clone() };
    let said = failure(&misspelt).await.to_string();
    assert!(said.starts_with("no chip is called `nRF51823_xxAA`; did you mean `nRF5182"), "{said}");
    let unreadable = Target { description: Some(root().join("Cargo.toml")), ..nowhere.clone() };
    assert!(matches!(failure(&unreadable).await, ProbeError::Description { .. }));
    let absent = Target { description: Some("no-such.yaml".into()), ..nowhere.clone() };
    assert!(failure(&absent).await.to_string().contains("No such file"));
    let none = Target { firmware: Some(std::env::current_exe().expect("this program")), ..nowhere };
    assert!(matches!(failure(&none).await, ProbeError::WrongFirmware { .. }));
}

#[tokio::test]
async fn no_probe_is_an_empty_list() {
    assert_eq!(driver().list(Some("0d28:0204:0000")).await, Ok(Vec::new()));
}

#[test_case("no-ack"; "nobody acknowledges")]
#[test_case("hang"; "the probe hangs")]
#[test_case("cable-out"; "the cable is out")]
#[tokio::test]
async fn a_probe_that_fails_while_it_is_used_ends_in_an_error_and_leaves_no_process(fault: &str) {
    let board = Board::new();
    let mut probe = driver().attach(&board.target("meter")).await.expect("a probe");
    let process = probe.process().expect("it runs");
    board.control(fault);
    let start = Instant::now();
    let error = probe.compare().await.expect_err("the probe fails");
    if fault == "no-ack" {
        assert!(matches!(error, ProbeError::NoTarget(_)), "{error}");
    } else {
        let said = matches!(error, ProbeError::Silent { .. } | ProbeError::Panicked { .. } | ProbeError::Gone(_));
        assert!(said, "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(180));
    drop(probe);
    wait_until("its process is gone", || !lives(process));
    board.control("clear");
    driver().attach(&board.target("meter")).await.expect("it works again").close().await;
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_ends_its_process() {
    let board = Board::new();
    let mut probe = driver().attach(&board.target("meter")).await.expect("a probe");
    let process = probe.process().expect("it runs");
    board.control("hang");
    assert!(tokio::time::timeout(Duration::from_millis(200), probe.state()).await.is_err());
    wait_until("its process is gone", || !lives(process));
    assert!(matches!(probe.state().await, Err(ProbeError::Ended(_))));
}

#[tokio::test]
async fn a_target_that_is_another_than_was_named_is_told_so() {
    let board = Board::new();
    let right = board.target("meter");
    let wrong = Target { chip: "nRF51822_xxAA".to_owned(), description: None, ..right.clone() };
    let error = failure(&wrong).await;
    assert_eq!(
        error.to_string(),
        "the chip is no nRF51822_xxAA: its core is a Cortex-M3, and that chip has one of Armv6-M; correct `chip`"
    );
    // A program for another map does not fit, and is not programmed.
    let mut probe = driver().attach(&Target { chip: "STM32F103C8".to_owned(), description: None, ..right }).await;
    let error = probe.as_mut().expect("a Cortex-M3 too").flash(|_| {}).await.expect_err("it has no memory there");
    assert!(error.to_string().contains("is it linked for another one?"), "{error}");
}

#[tokio::test]
async fn a_worn_flash_is_told_with_its_address() {
    let board = Board::new();
    let mut probe = driver().attach(&board.target("meter")).await.expect("a probe");
    board.control("worn-flash");
    match probe.flash(|_| {}).await {
        Err(ProbeError::Unverified { address }) => assert!((0x2100_0000..0x2200_0000).contains(&address)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rig_that_dies_takes_the_processes_of_its_probes_with_it() {
    let decoy = Decoy::with(Habit::Silent);
    let lab = Lab::new("smoke");
    let mut log = lab.rig(&["probe", "log", "--chip", "nRF51822_xxAA", "--probe", &decoy.target().selector]);
    log.arg(elf("meter"));
    let rig = lab.start(log);
    let process = decoy.caller();
    assert!(children_of(rig.pid()).contains(&process), "rig drives it by a process of its own");
    // It is killed.
    drop(rig);
    wait_until("the process is gone too", || !lives(process));
}
