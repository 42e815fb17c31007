use core::fmt;

use crate::Id;

/// What kind of frame it is (ISO 11898-1:2015, 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Classic data frame, up to 8 bytes.
    Classic,
    /// Classic remote frame: it asks for data, and has a length but no bytes.
    Remote,
    /// FD data frame, up to 64 bytes.
    Fd {
        /// The data phase has its own, faster bit rate (BRS).
        switch: bool,
        /// The sender is error passive (ESI).
        passive: bool,
    },
}

/// A frame. Its length is always one that its format can have.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Frame {
    id: Id,
    format: Format,
    length: u8,
    bytes: [u8; 64],
}

/// The lengths of FD frames, by their data length code (ISO 11898-1:2015, table 5).
const LENGTHS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

/// The smallest length of an FD frame that holds `length` bytes (ISO 11898-1:2015, table 5); `None` over 64.
#[must_use]
pub fn fd_length(length: usize) -> Option<usize> {
    LENGTHS.into_iter().map(usize::from).find(|possible| *possible >= length)
}

/// The length that a data length code stands for in an FD frame; `None` over 15.
pub(crate) fn fd_length_of(code: u32) -> Option<usize> {
    LENGTHS.get(usize::try_from(code).ok()?).copied().map(usize::from)
}

impl Frame {
    /// A classic data frame; `None` over 8 bytes, or where there is no such identifier.
    #[must_use]
    pub fn classic(id: Id, data: &[u8]) -> Option<Self> {
        (id.exists() && data.len() <= 8).then(|| Self::of(id, Format::Classic, data))
    }

    /// A remote frame that asks for `length` bytes; `None` over 8, or where there is no such identifier.
    #[must_use]
    pub fn remote(id: Id, length: u8) -> Option<Self> {
        (id.exists() && length <= 8).then_some(Self { id, format: Format::Remote, length, bytes: [0; 64] })
    }

    /// An FD frame; `None` where no FD frame has exactly this length, or where there is no such identifier.
    #[must_use]
    pub fn fd(id: Id, data: &[u8], switch: bool) -> Option<Self> {
        let possible = id.exists() && fd_length(data.len()) == Some(data.len());
        possible.then(|| Self::of(id, Format::Fd { switch, passive: false }, data))
    }

    /// The same FD frame, sent by a node that is error passive or not. Classic frames do not tell.
    #[must_use]
    pub fn sent_passively(mut self, passive: bool) -> Self {
        if let Format::Fd { switch, .. } = self.format {
            self.format = Format::Fd { switch, passive };
        }
        self
    }

    /// A frame of data that its caller knows to have a possible length.
    pub(crate) fn of(id: Id, format: Format, data: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..data.len()].copy_from_slice(data);
        #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
        Self { id, format, length: data.len() as u8, bytes }
    }

    /// The identifier.
    #[must_use]
    pub fn id(&self) -> Id {
        self.id
    }

    /// What kind of frame it is.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether it is an FD frame.
    #[must_use]
    pub fn is_fd(&self) -> bool {
        matches!(self.format, Format::Fd { .. })
    }

    /// Whether it is a remote frame.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.format == Format::Remote
    }

    /// The length it says it has; a remote frame has a length and no data.
    #[must_use]
    pub fn length(&self) -> u8 {
        self.length
    }

    /// The data length code: the length, or 9 to 15 for FD frames over 8 bytes.
    #[must_use]
    pub fn length_code(&self) -> u32 {
        LENGTHS.into_iter().take_while(|length| *length < self.length).map(|_| 1).sum()
    }

    /// The data.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        match self.format {
            Format::Remote => &[],
            Format::Classic | Format::Fd { .. } => &self.bytes[..usize::from(self.length)],
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} {:?} {} {:02x?})", self.id, self.format, self.length, self.data())
    }
}
