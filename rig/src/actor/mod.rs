//! What the actors that rig emulates need besides a socket: the network between them, and the operations database.

pub mod database;
pub mod measurement;
pub mod network;
pub mod store;

pub use database::Database;
pub use measurement::Measurement;
pub use network::{Network, Passage};
pub use store::{DatabaseError, Store};
