use rig_device::Role;

use crate::board::{Board, Here};

/// What an image is, at the symbol `RIG_IDENTITY`: in the ELF, and in the flash of a device that holds it.
///
/// ```text
/// 0 magic │ 8 layout │ 9 role │ 12 version │ 28 build id │ 44 board │ 60 end      (texts are filled with zeros)
/// ```
#[repr(C)]
pub struct Identity {
    magic: [u8; 8],
    /// Version of this layout.
    layout: u8,
    /// The address of the device's actor.
    role: u8,
    reserved: [u8; 2],
    version: [u8; 16],
    build: [u8; 16],
    board: [u8; 16],
}

/// Version of the firmware.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A digest of all that the image was made of, in hexadecimal.
pub(crate) const BUILD_ID: &str = env!("RIG_BUILD_ID");

impl Identity {
    /// The identity of the image that this is compiled into.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self {
            magic: *b"RIGIDENT",
            layout: 1,
            role: role.actor() as u8,
            reserved: [0; 2],
            version: text(VERSION),
            build: hexadecimal(BUILD_ID),
            board: text(Here::NAME),
        }
    }
}

const fn text<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let text = text.as_bytes();
    let mut bytes = [0; SIZE];
    let mut index = 0;
    while index < text.len() {
        bytes[index] = text[index];
        index += 1;
    }
    bytes
}

const fn hexadecimal<const SIZE: usize>(text: &str) -> [u8; SIZE] {
    let text = text.as_bytes();
    assert!(text.len() == 2 * SIZE);
    let mut bytes = [0; SIZE];
    let mut index = 0;
    while index < SIZE {
        bytes[index] = digit(text[2 * index]) << 4 | digit(text[2 * index + 1]);
        index += 1;
    }
    bytes
}

const fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => panic!("a build id is hexadecimal"),
    }
}
