use std::io;
use std::path::{Path, PathBuf};

use object::elf::{FileHeader32, PT_LOAD, SHF_ALLOC, SHF_WRITE, SHT_NOBITS};
use object::read::elf::{ElfFile32, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, Object, ObjectSymbol};

/// A program of `firmware/board`, from its ELF.
#[derive(Clone, Debug)]
pub struct Image {
    segments: Vec<Segment>,
    symbols: Vec<(String, Symbol)>,
    sizes: Sizes,
}

/// Bytes of an image, and where in flash they belong.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) address: u32,
    pub(crate) bytes: Vec<u8>,
}

/// Where something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Its address.
    pub address: u32,
    /// Its bytes.
    pub size: u32,
}

/// What an image takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Flash: code and constants.
    pub text: u64,
    /// Flash and RAM: variables with a first value.
    pub data: u64,
    /// RAM: variables that start at zero or, like the log, as they are. The stack has the rest.
    pub bss: u64,
}

/// What an image says of itself, at the symbol `RIG_IDENTITY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Address of the device's actor.
    pub role: u8,
    /// Version of the firmware.
    pub version: String,
    /// Digest of all that it was made of.
    pub build: [u8; 16],
    /// The board that it is for.
    pub board: String,
}

/// Why a file is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be read.
    #[error("{} cannot be read: build it with cargo xtask firmware --bugs", .0.display())]
    Unread(PathBuf, #[source] io::Error),
    /// It is no ELF for a 32-bit Arm core.
    #[error("{} is no ELF of a firmware", .0.display())]
    NoElf(PathBuf, #[source] object::Error),
}

impl Image {
    /// Reads an ELF.
    ///
    /// # Errors
    /// Where there is none, or something else.
    pub fn read(file: &Path) -> Result<Self, ImageError> {
        let bytes = std::fs::read(file).map_err(|error| ImageError::Unread(file.to_owned(), error))?;
        Self::parse(&bytes).map_err(|error| ImageError::NoElf(file.to_owned(), error))
    }

    /// Where a symbol lies.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        self.symbols.iter().find(|(known, _)| known == name).map(|(_, symbol)| *symbol)
    }

    /// What it takes.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// What it says of itself.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let Symbol { address, size } = self.symbol("RIG_IDENTITY")?;
        let segment = self.segments.iter().rfind(|segment| segment.address <= address)?;
        let start = usize::try_from(address - segment.address).ok()?;
        Identity::from_bytes(segment.bytes.get(start..)?.get(..usize::try_from(size).ok()?)?)
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    fn parse(bytes: &[u8]) -> object::Result<Self> {
        let file = ElfFile32::<Endianness>::parse(bytes)?;
        let (header, endian) = (file.elf_header(), file.endian());
        let mut segments = Vec::new();
        for part in header.program_headers(endian, bytes)?.iter().filter(|part| part.p_type(endian) == PT_LOAD) {
            let bytes = part.data(endian, bytes).unwrap_or_default();
            if !bytes.is_empty() {
                segments.push(Segment { address: part.p_paddr(endian), bytes: bytes.to_vec() });
            }
        }
        segments.sort_by_key(|segment| segment.address);
        let symbols = file.symbols().filter_map(|symbol| {
            let place =
                Symbol { address: u32::try_from(symbol.address()).ok()?, size: u32::try_from(symbol.size()).ok()? };
            Some((symbol.name().ok()?.to_owned(), place))
        });
        Ok(Self { segments, symbols: symbols.collect(), sizes: sizes(header, endian, bytes)? })
    }
}

fn sizes(header: &FileHeader32<Endianness>, endian: Endianness, bytes: &[u8]) -> object::Result<Sizes> {
    let mut sizes = Sizes::default();
    for section in header.section_headers(endian, bytes)? {
        let flags = section.sh_flags(endian);
        let size = u64::from(section.sh_size(endian));
        match section.sh_type(endian) {
            _ if !flags.contains(SHF_ALLOC) => {}
            SHT_NOBITS => sizes.bss += size,
            _ if flags.contains(SHF_WRITE) => sizes.data += size,
            _ => sizes.text += size,
        }
    }
    Ok(sizes)
}

impl Identity {
    /// Reads an identity as it lies in flash: the layout is that of `firmware/board/src/identity.rs`.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 60] = bytes.first_chunk()?;
        let text = |from: usize| {
            let bytes = &bytes[from..from + 16];
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        let is_known = bytes.starts_with(b"RIGIDENT") && bytes[8] == 1;
        is_known.then(|| Self {
            role: bytes[9],
            version: text(12),
            build: std::array::from_fn(|index| bytes[28 + index]),
            board: text(44),
        })
    }
}
