//! A NOR flash whose power goes in the middle of an operation.
#![allow(dead_code, reason = "each test program uses a part of it")]

use rig_store::Flash;

const ERASED: u32 = u32::MAX;

/// A ring of `SECTORS` sectors of `WORDS` words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nor<const SECTORS: usize, const WORDS: usize> {
    pub words: Vec<[u32; WORDS]>,
    /// Erasures of each sector.
    pub erased: Vec<u32>,
    /// Operations so far.
    pub operations: usize,
    cut: Option<Cut>,
    /// A cell that no longer clears its lowest bit.
    stuck: Option<(usize, usize)>,
}

/// When the power goes, and which bits the operation under way has reached by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// How many operations are whole.
    pub after: usize,
    /// Bits of each word that the operation after them changes before the power goes.
    pub reached: u32,
    /// Words of a sector that its erasing reaches.
    pub words: usize,
}

impl<const SECTORS: usize, const WORDS: usize> Nor<SECTORS, WORDS> {
    pub fn filled(word: impl FnMut() -> u32) -> Self {
        let mut word = word;
        let words = (0..SECTORS).map(|_| std::array::from_fn(|_| word())).collect();
        Self { words, erased: vec![0; SECTORS], operations: 0, cut: None, stuck: None }
    }

    pub fn erased() -> Self {
        Self::filled(|| ERASED)
    }

    /// The same cells with power, which goes at `cut`.
    pub fn powered(&self, cut: Option<Cut>) -> Self {
        Self { operations: 0, cut, ..self.clone() }
    }

    pub fn with_stuck(self, sector: usize, word: usize) -> Self {
        Self { stuck: Some((sector, word)), ..self }
    }

    pub fn is_cut(&self) -> bool {
        self.cut.is_some_and(|cut| self.operations > cut.after)
    }

    /// Bits and words that the next operation reaches.
    fn operate(&mut self) -> (u32, usize) {
        self.operations += 1;
        match self.cut {
            None => (u32::MAX, WORDS),
            Some(cut) if self.operations <= cut.after => (u32::MAX, WORDS),
            Some(cut) if self.operations == cut.after + 1 => (cut.reached, cut.words),
            Some(_) => (0, 0),
        }
    }
}

impl<const SECTORS: usize, const WORDS: usize> Flash for Nor<SECTORS, WORDS> {
    const SECTORS: usize = SECTORS;
    const WORDS: usize = WORDS;

    fn read(&self, sector: usize, word: usize) -> u32 {
        self.words[sector][word]
    }

    fn program(&mut self, sector: usize, word: usize, value: u32) {
        let (reached, _) = self.operate();
        let stuck = u32::from(self.stuck == Some((sector, word)));
        self.words[sector][word] &= value | !reached | stuck;
    }

    fn erase(&mut self, sector: usize) {
        let (reached, words) = self.operate();
        self.erased[sector] += u32::from(words > 0);
        for word in &mut self.words[sector][..words] {
            *word |= reached;
        }
    }
}
