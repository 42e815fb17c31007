use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rig_can::bits::Rate;
use rig_can::{Format, Frame, Id};
use socketcan::timestamp::{
    SOF_TIMESTAMPING_OPT_CMSG, SOF_TIMESTAMPING_RAW_HARDWARE, SOF_TIMESTAMPING_RX_HARDWARE,
    SOF_TIMESTAMPING_RX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE,
};
use socketcan::{CanFdSocket, CanFilter, Socket as _, SocketOptions};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Mutex;

use super::adapter_clock::AdapterClock;
use super::batch::{Batch, Message, dropped};
use super::echoes::Echoes;
use super::error::CanError;
use super::interface::{Interface, lost};
use super::own::{Departure, Own};
use super::trouble::of_error_frame;
use super::{Heard, Seen, on_bus_after};
use crate::event::Trouble;
use crate::link::shown;
use crate::stamp::{Clock, Nanos, Source, Stamp, WallClock};

/// Room that the kernel is asked for: some 20 000 frames for a wire thread that is held up.
const BUFFER: i32 = 16 * 1024 * 1024;
/// Flags in an identifier (`linux/can.h`).
const EXTENDED: u32 = libc::CAN_EFF_FLAG;
const REMOTE: u32 = libc::CAN_RTR_FLAG;
const ERROR: u32 = libc::CAN_ERR_FLAG;
/// Flags of an FD frame (`linux/can.h`).
const SWITCH: u8 = 0x01;
const PASSIVE: u8 = 0x02;
const FD: u8 = 0x04;
/// Sizes of `struct can_frame` and `struct canfd_frame`.
const CLASSIC_SIZE: usize = 16;
const FD_SIZE: usize = 72;
/// Clocks of adapters count microseconds or finer.
const TICK: Nanos = 1_000;

/// A CAN interface of the kernel.
pub(super) struct Socket {
    descriptor: AsyncFd<CanFdSocket>,
    /// Held while a frame is handed over, so that frames do not overtake each other where the queue is full.
    sending: Mutex<()>,
    state: RefCell<State>,
    /// Frames that did not get into the socket, as far as was told.
    dropped: Cell<u32>,
    interface: String,
    /// Frames that did not get through the interface, as far as was told.
    missed: Cell<u64>,
    hold: Nanos,
    /// Whether the echo of a frame comes when that was on the bus.
    echoes: bool,
    due: Echoes,
    rate: Rate,
    clock: Clock,
}

struct State {
    batch: Batch,
    wall: WallClock,
    adapter: AdapterClock,
}

impl Socket {
    /// Opens an interface; with `filter`, the kernel drops frames with other identifiers.
    pub(super) fn open(
        interface: &str,
        rate: Rate,
        filter: Option<&[Id]>,
        clock: Clock,
    ) -> Result<(Self, BTreeMap<String, String>), CanError> {
        let failed = |source: io::Error| failure(interface, source);
        // On no interface, to tell a kernel without CAN from an interface that is not there.
        CanFdSocket::open_iface(0).map_err(failed)?;
        let Interface { hold, echoes, mut obtained } = Interface::inspect(interface, rate)?;
        let socket = CanFdSocket::open(interface).map_err(failed)?;
        prepare(&socket, filter).map_err(failed)?;
        let (asked, stamps) = if socket.has_hw_timestamps() { ("kernel and adapter", true) } else { ("kernel", false) };
        obtained.insert("stamps".into(), asked.into());
        obtained.insert("receive-buffer".into(), room(&socket).map_err(failed)?);
        stamping(&socket, stamps).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let descriptor = register(socket).map_err(failed)?;
        let state =
            State { batch: Batch::new(), wall: WallClock::new(clock), adapter: AdapterClock::new(TICK, None, hold) };
        let opened = Self {
            descriptor,
            sending: Mutex::new(()),
            state: RefCell::new(state),
            dropped: Cell::new(0),
            interface: interface.to_owned(),
            missed: Cell::new(lost(interface)),
            hold,
            echoes,
            due: Echoes::default(),
            rate,
            clock,
        };
        Ok((opened, obtained))
    }

