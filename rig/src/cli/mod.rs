//! The program's commands.

pub mod check;
mod problems;
pub mod schema;

/// Exit code of a bad plan or fixture.
pub const BAD_FILE: u8 = 5;

/// Exit code of results that could not be written.
pub const NOT_WRITTEN: u8 = 6;
