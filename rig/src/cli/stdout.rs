//! Data on standard output.

use std::io::{self, ErrorKind, Write};

/// Writes all of `data` to standard output. A reader that has seen enough and closed its end (`rig schema plan | head`)
/// is a success.
///
/// # Errors
/// What the system says, for everything but a closed pipe: a full disk behind a redirection, for example.
pub fn print(data: &[u8]) -> io::Result<()> {
    print_to(&mut io::stdout().lock(), data)
}

fn print_to(out: &mut impl Write, data: &[u8]) -> io::Result<()> {
    match out.write_all(data).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_a_success() {
        let (reader, mut writer) = io::pipe().unwrap();
        drop(reader);
        print_to(&mut writer, b"data").unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_not() {
        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(print_to(&mut full, b"data").unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