    /// Waits for frames and tells of all that are there.
    pub(super) async fn hear(&self, each: &mut dyn FnMut(Heard)) -> io::Result<()> {
        loop {
            let mut ready = self.descriptor.readable().await?;
            if let Ok(taken) = ready.try_io(|socket| self.take(socket.get_ref(), each)) {
                return taken;
            }
        }
    }

    /// Hands a frame to the kernel.
    pub(super) async fn send(&self, frame: &Frame) -> io::Result<(Stamp, Departure)> {
        /// A queue that is full empties as frames go out; the kernel does not tell when (`man 7 netdevice`,
        /// txqueuelen), so it is asked again.
        const AGAIN: Duration = Duration::from_millis(1);
        let _turn = self.sending.lock().await;
        let (bytes, length) = raw(frame);
        let until = self.clock.now() + 1_000_000_000;
        loop {
            let before = self.clock.now();
            match nix::unistd::write(self.descriptor.get_ref().as_fd(), &bytes[..length]) {
                Ok(_) => {
                    let handed = Stamp::new(before, self.clock.now(), Source::User);
                    // Its echo is heard on this thread, and so not before this.
                    let (own, departure) = Own::new(*frame, handed);
                    self.due.expect(own);
                    return Ok((handed, departure));
                }
                Err(nix::Error::ENOBUFS | nix::Error::EAGAIN) if self.clock.now() < until => {
                    tokio::time::sleep(AGAIN).await;
                }
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take(&self, socket: &CanFdSocket, each: &mut dyn FnMut(Heard)) -> io::Result<()> {
        let State { batch, wall, adapter } = &mut *self.state.borrow_mut();
        let mut first = true;
        batch
            .receive(socket.as_fd(), |message| {
                // Once a batch: its frames were all stamped before this look.
                if std::mem::take(&mut first)
                    && let Some(step) = wall.look()
                {
                    each(Heard::Stepped(step));
                }
                if let Some(dropped) = message.dropped {
                    self.count(dropped, each);
                }
                let at = self.stamp(&message, wall, adapter, each);
                if let Some(heard) = heard(&message, at, &mut |heard| self.tell(heard, each)) {
                    self.tell(self.dated(heard), each);
                }
            })
            .map(drop)
    }

    /// Tells of what came, and then the sender of an own frame.
    fn tell(&self, heard: Heard, each: &mut dyn FnMut(Heard)) {
        each(heard);
        match heard {
            Heard::Frame { own: true, seen } => self.due.take(&seen.frame, seen.at),
            Heard::Trouble { trouble: Trouble::BusOff | Trouble::Restarted, at } => self.due.interrupt(at),
            _ => {}
        }
    }

    /// Nothing will come any more.
    pub(super) fn clear(&self) {
        self.due.clear();
    }

    /// Tells of the frames that have come by now; of those that the socket dropped, where no frame that came after them
    /// has told of it; and of those that were lost on the way to it.
    pub(super) fn look(&self, each: &mut dyn FnMut(Heard)) -> io::Result<()> {
        let begun = self.clock.now();
        let mut newest = 0;
        while newest <= begun {
            let taken = self.take(self.descriptor.get_ref(), &mut |heard| {
                if let Heard::Frame { seen, .. } = heard {
                    newest = seen.at.lo;
                }
                each(heard);
            });
            match taken {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.count(dropped(self.descriptor.as_fd())?, each);
        let lost = lost(&self.interface);
        match u32::try_from(lost.saturating_sub(self.missed.replace(lost))) {
            Ok(0) => {}
            lost => each(Heard::Lost(lost.unwrap_or(u32::MAX))),
        }
        Ok(())
    }

    /// The kernel counts all frames that it dropped since the socket was opened. What a frame says of it may be older
    /// than the last look.
    fn count(&self, dropped: u32, each: &mut dyn FnMut(Heard)) {
        let lost = dropped.wrapping_sub(self.dropped.get());
        if (1..=u32::MAX / 2).contains(&lost) {
            self.dropped.set(dropped);
            each(Heard::Lost(lost));
        }
    }

    /// Where the kernel shows an own frame when it hands it to the driver, the frame is on the bus after that.
    fn dated(&self, heard: Heard) -> Heard {
        let Heard::Frame { own: true, seen: Seen { frame, at } } = heard else { return heard };
        if self.echoes {
            return heard;
        }
        let at = on_bus_after(at, &frame, self.rate);
        Heard::Frame { own: true, seen: Seen { frame, at } }
    }

    /// When a frame was on the bus.
    fn stamp(
        &self,
        message: &Message,
        wall: &WallClock,
        adapter: &mut AdapterClock,
        each: &mut dyn FnMut(Heard),
    ) -> Stamp {
        // Every kernel that rig runs on stamps; one that does not leaves a bound.
        let Some(kernel) = message.kernel else { return Stamp::new(0, self.clock.now(), Source::User) };
        let mut seen = wall.map(kernel);
        seen.lo = seen.lo.saturating_sub(self.hold);
        let Some(counted) = message.adapter else { return seen };
        let counted = u64::try_from(counted.as_nanos()).unwrap_or(u64::MAX);
        let narrowed = adapter.narrow(counted, seen.hi);
        if narrowed.contradiction {
            each(Heard::Contradiction);
        }
        narrowed.within(seen)
    }
}

#[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
fn register(socket: CanFdSocket) -> io::Result<AsyncFd<CanFdSocket>> {
    // SAFETY: the `AsyncFd` takes the only owner of the descriptor, and gives nobody a means to replace or close it.
    Ok(unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?)
}

/// The frame that a message of the kernel is. An error frame is none: it and the troubles that it tells of go to `each`.
fn heard(message: &Message, at: Stamp, each: &mut dyn FnMut(Heard)) -> Option<Heard> {
    let head: [u8; 8] = *message.bytes.first_chunk()?;
    let id = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]);
    let (length, flags) = (usize::from(head[4]), head[5]);
    let data = message.bytes.get(8..8 + length)?;
    if id & ERROR != 0 {
        let class = id & !ERROR;
        let data = *message.bytes.get(8..16)?.first_chunk()?;
        each(Heard::ErrorFrame { class, data, at });
        for trouble in of_error_frame(class, data) {
            each(Heard::Trouble { trouble, at });
        }
        return None;
    }
    let number = id & !(EXTENDED | REMOTE);
    let id = if id & EXTENDED != 0 { Id::extended(number) } else { u16::try_from(number).ok().and_then(Id::standard) }?;
    let remote = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]) & REMOTE != 0;
    let frame = match message.bytes.len() {
        FD_SIZE => Frame::fd(id, data, flags & SWITCH != 0)?.sent_passively(flags & PASSIVE != 0),
        _ if remote => Frame::remote(id, head[4])?,
        _ => Frame::classic(id, data)?,
    };
    Some(Heard::Frame { own: message.own, seen: Seen { frame, at } })
}

/// A frame as the kernel takes it, and how many of the bytes are of it.
fn raw(frame: &Frame) -> ([u8; FD_SIZE], usize) {
    let mut bytes = [0; FD_SIZE];
    let flag = if frame.id().is_extended() { EXTENDED } else { 0 };
    let (flag, flags, size) = match frame.format() {
        Format::Classic => (flag, 0, CLASSIC_SIZE),
        Format::Remote => (flag | REMOTE, 0, CLASSIC_SIZE),
        Format::Fd { switch, passive } => {
            let switch = if switch { SWITCH } else { 0 };
            (flag, FD | switch | if passive { PASSIVE } else { 0 }, FD_SIZE)
        }
    };
    bytes[..4].copy_from_slice(&(frame.id().number() | flag).to_ne_bytes());
    bytes[4] = frame.length();
    bytes[5] = flags;
    bytes[8..8 + frame.data().len()].copy_from_slice(frame.data());
    (bytes, size)
}

fn prepare(socket: &CanFdSocket, filter: Option<&[Id]>) -> io::Result<()> {
    socket.set_loopback(true)?;
    socket.set_recv_own_msgs(true)?;
    socket.set_error_filter_accept_all()?;
    socket.set_socket_option_int(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
    let Some(ids) = filter else { return Ok(()) };
    let filters: Vec<_> = ids
        .iter()
        .map(|id| match id {
            Id::Standard(id) => CanFilter::new(u32::from(*id), libc::CAN_SFF_MASK | EXTENDED),
            Id::Extended(id) => CanFilter::new(id | EXTENDED, libc::CAN_EFF_MASK | EXTENDED),
        })
        .collect();
    socket.set_filters(&filters)
}

fn stamping(socket: &CanFdSocket, adapter: bool) -> io::Result<()> {
    let kernel = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_CMSG;
    let hardware = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
    socket.set_timestamping(kernel | if adapter { hardware } else { 0 })
}

/// Asks for room for received frames, and says how much was granted. Only root may ask for more than
/// `net.core.rmem_max`.
fn room(socket: &CanFdSocket) -> io::Result<String> {
    if socket.set_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, BUFFER).is_err() {
        socket.set_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUF, BUFFER)?;
    }
    let granted = socket.get_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUF)?;
    Ok(format!("{} KiB", granted / 1024))
}

