//! Facts that no count holds, kept in words.

use crate::event::{Event, Fact, Firmware, Installed};
use crate::fixture::Level;

use super::Remark;

/// The most remarks of a kind that findings keep; the events keep all.
const MOST: usize = 10_000;

/// Keeps a remark while there is room, and returns how many were not kept.
pub(super) fn keep<K>(remarks: &mut Vec<Remark<K>>, event: &Event, kind: K, detail: String) -> usize {
    if remarks.len() >= MOST {
        return 1;
    }
    remarks.push(Remark { at: event.at, trial: event.trial, kind, detail });
    0
}

/// A fact in words.
pub(super) fn in_words(fact: &Fact) -> String {
    match fact {
        Fact::LinkUp { name, obtained } => {
            let settings: Vec<_> = obtained.iter().map(|(key, value)| format!("{key} {value}")).collect();
            format!("{name}: port opened: {}", settings.join(", "))
        }
        Fact::LinkDown { name, reason, unpowered: true } => format!("{name}: port gone with its supply: {reason}"),
        Fact::LinkDown { name, reason, unpowered: false } => format!("{name}: port gone: {reason}"),
        Fact::Booted { device, boots, .. } => format!("{device}: booted, boot {boots}"),
        Fact::Safe { rail, to, error: None } => format!("{rail}: safe state applied: {}", level(*to)),
        Fact::Safe { rail, to, error: Some(error) } => {
            format!("{rail}: safe state ({}) not applied: {error}", level(*to))
        }
        Fact::BusTrouble { bus, trouble, .. } => format!("bus {bus}: {}", trouble.word()),
        Fact::Firmware(Firmware { device, elf, version, how, .. }) => {
            let version = version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
            match how {
                Installed::Flashed => format!("{device}: flashed {elf}{version}"),
                Installed::Held => format!("{device}: holds {elf} already{version}"),
                Installed::Trusted => format!("{device}: is trusted to hold {elf}{version}"),
            }
        }
        Fact::Log { device, level, text, .. } => format!("{device}: log: {}{text}", said(level)),
        Fact::Warning { detail } => detail.clone(),
        other => format!("{other:?}"),
    }
}

/// A level of a log, where it is worth a word.
fn said(level: &str) -> String {
    if matches!(level, "" | "info") { String::new() } else { format!("{level}: ") }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::On => "on",
        Level::Off => "off",
    }
}
