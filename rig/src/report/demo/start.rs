//! What the made-up session starts with.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::event::{Start, VERSION};
use crate::fixture::{
    Contact, Delay, Device, Fixture, Flow, Hop, Instrument, Level, Link, Parity, Path, Player, Port, Protocol, Rail,
    Sense, Serial, Stream,
};
use crate::plan::{Budget, Decision, Edge, EdgeId, Plan, RoundTrip, Row, RowId, Rule, SubTotal};

/// A session's first event, with a plan of twelve edges and a bench of three devices.
pub(in crate::report) fn start() -> Start {
    Start {
        version: VERSION,
        rig: "0.1.0".into(),
        session: "20260101T000000Z-demo".into(),
        wall: "2026-01-01T00:00:00.000000000Z".into(),
        wall_gap: 180,
        simulated: false,
        seed: 4711,
        command: ["rig", "run", "my plans/demo.toml", "--fixture", "virtual.toml", "--trials", "600", "--seed", "4711"]
            .map(Into::into)
            .into(),
        sources: BTreeMap::from([
            ("demo.toml".into(), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
            ("virtual.toml".into(), "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".into()),
        ]),
        plan: plan(),
        fixture: fixture(),
        host: BTreeMap::from([
            ("kernel".into(), "Linux 6.1".into()),
            ("real-time priority".into(), "not granted: no CAP_SYS_NICE".into()),
        ]),
    }
}

/// Id, phase, payload, limit in seconds, reliability, size.
type PlainRow = (&'static str, &'static str, &'static str, u64, f64, (u16, u16));

fn plan() -> Plan {
    const ROWS: [PlainRow; 8] = [
        ("D1", "breaker-status", "circuit-brk_device_status_cmd", 2, 0.995, (25, 25)),
        ("D2", "breaker-status", "circuit-brk_status_resp-data", 2, 0.995, (50, 50)),
        ("D5", "status-publish", "distr_cust_storage_status_resp-data", 4, 0.995, (50, 50)),
        ("I1", "into-island", "distr_cust_storage_in-island-mode_alarm", 8, 0.995, (50, 50)),
        ("I3", "into-island", "distr_cust_storage_in-island-mode_alarm", 6, 0.98, (50, 50)),
        ("I4", "into-island", "meter_capped_kwh_mode_cmd", 12, 0.98, (25, 25)),
        ("I6", "into-island", "meter_in_capped_kwh_mode_alert", 12, 0.98, (50, 150)),
        ("I12", "out-of-island", "meter_out_of_capped_kwh_mode_alert", 12, 0.98, (50, 150)),
    ];
    const EDGES: [(u16, &str, &str); 12] = [
        (0, "DAC - sub", "Feeder Circuit Breaker"),
        (1, "Feeder Circuit Breaker", "DAC - sub"),
        (2, "DAC - sub", "DMS"),
        (3, "Distr. Cust. Storage", "DAC - sub"),
        (4, "Distr. Cust. Storage", "LMS - Utility"),
        (4, "DAC - Ops/Regnl", "LMS - Utility"),
        (5, "LMS - Utility", "2-Way Meter - Electr"),
        (6, "2-Way Meter - Electr", "IPD"),
        (6, "2-Way Meter - Electr", "Cust. EMS"),
        (6, "2-Way Meter - Electr", "MDMS"),
        (7, "2-Way Meter - Electr", "IPD"),
        (7, "2-Way Meter - Electr", "MDMS"),
    ];
    let row = |&(id, phase, payload, limit, reliability, size): &PlainRow| Row {
        id: id.into(),
        phase: phase.into(),
        payload: payload.into(),
        size,
        budget: Budget { latency: Duration::from_secs(limit), reliability },
        judged: id != "I12",
    };
    let edge = |&(row, from, to): &(u16, &str, &str)| Edge { row: RowId(row), from: from.into(), to: to.into() };
    Plan {
        name: "demo".into(),
        title: "A demonstration of a report".into(),
        trials: 600,
        decision: Decision { rule: Rule::Fixed, confidence: 0.95, family_wise: false, void_cap: 0.02 },
        patience: Duration::from_secs(2),
        settle: Duration::from_millis(20),
        give_up_after: 20,
        rows: ROWS.iter().map(row).collect(),
        edges: EDGES.iter().map(edge).collect(),
        sub_totals: vec![
            SubTotal {
                id: "D-T1".into(),
                phase: "breaker-status".into(),
                claim: Some(RoundTrip {
                    request: EdgeId(0),
                    reply: EdgeId(1),
                    budget: Budget { latency: Duration::from_secs(4), reliability: 0.99 },
                    size: (75, 75),
                }),
            },
            SubTotal { id: "I-T1".into(), phase: "into-island".into(), claim: None },
        ],
        steps: Vec::new(),
    }
}

fn serial(port: &str, baud: u32) -> Serial {
    Serial {
        port: Port::Bench(port.into()),
        baud,
        parity: Parity::None,
        stop_bits: 1,
        flow: Flow::None,
        rs485_echo: false,
    }
}

fn fixture() -> Fixture {
    let device = |port: &str, serial_number: &str, supply: Option<&str>| Device {
        identity: BTreeMap::from([
            ("make".into(), "rig".into()),
            ("model".into(), format!("twin of a {port}")),
            ("serial".into(), serial_number.into()),
        ]),
        link: Link::Stream(Stream::Serial(serial(port, 115_200))),
        protocol: Protocol::ReferenceFrame,
        feeder: Some("feeder".into()),
        supply: supply.map(Into::into),
        boot: Duration::from_millis(500),
        detection: Duration::from_millis(500),
        enter_service: Duration::from_secs(1),
        answer: None,
        stamp_drift_ppm: None,
        in_home: None,
        probe: None,
    };
    let rail = |channel| Rail {
        switch: Contact { instrument: "relays".into(), channel },
        sense: Sense::Scpi {
            contact: Contact { instrument: "supply".into(), channel },
            threshold: 90.0,
            timeout: Duration::from_millis(500),
        },
        energised_means: Level::On,
        safe: Level::On,
        dwell: Duration::from_millis(20),
        max_cuts_per_minute: 400,
    };
    let players = [
        ("Distr. Cust. Storage", Player::Device("storage".into())),
        ("Feeder Circuit Breaker", Player::Device("breaker".into())),
        ("2-Way Meter - Electr", Player::Device("meter".into())),
        ("DAC - sub", Player::Emulated),
        ("LMS - Utility", Player::Emulated),
        ("Analytic DB", Player::Database),
        ("DMS", Player::External("192.0.2.7:4000".into())),
    ];
    Fixture {
        name: "virtual".into(),
        title: "The virtual bench".into(),
        actors: players.into_iter().map(|(name, player)| (name.into(), player)).collect(),
        devices: BTreeMap::from([
            ("breaker".into(), device("breaker", "B-17", None)),
            ("meter".into(), device("meter", "M-3", None)),
            ("storage".into(), device("storage", "S-204", Some("storage-supply"))),
        ]),
        buses: BTreeMap::new(),
        instruments: BTreeMap::from([
            ("relays".into(), Instrument::Lcus(serial("relays", 9_600))),
            ("supply".into(), Instrument::Scpi(Stream::Tcp("192.0.2.9:5025".into()))),
        ]),
        rails: BTreeMap::from([("feeder".into(), rail(1)), ("storage-supply".into(), rail(2))]),
        hops: BTreeMap::from([(
            "ami".into(),
            Hop {
                delay: Delay::Exponential { floor: Duration::from_millis(5), mean: Duration::from_millis(12) },
                loss: 0.001,
                duplicate: 0.0,
                reorder: 0.0,
            },
        )]),
        paths: vec![Path { from: "LMS - Utility".into(), to: "2-Way Meter - Electr".into(), via: vec!["ami".into()] }],
        stall_limit: Duration::from_millis(50),
        bench: None,
    }
}
