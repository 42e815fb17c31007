//! Programs of can-utils and their like as processes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Nothing here takes this long unless it hangs, in an emulated guest on a busy machine, too.
pub const HANGS: Duration = Duration::from_secs(60);

/// A program that runs; it ends when this is dropped.
pub struct Peer {
    name: String,
    child: Child,
    said: Receiver<String>,
}

impl Peer {
    /// Starts a program.
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        Self::start_in(Path::new("."), program, arguments)
    }

    fn start_in(folder: &Path, program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .current_dir(folder)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let out = child.stdout.take().expect("its output is a pipe");
        let (lines, said) = channel();
        thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        Self { name: program.to_owned(), child, said }
    }

    /// Starts a program that listens to an interface, and waits until it does.
    pub fn listen(program: &str, arguments: &[&str], interface: &str) -> Self {
        Self::listen_in(Path::new("."), program, arguments, interface)
    }

    /// The same, for a program that leaves files in a folder.
    pub fn listen_in(folder: &Path, program: &str, arguments: &[&str], interface: &str) -> Self {
        let before = receivers(interface);
        let mut peer = Self::start_in(folder, program, arguments);
        let begun = Instant::now();
        while receivers(interface) <= before {
            let ended = peer.child.try_wait().expect("a child's state");
            assert!(ended.is_none(), "{program} ended with {ended:?} before it listened");
            assert!(begun.elapsed() < HANGS, "{program} does not listen");
            thread::sleep(Duration::from_millis(5));
        }
        peer
    }

    /// Starts a program with this as its input.
    pub fn feed(program: &str, arguments: &[&str], input: &str) -> Self {
        let mut peer = Self::start(program, arguments);
        let mut pipe = peer.child.stdin.take().expect("its input is a pipe");
        pipe.write_all(input.as_bytes()).expect("it reads its input");
        peer
    }

    /// Runs a program to its end, with this as its input.
    pub fn run(program: &str, arguments: &[&str], input: &str) {
        Self::feed(program, arguments, input).end();
    }

    /// The next line that it says.
    pub fn line(&self) -> String {
        self.said.recv_timeout(HANGS).unwrap_or_else(|error| panic!("{} says nothing: {error}", self.name))
    }

    /// Asks it to end, and waits until it does.
    pub fn stop(self) {
        let process = Pid::from_raw(i32::try_from(self.child.id()).expect("a process's number"));
        // Some look for a signal before they wait for frames, and miss one that comes between.
        self.wait(|| kill(process, Signal::SIGTERM).expect("the signal is sent"));
    }

    /// Waits until it ends by itself, which it must do well.
    pub fn end(self) {
        let name = self.name.clone();
        let status = self.wait(|| ());
        assert!(status.success(), "{name} ended with {status}");
    }

    /// Waits until it ends, and does this again and again meanwhile.
    fn wait(mut self, meanwhile: impl Fn()) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child's state") {
                return status;
            }
            assert!(begun.elapsed() < HANGS, "{} does not end", self.name);
            meanwhile();
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of root's without one of root's capabilities.
pub fn without(capability: &str, command: &Command) -> Command {
    let mut setpriv = Command::new("setpriv");
    setpriv.arg(format!("--bounding-set=-{capability}")).arg("--").arg(command.get_program()).args(command.get_args());
    setpriv.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    setpriv
}

/// How many receivers the kernel has for frames of an interface, in all the lists of its `net/can/proc.c`.
fn receivers(interface: &str) -> usize {
    let lists =
        fs::read_dir("/proc/net/can").expect("this kernel has CAN").map(|entry| entry.expect("an entry").path());
    let lists =
        lists.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rcvlist_")));
    let of_interface = |line: &&str| line.split_whitespace().next() == Some(interface);
    lists.map(|path| fs::read_to_string(path).expect("a list").lines().filter(of_interface).count()).sum()
}
