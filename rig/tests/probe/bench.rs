//! A virtual bench with one board, as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rig::probe::{Driver, Target};
use tempfile::TempDir;

use crate::{elf, root};

/// A board that has power and a probe.
pub struct Board {
    bench: Child,
    folder: TempDir,
}

impl Board {
    /// A board whose flash is erased.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let fixture = folder.path().join("bench.toml");
        let virtual_bench = std::fs::read_to_string(root().join("fixtures/virtual.toml")).expect("a committed file");
        let board = "\n[bench.board.board]\nmachine = \"mps2-an385\"\nprobe = true\n";
        std::fs::write(&fixture, virtual_bench + board).expect("a fixture");
        let mut bench = Command::new(env!("CARGO_BIN_EXE_rig"))
            .arg("bench")
            .arg(&fixture)
            .arg("--dir")
            .arg(folder.path())
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("rig starts");
        let mut output = BufReader::new(bench.stdout.take().expect("it is piped")).lines();
        assert!(output.any(|line| line.is_ok_and(|line| line == "ready")), "the bench starts");
        Self { bench, folder }
    }

    /// The board's probe, and a program of `firmware/board`.
    pub fn target(&self, program: &str) -> Target {
        Target {
            selector: format!("20b7:9db1:unix:{}", self.folder.path().join("board.probe").display()),
            chip: "QEMU_MPS2_AN385".to_owned(),
            description: Some(root().join("firmware/board/mps2-an385.yaml")),
            speed: None,
            firmware: Some(elf(program)),
        }
    }

    /// Puts a fault of the probe in, or takes all out.
    pub fn control(&self, command: &str) {
        let mut socket = UnixStream::connect(self.folder.path().join("board.probe.control")).expect("it listens");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        socket.write_all(format!("{command}\n").as_bytes()).expect("it reads");
        let mut answer = [0; 3];
        socket.read_exact(&mut answer).expect("it answers");
        assert_eq!(&answer, b"ok\n");
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        drop(self.bench.stdin.take());
        let _ = self.bench.wait();
    }
}

/// The driver of the program under test.
pub fn driver() -> Driver {
    Driver::of(env!("CARGO_BIN_EXE_rig").into())
}
