//! Pseudo-terminals, raw: no echo, no line editing, a byte is a byte.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;

/// The far end of a tty.
pub struct FarEnd {
    /// Reads and writes without waiting.
    pub master: File,
    /// Where the near end is opened.
    pub path: PathBuf,
    /// Kept open: a master whose near end nobody has open is hung up.
    _slave: OwnedFd,
}

impl FarEnd {
    /// A new tty.
    pub fn open() -> io::Result<Self> {
        let pty = openpty(None, None)?;
        make_raw(&pty.slave)?;
        fcntl(pty.master.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self { path: ttyname(&pty.slave)?, master: pty.master.into(), _slave: pty.slave })
    }
}

/// The near end as the bare loops have it.
pub fn open_near(path: &Path) -> io::Result<File> {
    let tty = File::options().read(true).write(true).open(path)?;
    make_raw(&tty)?;
    Ok(tty)
}

fn make_raw(tty: impl AsFd) -> io::Result<()> {
    let mut settings = tcgetattr(&tty)?;
    cfmakeraw(&mut settings);
    Ok(tcsetattr(&tty, SetArg::TCSANOW, &settings)?)
}
