//! What the page says of the devices' firmware.

use serde::Serialize;

use crate::event::{Firmware, Installed};
use crate::report::quantity::grouped;
use crate::verdict::Findings;

/// Digits of a digest that are shown; all are in the title.
const SHOWN: usize = 12;

/// A device's firmware, in words.
#[derive(Serialize)]
pub(super) struct FirmwareRow {
    device: String,
    elf: String,
    sha256: String,
    digest: String,
    build: String,
    version: String,
    how: &'static str,
    logged: String,
}

impl FirmwareRow {
    pub(super) fn all(findings: &Findings) -> Vec<Self> {
        let logged = |device: &str| findings.logged.get(device).copied().unwrap_or_default();
        findings.firmware.iter().map(|firmware| Self::of(firmware, logged(&firmware.device))).collect()
    }

    fn of(firmware: &Firmware, logged: u64) -> Self {
        let short = |text: &str| text.chars().take(SHOWN).collect::<String>();
        let told = |text: &Option<String>| text.clone().unwrap_or_else(|| "not told".to_owned());
        Self {
            device: firmware.device.clone(),
            elf: firmware.elf.clone(),
            sha256: firmware.sha256.clone(),
            digest: short(&firmware.sha256),
            build: firmware.build_id.as_deref().map_or_else(|| "not told".to_owned(), short),
            version: told(&firmware.version),
            how: match firmware.how {
                Installed::Flashed => "flashed before the first trial",
                Installed::Held => "already there, compared",
                Installed::Trusted => "trusted, not compared",
            },
            logged: grouped(logged),
        }
    }
}
