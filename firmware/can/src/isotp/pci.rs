/// What a frame is by its control information (clause 9.6), with what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pci<'a> {
    /// A whole payload.
    Single(&'a [u8]),
    /// The first bytes of a payload of `length`.
    First { length: usize, data: &'a [u8] },
    /// More bytes of it, and perhaps padding.
    Consecutive { sequence: u8, data: &'a [u8] },
    /// How the other side may go on.
    Flow(Flow),
}

/// A flow control (clause 9.6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) status: u8,
    pub(super) block_size: u8,
    pub(super) separation: u8,
}

impl Flow {
    pub(super) const CONTINUE: u8 = 0;
    pub(super) const WAIT: u8 = 1;
    pub(super) const OVERFLOW: u8 = 2;

    /// The separation time in nanoseconds. Reserved codes stand for the longest, as clause 9.6.5 says.
    pub(super) fn pause(self) -> u64 {
        match self.separation {
            milliseconds @ 0..=0x7F => u64::from(milliseconds) * 1_000_000,
            tenths @ 0xF1..=0xF9 => u64::from(tenths - 0xF0) * 100_000,
            _ => 127_000_000,
        }
    }
}

/// The longest payload of a single frame of so many bytes; a longer one needs a first frame (`FF_DLmin`, clause 9.6.3).
pub(super) fn single_capacity(frame_length: usize, address_length: usize) -> usize {
    let control = if frame_length <= 8 { 1 } else { 2 };
    frame_length - control - address_length
}

impl<'a> Pci<'a> {
    /// Reads what follows the address; `None` where it has no meaning. The error handling of clauses 9.6.2 to 9.6.5 is
    /// to ignore such frames.
    pub(super) fn read(bytes: &'a [u8], address_length: usize) -> Option<Self> {
        let frame_length = address_length + bytes.len();
        let (control, rest) = bytes.split_first()?;
        let low = control & 0x0F;
        match control >> 4 {
            0 => single(low, rest, frame_length).map(Self::Single),
            1 if frame_length >= 8 => {
                let (length, data) = first(low, rest)?;
                (length > single_capacity(frame_length, address_length)).then_some(Self::First { length, data })
            }
            2 => Some(Self::Consecutive { sequence: low, data: rest }),
            3 => match *rest {
                [block_size, separation, ..] => Some(Self::Flow(Flow { status: low, block_size, separation })),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The length is in the low bits, or where the frame is longer than 8 bytes in the next byte (clause 9.6.2).
fn single(low: u8, rest: &[u8], frame_length: usize) -> Option<&[u8]> {
    let (length, data) = match (low, frame_length) {
        (1.., ..=8) => (low, rest),
        (0, 9..) => rest.split_first().map(|(length, data)| (*length, data))?,
        _ => return None,
    };
    data.get(..usize::from(length)).filter(|payload| !payload.is_empty())
}

/// The length has 12 bits, or where these are 0 the next 32 (clause 9.6.3), which then say more than 12 could.
fn first(low: u8, rest: &[u8]) -> Option<(usize, &[u8])> {
    let (next, rest) = rest.split_first()?;
    let short = usize::from(low) << 8 | usize::from(*next);
    if short > 0 {
        return Some((short, rest));
    }
    let (long, rest) = rest.split_first_chunk()?;
    let long = usize::try_from(u32::from_be_bytes(*long)).ok()?;
    (long > 0xFFF).then_some((long, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separation_time_is_coded_in_milliseconds_and_tenths() {
        let pause = |separation| Flow { status: 0, block_size: 0, separation }.pause();
        assert_eq!((pause(0), pause(1), pause(0x7F)), (0, 1_000_000, 127_000_000));
        assert_eq!((pause(0xF1), pause(0xF9)), (100_000, 900_000));
        for reserved in (0x80..=0xF0).chain(0xFA..=0xFF) {
            assert_eq!(pause(reserved), 127_000_000);
        }
    }

    #[test]
    fn lengths_that_cannot_be_have_no_meaning() {
        for meaningless in [
            &[][..],
            &[0x00, 1, 2, 3],                            // a single frame of nothing
            &[0x04, 1, 2, 3],                            // cut
            &[0x08, 1, 2, 3, 4, 5, 6, 7],                // more than 8 bytes hold
            &[0x03, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0],    // the short form in a long frame
            &[0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],    // the long form of nothing
            &[0x00, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],   // cut
            &[0x10, 0x07, 1, 2, 3, 4, 5, 6],             // would fit a single frame
            &[0x10, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // would fit a single frame
            &[0x10, 0x14, 1, 2, 3, 4, 5],                // a first frame is full
            &[0x10, 0x00, 0x00, 0x00, 0x0F, 0xFF, 1, 2], // 12 bits would do
            &[0x30, 0x00],                               // a flow control has three bytes
            &[0x40, 1, 2, 3, 4, 5, 6, 7],
            &[0xF0, 1, 2, 3, 4, 5, 6, 7],
        ] {
            assert_eq!(Pci::read(meaningless, 0), None, "{meaningless:02X?}");
        }
    }

    #[test]
    fn an_address_leaves_one_byte_less() {
        assert_eq!(single_capacity(8, 0), 7);
        assert_eq!(single_capacity(8, 1), 6);
        assert_eq!(single_capacity(64, 0), 62);
        assert_eq!(single_capacity(64, 1), 61);
        assert_eq!(Pci::read(&[0x07, 1, 2, 3, 4, 5, 6], 1), None);
        assert_eq!(Pci::read(&[0x10, 0x07, 1, 2, 3, 4, 5], 1), Some(Pci::First { length: 7, data: &[1, 2, 3, 4, 5] }));
    }
}
