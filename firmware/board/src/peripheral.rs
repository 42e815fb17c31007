/// A block of 32-bit registers.
#[derive(Clone, Copy)]
pub(crate) struct Peripheral(usize);

impl Peripheral {
    /// The block at an address.
    ///
    /// # Safety
    /// The board has this block of registers there, and reads and writes of them touch no memory that Rust knows of.
    #[expect(unsafe_code, reason = "only a board's memory map makes the address a right one")]
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// The register at `offset`.
    #[expect(unsafe_code, reason = "a register is reached by its address")]
    pub(crate) fn read(self, offset: usize) -> u32 {
        // SAFETY: `at` has the word of its caller, and registers are aligned.
        unsafe { core::ptr::with_exposed_provenance::<u32>(self.0 + offset).read_volatile() }
    }

    /// Writes the register at `offset`.
    #[expect(unsafe_code, reason = "a register is reached by its address")]
    pub(crate) fn write(self, offset: usize, value: u32) {
        // SAFETY: `at` has the word of its caller, and registers are aligned.
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(self.0 + offset).write_volatile(value) }
    }
}
