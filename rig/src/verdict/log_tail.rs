use std::collections::{BTreeMap, VecDeque};

use crate::event::{Event, Fact};

/// How many lines before a crash are told: what it did last, why it booted, and what it did then.
const TOLD: usize = 10;

/// The last lines of each device's log.
#[derive(Clone, Debug, Default)]
pub(super) struct LogTail {
    lines: BTreeMap<String, VecDeque<Event>>,
}

impl LogTail {
    /// Takes a line of a log. Returns it where it is to be told whatever comes: it is an error or a warning.
    pub(super) fn note<'a>(&mut self, event: &'a Event) -> Option<&'a Event> {
        let Fact::Log { device, level, .. } = &event.fact else { return None };
        if matches!(level.as_str(), "warn" | "error") {
            return Some(event);
        }
        let lines = self.lines.entry(device.clone()).or_default();
        if lines.len() == TOLD {
            lines.pop_front();
        }
        lines.push_back(event.clone());
        None
    }

    /// The lines of a device that has crashed, each told once.
    pub(super) fn take(&mut self, device: &str) -> impl Iterator<Item = Event> {
        self.lines.remove(device).unwrap_or_default().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::{Source, Stamp};

    fn line(device: &str, level: &str, text: &str) -> Event {
        let (at, level, text) = (Stamp::new(1, 2, Source::User), level.to_owned(), text.to_owned());
        Event { at: 2, trial: None, fact: Fact::Log { device: device.into(), at, level, text, stamp: None } }
    }

    #[test]
    fn a_crash_is_told_with_the_last_lines_of_its_device_and_once() {
        let mut tail = LogTail::default();
        for number in 0..TOLD + 3 {
            assert_eq!(tail.note(&line("meter", "info", &number.to_string())), None);
            tail.note(&line("storage", "info", "other"));
        }
        let told: Vec<_> = tail.take("meter").collect();
        assert_eq!(told.len(), TOLD);
        assert_eq!(told.first(), Some(&line("meter", "info", "3")));
        assert_eq!(tail.take("meter").count(), 0);
    }

    #[test]
    fn warnings_and_errors_are_told_at_once() {
        let error = line("meter", "error", "the flash keeps nothing any more");
        assert_eq!(LogTail::default().note(&error), Some(&error));
    }
}
