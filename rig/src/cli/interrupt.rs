use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use tokio::sync::watch;

use super::ExitCode;

/// Ctrl-C and its kin. The first asks the session to stop: the rails are made safe and the reports are written. The
/// second leaves the reports out; the safe state is applied first all the same.
pub struct Interrupt {
    state: Arc<State>,
}

struct State {
    stop: watch::Sender<bool>,
    signals: AtomicU32,
    safe: AtomicBool,
}

impl Interrupt {
    /// Listens from now on, on a thread of its own.
    #[must_use]
    pub fn listen() -> Self {
        let state = Arc::new(State {
            stop: watch::Sender::new(false),
            signals: AtomicU32::new(0),
            safe: AtomicBool::new(false),
        });
        let listening = Arc::clone(&state);
        // Where there is no thread for it, a signal ends rig as it always did.
        let _ = thread::Builder::new().name("signals".to_owned()).spawn(move || listening.listen());
        Self { state }
    }

    /// Turns true with the first signal.
    #[must_use]
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.state.stop.subscribe()
    }

    /// Whether a signal came.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.state.signals.load(Ordering::SeqCst) > 0
    }

    /// Whether a second signal came.
    #[must_use]
    pub fn hurried(&self) -> bool {
        self.state.signals.load(Ordering::SeqCst) > 1
    }

    /// Asks the session to stop without a signal.
    pub fn stop_session(&self) {
        self.state.stop.send_replace(true);
    }

    /// The session is over and its rails are safe: from now on a second signal ends rig at once.
    pub fn rails_are_safe(&self) {
        self.state.safe.store(true, Ordering::SeqCst);
    }
}

impl State {
    fn listen(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        // Without a runtime the signals keep what they do by default.
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(mut signals) = Signals::new() else { return };
            loop {
                signals.next().await;
                self.signalled();
            }
        });
    }

    fn signalled(&self) {
        let first = self.signals.fetch_add(1, Ordering::SeqCst) == 0;
        self.stop.send_replace(true);
        if !first && self.safe.load(Ordering::SeqCst) {
            std::process::exit(ExitCode::Interrupted.code().into());
        }
        let now = if first { "stopping; again to leave the reports out" } else { "stopping at once" };
        eprintln!("\n{now}: the rails are made safe first");
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // A limit on the size of files must be an error of writing, not the end of rig with its rails as they are: the
        // handler stays in place when the stream of its signals is gone.
        drop(signal(SignalKind::from_raw(nix::libc::SIGXFSZ))?);
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
