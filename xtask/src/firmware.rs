use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;
use rig_mps2::{BOOT_ROM, Image};

use crate::targets::{self, CORTEX_M3};
use crate::workspace::{cargo, root, target};

/// All boards have the same core.
const TARGET: &str = CORTEX_M3;
const PROGRAMS: [&str; 3] = ["storage", "breaker", "meter"];
/// The board that QEMU is, on which the programs run here.
const EMULATED: &str = "mps2-an385";
const BOARDS: [&str; 2] = [EMULATED, "blue-pill"];
const BUGS: [&str; 4] = ["bug-crash", "bug-hang", "bug-leak", "bug-stall"];

#[derive(Args)]
pub struct FirmwareArgs {
    /// Build the programs with seeded bugs too
    #[arg(long)]
    bugs: bool,
}

/// Builds all programs for all boards into `target/firmware/BOARD/PROGRAM.elf` and prints what they take.
///
/// # Errors
/// Says which step failed.
pub fn run(args: &FirmwareArgs) -> Result<ExitCode, String> {
    build(args.bugs)?;
    println!("{:12}{:9}{:>8}{:>7}{:>8}   deepest stack", "board", "program", "text", "data", "bss");
    for board in BOARDS {
        for program in PROGRAMS {
            let image = Image::read(&elf(board, program)).map_err(|error| chain(&error))?;
            let sizes = image.sizes();
            let stack = if board == EMULATED { stack(&image)? } else { "not measured: it has not run".to_owned() };
            println!("{board:12}{program:9}{:>8}{:>7}{:>8}   {stack}", sizes.text, sizes.data, sizes.bss);
        }
    }
    println!("bytes; the stack is the deepest that was seen while a program ran through all that it does in QEMU");
    Ok(ExitCode::SUCCESS)
}

/// Builds all programs for all boards, and with `bugs` those with seeded bugs for the emulated one; lays that one's boot
/// ROM beside them.
///
/// # Errors
/// Says which step failed.
pub fn build(bugs: bool) -> Result<(), String> {
    targets::add(TARGET)?;
    for board in BOARDS {
        build_programs(board, None)?;
    }
    for bug in BUGS.iter().filter(|_| bugs) {
        build_programs(EMULATED, Some(bug))?;
    }
    let rom = target().join("firmware").join(EMULATED).join("boot-rom.bin");
    fs::write(&rom, BOOT_ROM).map_err(|error| format!("cannot write {}: {error}", rom.display()))
}

/// Builds the programs for a board and copies their ELFs to where tests and fixtures look for them.
fn build_programs(board: &str, bug: Option<&str>) -> Result<(), String> {
    let folder = target().join("firmware/build");
    let features = [Some(board), bug].into_iter().flatten().collect::<Vec<_>>().join(",");
    let mut cargo = cargo();
    cargo.current_dir(root().join("firmware/board"));
    cargo.args(["build", "--quiet", "--release", "--locked", "--target", TARGET, "--features", &features]);
    cargo.arg("--target-dir").arg(&folder);
    // So that the same sources give the same image wherever they lie.
    cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", remap());
    step(&mut cargo, &format!("build the firmware for {features}"))?;
    for program in PROGRAMS {
        let name = bug.map_or_else(|| program.to_owned(), |bug| format!("{program}-{bug}"));
        let elf = elf(board, &name);
        let built = folder.join(TARGET).join("release").join(program);
        let copied = elf.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(&built, &elf));
        copied.map_err(|error| format!("cannot copy {} to {}: {error}", built.display(), elf.display()))?;
    }
    Ok(())
}

/// Names for the folders of this machine, in the encoding of `CARGO_ENCODED_RUSTFLAGS`.
fn remap() -> OsString {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let mut flags = OsString::new();
    for (folder, name) in [(Some(root().to_owned()), "rig"), (home, "cargo")] {
        let Some(folder) = folder else { continue };
        flags.push(if flags.is_empty() { "" } else { "\u{1f}" });
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push(format!("={name}"));
    }
    flags
}

fn elf(board: &str, name: &str) -> PathBuf {
    target().join("firmware").join(board).join(format!("{name}.elf"))
}

#[cfg(unix)]
fn stack(image: &Image) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("cannot make a folder for the machine: {error}"))?;
    let flash = folder.path().join("flash.img");
    rig_mps2::create(&flash).and_then(|()| rig_mps2::program(&flash, image)).map_err(|error| chain(&error))?;
    match rig_mps2::deepest_stack(image, &flash, folder.path()) {
        Ok(stack) => Ok(format!("{} of {}", stack.used, stack.size)),
        Err(rig_mps2::StackError::Machine(missing @ rig_mps2::MachineError::Missing(_))) => {
            Ok(format!("not measured: {missing}"))
        }
        Err(error) => Err(format!("the stack cannot be measured: {}", chain(&error))),
    }
}

#[cfg(not(unix))]
fn stack(_: &Image) -> Result<String, String> {
    Ok("not measured: needs a Unix".to_owned())
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn step(command: &mut Command, what: &str) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cannot {what}: {status} (see above)")),
        Err(error) => Err(format!("cannot {what}: {error}")),
    }
}
