use rig_payload::{Actor, Body, Frame, Header, Kind, Mode};
use time::macros::datetime;

use super::*;

fn measurement(kind: Kind, body: Body) -> Measurement {
    let header = Header {
        kind,
        source: Actor::ScadaFep,
        destination: Actor::AnalyticDb,
        sequence: 7,
        correlation: 3,
        stamp: 1_234,
    };
    Measurement {
        trial: 2,
        at: 5_000_000_000,
        wall: datetime!(2026-01-02 03:04:05.000000006 UTC),
        frame: Frame { header, body },
    }
}

fn alarm(mode: Mode) -> Measurement {
    let state = State {
        mode,
        feeder: false,
        boots: 4,
        last_setting: 1,
        power_w: -1_500,
        charge_permille: 873,
        energy_wh: 12_345,
        voltage_mv: 230_100,
        frequency_mhz: 49_980,
        event_age_us: 10,
        trips: 6,
    };
    measurement(Kind::InIslandAlarm, state.into())
}

#[test]
fn a_row_comes_back_as_a_person_would_ask_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("analytic.sqlite");
    let mut store = Store::open(&path).unwrap();
    store.commit(&alarm(Mode::Islanded)).unwrap();
    drop(store);

    let sql = "SELECT json_array(trial, session_ns, wall, device, sender, payload, sequence, correlation, device_ns,
               mode, feeder, boots, power_w, charge_percent, energy_wh, voltage_v, frequency_hz, trips)
               FROM measurement";
    let row: String = Connection::open(&path).unwrap().query_one(sql, [], |row| row.get(0)).unwrap();
    insta::assert_snapshot!(row.replace(',', " "), @r#"[2 5000000000 "2026-01-02T03:04:05.000000006Z" "Distr. Cust. Storage" "Distr. SCADA FEP" "distr_cust_storage_in-island-mode_alarm" 7 3 1234 "islanded" 0 4 -1500 87.3 12345 230.1 49.98 6]"#);
}

#[test]
fn the_view_tells_the_last_state_of_each_device() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("analytic.sqlite");
    let mut store = Store::open_simulated(&path).unwrap();
    for (at, mode) in [(2, Mode::Normal), (1, Mode::Islanded)] {
        store.commit(&Measurement { at, ..alarm(mode) }).unwrap();
    }
    let ask = "SELECT mode || ' at ' || session_ns FROM device_state WHERE device = 'Distr. Cust. Storage'";
    let state: String = Connection::open(&path).unwrap().query_one(ask, [], |row| row.get(0)).unwrap();
    assert_eq!(state, "normal at 2");
}

#[test]
fn a_payload_without_a_state_is_kept_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("analytic.sqlite")).unwrap();
    store.commit(&measurement(Kind::CapAck, Body::new(&[0; 5]))).unwrap();
    let ask = "SELECT device, mode IS NULL AND trips IS NULL FROM measurement";
    let row: (String, bool) = store.connection.query_one(ask, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(row, ("2-Way Meter - Electr".into(), true));
}

#[test]
fn a_commit_is_durable_and_leaves_no_journal_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("analytic.sqlite");
    let store = Store::open(&path).unwrap();
    let pragma = |name| store.connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
    assert_eq!(pragma("synchronous").unwrap(), 2.into(), "FULL");
    assert_eq!(pragma("journal_mode").unwrap(), "truncate".to_owned().into());
    assert_eq!(pragma("user_version").unwrap(), VERSION.into());
    drop(store);
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["analytic.sqlite"]);
}

#[test]
fn a_full_disk_fails_the_commit_and_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("analytic.sqlite");
    let mut store = Store::open(&path).unwrap();
    store.commit(&alarm(Mode::Islanded)).unwrap();
    let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let (committed, error) = (1..).find_map(|n| store.commit(&alarm(Mode::Islanded)).err().map(|e| (n, e))).unwrap();
    assert!(matches!(error, DatabaseError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("free space"), "{error}");
    let rows: i64 = store.connection.query_one("SELECT count(*) FROM measurement", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, committed);
}

#[test]
fn a_file_that_may_not_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("analytic.sqlite")).unwrap();
    // As root every file may be written, so SQLite is told to refuse.
    store.connection.pragma_update(None, "query_only", true).unwrap();
    let error = store.commit(&alarm(Mode::Normal)).unwrap_err();
    assert!(matches!(error, DatabaseError::ReadOnly { .. }), "{error:?}");
}

#[test]
fn a_missing_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(&folder.path().join("missing/analytic.sqlite")).unwrap_err();
    assert!(matches!(error, DatabaseError::CannotOpen { .. }), "{error:?}");
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("analytic.sqlite");
    std::fs::write(&path, "not a database, but long enough to have a header".repeat(20)).unwrap();
    assert!(matches!(Store::open(&path), Err(DatabaseError::Foreign { .. })));

    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x); PRAGMA user_version = 9").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(DatabaseError::Version { found: 9, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
