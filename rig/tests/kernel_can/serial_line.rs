//! The kernel's own slcan in front of an emulated adapter: an interface with bits, and somebody else's LAWICEL.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::Lab;
use crate::peer::{HANGS, Peer};

/// The interface.
pub const NAME: &str = "slcan0";

/// An adapter's tty that the kernel has made an interface of. It is gone when this is dropped.
pub struct SerialLine {
    slcand: Option<Peer>,
}

impl SerialLine {
    /// Makes an interface of the adapter `port` of a lab's bench that runs apart, at a bit rate.
    pub fn attach(lab: &Lab, port: &str, bitrate: u32) -> Self {
        let tty = fs::read_link(lab.path("ports").join(port)).expect("a tty");
        let below_dev = tty.strip_prefix("/dev").expect("a device").to_str().expect("a name");
        let line = Self { slcand: Some(Peer::start("slcand", &["-F", below_dev, NAME])) };
        until("it is there", || interface().exists());
        set(bitrate);
        line
    }
}

/// Has the interface run at a bit rate.
fn set(bitrate: u32) {
    Peer::run("ip", &["link", "set", NAME, "down"], "");
    Peer::run("ip", &["link", "set", NAME, "type", "can", "bitrate", &bitrate.to_string()], "");
    // The driver's own queue of 10 frames is too short for a machine that is busy.
    Peer::run("ip", &["link", "set", NAME, "txqueuelen", "1000", "up"], "");
}

impl Drop for SerialLine {
    fn drop(&mut self) {
        // It takes its line discipline from the tty, which the bench keeps open.
        if let Some(slcand) = self.slcand.take() {
            slcand.stop();
        }
        if !thread::panicking() {
            until("it is gone", || !interface().exists());
        }
    }
}

fn interface() -> PathBuf {
    Path::new("/sys/class/net").join(NAME)
}

fn until(what: &str, reached: impl Fn() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < HANGS, "{NAME}: not so: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
