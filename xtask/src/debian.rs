//! Debian's packages: installed in the system, or only unpacked where a task wants their files.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Installs packages.
///
/// # Errors
/// Says which step failed, or that only root may.
pub fn install(packages: &[&str]) -> Result<(), String> {
    if !is_root() {
        return Err(format!("only root may run apt-get install {}", packages.join(" ")));
    }
    eprintln!("xtask: installing {}", packages.join(", "));
    update()?;
    let words = [&["apt-get", "install", "--yes", "--no-install-recommends"], packages].concat();
    quietly(&words, Path::new(".")).map(drop)
}

/// Unpacks packages into a folder, without what they would do to the system, and without what they depend on.
///
/// # Errors
/// Says which step failed.
#[cfg(target_os = "linux")]
pub fn unpack(packages: &[&str], into: &Path) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot unpack {} under {}: {error}", packages.join(", "), into.display());
    let folder = tempfile::tempdir_in(into).map_err(cannot)?;
    quietly(&[&["apt-get", "download"], packages].concat(), folder.path())?;
    let into = into.display().to_string();
    for file in std::fs::read_dir(&folder).map_err(cannot)? {
        let file = file.map_err(cannot)?.path().display().to_string();
        quietly(&["dpkg-deb", "--extract", &file, &into], Path::new("."))?;
    }
    Ok(())
}

/// The package that another one stands for: the first that it depends on, as of today where root asks.
///
/// # Errors
/// Where there is none.
#[cfg(target_os = "linux")]
pub fn stands_for(package: &str) -> Result<String, String> {
    // Others must do with the list that is there.
    if is_root() {
        update()?;
    }
    let said = quietly(&["apt-cache", "depends", "--important", package], Path::new("."))?;
    let first = said.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    first.map(str::to_owned).ok_or_else(|| format!("the package {package} depends on none"))
}

/// The mirror may have replaced what a stale list names, so the list comes first.
fn update() -> Result<(), String> {
    quietly(&["apt-get", "update"], Path::new(".")).map(drop)
}

/// Runs a program and returns its output; shows it only where the program fails.
fn quietly(words: &[&str], folder: &Path) -> Result<String, String> {
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(folder)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} does not start ({error})", words[0]))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // What it says is only a help; the error names the packages either way.
    let _ = io::stderr().write_all(&output.stdout).and_then(|()| io::stderr().write_all(&output.stderr));
    Err(format!("{} failed (see above)", words.join(" ")))
}

/// Whether this program is root's.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
