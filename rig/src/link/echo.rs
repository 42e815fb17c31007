use std::collections::VecDeque;

use crate::fixture::Serial;
use crate::stamp::{Nanos, nanos};

/// An echo that has not come this long after its last byte left the line will not come.
const PATIENCE: Nanos = 100_000_000;
/// More than this is not waited for: no instrument's or device's message is nearly as long.
const MOST: usize = 16 * 1024;

/// Drops what an RS-485 adapter hears of its own sending.
pub(super) struct Echo {
    byte_time: Nanos,
    expected: VecDeque<u8>,
    until: Nanos,
    mismatches: u64,
}

impl Echo {
    pub(super) fn new(settings: &Serial) -> Self {
        let byte_time = nanos(settings.wire_time(1));
        Self { byte_time, expected: VecDeque::new(), until: 0, mismatches: 0 }
    }

    pub(super) fn mismatches(&self) -> u64 {
        self.mismatches
    }

    /// Bytes leave from `now` on.
    pub(super) fn expect(&mut self, bytes: &[u8], now: Nanos) {
        self.forget_if_late(now);
        let room = MOST - self.expected.len();
        self.expected.extend(&bytes[..bytes.len().min(room)]);
        let on_the_wire = self.byte_time.saturating_mul(self.expected.len() as Nanos);
        self.until = now.saturating_add(on_the_wire).saturating_add(PATIENCE);
    }

    /// How many of the first of `bytes`, received by `now`, are echo. Where one byte differs from what was sent, none
    /// of them are, and the rest of the echo is not waited for: dropping on a guess could drop a device's answer.
    pub(super) fn drop_from(&mut self, bytes: &[u8], now: Nanos) -> usize {
        self.forget_if_late(now);
        let count = bytes.len().min(self.expected.len());
        if self.expected.iter().zip(bytes).all(|(sent, heard)| sent == heard) {
            self.expected.drain(..count);
            return count;
        }
        self.expected.clear();
        self.mismatches += 1;
        0
    }

    fn forget_if_late(&mut self, now: Nanos) {
        if now > self.until {
            self.expected.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Echo, PATIENCE};
    use crate::fixture::{Flow, Parity, Port, Serial};

    fn echo() -> Echo {
        Echo::new(&Serial {
            port: Port::Bench("relays".into()),
            baud: 9_600,
            parity: Parity::None,
            stop_bits: 1,
            flow: Flow::None,
            rs485_echo: true,
        })
    }

    #[test]
    fn exactly_what_was_sent_is_dropped() {
        let mut echo = echo();
        echo.expect(b"ask", 0);
        assert_eq!(echo.drop_from(b"as", 10), 2);
        assert_eq!(echo.drop_from(b"kanswer", 20), 1);
        assert_eq!(echo.drop_from(b"answer", 30), 0);
        assert_eq!(echo.mismatches(), 0);
    }

    #[test]
    fn an_echo_that_does_not_come_is_not_waited_for() {
        let mut echo = echo();
        echo.expect(b"ask", 0);
        assert_eq!(echo.drop_from(b"ask", PATIENCE + 4_000_000), 0);
        assert_eq!(echo.mismatches(), 0);
    }

    #[test]
    fn other_bytes_pass_and_are_counted() {
        let mut echo = echo();
        echo.expect(b"ask", 0);
        assert_eq!(echo.drop_from(b"axk", 10), 0);
        assert_eq!(echo.drop_from(b"ask", 20), 0);
        assert_eq!(echo.mismatches(), 1);
    }
}
