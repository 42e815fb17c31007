//! The serial ports: bytes wait in bounded queues between the interrupts and the program.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering};

use critical_section::Mutex;
use heapless::Deque;

use crate::board::{Board, Here, Uart};
use crate::clock;

/// What waits for the program. At 115200 baud it is a fiftieth of a second of bytes, nine commands.
const ARRIVING: usize = 256;
/// Bytes that wait for a line: six of the largest payloads.
const LEAVING: usize = 1024;

/// The field link: commands come in here, and most payloads go out.
pub(crate) static FIELD: Port = Port { uart: Here::FIELD, arriving: Some(&COMMANDS), leaving: &TO_FIELD };
/// The meter's in-home port: what goes to the display and to the customer's energy manager. Nothing comes in.
pub(crate) static HOME: Port = Port { uart: Here::HOME, arriving: None, leaving: &TO_HOME };
/// What has come in on the field link.
pub(crate) static COMMANDS: Arriving =
    Arriving { bytes: Mutex::new(RefCell::new(Deque::new())), lost: AtomicU32::new(0) };

static TO_FIELD: Leaving = Mutex::new(RefCell::new(Deque::new()));
static TO_HOME: Leaving = Mutex::new(RefCell::new(Deque::new()));

/// A serial port.
pub(crate) struct Port {
    uart: <Here as Board>::Uart,
    arriving: Option<&'static Arriving>,
    leaving: &'static Leaving,
}

type Leaving = Mutex<RefCell<Deque<u8, LEAVING>>>;

/// Bytes that have arrived and wait for the program.
pub(crate) struct Arriving {
    bytes: Mutex<RefCell<Deque<Arrival, ARRIVING>>>,
    lost: AtomicU32,
}

/// A byte, and when the port had it.
#[derive(Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) byte: u8,
    /// Nanoseconds of the device's clock.
    pub(crate) at: u64,
}

impl Arriving {
    /// The next byte.
    pub(crate) fn take(&self) -> Option<Arrival> {
        critical_section::with(|section| self.bytes.borrow_ref_mut(section).pop_front())
    }

    pub(crate) fn is_empty(&self) -> bool {
        critical_section::with(|section| self.bytes.borrow_ref(section).is_empty())
    }

    /// Bytes that were lost since this was last asked: they came while the program did not take any.
    pub(crate) fn take_lost(&self) -> u32 {
        self.lost.swap(0, Ordering::Relaxed)
    }

    fn put(&self, byte: u8) {
        let arrival = Arrival { byte, at: clock::now() };
        let full = critical_section::with(|section| self.bytes.borrow_ref_mut(section).push_back(arrival).is_err());
        if full {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Port {
    /// Sends all of `bytes`, or none where they do not fit behind what still waits.
    pub(crate) fn send(&self, bytes: &[u8]) -> bool {
        critical_section::with(|section| {
            let mut leaving = self.leaving.borrow_ref_mut(section);
            let fits = bytes.len() <= leaving.capacity() - leaving.len();
            if fits {
                for &byte in bytes {
                    // There is room, as was just seen.
                    let _ = leaving.push_back(byte);
                }
                self.fill(&mut leaving);
            }
            fits
        })
    }

    /// Does what the UART's interrupt asks for.
    pub(crate) fn interrupt(&self) {
        self.uart.acknowledge();
        while let Some(byte) = self.uart.read() {
            if let Some(arriving) = self.arriving {
                arriving.put(byte);
            }
        }
        critical_section::with(|section| self.fill(&mut self.leaving.borrow_ref_mut(section)));
    }

    /// Gives the UART what it has room for.
    fn fill(&self, leaving: &mut Deque<u8, LEAVING>) {
        while self.uart.has_room() {
            let Some(byte) = leaving.pop_front() else { break };
            self.uart.write(byte);
        }
        self.uart.want_room(!leaving.is_empty());
    }
}
