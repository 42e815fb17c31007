use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{root, target};

const REQUIREMENTS: &str = "rig/tests/peers/requirements.txt";

/// Installs the Python peers under `target/peers`, unless they are there already, and returns the path of their
/// python.
///
/// # Errors
/// Says which step failed.
pub fn install() -> Result<PathBuf, String> {
    let wanted = fs::read_to_string(root().join(REQUIREMENTS))
        .map_err(|error| format!("cannot read {REQUIREMENTS}: {error}"))?;
    let folder = target().join("peers");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last, so a folder that an interrupted installation left behind is made again.
    let stamp = folder.join("installed.txt");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }

    eprintln!("xtask: installing the Python peers of {REQUIREMENTS}");
    let system = if cfg!(windows) { "python" } else { "python3" };
    step(
        Command::new(system).args(["-m", "venv", "--clear"]).arg(&folder),
        "make a Python environment (python3-venv)",
    )?;
    step(&mut pip(&python), "install the Python peers")?;
    fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(python)
}

fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"]);
    pip.arg(root().join(REQUIREMENTS));
    pip
}

fn step(command: &mut Command, what: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cannot {what}: {status} (see above)")),
        Err(error) => Err(format!("cannot {what}: {error}")),
    }
}
