use std::collections::BTreeMap;
use std::path::Path;

use tokio_serial::SerialStream;

use crate::fixture::Serial;
use crate::stamp::{Nanos, Source, Stamp, nanos};

/// What paces bytes, and what holds them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pacing {
    /// Time of one byte on the line; 0 where no line paces the bytes.
    byte_time: Nanos,
    /// How long a received byte may lie in the adapter before the kernel hears of it.
    pub(super) hold: Nanos,
    /// How long a byte may lie in the adapter before it goes out.
    delay: Nanos,
}

impl Pacing {
    /// No line at all.
    pub(super) const NONE: Self = Self { byte_time: 0, hold: 0, delay: 0 };

    /// The same without a line that paces bytes.
    pub(super) fn without_line(self) -> Self {
        Self { hold: self.hold, ..Self::NONE }
    }

    /// The shortest time between two received bytes. A UART still reads a peer whose clock is 5 % fast (half a bit in
    /// the ten of a byte), and a correction must never make a byte older than it is.
    pub(super) fn shortest_byte(self) -> Nanos {
        self.byte_time / 100 * 95
    }

    /// When the last of `count` bytes was on the wire: the first was handed over within `first`, the write of all
    /// ended at `written`, and what was sent before it was on the wire at `busy_until`.
    pub(super) fn last_byte(self, count: usize, first: Stamp, written: Nanos, busy_until: Stamp) -> Stamp {
        if self.byte_time == 0 {
            return Stamp::new(first.lo, written, Source::User);
        }
        let wire = self.byte_time.saturating_mul(count as Nanos);
        let lo = first.lo.max(busy_until.lo).saturating_add(wire);
        let begun = first.hi.saturating_add(self.delay).max(busy_until.hi);
        Stamp::new(lo, begun.saturating_add(wire).max(written), Source::User)
    }
}

/// Asks the port for low latency, finds out what paces and holds its bytes, and notes both.
pub(super) fn tune(
    port: &SerialStream,
    path: &Path,
    settings: &Serial,
    obtained: &mut BTreeMap<String, String>,
) -> Pacing {
    let byte_time = nanos(settings.wire_time(1));
    tune_line(port, path, byte_time, obtained)
}

#[cfg(target_os = "linux")]
fn tune_line(port: &SerialStream, path: &Path, byte_time: Nanos, obtained: &mut BTreeMap<String, String>) -> Pacing {
    use super::USB_FRAME;
    use super::device::Device;
    use uart::Uart;

    let mut note = |key: &str, what: String| obtained.insert(key.into(), what);

    let uart = match Uart::of(port) {
        Ok(uart) => uart,
        Err(error) => {
            note("line", format!("none that paces bytes: a pseudo-terminal, or a driver without settings ({error})"));
            return Pacing::NONE;
        }
    };
    note("low-latency", uart.ask_for_low_latency(port));
    let Some(device) = Device::of_tty(path).filter(Device::is_on_usb) else {
        note("line", format!("UART with a FIFO of {} bytes", uart.fifo()));
        return Pacing { byte_time, hold: byte_time.saturating_mul(uart.fifo()), delay: 0 };
    };
    note("line", format!("USB adapter, driver {}", device.driver().as_deref().unwrap_or("unknown")));
    let milliseconds = device.told("latency_timer").and_then(|text| text.parse::<u8>().ok());
    note(
        "adapter-latency-timer",
        milliseconds.map_or("unknown: the driver tells none; stamps assume 0 ms".into(), |ms| format!("{ms} ms")),
    );
    Pacing { byte_time, hold: u64::from(milliseconds.unwrap_or(0)) * 1_000_000, delay: USB_FRAME }
}

#[cfg(not(target_os = "linux"))]
fn tune_line(_: &SerialStream, _: &Path, byte_time: Nanos, obtained: &mut BTreeMap<String, String>) -> Pacing {
    obtained.insert("low-latency".into(), "not asked for: only Linux can be asked".into());
    obtained.insert("adapter-latency-timer".into(), "unknown: stamps assume 0 ms".into());
    Pacing { byte_time, hold: 0, delay: 0 }
}

