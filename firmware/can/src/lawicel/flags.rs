/// The status flags of the `F` command; reading them clears them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// Bit 0: the queue of received frames is full, so frames may be lost.
    #[must_use]
    pub fn receive_queue_full(self) -> bool {
        self.has(0)
    }

    /// Bit 1: the queue of frames to be sent is full.
    #[must_use]
    pub fn transmit_queue_full(self) -> bool {
        self.has(1)
    }

    /// Bit 2: error warning; an error counter is at 96 or more.
    #[must_use]
    pub fn error_warning(self) -> bool {
        self.has(2)
    }

    /// Bit 3: the controller has lost a received frame.
    #[must_use]
    pub fn data_overrun(self) -> bool {
        self.has(3)
    }

    /// Bit 5: error passive; an error counter is at 128 or more.
    #[must_use]
    pub fn error_passive(self) -> bool {
        self.has(5)
    }

    /// Bit 6: a frame lost the arbitration.
    #[must_use]
    pub fn arbitration_lost(self) -> bool {
        self.has(6)
    }

    /// Bit 7: an error on the bus.
    #[must_use]
    pub fn bus_error(self) -> bool {
        self.has(7)
    }

    fn has(self, bit: u32) -> bool {
        self.0 >> bit & 1 == 1
    }
}
