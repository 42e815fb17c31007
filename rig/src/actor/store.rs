//! The operations database's file: `analytic.sqlite` in the session folder.
//!
//! A row is committed when [`Store::commit`] returns: it and the file's new size have reached the disk. The rollback
//! journal is truncated, and not deleted, to commit (`journal_mode=TRUNCATE`): with `synchronous=FULL` SQLite then
//! syncs the truncated journal, where a deleted one could come back after a power loss and undo the commit (SQLite,
//! "Pragma statements", `synchronous`: EXTRA).

use std::path::{Path, PathBuf};
use std::time::Duration;

use rig_payload::State;
use rusqlite::{Connection, ErrorCode, params};
use time::format_description::well_known::Rfc3339;

use super::Measurement;

/// Version of the tables, in `PRAGMA user_version`.
pub const VERSION: i64 = 1;

/// How long another program that reads the file may hold it before a commit fails. Held for longer than a quick
/// query, the payload would be late by that program's doing anyway.
const PATIENCE: Duration = Duration::from_secs(2);

const TABLES: &str = "
    CREATE TABLE measurement (
        id             INTEGER PRIMARY KEY,
        trial          INTEGER NOT NULL,  -- of the session, from 1
        session_ns     INTEGER NOT NULL,  -- when it was received, on the session clock
        wall           TEXT    NOT NULL,  -- the same as wall time, RFC 3339, UTC
        device         TEXT    NOT NULL,  -- whose state it is
        sender         TEXT    NOT NULL,  -- who passed it on to the database
        payload        TEXT    NOT NULL,  -- its name
        sequence       INTEGER NOT NULL,  -- of the sender
        correlation    INTEGER NOT NULL,
        device_ns      INTEGER NOT NULL,  -- the payload's own stamp: since its source booted
        mode           TEXT,              -- from here on null where the payload carries no state
        feeder         INTEGER,           -- 1 where the device senses the feeder as energised
        boots          INTEGER,
        power_w        INTEGER,           -- to the grid; negative while charging
        charge_percent REAL,
        energy_wh      INTEGER,
        voltage_v      REAL,
        frequency_hz   REAL,
        trips          INTEGER
    ) STRICT;
    CREATE INDEX measurement_by_device ON measurement (device, session_ns);
    CREATE INDEX measurement_by_trial ON measurement (trial, payload);
    CREATE VIEW device_state AS           -- the last that is known of each device
        SELECT device, mode, feeder, boots, power_w, charge_percent, energy_wh, voltage_v, frequency_hz, trips,
               max(session_ns) AS session_ns, wall, trial
        FROM measurement WHERE mode IS NOT NULL GROUP BY device;
";

const INSERT: &str = "
    INSERT INTO measurement (trial, session_ns, wall, device, sender, payload, sequence, correlation, device_ns, mode,
        feeder, boots, power_w, charge_percent, energy_wh, voltage_v, frequency_hz, trips)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
";

/// Why the operations database cannot be opened or a payload not be committed.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The folder does not exist, or may not be written.
    #[error("cannot open {}: check that its folder exists and that you may write there, or give another with --output", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The disk is full.
    #[error("no room for {}: free space on its disk, or give a folder on another with --output", path.display())]
    Full {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file may not be written.
    #[error("{} cannot be written: check its permissions and that its disk is not mounted read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Another program holds the file.
    #[error("another program holds {}: close what reads it while a session runs", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is there, and no database.
    #[error("{} is no SQLite database, or a damaged one: move it away", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file is a database of something else, or of another rig.
    #[error("{} has tables of version {found}, and this rig writes version {VERSION}: move it away", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// Anything else.
    #[error("cannot write {}: check its disk with the system's log", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database's thread could not be started.
    #[error("cannot start the database's thread: raise the limit of threads (ulimit -u)")]
    Thread(#[source] std::io::Error),
    /// The database's thread has ended.
    #[error("the database's thread has ended: see the first problem of this session")]
    Stopped,
}

/// The operations database's open file.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the file, and creates it and its tables where they are missing. Every commit reaches the disk.
    ///
    /// # Errors
    /// Says what keeps the file from being opened or written, and what to do about it.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Self::open_with(path, "FULL")
    }

    /// As [`open`](Self::open), for a simulated session: commits are left to the system's cache, since nothing is
    /// measured on them.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_simulated(path: &Path) -> Result<Self, DatabaseError> {
        Self::open_with(path, "OFF")
    }

    fn open_with(path: &Path, synchronous: &str) -> Result<Self, DatabaseError> {
        let connection = Connection::open(path).map_err(|source| named(path, source))?;
        let store = Self { connection, path: path.to_owned() };
        let version = store.prepare(synchronous).map_err(|source| named(path, source))?;
        match version {
            VERSION => Ok(store),
            found => Err(DatabaseError::Version { path: path.to_owned(), found }),
        }
    }

    /// Sets the connection up, creates the tables in an empty file, and returns the tables' version.
    fn prepare(&self, synchronous: &str) -> rusqlite::Result<i64> {
        let connection = &self.connection;
        connection.busy_timeout(PATIENCE)?;
        let tables: i64 = connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if tables > 0 && version != VERSION {
            return Ok(version);
        }
        connection.pragma_update(None, "journal_mode", "TRUNCATE")?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        if tables == 0 {
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
        }
        Ok(VERSION)
    }

    /// Commits a payload. When it returns, the row is there for every other connection, and on the disk.
    ///
    /// # Errors
    /// Says what keeps the row from being written, and what to do about it; the database is then as before.
    pub fn commit(&mut self, measurement: &Measurement) -> Result<(), DatabaseError> {
        self.insert(measurement).map_err(|source| named(&self.path, source))
    }

    fn insert(&self, measurement: &Measurement) -> rusqlite::Result<()> {
        let header = &measurement.frame.header;
        let state: Option<State> = measurement.frame.body.state();
        let wall =
            measurement.wall.format(&Rfc3339).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.connection.prepare_cached(INSERT)?.execute(params![
            measurement.trial,
            measurement.at.cast_signed(),
            wall,
            measurement.device().name(),
            header.source.name(),
            header.kind.name(),
            header.sequence,
            header.correlation,
            header.stamp.cast_signed(),
            state.map(|s| s.mode.name()),
            state.map(|s| s.feeder),
            state.map(|s| s.boots),
            state.map(|s| s.power_w),
            state.map(|s| f64::from(s.charge_permille) / 10.0),
            state.map(|s| s.energy_wh),
            state.map(|s| f64::from(s.voltage_mv) / 1e3),
            state.map(|s| f64::from(s.frequency_mhz) / 1e3),
            state.map(|s| s.trips),
        ])?;
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Leaving TRUNCATE removes the empty journal file; where that fails, it is in nobody's way.
        let _ = self.connection.pragma_update(None, "journal_mode", "DELETE");
    }
}

/// The error of a file, by what SQLite says and what a person can do about it.
fn named(path: &Path, source: rusqlite::Error) -> DatabaseError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => DatabaseError::CannotOpen { path, source },
        Some(ErrorCode::DiskFull) => DatabaseError::Full { path, source },
        Some(ErrorCode::ReadOnly) => DatabaseError::ReadOnly { path, source },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => DatabaseError::Busy { path, source },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => DatabaseError::Foreign { path, source },
        _ => DatabaseError::Sqlite { path, source },
    }
}

#[cfg(test)]
mod tests;
