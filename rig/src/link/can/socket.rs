use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rig_can::bits::Rate;
use rig_can::socketcan::{from_kernel, to_kernel};
use rig_can::{Frame, Id, candump};
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
use super::own::{Departure, ON_BUS, Own};
use super::trouble::of_error_frame;
use super::{Heard, Seen, on_bus_after};
use crate::event::Trouble;
use crate::link::shown;
use crate::stamp::{Clock, Nanos, Source, Stamp, WallClock, nanos};

/// Room that the kernel is asked for: some 20 000 frames for a wire thread that is held up.
const BUFFER: i32 = 16 * 1024 * 1024;
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
    /// The trouble that the controller was in when it was opened.
    pub(super) found: Option<Trouble>,
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
        let Interface { hold, echoes, found, mut obtained } = Interface::inspect(interface, rate)?;
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
            found,
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
        let bytes = to_kernel(frame);
        let until = self.clock.now() + nanos(ON_BUS);
        loop {
            let before = self.clock.now();
            match nix::unistd::write(self.descriptor.get_ref().as_fd(), &bytes) {
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
        let counted = nanos(counted);
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
    match from_kernel(message.bytes)? {
        candump::Seen::Frame(frame) => Some(Heard::Frame { own: message.own, seen: Seen { frame, at } }),
        candump::Seen::Error(class, data) => {
            each(Heard::ErrorFrame { class, data, at });
            for trouble in of_error_frame(class, data) {
                each(Heard::Trouble { trouble, at });
            }
            None
        }
    }
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
            Id::Standard(id) => CanFilter::new(u32::from(*id), libc::CAN_SFF_MASK | libc::CAN_EFF_FLAG),
            Id::Extended(id) => CanFilter::new(id | libc::CAN_EFF_FLAG, libc::CAN_EFF_MASK | libc::CAN_EFF_FLAG),
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
    use super::*;

    #[test]
    fn an_error_frame_is_handed_on_with_its_troubles_and_is_no_frame() {
        // Counters alone are no trouble.
        for (class, controller, troubles) in
            [(0x44, 0x30, vec![Trouble::ErrorPassive, Trouble::BusOff]), (0x200, 0, vec![])]
        {
            let mut bytes = (0x2000_0000_u32 | class).to_ne_bytes().to_vec();
            bytes.extend([8, 0, 0, 0, 0, controller, 0, 0, 0, 0, 7, 9]);
            let message = Message { bytes: &bytes, own: false, kernel: None, adapter: None, dropped: None };
            let (mut handed_on, mut told) = (Vec::new(), Vec::new());
            let frame = heard(&message, Stamp::new(1, 2, Source::Kernel), &mut |heard| match heard {
                Heard::ErrorFrame { class, data, .. } => handed_on.push((class, data)),
                Heard::Trouble { trouble, .. } => told.push(trouble),
                _ => panic!("something else"),
            });
            assert!(frame.is_none());
            assert_eq!(handed_on, [(class, [0, controller, 0, 0, 0, 0, 7, 9])]);
            assert_eq!(told, troubles);
        }
    }
}
