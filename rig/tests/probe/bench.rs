//! A virtual bench with one board, as a process of its own.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rig::probe::{Driver, Target};

use crate::elf;
use crate::lab::{Lab, Running, root};

/// A board that has power and a probe, for as long as this lives.
pub struct Board {
    pub lab: Lab,
    pub bench: Running,
}

impl Board {
    /// A board whose flash is erased.
    pub fn new() -> Self {
        let board = "\n[bench.board.board]\nmachine = \"mps2-an385\"\nprobe = true\n";
        let (lab, bench) = Lab::new("smoke").and(board).with_bench_apart();
        Self { lab, bench }
    }

    /// The board's probe, and a program of `firmware/board`.
    pub fn target(&self, program: &str) -> Target {
        Target {
            selector: format!("20b7:9db1:unix:{}", self.probe().display()),
            chip: "QEMU_MPS2_AN385".to_owned(),
            description: Some(root().join("firmware/board/mps2-an385.yaml")),
            speed: None,
            firmware: Some(elf(program)),
        }
    }

    /// Puts a fault of the probe in, or takes all out.
    pub fn control(&self, command: &str) {
        control(&self.probe(), command);
    }

    /// The probe's socket.
    fn probe(&self) -> PathBuf {
        self.lab.path("ports/board.probe")
    }
}

/// Puts a fault of the probe at a socket in, or takes all out.
pub fn control(probe: &Path, command: &str) {
    let mut socket = UnixStream::connect(probe.with_extension("probe.control")).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    socket.write_all(format!("{command}\n").as_bytes()).expect("it reads");
    let mut answer = [0; 3];
    socket.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"ok\n");
}

/// The driver of the program under test.
pub fn driver() -> Driver {
    Driver::of(env!("CARGO_BIN_EXE_rig").into())
}
