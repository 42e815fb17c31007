//! The three devices as programs of a Cortex-M3: [`rig_device`] with two serial ports, a clock, a sense of the feeder
//! and a flash around it.
//!
//! [`board`] is what differs from board to board; everything else is the same on all.
#![no_std]

use defmt_rtt as _;

mod board;
mod bug;
mod clock;
mod identity;
mod last_words;
mod output;
mod peripheral;
mod port;
mod program;

pub use identity::Identity;
pub use last_words::LastWords;
pub use program::run;
pub use rig_device::Role;

/// The whole of a program: its identity at a symbol that a debug probe finds, and its entry.
#[macro_export]
macro_rules! program {
    ($role:ident) => {
        /// Says which program this is, in flash.
        #[unsafe(no_mangle)]
        #[used]
        static RIG_IDENTITY: $crate::Identity = $crate::Identity::new($crate::Role::$role);

        #[cortex_m_rt::entry]
        fn main() -> ! {
            $crate::run($crate::Role::$role)
        }
    };
}
