//! A report's file, which is whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

/// Writes a file beside its place and moves it there when it is whole.
pub(super) fn replace(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let part = folder.join(format!(".{name}.part"));
    let written = write_whole(&part, write).and_then(|()| fs::rename(&part, folder.join(name)));
    written.inspect_err(|_| {
        // Best effort: what is left has a name that no one takes for a report.
        let _ = fs::remove_file(&part);
    })
}

fn write_whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write(&mut out)?;
    // A full disk may show itself only when the data goes to it.
    out.into_inner()?.sync_all()
}
