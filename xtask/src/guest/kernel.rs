use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::debian;
use crate::workspace::target;

/// The package that stands for Debian's kernel of the day.
const KERNEL: &str = "linux-image-amd64";
/// The package of the program that the guest starts with, before it has the host's.
const BUSYBOX: &str = "busybox-static";
/// What the kernel does not have built in: the host's files, files in memory over them, and CAN.
const MODULES: [&str; 8] = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "can-raw", "can-isotp", "vcan", "slcan"];
const INIT: &str = include_str!("init.sh");

/// What a guest boots.
pub struct Kernel {
    /// The kernel itself.
    pub image: PathBuf,
    /// The first files that it has: modules, busybox and `init.sh`.
    pub ramdisk: PathBuf,
}

/// Unpacks Debian's kernel under `target/guest`, unless it is there already. Nothing is installed in the system.
///
/// # Errors
/// Says which step failed.
pub fn install() -> Result<Kernel, String> {
    let folder = target().join("guest");
    let kernel = Kernel { image: folder.join("vmlinuz"), ramdisk: folder.join("ramdisk.cpio") };
    // Written last, so a folder that an interrupted installation left behind is made again.
    let stamp = folder.join("installed.txt");
    let wanted = format!("{MODULES:?}\n{INIT}");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(kernel);
    }
    eprintln!("xtask: unpacking Debian's kernel, which has CAN, under target/guest");
    let cannot = |error: io::Error| format!("cannot make {}: {error}", folder.display());
    // The files are large; the folder that is seldom made again holds no more than what is booted.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(cannot)?;
    let unpacked = tempfile::tempdir_in(&folder).map_err(cannot)?;
    debian::unpack(&[&debian::stands_for(KERNEL)?, BUSYBOX], unpacked.path())?;
    make(&kernel, unpacked.path()).and_then(|()| fs::write(&stamp, wanted)).map_err(cannot)?;
    Ok(kernel)
}

fn make(kernel: &Kernel, unpacked: &Path) -> io::Result<()> {
    let files = files(unpacked)?;
    let find = |what: &str, is: &dyn Fn(&Path) -> bool| {
        let found = files.iter().find(|file| is(file));
        found.ok_or_else(|| io::Error::other(format!("{what} is not in the packages {KERNEL} and {BUSYBOX}")))
    };
    let image = find("the kernel", &|file| {
        file.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("vmlinuz-"))
    })?;
    let busybox = find("busybox", &|file| file.ends_with("bin/busybox"))?;
    let mut modules = Vec::new();
    for name in MODULES {
        in_order(name, &mut modules, &|name| find(name, &|file| is_module(file, name)))?;
    }

    let ramdisk = tempfile::tempdir_in(unpacked)?;
    let place = |name: &str| ramdisk.path().join(name);
    fs::create_dir(place("bin"))?;
    fs::copy(busybox, place("bin/busybox"))?;
    fs::create_dir(place("modules"))?;
    for (turn, module) in modules.iter().enumerate() {
        fs::copy(module, place(&format!("modules/{turn:02}")))?;
    }
    fs::write(place("init"), INIT)?;
    fs::set_permissions(place("init"), fs::Permissions::from_mode(0o755))?;
    pack(busybox, ramdisk.path(), &kernel.ramdisk)?;
    fs::rename(image, &kernel.image)
}

/// All files under a folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(self::files(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Whether a file is the module of that name; the kernel takes `-` and `_` for the same.
fn is_module(file: &Path, name: &str) -> bool {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().replace('-', "_"));
    file.extension().is_some_and(|it| it == "ko") && stem.is_some_and(|stem| stem == name.replace('-', "_"))
}

/// Adds a module to the order of loading, those that it depends on before it.
fn in_order<'a>(
    name: &str,
    order: &mut Vec<&'a PathBuf>,
    find: &impl Fn(&str) -> io::Result<&'a PathBuf>,
) -> io::Result<()> {
    /// As modinfo reads it: entries of a name, `=` and a text, each ended by a zero.
    const DEPENDS: &[u8] = b"\0depends=";
    let module = find(name)?;
    if order.contains(&module) {
        return Ok(());
    }
    let bytes = fs::read(module)?;
    let entry = bytes.windows(DEPENDS.len()).position(|window| window == DEPENDS);
    let entry = entry.ok_or_else(|| io::Error::other(format!("{name} does not say what it depends on")))?;
    let names = bytes[entry + DEPENDS.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    for name in String::from_utf8_lossy(names).split(',').filter(|name| !name.is_empty()) {
        in_order(name, order, find)?;
    }
    order.push(module);
    Ok(())
}

/// Packs a folder as the kernel wants its first files (its `driver-api/early-userspace/buffer-format`).
fn pack(busybox: &Path, folder: &Path, into: &Path) -> io::Result<()> {
    let mut cpio = Command::new(busybox)
        .args(["cpio", "--create", "--format", "newc"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(File::create(into)?)
        .stderr(Stdio::null())
        .spawn()?;
    let mut names = cpio.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    for folder in ["bin", "modules"] {
        writeln!(names, "{folder}")?;
    }
    for file in files(folder)? {
        writeln!(names, "{}", file.strip_prefix(folder).map_err(io::Error::other)?.display())?;
    }
    drop(names);
    if cpio.wait()?.success() { Ok(()) } else { Err(io::Error::other("busybox cpio failed")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_loaded_after_those_that_they_depend_on_and_once() {
        let folder = tempfile::tempdir().expect("a folder");
        for (file, depends) in [("a-b", "c,d_e"), ("c", "d-e"), ("d-e", ""), ("f", "a_b,c")] {
            let entries = format!("\x7fELF license=GPL\0depends={depends}\0name={file}\0");
            fs::write(folder.path().join(format!("{file}.ko")), entries).expect("a module");
        }
        fs::write(folder.path().join("c.txt"), "no module").expect("a file");
        let files = files(folder.path()).expect("its files");
        let find = |name: &str| {
            let found = files.iter().find(|file| is_module(file, name));
            found.ok_or_else(|| io::Error::other(format!("no {name}")))
        };
        let mut order = Vec::new();
        for name in ["f", "a-b"] {
            in_order(name, &mut order, &find).expect("an order");
        }
        let names: Vec<_> = order.iter().filter_map(|file| file.file_name()).collect();
        assert_eq!(names, ["d-e.ko", "c.ko", "a-b.ko", "f.ko"]);
        assert!(in_order("g", &mut order, &find).is_err());
    }
}
