use std::future::Future;
use std::io;

use rig_can::Frame;

use crate::stamp::Stamp;

/// When a frame left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmitted {
    /// It was handed to the kernel.
    pub handed: Stamp,
    /// Its last bit was on the bus.
    pub on_bus: Stamp,
}

/// What a replay needs of a CAN bus.
pub trait Bus {
    /// Whether it carries FD frames.
    fn carries_fd(&self) -> bool;

    /// Hands a frame over when it is first polled, and is done when the frame was on the bus. Several may be under way;
    /// they go out in the order in which they were first polled.
    ///
    /// # Errors
    /// Why the frame did not get on the bus, or not in time.
    fn transmit(&self, frame: &Frame) -> impl Future<Output = io::Result<Transmitted>>;

    /// The next frame that another node sent; `None` when no more will come. No frame is lost where it is dropped
    /// before it is done.
    fn received(&self) -> impl Future<Output = Option<Frame>>;
}
