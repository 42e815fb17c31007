//! Waiting for an instant, closer than tokio's timers can, which are rounded up to the next millisecond.

use std::io;

use tokio::task::yield_now;
use tokio::time::sleep_until;

use crate::stamp::{Clock, Nanos};

/// Wakes its owner at instants of the session clock.
pub struct Alarm {
    clock: Clock,
    timer: Timer,
}

enum Timer {
    /// tokio's timers, which are all that virtual time knows.
    Virtual,
    #[cfg(target_os = "linux")]
    Kernel(linux::Timer),
    #[cfg(not(target_os = "linux"))]
    Watchful,
}

impl Alarm {
    /// An alarm for virtual time, which goes in milliseconds.
    #[must_use]
    pub fn in_virtual_time(clock: Clock) -> Self {
        Self { clock, timer: Timer::Virtual }
    }

    /// An alarm for real time.
    ///
    /// # Errors
    /// The system has no timer left.
    #[cfg(target_os = "linux")]
    pub fn in_real_time(clock: Clock) -> io::Result<Self> {
        Ok(Self { clock, timer: Timer::Kernel(linux::Timer::new()?) })
    }

    /// An alarm for real time.
    ///
    /// # Errors
    /// None on this system.
    #[cfg(not(target_os = "linux"))]
    pub fn in_real_time(clock: Clock) -> io::Result<Self> {
        Ok(Self { clock, timer: Timer::Watchful })
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Waits until the clock reads `at`: sleeps until shortly before, then looks at it again and again.
    pub async fn at(&self, at: Nanos) {
        let early = at.saturating_sub(self.timer.watchful());
        // A sleep of tokio's that is over already would still take a millisecond.
        if self.clock.now() < early {
            self.sleep(early).await;
        }
        while self.clock.now() < at {
            yield_now().await;
        }
    }

    async fn sleep(&self, until: Nanos) {
        #[cfg(target_os = "linux")]
        if let Timer::Kernel(timer) = &self.timer
            && timer.sleep(self.clock, until).await.is_ok()
        {
            return;
        }
        sleep_until(self.clock.instant(until)).await;
    }
}

impl Timer {
    /// How long before its instant an alarm stops to sleep. Nothing in virtual time, which would stand still. A timer of
    /// the kernel ends some tens of microseconds late, one of tokio's more than a millisecond.
    fn watchful(&self) -> Nanos {
        match self {
            Self::Virtual => 0,
            #[cfg(target_os = "linux")]
            Self::Kernel(_) => 50_000,
            #[cfg(not(target_os = "linux"))]
            Self::Watchful => 2_000_000,
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::time::Duration;

    use nix::sys::time::TimeSpec;
    use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::{Clock, Nanos, io};

    /// A timer of the kernel, which counts nanoseconds (`man 2 timerfd_create`).
    pub(super) struct Timer(AsyncFd<Raw>);

    struct Raw(TimerFd);

    impl AsRawFd for Raw {
        fn as_raw_fd(&self) -> RawFd {
            self.0.as_fd().as_raw_fd()
        }
    }

    #[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
    fn register(timer: Raw) -> io::Result<AsyncFd<Raw>> {
        // SAFETY: the `AsyncFd` takes the only owner of the descriptor, and gives nobody a means to replace or close it.
        Ok(unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?)
    }

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
            register(Raw(timer)).map(Self)
        }

        /// Sleeps until `clock` reads `until`. Where an earlier sleep was given up, its expiry may still be noted; the
        /// timer is then only set again.
        pub(super) async fn sleep(&self, clock: Clock, until: Nanos) -> io::Result<()> {
            loop {
                let left = Duration::from_nanos(until.saturating_sub(clock.now()));
                if left.is_zero() {
                    return Ok(());
                }
                let once = Expiration::OneShot(TimeSpec::from_duration(left));
                self.0.get_ref().0.set(once, TimerSetTimeFlags::empty())?;
                let mut ready = self.0.readable().await?;
                let _ = ready.try_io(|timer| timer.get_ref().0.wait().map_err(io::Error::from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn an_alarm_is_never_early() {
        let clock = Clock::start();
        let alarm = Alarm::in_real_time(clock).expect("a timer");
        for step in [0, 1, 30_000, 300_000, 3_000_000] {
            let at = clock.now() + step;
            // One that is given up must not disturb the next.
            let _ = tokio::time::timeout(Duration::from_millis(1), alarm.at(at + 5_000_000)).await;
            alarm.at(at).await;
            assert!(clock.now() >= at);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn in_virtual_time_it_is_exact_to_the_millisecond() {
        let clock = Clock::start();
        let alarm = Alarm::in_virtual_time(clock);
        alarm.at(7_000_000).await;
        assert_eq!(clock.now(), 7_000_000);
        alarm.at(3_000_000).await;
        assert_eq!(clock.now(), 7_000_000);
    }
}
