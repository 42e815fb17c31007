//! A report's file, which is whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use super::ReportError;

/// Writes a file beside its place and moves it there when it is whole.
pub(super) fn replace(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ReportError> {
    whole(folder, name, |part| write_synced(part, write))
        .map_err(|source| ReportError::Write { name: name.to_owned(), source })
}

/// Has a file written beside its place and moves it there when it is whole.
pub(super) fn whole(folder: &Path, name: &str, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let part = folder.join(format!(".{name}.part"));
    let written = write(&part).and_then(|()| fs::rename(&part, folder.join(name)));
    if written.is_err() {
        // Best effort: what is left has a name that no one takes for a report.
        let _ = fs::remove_file(&part);
    }
    written
}

fn write_synced(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    write(&mut out)?;
    // A full disk may show itself only when the data goes to it.
    out.into_inner()?.sync_all()
}
