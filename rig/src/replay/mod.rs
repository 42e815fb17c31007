//! Recorded CAN traffic, played back at its own times.
//!
//! A [`Recording`] is read whole and made into a [`Schedule`] before the first frame is sent: what cannot be played is
//! refused, or left out because that was asked for, and counted. [`play`] then sends each frame when it is due, reckoned
//! from the first one and never from the one before, so that errors do not add up, and its [`Outcome`] says how well it
//! kept the schedule.

mod alarm;
mod bus;
mod error;
mod log;
mod onto;
mod outcome;
mod pcapng;
mod play;
mod recording;
mod refusal;
mod reply;
mod schedule;
mod summary;

pub use alarm::Alarm;
pub use bus::{Bus, Open};
pub use error::ReplayError;
pub use onto::Onto;
pub use outcome::{End, Failures, Outcome, Quantiles, Spread};
pub use play::{Pace, Speed, play};
pub use recording::{Place, Recording, Unit};
pub use refusal::{Obstacle, Refusal};
pub use reply::Reply;
pub use schedule::{Choice, Direction, LeftOut, Schedule};
pub use summary::Summary;
