use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use crate::image::Image;

/// Where the machine has its flash: the 16 MB PSRAM, which QEMU backs with a file.
pub const FLASH: Range<u32> = 0x2100_0000..0x2200_0000;
/// Where in it a program keeps its state: four sectors of 1 KB.
pub const STATE: Range<u32> = 0x21FF_F000..0x2200_0000;

/// Why the file of a flash is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum FlashError {
    /// The file system refuses.
    #[error("the file of the flash cannot be written")]
    Io(#[from] io::Error),
    /// A part of the image belongs somewhere else.
    #[error("the image has bytes at {0:#010x}, where the board has no flash: build it for mps2-an385")]
    Elsewhere(u32),
}

/// Makes the file of an erased flash.
///
/// # Errors
/// Where the file system refuses.
pub fn create(file: &Path) -> Result<(), FlashError> {
    let mut file = File::create(file)?;
    let sector = [0xFF; 1 << 12];
    for _ in FLASH.step_by(sector.len()) {
        file.write_all(&sector)?;
    }
    Ok(())
}

/// Puts an image into the file of a flash, as a debug probe would: what lies elsewhere, such as the state, stays.
///
/// # Errors
/// Where the file system refuses, and where the image is not for this board.
pub fn program(file: &Path, image: &Image) -> Result<(), FlashError> {
    let mut file = OpenOptions::new().write(true).open(file)?;
    for segment in image.segments() {
        let end = u32::try_from(segment.bytes.len()).ok().and_then(|size| segment.address.checked_add(size));
        if !FLASH.contains(&segment.address) || end.is_none_or(|end| end > STATE.start) {
            return Err(FlashError::Elsewhere(segment.address));
        }
        file.seek(SeekFrom::Start(u64::from(segment.address - FLASH.start)))?;
        file.write_all(&segment.bytes)?;
    }
    Ok(())
}
