use serde::{Deserialize, Serialize};

/// The most characters of a line; the rest is left out.
pub(super) const LONGEST: usize = 400;

/// A line that a program has logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How important it is: `trace`, `debug`, `info`, `warn` or `error`; empty where it has none.
    pub level: String,
    /// What it says.
    pub text: String,
    /// When, in nanoseconds of the device's clock, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<u64>,
    /// File and line of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// What a line tells of its device, in the words of `firmware/board`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// It boots: `boot … boots=N reset=WHY`.
    Boot {
        /// Its count of boots.
        boots: u16,
        /// Why.
        reset: &'a str,
    },
    /// It crashed before it booted: `crashed before: REASON`.
    Crash(&'a str),
    /// A command has arrived: `received KIND sequence=N at=T`.
    Received {
        /// The payload's name.
        kind: &'a str,
        /// The command's sequence.
        sequence: u16,
        /// When its last byte did, in nanoseconds of the device's clock.
        at: u64,
    },
}

impl LogLine {
    /// What it tells; none for what only people understand.
    #[must_use]
    pub fn told(&self) -> Option<Told<'_>> {
        let text = self.text.as_str();
        if let Some(reason) = text.strip_prefix("crashed before: ") {
            return Some(Told::Crash(reason));
        }
        let (verb, rest) = text.split_once(' ')?;
        match verb {
            "boot" => Some(Told::Boot { boots: field(rest, "boots")?.parse().ok()?, reset: field(rest, "reset")? }),
            "received" => Some(Told::Received {
                kind: rest.split(' ').next()?,
                sequence: field(rest, "sequence")?.parse().ok()?,
                at: field(rest, "at")?.parse().ok()?,
            }),
            _ => None,
        }
    }
}

/// The value in `name=value` among words.
fn field<'a>(words: &'a str, name: &str) -> Option<&'a str> {
    words.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// A time as defmt shows it, in nanoseconds: seconds, or hours, minutes and seconds, with a fraction
/// (`defmt::timestamp!` with the hints `:us`, `:ms`, `:tus` and the like). A number without a fraction has no unit.
pub(super) fn nanoseconds(shown: &str) -> Option<u64> {
    let (whole, fraction) = shown.trim().split_once('.')?;
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut seconds: u64 = 0;
    for part in whole.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let scale = 10_u64.pow(9 - u32::try_from(fraction.len()).ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction.parse::<u64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use test_case::test_case;

    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine { level: "info".into(), text: text.into(), stamp: None, location: None }
    }

    #[test]
    fn what_the_firmware_logs_is_understood() {
        let boot = line("boot role=meter version=0.1.0 build=00ff board=mps2-an385 boots=7 reset=power-on");
        assert_eq!(boot.told(), Some(Told::Boot { boots: 7, reset: "power-on" }));
        let crash = line("crashed before: hard-fault at pc 0x210001f0 lr 0x0 status 0x10000: undefined instruction");
        assert!(matches!(crash.told(), Some(Told::Crash(reason)) if reason.starts_with("hard-fault at pc")));
        let received = line("received CAP-CMD sequence=513 at=81234567");
        assert_eq!(received.told(), Some(Told::Received { kind: "CAP-CMD", sequence: 513, at: 81_234_567 }));
    }

    #[test_case("boot"; "no fields")]
    #[test_case("boot boots=70000 reset=power-on"; "a count that is none")]
    #[test_case("received CAP-CMD sequence=1 at=-3"; "a time that is none")]
    #[test_case("sent CAP-ACK to=1 sequence=2 correlation=3"; "something else")]
    fn other_lines_are_for_people(text: &str) {
        assert_eq!(line(text).told(), None);
    }

    #[test_case("0.000123", Some(123_000); "microseconds")]
    #[test_case("12.5", Some(12_500_000_000); "a short fraction")]
    #[test_case("01:00:02.000001", Some(3_602_000_001_000); "hours and minutes")]
    #[test_case("123", None; "no unit")]
    #[test_case("1.", None; "no fraction")]
    #[test_case("99999999999999999999.1", None; "too large")]
    fn times_are_read_as_defmt_shows_them(shown: &str, expected: Option<u64>) {
        assert_eq!(nanoseconds(shown), expected);
    }

    proptest! {
        #[test]
        fn any_text_is_understood_or_not(text in ".*") {
            prop_assert!(line(&text).told().is_none() || text.contains(' '));
            prop_assert!(nanoseconds(&text).is_none() || text.contains('.'));
        }
    }
}