#[cfg(target_os = "linux")]
mod uart {
    use std::ffi::{c_char, c_int, c_uchar, c_uint, c_ulong, c_ushort};
    use std::io;
    use std::os::fd::AsRawFd;

    use tokio_serial::SerialStream;

    /// `struct serial_struct` of `linux/serial.h`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub(super) struct Uart {
        kind: c_int,
        line: c_int,
        port: c_uint,
        irq: c_int,
        flags: c_int,
        xmit_fifo_size: c_int,
        custom_divisor: c_int,
        baud_base: c_int,
        close_delay: c_ushort,
        io_type: c_char,
        reserved: [c_char; 1],
        hub6: c_int,
        closing_wait: c_ushort,
        closing_wait2: c_ushort,
        iomem_base: *mut c_uchar,
        iomem_reg_shift: c_ushort,
        port_high: c_uint,
        iomap_base: c_ulong,
    }

    /// `ASYNC_LOW_LATENCY` of `linux/tty_flags.h`: hand received bytes on at once. FTDI's driver sets its latency timer
    /// to 1 ms with it.
    const LOW_LATENCY: c_int = 1 << 13;

    mod call {
        nix::ioctl_read_bad!(get, libc::TIOCGSERIAL, super::Uart);
        nix::ioctl_write_ptr_bad!(set, libc::TIOCSSERIAL, super::Uart);
    }

    impl Uart {
        /// What the driver says of a port's line. A pseudo-terminal has none (`ENOTTY`).
        #[expect(unsafe_code, reason = "no library wraps TIOCGSERIAL")]
        pub(super) fn of(port: &SerialStream) -> io::Result<Self> {
            let mut uart = std::mem::MaybeUninit::<Self>::zeroed();
            // SAFETY: the descriptor is open while `port` is borrowed; the kernel writes one `serial_struct`, whose
            // layout `Uart` has, and zeros are valid for all of its fields.
            unsafe {
                call::get(port.as_raw_fd(), uart.as_mut_ptr())?;
                Ok(uart.assume_init())
            }
        }

        /// How many bytes the receiver may collect before it tells the kernel. Drivers give the sender's FIFO, which
        /// is of the same size in the 16550 and its successors.
        pub(super) fn fifo(&self) -> u64 {
            u64::try_from(self.xmit_fifo_size).unwrap_or(0).clamp(1, 256)
        }

        /// Asks for low latency and says, in words, what was obtained.
        #[expect(unsafe_code, reason = "no library wraps TIOCSSERIAL")]
        pub(super) fn ask_for_low_latency(mut self, port: &SerialStream) -> String {
            if self.flags & LOW_LATENCY != 0 {
                return "on already".into();
            }
            self.flags |= LOW_LATENCY;
            // SAFETY: the descriptor is open while `port` is borrowed; the kernel reads one `serial_struct`.
            match unsafe { call::set(port.as_raw_fd(), &raw const self) } {
                Err(error) => format!("refused: {error}"),
                Ok(_) if Self::of(port).is_ok_and(|uart| uart.flags & LOW_LATENCY != 0) => "on".into(),
                Ok(_) => "asked for, and off: the driver does not know it".into(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pacing;
    use crate::stamp::{Source, Stamp};

    const LINE: Pacing = Pacing { byte_time: 1_000, hold: 0, delay: 0 };

    fn user(lo: u64, hi: u64) -> Stamp {
        Stamp::new(lo, hi, Source::User)
    }

    #[test]
    fn the_last_byte_leaves_when_the_line_has_paced_all() {
        assert_eq!(LINE.last_byte(25, user(100, 150), 150, user(0, 0)), user(25_100, 25_150));
    }

    #[test]
    fn a_busy_line_sends_what_came_before_first() {
        assert_eq!(LINE.last_byte(25, user(100, 150), 150, user(9_000, 9_500)), user(34_000, 34_500));
    }

    #[test]
    fn without_a_line_the_last_byte_leaves_within_the_write() {
        assert_eq!(Pacing::NONE.last_byte(25, user(100, 150), 170, user(0, 0)), user(100, 170));
    }
}
