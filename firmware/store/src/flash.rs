/// The sectors of a NOR flash that a [`Store`](crate::Store) has for itself. They form a ring.
///
/// Neither operation reports success: the store reads back what it wrote.
pub trait Flash {
    /// Sectors, at least two: one is erased while the other holds the newest record.
    const SECTORS: usize;
    /// Words of 32 bits in a sector, at least those of a record.
    const WORDS: usize;

    /// The word at `word` of a sector.
    fn read(&self, sector: usize, word: usize) -> u32;

    /// Clears those bits of a word that are 0 in `value`; no bit becomes 1.
    fn program(&mut self, sector: usize, word: usize, value: u32);

    /// Sets all bits of a sector.
    fn erase(&mut self, sector: usize);
}
