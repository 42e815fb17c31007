//! What people and programs get of a session: reports made from its findings, and from nothing else.

pub mod html;
pub mod plot;
mod quantity;
mod slug;
mod spread;
mod visible;

#[cfg(test)]
mod demo;
