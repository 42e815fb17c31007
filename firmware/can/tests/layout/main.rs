//! Payloads as plain frames.
#![expect(clippy::unwrap_used, reason = "test code")]

use rig_can::layout::Signal;

mod message;
mod signal;

fn signal(text: &str) -> Signal {
    text.parse().unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
