use super::{BELL, CR, Command, Reply, frame};

/// Characters of the longest line without its end: the longest frame, and a time stamp.
const LONGEST: usize = frame::LONGEST + 4;

/// Finds lines in received bytes. It keeps at most one line, and after garbage finds the next one.
#[derive(Clone, Debug)]
pub struct Lines {
    bytes: [u8; LONGEST],
    length: usize,
    /// More bytes than any line has came since the last end of a line.
    overlong: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self { bytes: [0; LONGEST], length: 0, overlong: false }
    }
}

impl Lines {
    /// For a host: takes a byte. `None` while a line has not ended; `Some(Err(()))` where it is no reply.
    ///
    /// A BELL is a reply of its own. Where it ends a line of other bytes these are a damaged line, and so is the BELL.
    pub fn reply(&mut self, byte: u8) -> Option<Result<Reply, ()>> {
        match byte {
            CR => Some(self.end(Reply::read)),
            BELL if self.pending() == 0 => Some(Ok(Reply::Refused)),
            BELL => Some(self.end(|_| None)),
            _ => self.keep(byte),
        }
    }

    /// For an adapter: takes a byte. `None` while a line has not ended; `Some(Err(()))` where it is no command.
    ///
    /// Hosts send empty lines to end what an adapter may still have of an earlier one; they are no command, and `None`.
    pub fn command(&mut self, byte: u8) -> Option<Result<Command, ()>> {
        match byte {
            CR if self.pending() == 0 => None,
            CR => Some(self.end(Command::read)),
            _ => self.keep(byte),
        }
    }

    /// Bytes of an unfinished line.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.length + usize::from(self.overlong)
    }

    /// Forgets an unfinished line.
    pub fn reset(&mut self) {
        self.length = 0;
        self.overlong = false;
    }

    fn keep<T>(&mut self, byte: u8) -> Option<T> {
        match self.bytes.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
            }
            None => self.overlong = true,
        }
        None
    }

    fn end<T>(&mut self, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, ()> {
        let line = if self.overlong { None } else { read(&self.bytes[..self.length]) };
        self.reset();
        line.ok_or(())
    }
}
