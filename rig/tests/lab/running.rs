//! A program of a lab that runs, and what is waited for while it does.

use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::{Ended, processes, read};

/// Far longer than anything here takes, on a machine that is busy with other things.
pub(super) const DEADLINE: Duration = Duration::from_secs(120);
/// Between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// A program that runs.
pub struct Running {
    pub(super) child: Child,
    pub(super) out: PathBuf,
    pub(super) err: PathBuf,
    pub(super) session: PathBuf,
    pub(super) folder: Rc<TempDir>,
}

impl Running {
    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the session's events hold this text.
    pub fn until_event(&mut self, text: &str) {
        let events = self.session.join("events.jsonl");
        self.until(text, |_| fs::read_to_string(&events).is_ok_and(|events| events.contains(text)));
    }

    /// Waits until standard error holds this text.
    pub fn until_said(&mut self, text: &str) {
        self.until(text, |running| read(&running.err).contains(text));
    }

    /// Waits until standard output holds this text.
    pub fn until_printed(&mut self, text: &str) {
        self.until(text, |running| read(&running.out).contains(text));
    }

    fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !reached(self) {
            let ended = self.child.try_wait().expect("the program can be waited for");
            assert!(ended.is_none() || reached(self), "it ended before {what}: {}", read(&self.err));
            assert!(since.elapsed() < DEADLINE, "no {what}: {}", read(&self.err));
            std::thread::sleep(PAUSE);
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid(), signal);
    }

    /// Waits for the end.
    pub fn end(self) -> Ended {
        self.end_within(DEADLINE)
    }

    /// Waits for the end of something that takes long.
    pub fn end_within(mut self, deadline: Duration) -> Ended {
        let since = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program can be waited for") {
                break status;
            }
            assert!(since.elapsed() < deadline, "it does not end: {}", read(&self.err));
            std::thread::sleep(PAUSE);
        };
        let ended = Ended {
            code: status.code(),
            out: read(&self.out),
            err: read(&self.err),
            session: self.session.clone(),
            _folder: Rc::clone(&self.folder),
        };
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
