//! The mps2-an385 board in QEMU, and the firmware of `firmware/board` on it: images, the flash that they lie in, the
//! machine with its ports, and the stack that a program needs.
//!
//! Its sense module, its boot ROM and its flash are those that `firmware/board` expects of this board.

mod boot_rom;
mod flash;
mod image;
#[cfg(unix)]
mod line;
#[cfg(unix)]
mod machine;
#[cfg(unix)]
mod monitor;
#[cfg(unix)]
mod sense;
#[cfg(unix)]
mod stack;

pub use boot_rom::BOOT_ROM;
pub use flash::{FLASH, FlashError, STATE, create, program};
pub use image::{Identity, Image, ImageError, Sizes, Symbol};
#[cfg(unix)]
pub use line::{Line, LineError, command};
#[cfg(unix)]
pub use machine::{Machine, MachineError};
#[cfg(unix)]
pub use sense::Sense;
#[cfg(unix)]
pub use stack::{Stack, StackError, deepest_stack};
