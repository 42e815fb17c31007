use std::io::{self, Write};
use std::process::{Command, Stdio};

/// Something that tests call, and the Debian package that has it.
struct Need {
    name: &'static str,
    /// Program and arguments that succeed where it is there.
    probe: &'static [&'static str],
    package: &'static str,
    why: &'static str,
}

const NEEDS: [Need; 4] = [
    Need {
        name: "tshark",
        probe: &["tshark", "--version"],
        package: "tshark",
        why: "reads trace.pcapng as an engineer would",
    },
    Need { name: "socat", probe: &["socat", "-V"], package: "socat", why: "joins ttys to programs that are not rig's" },
    Need {
        name: "python3 with venv",
        // Debian's python3 alone has a venv module that fails for want of this one.
        probe: &["python3", "-c", "import ensurepip, venv"],
        package: "python3-venv",
        why: "runs the peers of rig/tests/peers",
    },
    Need {
        name: "qemu-system-arm",
        probe: &["qemu-system-arm", "--version"],
        package: "qemu-system-arm",
        why: "runs the firmware of firmware/board",
    },
];

impl Need {
    fn is_met(&self) -> bool {
        let mut probe = Command::new(self.probe[0]);
        probe.args(&self.probe[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    }
}

/// Installs the packages of what is missing.
///
/// # Errors
/// Names what is missing and could not be installed.
pub fn install() -> Result<(), String> {
    let missing = || NEEDS.iter().filter(|need| !need.is_met()).collect::<Vec<_>>();
    let before = missing();
    if before.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = before.iter().map(|need| need.package).collect();
    let attempt = apt(&packages);
    let after = missing();
    if after.is_empty() {
        return Ok(());
    }
    let list: Vec<_> =
        after.iter().map(|need| format!("\n  {} (Debian package {}): {}", need.name, need.package, need.why)).collect();
    let reason = attempt.err().unwrap_or_else(|| "apt-get succeeded, but they still do not start".to_owned());
    Err(format!("the tests need what is not here, and {reason}; install them and run again:{}", list.concat()))
}

fn apt(packages: &[&str]) -> Result<(), String> {
    if !is_root() {
        return Err(format!("only root may run apt-get install {}", packages.join(" ")));
    }
    eprintln!("xtask: installing {}", packages.join(", "));
    // Debian's packages of the day may have replaced those of a stale list, so the list comes first.
    quietly(&["update"])?;
    quietly(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// Runs apt-get and shows what it says only where it fails.
fn quietly(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("apt-get does not start ({error})"))?;
    if output.status.success() {
        return Ok(());
    }
    // What apt-get says is only a help; the error names the packages either way.
    let _ = io::stderr().write_all(&output.stdout).and_then(|()| io::stderr().write_all(&output.stderr));
    Err(format!("apt-get {} failed (see above)", arguments.join(" ")))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::Need;

    #[test]
    fn what_does_not_start_or_fails_is_missing() {
        let need = |probe| Need { name: "it", probe, package: "it", why: "a test" };
        assert!(!need(&["no-program-has-this-name"]).is_met());
        assert!(!need(&["cargo", "--no-option-has-this-name"]).is_met());
        assert!(need(&["cargo", "--version"]).is_met());
    }
}
