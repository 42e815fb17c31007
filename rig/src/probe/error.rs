use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a probe does not do its part, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeError {
    /// The process that drives the probe could not be started.
    #[error("cannot start the process that drives the probe: {0}")]
    Start(String),
    /// The selector is none.
    #[error("`{0}` selects no probe: write VID:PID or VID:PID:SERIAL, as `rig probe list` shows them")]
    Selector(String),
    /// No such probe is there.
    #[error("no probe {0}: plug it in; `rig probe list` shows what is there")]
    Missing(String),
    /// The user may not open it.
    #[error("probe {0} may not be opened by this user: install probe-rs's udev rules, or join their group")]
    Forbidden(String),
    /// It is there, and cannot be opened.
    #[error("probe {selector} cannot be opened: {cause}; is it in use, or its program not running?")]
    Unopened {
        /// The probe.
        selector: String,
        /// What probe-rs says.
        cause: String,
    },
    /// It did not answer in time. Its process was killed.
    #[error("the probe did not {what} within {}: pull its cable and plug it in again", humantime::format_duration(*.within))]
    Silent {
        /// What it was asked for.
        what: String,
        /// How long it had.
        within: Duration,
    },
    /// Its process ended, or was ended when nobody waited for its answer any more.
    #[error("the probe's process ended while it was to {0}: is the probe unplugged? plug it in again")]
    Ended(String),
    /// probe-rs panicked.
    #[error("probe-rs panicked while it was to {what}: {message}; is the probe unplugged?")]
    Panicked {
        /// What it was asked for.
        what: String,
        /// The panic's message.
        message: String,
    },
    /// The process says something else than was asked for.
    #[error("the probe's process speaks another language; is it the same rig?")]
    Gibberish,
    /// The probe is gone.
    #[error("the probe is gone: plug it in again ({0})")]
    Gone(String),
    /// Nobody answers at the debug port.
    #[error("no target answers the probe: is it powered, and its debug port wired? ({0})")]
    NoTarget(String),
    /// The target does not let the probe at something. Some of probe-rs's drivers then have to attach anew.
    #[error("the target faults an access: is there memory, and its clock on? ({0})")]
    Faulted(String),
    /// probe-rs and the description know no such chip.
    #[error("no chip is called `{chip}`{}", .like.as_ref().map_or_else(|| "; probe-rs.dev/targets lists them, a `description` adds more".to_owned(), |like| format!("; did you mean `{like}`?")))]
    UnknownChip {
        /// The name.
        chip: String,
        /// A name that is like it.
        like: Option<String>,
    },
    /// What is there is not the chip that was named.
    #[error("the chip is no {chip}: its core is {found}, and that chip has {wanted}; correct `chip`")]
    WrongChip {
        /// The chip that was named.
        chip: String,
        /// The core that is there.
        found: String,
        /// The core that the chip has.
        wanted: String,
    },
    /// The description of chips cannot be read.
    #[error("the target description {} is of no use: {cause}", .path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The ELF cannot be read.
    #[error("the firmware {} cannot be read: {cause}", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// The file is no program for the target.
    #[error("{} is no firmware for this target: {cause}", .path.display())]
    WrongFirmware {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// A request needs an ELF, and none was named.
    #[error("no firmware was named: the probe needs the ELF of what the target holds")]
    NoFirmware,
    /// The program logs nothing that could be read.
    #[error("{} keeps no log that can be read: {cause}", .path.display())]
    NoLog {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        cause: String,
    },
    /// The program does not say what it is.
    #[error("{} does not say what it is: it has no RIG_IDENTITY, or the target does not hold it", .path.display())]
    NoIdentity {
        /// The file.
        path: PathBuf,
    },
    /// Programming failed.
    #[error("the flash cannot be programmed: {0}")]
    Unprogrammed(String),
    /// After programming, the flash holds something else.
    #[error(
        "the flash holds something else than was programmed, from {address:#010x} on: worn out, or write-protected?"
    )]
    Unverified {
        /// The first address that differs.
        address: u64,
    },
    /// Anything else that probe-rs says.
    #[error("the target does not do as it is told: {0}")]
    Other(String),
}
