//! Debian's kernel in QEMU, emulated: a machine that builds rig may itself be a guest that cannot have guests.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::Job;
use super::kernel::Kernel;

/// Where the kernel's own messages go.
const CONSOLE: &str = "console";
/// Where `init.sh` puts what the job says, and its exit code.
const OUTPUT: &str = "output";
const ERRORS: &str = "errors";
const CODE: &str = "code";
/// Between two looks at what the job says.
const PAUSE: Duration = Duration::from_millis(20);
/// Starts a program in turns with others of the lowest real-time priority.
const REAL_TIME: [&str; 3] = ["chrt", "--rr", "1"];

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
        tokio::select! {
            code = play(kernel, script.path(), folder.path()) => code,
            () = sleep(deadline) => Err(io::Error::other(format!("it took more than {deadline:?}"))),
            _ = interrupt.recv() => Err(io::ErrorKind::Interrupted.into()),
            _ = terminate.recv() => Err(io::Error::other("terminated")),
        }
    });
    ended.map_err(|error| {
        let said = fs::read(folder.path().join(CONSOLE)).unwrap_or_default();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!("; its kernel said:\n{}", String::from_utf8_lossy(&said))
        };
        format!("the guest did not run the command to its end: {error}{said}")
    })
}

/// Boots a guest that runs the script, and hands on what that says until the guest ends; returns the script's exit code.
async fn play(kernel: &Kernel, script: &Path, folder: &Path) -> io::Result<u8> {
    let empty = |name| File::options().read(true).write(true).create_new(true).open(folder.join(name));
    let (mut output, mut errors) = (empty(OUTPUT)?, empty(ERRORS)?);
    let mut guest = boot(kernel, script, folder)?;
    loop {
        let ended = timeout(PAUSE, guest.wait()).await.is_ok();
        io::copy(&mut output, &mut io::stdout()).and_then(|_| io::stdout().flush())?;
        io::copy(&mut errors, &mut io::stderr())?;
        if ended {
            let code = fs::read_to_string(folder.join(CODE)).unwrap_or_default();
            return code.trim().parse().map_err(|_| io::Error::other("it ended before"));
        }
    }
}

/// Starts a guest, which ends when it is dropped.
fn boot(kernel: &Kernel, script: &Path, folder: &Path) -> io::Result<Child> {
    // However this program ends, the guest ends with it.
    let mut qemu = Command::new("setpriv");
    qemu.args(["--pdeathsig", "KILL", "--"]);
    // rig in the guest has real-time priority, as far as the guest has it. Other programs get what the kernel keeps for
    // them (`sched_rt_runtime_us`) while both of the guest's processors are busy.
    if real_time() {
        qemu.args(REAL_TIME);
    }
    qemu.args(["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"]);
    qemu.args(["-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2G"]);
    qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(&kernel.ramdisk);
    // The emulated TSC is the host's, the same on all processors, which the kernel does not believe by itself; its other
    // clocks are slow. What the kernel does not know is in the environment of init.
    qemu.arg("-append").arg(format!("console=ttyS0 quiet panic=-1 tsc=reliable job={}", script.display()));
    qemu.arg("-serial").arg(format!("file:{}", folder.join(CONSOLE).display()));
    for (tag, options) in [("root", "path=/,readonly=on"), ("said", &format!("path={}", folder.display()))] {
        qemu.arg("-fsdev").arg(format!("local,id={tag},security_model=none,multidevs=remap,{options}"));
        qemu.arg("-device").arg(format!("virtio-9p-pci,fsdev={tag},mount_tag={tag}"));
    }
    qemu.stdin(Stdio::null()).kill_on_drop(true).spawn()
}

/// Whether the host grants real-time priority.
fn real_time() -> bool {
    let mut probe = std::process::Command::new(REAL_TIME[0]);
    probe.args(&REAL_TIME[1..]).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}
