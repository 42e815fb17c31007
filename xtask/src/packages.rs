use std::process::{Command, Stdio};

use crate::debian;

/// Something that tests call, and the Debian package that has it.
pub struct Need {
    pub name: &'static str,
    /// Program and arguments that succeed where it is there.
    pub probe: &'static [&'static str],
    pub package: &'static str,
    pub why: &'static str,
}

/// What tests call on every machine.
pub const OF_TESTS: [Need; 5] = [
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
        name: "candump and its like",
        // It has no argument at which it succeeds and does nothing.
        probe: &["sh", "-c", "command -v candump"],
        package: "can-utils",
        why: "is on the other end of the tests' CAN bus",
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

/// Installs the packages of what is missing among these.
///
/// # Errors
/// Names what is missing and could not be installed.
pub fn install(needs: &[Need]) -> Result<(), String> {
    let missing = || needs.iter().filter(|need| !need.is_met()).collect::<Vec<_>>();
    let before = missing();
    if before.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = before.iter().map(|need| need.package).collect();
    let attempt = debian::install(&packages);
    let after = missing();
    if after.is_empty() {
        return Ok(());
    }
    let list: Vec<_> =
        after.iter().map(|need| format!("\n  {} (Debian package {}): {}", need.name, need.package, need.why)).collect();
    let reason = attempt.err().unwrap_or_else(|| "apt-get succeeded, but they still do not start".to_owned());
    Err(format!("something that is needed is not here, and {reason}; install them and run again:{}", list.concat()))
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
