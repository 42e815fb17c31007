//! Debian's kernel in QEMU, emulated: a machine that builds rig may itself be a guest that cannot have guests.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::Job;
use super::kernel::Kernel;
use crate::packages::Need;

/// What a guest needs of the machine.
pub const NEEDS: [Need; 1] = [Need {
    name: "qemu-system-x86_64",
    probe: &["qemu-system-x86_64", "--version"],
    package: "qemu-system-x86",
    why: "boots a kernel that has CAN, which this one has not",
}];

/// Where the kernel's own messages go.
const CONSOLE: &str = "console.txt";
/// The ports, in the order that `init.sh` has them.
const PORTS: [&str; 3] = ["output", "errors", "code"];

/// Boots a guest, runs a job in it, and returns the job's exit code. Its output is this program's.
///
/// # Errors
/// Why the job did not run to its end, with what the guest's kernel said.
pub fn run(kernel: &Kernel, job: &Job, deadline: Duration) -> Result<u8, String> {
    let cannot = |error: io::Error| format!("cannot run the guest: {error}");
    let folder = tempfile::tempdir().map_err(cannot)?;
    let script = job.script().map_err(cannot)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let ended = runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let guest = Guest::boot(kernel, script.path(), folder.path())?;
        tokio::select! {
            code = guest.relay() => code.map(|code| code.ok_or("the guest ended before the command did".to_owned())),
            () = tokio::time::sleep(deadline) => Ok(Err(format!("the guest was ended, for it took {deadline:?}"))),
            _ = interrupt.recv() => Ok(Err("the guest was interrupted".to_owned())),
            _ = terminate.recv() => Ok(Err("the guest was terminated".to_owned())),
        }
    });
    ended.map_err(cannot)?.map_err(|why| {
        let said = fs::read(folder.path().join(CONSOLE)).unwrap_or_default();
        let said = String::from_utf8_lossy(said.trim_ascii());
        if said.is_empty() { why } else { format!("{why}; its kernel said:\n{said}") }
    })
}

/// A guest that runs; it ends when this is dropped.
struct Guest {
    qemu: Child,
    ports: Vec<UnixListener>,
}

impl Guest {
    fn boot(kernel: &Kernel, script: &Path, folder: &Path) -> io::Result<Self> {
        // However this program ends, the guest ends with it.
        let mut qemu = Command::new("setpriv");
        qemu.args(["--pdeathsig", "KILL", "--", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot"]);
        qemu.args(["-display", "none", "-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max"]);
        qemu.args(["-smp", "2", "-m", "2G"]);
        qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(&kernel.ramdisk);
        // What the kernel does not know is in the environment of init.
        qemu.arg("-append").arg(format!("console=ttyS0 quiet panic=-1 job={}", script.display()));
        qemu.arg("-serial").arg(format!("file:{}", folder.join(CONSOLE).display()));
        qemu.args(["-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"]);
        qemu.args(["-device", "virtio-9p-pci,fsdev=root,mount_tag=root", "-device", "virtio-serial"]);
        let mut ports = Vec::new();
        for (nr, name) in (1..).zip(PORTS) {
            let path = folder.join(name);
            qemu.arg("-chardev").arg(format!("socket,id={name},path={}", path.display()));
            qemu.arg("-device").arg(format!("virtserialport,nr={nr},chardev={name}"));
            ports.push(UnixListener::bind(path)?);
        }
        Ok(Self { qemu: qemu.stdin(Stdio::null()).kill_on_drop(true).spawn()?, ports })
    }

    /// Hands on what the job says until the guest ends; returns the job's exit code, if it got so far.
    async fn relay(mut self) -> io::Result<Option<u8>> {
        let mut streams = Vec::new();
        for port in &self.ports {
            let accepted = tokio::select! {
                accepted = port.accept() => accepted?,
                _ = self.qemu.wait() => return Ok(None),
            };
            streams.push(accepted.0);
        }
        let [output, errors, mut code] =
            <[UnixStream; 3]>::try_from(streams).map_err(|_| io::ErrorKind::NotConnected)?;
        let mut ended = String::new();
        tokio::try_join!(copy(output, io::stdout()), copy(errors, io::stderr()), async {
            code.read_to_string(&mut ended).await.map(drop)
        },)?;
        self.qemu.wait().await?;
        Ok(ended.trim().parse().ok())
    }
}

async fn copy(mut from: UnixStream, mut to: impl io::Write) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer).await? {
            0 => return Ok(()),
            length => to.write_all(&buffer[..length]).and_then(|()| to.flush())?,
        }
    }
}
