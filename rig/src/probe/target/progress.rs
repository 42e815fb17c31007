use probe_rs::flashing::{ProgressEvent, ProgressOperation};

use crate::probe::request::{Progress, Stage};

/// Sums up what probe-rs tells of its progress.
pub(super) struct Stages<'a> {
    tell: &'a mut dyn FnMut(Progress),
    known: Vec<Progress>,
}

impl<'a> Stages<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(Progress)) -> Self {
        Self { tell, known: Vec::new() }
    }

    pub(super) fn note(&mut self, event: &ProgressEvent) {
        match event {
            ProgressEvent::AddProgressBar { operation, total } => {
                self.of(*operation).total += total.unwrap_or_default();
            }
            ProgressEvent::Started(operation) => {
                let progress = *self.of(*operation);
                (self.tell)(progress);
            }
            ProgressEvent::Progress { operation, size, .. } => {
                let progress = self.of(*operation);
                progress.done += size;
                let progress = *progress;
                (self.tell)(progress);
            }
            _ => {}
        }
    }

    fn of(&mut self, operation: ProgressOperation) -> &mut Progress {
        let stage = match operation {
            ProgressOperation::Fill => Stage::Fill,
            ProgressOperation::Erase => Stage::Erase,
            ProgressOperation::Program => Stage::Program,
            ProgressOperation::Verify => Stage::Verify,
        };
        let index = self.known.iter().position(|known| known.stage == stage).unwrap_or_else(|| {
            self.known.push(Progress { stage, done: 0, total: 0 });
            self.known.len() - 1
        });
        &mut self.known[index]
    }
}
