use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// What programs for a Cortex-M3 are built for.
pub const CORTEX_M3: &str = "thumbv7m-none-eabi";
/// What the programs of the tests are built for: a Cortex-M3 and a Cortex-M0.
const TARGETS: [&str; 2] = [CORTEX_M3, "thumbv6m-none-eabi"];

/// Adds Rust's targets that tests build for.
///
/// # Errors
/// Names the target that could not be added.
pub fn install() -> Result<(), String> {
    TARGETS.into_iter().try_for_each(add)
}

/// Adds a target of Rust's, where it is missing.
///
/// # Errors
/// Says that it could not be added.
pub fn add(target: &str) -> Result<(), String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let library = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .map_err(|error| format!("rustc does not start: {error}"))?;
    if Path::new(String::from_utf8_lossy(&library.stdout).trim()).is_dir() {
        return Ok(());
    }
    eprintln!("xtask: adding Rust's {target}");
    match Command::new("rustup").args(["target", "add", target]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("rustup cannot add Rust's {target}: {status} (see above)")),
        Err(error) => Err(format!("add Rust's {target}, for rustup does not start: {error}")),
    }
}
