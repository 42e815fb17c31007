use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use tokio::sync::watch;

/// Ctrl-C and its kin. The first asks the session to stop: the rails are made safe and the reports are written. The
/// second leaves the reports out; the safe state is applied first all the same.
pub struct Interrupt {
    stop: watch::Receiver<bool>,
    count: Arc<AtomicU32>,
}

impl Interrupt {
    /// Listens from now on, on a thread of its own.
    #[must_use]
    pub fn listen() -> Self {
        let (stopping, stop) = watch::channel(false);
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        let listener = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            // Without a runtime the signals keep what they do by default.
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Ok(mut signals) = Signals::new() else { return };
                loop {
                    signals.next().await;
                    let before = counted.fetch_add(1, Ordering::SeqCst);
                    let _ = stopping.send(true);
                    let now = if before == 0 { "stopping; again to leave the reports out" } else { "stopping at once" };
                    eprintln!("\n{now}: the rails are made safe first");
                }
            });
        };
        // Where there is no thread for it, a signal ends rig as it always did.
        let _ = thread::Builder::new().name("signals".to_owned()).spawn(listener);
        Self { stop, count }
    }

    /// Turns true with the first signal.
    #[must_use]
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Whether a signal came.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 0
    }

    /// Whether a second signal came.
    #[must_use]
    pub fn hurried(&self) -> bool {
        self.count.load(Ordering::SeqCst) > 1
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [first, second, third] = kinds.map(signal);
        Ok(Self([first?, second?, third?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
