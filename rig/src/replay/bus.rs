use std::future::Future;
use std::io;

use rig_can::Frame;

use crate::stamp::Stamp;

/// What a replay needs of a CAN bus.
pub trait Bus {
    /// Whether it carries FD frames.
    fn carries_fd(&self) -> bool;

    /// Hands a frame over when it is first polled, and is done when the frame was on the bus: the instant at which it
    /// was. Several may be under way; they go out in the order in which they were first polled.
    ///
    /// # Errors
    /// Why the frame did not get on the bus.
    fn transmit(&self, frame: &Frame) -> impl Future<Output = io::Result<Stamp>>;

    /// The next frame that another node sent; `None` when no more will come. No frame is lost where it is dropped
    /// before it is done.
    fn received(&self) -> impl Future<Output = Option<Frame>>;
}