fn failure(interface: &str, source: io::Error) -> CanError {
    let interface = shown(interface);
    match source.raw_os_error() {
        Some(libc::EAFNOSUPPORT | libc::EPROTONOSUPPORT) => CanError::NoCan { interface },
        Some(libc::EPERM | libc::EACCES) => CanError::Denied { interface },
        Some(libc::ENETDOWN) => CanError::Down { command: format!("sudo ip link set {interface} up"), interface },
        _ => CanError::Io { interface, source },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rig_can::{Frame, Id};

    use super::{FD_SIZE, Heard, Message, Seen, Trouble, heard, raw};
    use crate::stamp::{Source, Stamp};

    fn read(bytes: &[u8]) -> (Option<Frame>, Vec<Trouble>) {
        let at = Stamp::new(1, 2, Source::Kernel);
        let message = Message { bytes, own: false, kernel: None, adapter: None, dropped: None };
        let mut told = Vec::new();
        let heard = heard(&message, at, &mut |heard| {
            if let Heard::Trouble { trouble, .. } = heard {
                told.push(trouble);
            }
        });
        match heard {
            Some(Heard::Frame { seen: Seen { frame, .. }, .. }) => (Some(frame), told),
            _ => (None, told),
        }
    }

    #[test]
    fn a_classic_frame_has_the_layout_of_can_frame() {
        let frame = Frame::classic(Id::Extended(0x18DA_10F1), &[1, 2, 3]).expect("a frame");
        let (bytes, length) = raw(&frame);
        let mut expected = (0x98DA_10F1_u32).to_ne_bytes().to_vec();
        expected.extend([3, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[..length], expected);
    }

    #[test]
    fn an_error_frame_is_trouble_and_no_frame() {
        let mut bytes = (0x2000_0044_u32).to_ne_bytes().to_vec();
        bytes.extend([8, 0, 0, 0, 0, 0x30, 0, 0, 0, 0, 0, 0]);
        assert_eq!(read(&bytes), (None, vec![Trouble::ErrorPassive, Trouble::BusOff]));
    }

    #[test]
    fn an_error_frame_that_tells_of_no_trouble_is_handed_on() {
        let mut bytes = (0x2000_0200_u32).to_ne_bytes().to_vec();
        bytes.extend([8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 9]);
        let message = Message { bytes: &bytes, own: false, kernel: None, adapter: None, dropped: None };
        let mut told = Vec::new();
        heard(&message, Stamp::new(1, 2, Source::Kernel), &mut |heard| told.push(heard));
        let [Heard::ErrorFrame { class: 0x200, data: [.., 7, 9], .. }] = told[..] else { panic!("{}", told.len()) };
    }

    proptest! {
        #[test]
        fn a_frame_comes_back_as_it_was_sent(id in 0..0x2000_0000_u32, extended: bool, kind in 0..4_u8, length in 0..16_usize) {
            let id = if extended { Id::Extended(id) } else { Id::Standard((id & 0x7FF) as u16) };
            let lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];
            let data = [0xA5; 64];
            let frame = match kind {
                0 => Frame::classic(id, &data[..length % 9]),
                1 => Frame::remote(id, u8::try_from(length % 9).expect("below 9")),
                kind => Frame::fd(id, &data[..lengths[length]], kind == 2),
            };
            let (bytes, size) = raw(&frame.expect("a frame"));
            prop_assert_eq!(read(&bytes[..size]).0, frame);
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..=FD_SIZE)) {
            let _ = read(&bytes);
        }
    }
}
