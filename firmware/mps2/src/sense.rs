use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// The sense module of the feeder: it says `1` or `0` at each change, and when the board asks with `?`.
#[derive(Debug)]
pub struct Sense {
    stream: UnixStream,
    energised: Arc<AtomicBool>,
}

impl Sense {
    /// A module that senses an energised feeder. It answers until the machine is gone.
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        let energised = Arc::new(AtomicBool::new(true));
        let (mut port, level) = (stream.try_clone()?, Arc::clone(&energised));
        thread::spawn(move || {
            let mut byte = [0];
            while port.read_exact(&mut byte).is_ok() {
                if byte == *b"?" && port.write_all(word(level.load(Ordering::SeqCst))).is_err() {
                    break;
                }
            }
        });
        Ok(Self { stream, energised })
    }

    /// The feeder falls or returns.
    ///
    /// # Errors
    /// Where the machine is gone.
    pub fn set(&mut self, energised: bool) -> io::Result<()> {
        self.energised.store(energised, Ordering::SeqCst);
        self.stream.write_all(word(energised))
    }
}

fn word(energised: bool) -> &'static [u8] {
    if energised { b"1" } else { b"0" }
}
