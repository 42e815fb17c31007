use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::boot_rom::BOOT_ROM;
use crate::line::Line;
use crate::monitor::Monitor;
use crate::sense::Sense;

const QEMU: &str = "qemu-system-arm";
/// How long QEMU may take to open its ports.
const PATIENCE: Duration = Duration::from_secs(60);

/// The board under power. Dropping it takes its power: at whatever instant, with nothing written back but what the
/// program has written to flash.
#[derive(Debug)]
pub struct Machine {
    child: Child,
    folder: PathBuf,
    monitor: Monitor,
    /// The field link.
    pub field: Line,
    /// The meter's in-home port.
    pub home: Line,
    /// The sense module of the feeder.
    pub sense: Sense,
}

/// Why there is no machine, or it does not do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// QEMU is not installed.
    #[error("{QEMU} does not start: install Debian's package qemu-system-arm")]
    Missing(#[source] io::Error),
    /// QEMU has ended.
    #[error("{QEMU} has ended: {0}")]
    Ended(String),
    /// A file or a socket of the machine's folder.
    #[error("the machine's folder or ports fail")]
    Io(#[from] io::Error),
}

impl Machine {
    /// Gives a board power. Its flash is that file; sockets and the boot ROM go to `folder`, which nobody else uses.
    ///
    /// # Errors
    /// Where QEMU is missing or ends at once.
    pub fn start(flash: &Path, folder: &Path) -> Result<Self, MachineError> {
        Self::start_with(flash, folder, &[])
    }

    /// The same, with more options of QEMU.
    ///
    /// # Errors
    /// Where QEMU is missing or ends at once.
    pub fn start_with(flash: &Path, folder: &Path, options: &[OsString]) -> Result<Self, MachineError> {
        let rom = folder.join("boot-rom.bin");
        fs::write(&rom, BOOT_ROM)?;
        let listen = |name| listen(&folder.join(name));
        let ports = [listen("field")?, listen("home")?, listen("sense")?, listen("monitor")?];

        let mut qemu = Command::new(QEMU);
        qemu.args(["-M", "mps2-an385,memory-backend=flash", "-display", "none", "-object"]);
        qemu.arg(option("memory-backend-file,id=flash,size=16M,share=on,mem-path=", flash));
        qemu.arg("-device").arg(option("loader,addr=0x0,force-raw=on,file=", &rom));
        for name in ["field", "home", "sense"] {
            qemu.arg("-chardev").arg(option(&format!("socket,id={name},path="), &folder.join(name)));
            qemu.arg("-serial").arg(format!("chardev:{name}"));
        }
        qemu.arg("-qmp").arg(option("unix:", &folder.join("monitor"))).args(options);
        let log = File::create(folder.join("qemu.log"))?;
        let mut child =
            qemu.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn().map_err(MachineError::Missing)?;

        let connected = ports.iter().map(|port| accept(port, &mut child)).collect::<io::Result<Vec<_>>>();
        let machine = connected.and_then(|streams| {
            let [field, home, sense, monitor] =
                <[UnixStream; 4]>::try_from(streams).map_err(|_| ErrorKind::NotFound)?;
            Ok((Line::new(field)?, Line::new(home)?, Sense::new(sense)?, Monitor::new(monitor)?))
        });
        match machine {
            Ok((field, home, sense, monitor)) => {
                Ok(Self { child, folder: folder.to_owned(), monitor, field, home, sense })
            }
            Err(error) => {
                end(&mut child);
                Err(MachineError::Ended(format!("{error}: {}", said(folder))))
            }
        }
    }

    /// Takes its power now.
    pub fn cut(&mut self) {
        end(&mut self.child);
    }

    /// Resets it, as its reset pin would: RAM stays.
    ///
    /// # Errors
    /// Where the machine is gone.
    pub fn reset(&mut self) -> Result<(), MachineError> {
        self.monitor.reset().map_err(|error| self.gone(&error))
    }

    /// What its memory holds, while it runs.
    ///
    /// # Errors
    /// Where the machine is gone.
    pub fn memory(&mut self, address: u32, size: u32) -> Result<Vec<u8>, MachineError> {
        let file = self.folder.join("memory.bin");
        self.monitor.save(address, size, &file).map_err(|error| self.gone(&error))?;
        Ok(fs::read(file)?)
    }

    /// The process that is this machine.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    fn gone(&self, error: &io::Error) -> MachineError {
        MachineError::Ended(format!("{error}: {}", said(&self.folder)))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
}

/// A socket of that name, be there one left from a machine before.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Waits until QEMU has opened a port.
fn accept(port: &UnixListener, child: &mut Child) -> io::Result<UnixStream> {
    let until = Instant::now() + PATIENCE;
    loop {
        match port.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            Err(_) if Instant::now() > until => return Err(ErrorKind::TimedOut.into()),
            Err(_) => {}
        }
        if let Some(status) = child.try_wait()? {
            return Err(io::Error::other(status.to_string()));
        }
        sleep(Duration::from_millis(1));
    }
}

/// An option of QEMU that ends in a path; it takes two commas for one of the path.
fn option(before: &str, path: &Path) -> String {
    format!("{before}{}", path.to_string_lossy().replace(',', ",,"))
}

/// What QEMU has said.
fn said(folder: &Path) -> String {
    fs::read_to_string(folder.join("qemu.log")).unwrap_or_default().trim().to_owned()
}
