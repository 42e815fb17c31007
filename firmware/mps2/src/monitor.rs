use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// QEMU's own port: the QEMU Machine Protocol, one line of JSON each way.
#[derive(Debug)]
pub(crate) struct Monitor(BufReader<UnixStream>);

impl Monitor {
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut monitor = Self(BufReader::new(stream));
        let mut greeting = String::new();
        monitor.0.read_line(&mut greeting)?;
        monitor.execute(r#"{"execute":"qmp_capabilities"}"#)?;
        Ok(monitor)
    }

    /// Resets the machine, as its reset pin would.
    pub(crate) fn reset(&mut self) -> io::Result<()> {
        self.execute(r#"{"execute":"system_reset"}"#)
    }

    /// Writes memory to a file.
    pub(crate) fn save(&mut self, address: u32, size: u32, file: &Path) -> io::Result<()> {
        let file = file.display();
        self.execute(&format!(
            r#"{{"execute":"pmemsave","arguments":{{"val":{address},"size":{size},"filename":"{file}"}}}}"#
        ))
    }

    fn execute(&mut self, request: &str) -> io::Result<()> {
        self.0.get_mut().write_all(format!("{request}\n").as_bytes())?;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if line.contains("\"return\"") {
                return Ok(());
            }
            if line.contains("\"error\"") {
                return Err(io::Error::other(line));
            }
        }
    }
}
