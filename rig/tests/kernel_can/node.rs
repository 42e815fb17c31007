//! rig's own node on a bus of the kernel.

use std::cell::RefCell;
use std::rc::Rc;

use rig::event::Trouble;
use rig::fixture::{Adapter, Bus as Spec, Listen};
use rig::link::BenchPorts;
use rig::link::can::{Bus, Seen, Tap};
use rig::stamp::{Clock, Stamp};
use rig_can::bits::Rate;
use tokio::task::spawn_local;

/// What a bus has told.
#[derive(Default)]
pub struct Told {
    pub frames: RefCell<Vec<(bool, Seen)>>,
    pub troubles: RefCell<Vec<Trouble>>,
    pub lost: RefCell<Vec<u32>>,
}

impl Tap for Told {
    fn frame(&self, own: bool, seen: &Seen) {
        self.frames.borrow_mut().push((own, *seen));
    }

    fn trouble(&self, trouble: Trouble, _: Stamp, _: Option<(u32, [u8; 8])>) {
        self.troubles.borrow_mut().push(trouble);
    }

    fn lost(&self, frames: u32) {
        self.lost.borrow_mut().push(frames);
    }

    fn stepped(&self, nanos: i64) {
        panic!("nobody steps the clock, by {nanos} ns");
    }

    fn contradiction(&self) {
        panic!("a virtual interface has no clock");
    }
}

/// Opens an interface in real time, and listens to it for as long as the local set runs.
pub async fn open(interface: &str, fd: bool, clock: Clock) -> (Rc<Bus>, Rc<Told>) {
    let rate = Rate { nominal: 500_000, data: fd.then_some(2_000_000) };
    let spec = Spec { adapter: Adapter::SocketCan(interface.into()), rate, listen: Listen::All };
    let bus = Bus::open(&spec, &[], &BenchPorts::None, clock).await;
    let bus = Rc::new(bus.unwrap_or_else(|error| panic!("{error}")));
    let told = Rc::new(Told::default());
    let (listening, tap) = (Rc::clone(&bus), Rc::clone(&told));
    spawn_local(async move { listening.listen(&*tap).await });
    (bus, told)
}
