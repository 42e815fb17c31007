//! The operations database as the wire thread sees it: it hands a payload over and learns when its row was committed.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

use super::{DatabaseError, Measurement, Store};
use crate::stamp::{Clock, Source, Stamp};

/// A handle on the operations database. Dropping it commits what was handed over, and closes the file.
#[derive(Debug)]
pub struct Database {
    place: Place,
}

/// Where commits are made.
#[derive(Debug)]
enum Place {
    /// On the database's own thread: the wire thread does not wait for a disk.
    Thread { requests: Option<mpsc::Sender<Request>>, thread: Option<JoinHandle<()>> },
    /// On the caller's thread: in virtual time nothing else happens meanwhile anyway.
    Inline(Mutex<Writer>),
}

struct Request {
    measurement: Measurement,
    reply: oneshot::Sender<Result<Stamp, DatabaseError>>,
}

#[derive(Debug)]
struct Writer {
    store: Store,
    clock: Clock,
}

impl Writer {
    /// Commits, and says between which two instants the row became durable.
    fn commit(&mut self, measurement: &Measurement) -> Result<Stamp, DatabaseError> {
        let before = self.clock.now();
        self.store.commit(measurement)?;
        Ok(Stamp::new(before, self.clock.now(), Source::User))
    }
}

impl Database {
    /// A database with a thread of its own, for a session in real time. Start it before the wire thread raises its
    /// priority: a thread inherits its parent's, and a disk must not be waited for at real-time priority.
    ///
    /// Outside a runtime tokio's clock is the system's monotonic one, so the thread reads the same session clock as
    /// the wire thread.
    ///
    /// # Errors
    /// [`DatabaseError::Thread`] where the system gives no thread.
    pub fn start(store: Store, clock: Clock) -> Result<Self, DatabaseError> {
        let (requests, inbox) = mpsc::channel::<Request>();
        let mut writer = Writer { store, clock };
        let work = move || {
            for request in inbox {
                let result = writer.commit(&request.measurement);
                // A caller that no longer waits has its row all the same.
                let _ = request.reply.send(result);
            }
        };
        let thread = thread::Builder::new().name("analytic-db".into()).spawn(work).map_err(DatabaseError::Thread)?;
        Ok(Self { place: Place::Thread { requests: Some(requests), thread: Some(thread) } })
    }

    /// A database that commits on the caller's thread, for a session in virtual time: the stamp's two ends are the
    /// same virtual instant.
    #[must_use]
    pub fn inline(store: Store, clock: Clock) -> Self {
        Self { place: Place::Inline(Mutex::new(Writer { store, clock })) }
    }

    /// Commits a payload. The stamp runs from before the commit to after it returned: the payload was delivered in
    /// between.
    ///
    /// The row is handed over when the future is first polled; it is committed even where the caller stops waiting.
    ///
    /// # Errors
    /// As for [`Store::commit`]; [`DatabaseError::Stopped`] where the database's thread has ended.
    pub async fn commit(&self, measurement: Measurement) -> Result<Stamp, DatabaseError> {
        match &self.place {
            Place::Inline(writer) => {
                // SQLite undoes a commit that a panic broke off, so a poisoned lock guards nothing broken.
                writer.lock().unwrap_or_else(PoisonError::into_inner).commit(&measurement)
            }
            Place::Thread { requests, .. } => {
                let (reply, answer) = oneshot::channel();
                let requests = requests.as_ref().ok_or(DatabaseError::Stopped)?;
                requests.send(Request { measurement, reply }).map_err(|_| DatabaseError::Stopped)?;
                answer.await.map_err(|_| DatabaseError::Stopped)?
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Place::Thread { requests, thread } = &mut self.place {
            drop(requests.take());
            if let Some(thread) = thread.take() {
                // It ends when it has worked off its inbox; how it ended was told with each commit.
                let _ = thread.join();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rig_payload::{Actor, Frame, Header, Kind, State};
    use rusqlite::Connection;
    use time::OffsetDateTime;

    use super::*;

    fn measurement(sequence: u16) -> Measurement {
        let header = Header {
            kind: Kind::StorageStatusResp,
            source: Actor::DacSub,
            destination: Actor::AnalyticDb,
            sequence,
            correlation: 1,
            stamp: 0,
        };
        let frame = Frame { header, body: State::default().into() };
        Measurement { trial: 1, at: 0, wall: OffsetDateTime::UNIX_EPOCH, frame }
    }

    fn sequences(path: &Path) -> Vec<u16> {
        let reader = Connection::open(path).unwrap();
        let mut ask = reader.prepare("SELECT sequence FROM measurement ORDER BY id").unwrap();
        let rows = ask.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[tokio::test]
    async fn a_commit_is_visible_to_others_when_it_resolves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("analytic.sqlite");
        let clock = Clock::start();
        let database = Database::start(Store::open(&path).unwrap(), clock).unwrap();
        let mut last = clock.now();
        for sequence in 0..5 {
            let stamp = database.commit(measurement(sequence)).await.unwrap();
            assert_eq!(sequences(&path).len(), usize::from(sequence) + 1);
            assert!(last <= stamp.lo && stamp.lo < stamp.hi && stamp.hi <= clock.now(), "{stamp:?}");
            assert_eq!(stamp.source, Source::User);
            last = stamp.hi;
        }
        assert_eq!(sequences(&path), [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_row_is_committed_where_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("analytic.sqlite");
        let database = Database::start(Store::open(&path).unwrap(), Clock::start()).unwrap();
        {
            let mut commit = std::pin::pin!(database.commit(measurement(1)));
            assert!(poll_once(commit.as_mut()).await.is_none_or(|stamp| stamp.is_ok()));
        }
        drop(database);
        assert_eq!(sequences(&path), [1]);
    }

    /// Polls a future once.
    async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match future.as_mut().poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn in_virtual_time_a_commit_takes_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("analytic.sqlite");
        let clock = Clock::start();
        let database = Database::inline(Store::open_simulated(&path).unwrap(), clock);
        tokio::time::advance(std::time::Duration::from_secs(3)).await;
        let stamp = database.commit(measurement(1)).await.unwrap();
        assert_eq!(stamp, Stamp::new(3_000_000_000, 3_000_000_000, Source::User));
        assert_eq!(sequences(&path), [1]);
    }

    #[tokio::test]
    async fn an_error_comes_back_and_the_next_commit_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("analytic.sqlite");
        let database = Database::start(Store::open(&path).unwrap(), Clock::start()).unwrap();
        let vandal = Connection::open(&path).unwrap();
        vandal.execute_batch("ALTER TABLE measurement RENAME TO hidden").unwrap();
        let error = database.commit(measurement(1)).await.unwrap_err();
        assert!(matches!(error, DatabaseError::Sqlite { .. }), "{error:?}");
        vandal.execute_batch("ALTER TABLE hidden RENAME TO measurement").unwrap();
        database.commit(measurement(2)).await.unwrap();
        assert_eq!(sequences(&path), [2]);
    }
}
