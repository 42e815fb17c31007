//! As much of a debugger as stops a machine at a write: QEMU's side of GDB's remote protocol on a socket.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

pub struct Debugger {
    stream: UnixStream,
}

impl Debugger {
    /// Where a machine finds its debugger, and what to tell it for that.
    pub fn listen(socket: &Path) -> (UnixListener, [OsString; 3]) {
        let listener = UnixListener::bind(socket).expect("the folder is new");
        let mut option = OsString::from("unix:");
        option.push(socket);
        (listener, ["-S".into(), "-gdb".into(), option])
    }

    /// That of a machine which has been started so, and stands still before its first instruction.
    pub fn of(listener: &UnixListener) -> Self {
        let (stream, _) = listener.accept().expect("the machine has opened it");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket has a timeout");
        Self { stream }
    }

    /// Lets the machine run until it has written between two addresses once more.
    pub fn run_to_write(&mut self, start: u32, end: u32) {
        let place = format!("2,{start:x},{:x}", end - start);
        assert_eq!(self.ask(&format!("Z{place}")), "OK");
        let stop = self.ask("c");
        assert!(stop.contains("watch:"), "it stops at a write: {stop}");
        // QEMU stops before the write, and would stop there for ever.
        assert_eq!(self.ask(&format!("z{place}")), "OK");
        self.ask("s");
    }

    fn ask(&mut self, request: &str) -> String {
        let sum = request.bytes().fold(0_u8, u8::wrapping_add);
        self.stream.write_all(format!("${request}#{sum:02x}").as_bytes()).expect("it listens");
        let mut reply = Vec::new();
        while !matches!(reply[..], [.., b'#', _, _]) {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("it answers");
            reply.push(byte[0]);
        }
        self.stream.write_all(b"+").expect("it listens");
        String::from_utf8_lossy(&reply[..reply.len() - 3]).trim_start_matches(['+', '$']).to_owned()
    }
}
