use std::collections::VecDeque;

use crate::link::can::own::Own;
use crate::stamp::Stamp;

/// What an adapter has not answered yet, in the order in which it will: it answers each line before it reads the next,
/// and its acknowledgements do not say of which frame they are.
#[derive(Default)]
pub(super) struct Due(VecDeque<Line>);

enum Line {
    Frame(Own),
    /// A command whose answer shows that no line before it will be answered any more.
    Question,
}

impl Line {
    fn frame(&self) -> Option<&Own> {
        match self {
            Self::Frame(own) => Some(own),
            Self::Question => None,
        }
    }
}

impl Due {
    /// A frame's line is about to be written.
    pub(super) fn frame(&mut self, own: Own) {
        self.0.push_back(Line::Frame(own));
    }

    /// A question is about to be written.
    pub(super) fn question(&mut self) {
        self.0.push_back(Line::Question);
    }

    /// The line of the newest frame is out.
    pub(super) fn out(&mut self, at: Stamp) {
        if let Some(Line::Frame(own)) = self.0.back_mut() {
            own.handed = at;
        }
    }

    /// Whether the newest frame is not acknowledged, and no question after it will tell why.
    pub(super) fn owes(&self) -> bool {
        matches!(self.0.back(), Some(Line::Frame(_)))
    }

    /// An acknowledgement has come: the frame that it is of. The answer to a question before that was lost.
    pub(super) fn acknowledged(&mut self) -> Option<Own> {
        let own = loop {
            match self.0.pop_front()? {
                Line::Frame(own) => break own,
                Line::Question => {}
            }
        };
        if own.is_doubtful() {
            self.0.iter().map_while(Line::frame).for_each(|later| later.doubt(own.handed.lo));
        }
        Some(own)
    }

    /// A refusal has come: of the frame that is first, where it is not of a question.
    pub(super) fn refused(&mut self) {
        if let Some(Line::Frame(mut own)) = self.0.pop_front() {
            own.fail("the adapter refuses the frame: its buffer is full");
        }
    }

    /// The answer to a question has come: the frames before it will not be acknowledged.
    pub(super) fn answered(&mut self) {
        let before = self.0.iter().position(|line| matches!(line, Line::Question)).map_or(0, |question| question + 1);
        for line in self.0.drain(..before) {
            if let Line::Frame(mut own) = line {
                own.fail("the adapter does not acknowledge the frame, and answers what it was asked after it");
            }
        }
    }

    /// Nothing will be answered any more.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
