use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use tempfile::NamedTempFile;

/// The interfaces that every job finds.
const INTERFACES: &str = include_str!("interfaces.sh");

/// A command, the folder that it runs in, and its environment.
pub struct Job {
    command: Vec<OsString>,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Job {
    /// A command in the folder that this program runs in, with what concerns it of this program's environment. The
    /// rest may hold secrets, and is not written into a file.
    ///
    /// # Errors
    /// Where the folder is gone.
    pub fn here(command: &[impl AsRef<OsStr>]) -> Result<Self, String> {
        Ok(Self {
            command: command.iter().map(|word| word.as_ref().to_owned()).collect(),
            folder: std::env::current_dir().map_err(|error| format!("the current folder is gone: {error}"))?,
            environment: std::env::vars_os().filter(|(name, _)| concerns(name.as_bytes())).collect(),
        })
    }

    /// The job as a script that makes the interfaces first; it is gone when this is dropped.
    pub fn script(&self) -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix("rig-job-").suffix(".sh").tempfile()?;
        file.write_all(&self.text())?;
        Ok(file)
    }

    fn text(&self) -> Vec<u8> {
        let mut text = b"set -e\nPATH=$PATH:/usr/sbin:/sbin\n".to_vec();
        text.extend(INTERFACES.as_bytes());
        for (name, value) in &self.environment {
            text.extend([b"export ", name.as_bytes(), b"=", &quoted(value), b"\n"].concat());
        }
        text.extend([b"cd ", &*quoted(self.folder.as_os_str()), b"\nset +e\n"].concat());
        let command: Vec<_> = self.command.iter().map(|word| quoted(word)).collect();
        // A shell that would become its last command could not collect what that leaves behind.
        text.extend([&command.join(&b' '), &b"\nexit $?\n"[..]].concat());
        text
    }
}

fn concerns(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 3] = [b"HOME", b"LANG", b"PATH"];
    const KINDS: [&[u8]; 4] = [b"INSTA_", b"PROPTEST_", b"RIG_", b"RUST_"];
    let plain = name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    plain && (NAMES.contains(&name) || KINDS.iter().any(|kind| name.starts_with(kind)))
}

/// A word as a shell reads it back.
fn quoted(word: &OsStr) -> Vec<u8> {
    let parts: Vec<_> = word.as_bytes().split(|byte| *byte == b'\'').collect();
    [b"'", &*parts.join(&br"'\''"[..]), b"'"].concat()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_every_word() {
        let words = ["", "two words", "it's", "$HOME `id` \\ \"", "line\nbreak", "-n", "*"];
        for word in words {
            let script = [b"printf %s ", &*quoted(OsStr::new(word))].concat();
            let shell = Command::new("sh").arg("-c").arg(OsStr::from_bytes(&script)).output().expect("sh starts");
            assert_eq!(shell.stdout, word.as_bytes());
        }
    }

    #[test]
    fn secrets_stay_out_of_the_script() {
        for name in ["PATH", "RIG_PEERS", "RUST_BACKTRACE"] {
            assert!(concerns(name.as_bytes()), "{name}");
        }
        for name in ["CARGO_REGISTRY_TOKEN", "PATHS", "RIG_;id", "GITHUB_TOKEN"] {
            assert!(!concerns(name.as_bytes()), "{name}");
        }
    }
}
