//! Drives a device: steps it through time, collects what it sends and keeps.
#![allow(dead_code, reason = "each test program uses a part of it")]

use rig_device::{Device, Input, Memory, Output, Role, Settings};
use rig_payload::{Actor, Chunk, Decoder, Encoded, Frame, Header, Kind, Setting, State};

pub const MS: u64 = 1_000_000;
pub const SECOND: u64 = 1_000 * MS;

#[derive(Default)]
pub struct Log {
    pub frames: Vec<Frame>,
    pub kept: Vec<Memory>,
    /// How many memories were stored when each frame left.
    pub kept_before: Vec<usize>,
}

impl Output for Log {
    fn transmit(&mut self, payload: &Encoded) {
        let mut decoder = Decoder::default();
        let chunk = payload.as_bytes().iter().find_map(|byte| decoder.push(*byte));
        let Some((Chunk::Frame(frame), _)) = chunk else { panic!("the device sent {chunk:?}") };
        self.frames.push(frame);
        self.kept_before.push(self.kept.len());
    }

    fn store(&mut self, memory: &Memory) {
        self.kept.push(*memory);
    }
}

pub struct Rig {
    pub device: Device,
    pub now: u64,
    pub feeder: bool,
    pub wake: Option<u64>,
}

impl Rig {
    /// A device that has booted, with the feeder there; its boot payload is checked and gone.
    pub fn boot(role: Role, memory: Memory) -> Self {
        let mut rig = Self::cold(role, memory, true);
        let log = rig.step(&[]);
        assert_eq!(log.frames.iter().map(|frame| frame.header.kind).collect::<Vec<_>>(), [Kind::Boot]);
        assert_eq!(log.kept.len(), 1);
        rig
    }

    pub fn cold(role: Role, memory: Memory, feeder: bool) -> Self {
        Self { device: Device::boot(role, Settings::default(), memory), now: 0, feeder, wake: None }
    }

    pub fn step(&mut self, bytes: &[u8]) -> Log {
        let mut log = Log::default();
        self.wake = self.device.step(Input { now: self.now, feeder: self.feeder, bytes }, &mut log);
        log
    }

    /// Lets time pass, waking the device whenever it asked for it.
    pub fn pass(&mut self, time: u64) -> Vec<Frame> {
        let end = self.now + time;
        let mut frames = Vec::new();
        while let Some(wake) = self.wake.filter(|wake| *wake <= end) {
            assert!(wake >= self.now, "a wake-up lies in the past");
            let before = self.wake;
            self.now = wake;
            frames.extend(self.step(&[]).frames);
            assert_ne!(self.wake, before, "the device asks for the same wake-up again");
        }
        self.now = end;
        frames.extend(self.step(&[]).frames);
        frames
    }

    pub fn switch(&mut self, feeder: bool) -> Vec<Frame> {
        self.feeder = feeder;
        self.step(&[]).frames
    }

    pub fn command(&mut self, kind: Kind, sequence: u16, value: i32) -> Log {
        let destination = self.device.role().actor();
        self.step(&command(kind, destination, sequence, value))
    }
}

pub fn command(kind: Kind, destination: Actor, sequence: u16, value: i32) -> Vec<u8> {
    let header = Header { kind, source: Actor::DacOps, destination, sequence, correlation: 77, stamp: 5 };
    Frame { header, body: Setting { value, flags: 0 }.into() }.encode().as_bytes().to_vec()
}

pub fn state(frame: &Frame) -> State {
    frame.body.state().expect("the payload carries a state")
}
