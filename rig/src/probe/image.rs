use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use object::elf::PT_LOAD;
use object::read::elf::{ElfFile32, ProgramHeader};
use object::{Architecture, Endianness, File, Object, ObjectSymbol};
use sha2::{Digest, Sha256};

use super::ProbeError;

/// The largest ELF that is read: more than any microcontroller's program with all that debuggers want to know.
const LARGEST: u64 = 256 << 20;

/// A program in an ELF file.
#[derive(Clone, Debug)]
pub struct Image {
    path: PathBuf,
    bytes: Vec<u8>,
    architecture: Architecture,
}

impl Image {
    /// Reads an ELF.
    ///
    /// # Errors
    /// Where it cannot be read, or is no ELF of a 32-bit program.
    pub fn read(path: &Path) -> Result<Self, ProbeError> {
        let unread = |error: std::io::Error| ProbeError::Unread { path: path.to_owned(), cause: error.to_string() };
        let wrong = |cause: &str| ProbeError::WrongFirmware { path: path.to_owned(), cause: cause.to_owned() };
        let mut bytes = Vec::new();
        fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unread)?;
        if bytes.len() as u64 > LARGEST {
            return Err(wrong("it is larger than 256 MiB"));
        }
        let elf = ElfFile32::<Endianness>::parse(&*bytes).map_err(|_| wrong("it is no ELF of a 32-bit program"))?;
        let loads = elf.elf_program_headers().iter().any(|part| part.p_type(elf.endian()) == PT_LOAD);
        if !loads {
            return Err(wrong("nothing in it is to be loaded: give the linked program"));
        }
        let architecture = elf.architecture();
        Ok(Self { path: path.to_owned(), bytes, architecture })
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's content.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Which instructions it is made of.
    #[must_use]
    pub fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// SHA-256 of the file, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        crate::hex::text(&Sha256::digest(&self.bytes))
    }

    /// The address of a symbol that it defines.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<u64> {
        let file = File::parse(&*self.bytes).ok()?;
        let defined = file.symbols().find(|symbol| symbol.name() == Ok(name) && symbol.is_definition());
        defined.map(|symbol| symbol.address())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Image, ProbeError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("program.elf");
        fs::write(&path, bytes).expect("a file");
        Image::read(&path)
    }

    #[test]
    fn a_file_that_is_no_program_is_told_so() {
        for bytes in [&b""[..], b"\x7fELF", b"#!/bin/sh"] {
            assert!(matches!(read(bytes), Err(ProbeError::WrongFirmware { .. })), "{bytes:?}");
        }
        let own = std::env::current_exe().expect("this program");
        let error = Image::read(&own).expect_err("a program of this machine");
        assert!(error.to_string().ends_with("it is no ELF of a 32-bit program"), "{error}");
        assert!(matches!(Image::read(Path::new("no-such.elf")), Err(ProbeError::Unread { .. })));
    }

    proptest::proptest! {
        #[test]
        fn any_file_is_an_image_or_an_error(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            if let Ok(image) = read(&[b"\x7fELF\x01\x01\x01".to_vec(), bytes].concat()) {
                proptest::prop_assert_eq!(image.symbol("RIG_IDENTITY"), None);
            }
        }
    }
}
