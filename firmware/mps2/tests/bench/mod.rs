//! A board with a program in its flash, whose power comes and goes, and whose log is read as a debug probe would.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use defmt_decoder::{DecodeError, Table};
use rig_mps2::{Image, Machine, Symbol};
use rig_payload::{Frame, Kind, State};
use tempfile::TempDir;

pub const BOARD: &str = "mps2-an385";

pub struct Bench {
    folder: TempDir,
    pub flash: PathBuf,
    pub image: Image,
    log: Table,
}

impl Bench {
    /// A board with a program in a flash that was erased before, without power.
    pub fn with(program: &str) -> Self {
        let bench = Self::erased(program);
        bench.program();
        bench
    }

    /// A board with an erased flash.
    pub fn erased(program: &str) -> Self {
        let elf = elf(BOARD, program);
        let image = Image::read(&elf).unwrap_or_else(|error| panic!("{error}"));
        let log = Table::parse(&fs::read(&elf).expect("it was read before")).expect("the ELF has a log's words");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let flash = folder.path().join("flash.img");
        rig_mps2::create(&flash).expect("there is room for a flash");
        Self { folder, flash, image, log: log.expect("the ELF has a log's words") }
    }

    pub fn program(&self) {
        rig_mps2::program(&self.flash, &self.image).expect("the image is for this board");
    }

    pub fn power(&self) -> Machine {
        self.power_with(&[])
    }

    /// Gives it power, with more options of QEMU.
    pub fn power_with(&self, options: &[OsString]) -> Machine {
        Machine::start_with(&self.flash, self.folder(), options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A folder for what goes with the board.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it power and waits until it has booted.
    pub fn boot(&self) -> (Machine, Frame) {
        let mut machine = self.power();
        let boot = machine.field.receive().expect("it boots");
        assert_eq!(boot.header.kind, Kind::Boot);
        (machine, boot)
    }

    pub fn symbol(&self, name: &str) -> Symbol {
        self.image.symbol(name).unwrap_or_else(|| panic!("the image has {name}"))
    }

    /// The lines that the program has logged since it booted; nobody has read them before.
    pub fn log(&self, machine: &mut Machine) -> Vec<String> {
        let block = machine.memory(self.symbol("_SEGGER_RTT").address, 48).expect("it runs");
        assert!(block.starts_with(b"SEGGER RTT\0"), "{block:02x?}");
        let word = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
        let (buffer, written, read) = (word(28), word(36), word(40));
        assert_eq!(read, 0, "nobody reads the log");
        let mut decoder = self.log.new_stream_decoder();
        decoder.received(&machine.memory(buffer, written).expect("it runs"));
        let mut lines = Vec::new();
        loop {
            match decoder.decode() {
                Ok(frame) => lines.push(frame.display_message().to_string()),
                Err(DecodeError::UnexpectedEof) => return lines,
                Err(DecodeError::Malformed) => panic!("the log has half a line after {lines:#?}"),
            }
        }
    }
}

/// The ELF of a program, as the last `cargo xtask firmware --bugs` built it.
pub fn elf(board: &str, program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in the workspace");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    let elf = target.join("firmware").join(board).join(format!("{program}.elf"));
    let built = fs::metadata(&elf).and_then(|elf| elf.modified());
    let built = built.unwrap_or_else(|_| panic!("there is no {}: run cargo xtask firmware --bugs", elf.display()));
    for part in ["board/src", "board/boards", "device/src", "payload/src", "store/src"] {
        let changed = last_change(&root.join("firmware").join(part));
        assert!(changed <= built, "firmware/{part} was changed after the build: run cargo xtask firmware --bugs");
    }
    elf
}

fn last_change(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).expect("the sources are there").map(|entry| entry.expect("it is read"));
    let changes = entries.map(|entry| match entry.path() {
        path if path.is_dir() => last_change(&path),
        path => fs::metadata(path).and_then(|file| file.modified()).expect("a file has a time"),
    });
    changes.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

pub fn state(frame: &Frame) -> State {
    frame.body.state().expect("the payload carries a state")
}

/// The number behind `name=` in a line.
pub fn number(line: &str, name: &str) -> u64 {
    let (_, rest) = line.split_once(&format!(" {name}=")).unwrap_or_else(|| panic!("{line:?} has no {name}"));
    rest.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{line:?}: {name}"))
}
