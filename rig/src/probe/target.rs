use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use object::Architecture;
use probe_rs::architecture::arm::{ArmError, DapError};
use probe_rs::config::{MemoryRegion, Registry, RegistryError};
use probe_rs::flashing::{
    DownloadOptions, ElfLoader, ElfOptions, FileDownloadError, FlashError, FlashLoader, FlashProgress,
};
use probe_rs::probe::list::{Accessibility, Lister};
use probe_rs::probe::{DebugProbeError, DebugProbeSelector, WireProtocol};
use probe_rs::{Core, CoreStatus, CoreType, MemoryInterface, Permissions, Session};

use super::decoder::Decoder;
use super::identity::SYMBOL;
use super::request::{CoreState, Found, Log, Progress, Stage, Target};
use super::{Identity, Image, ProbeError};
use crate::visible::visible_up_to;

mod progress;

use progress::Stages;

/// How long a core may take to halt.
const HALTS: Duration = Duration::from_secs(3);
/// Bytes of flash that are compared at once.
const PAGE: usize = 4096;
/// The most errors of a chain that are told.
const CAUSES: usize = 16;
/// The most characters of what probe-rs says.
const WORDS: usize = 400;
/// The largest description that is read, in bytes.
const LARGEST_DESCRIPTION: u64 = 16 << 20;
/// CPUID of the system control space, which every Cortex-M has (ARMv7-M Architecture Reference Manual, B3.2.3).
const CPUID: u64 = 0xE000_ED00;

/// A target with a probe attached to it. Only the worker has one.
pub(super) struct Attached {
    session: Session,
    program: Option<Program>,
}

/// The program that the target is to hold.
struct Program {
    image: Image,
    /// Made when the log is first asked for.
    decoder: Option<Decoder>,
}

/// The probes that are there.
pub(super) fn list(selector: Option<&str>) -> Result<Vec<Found>, ProbeError> {
    let selector = selector.map(parse).transpose()?;
    let found = Lister::new().list_with_access(selector.as_ref());
    Ok(found
        .into_iter()
        .map(|item| Found {
            name: item.info.identifier.clone(),
            selector: DebugProbeSelector::from(&item.info).to_string(),
            permitted: item.accessibility == Accessibility::Accessible,
        })
        .collect())
}

fn parse(selector: &str) -> Result<DebugProbeSelector, ProbeError> {
    selector.parse().map_err(|_| ProbeError::Selector(selector.to_owned()))
}

impl Attached {
    /// Opens a probe and attaches to its target. A core that runs goes on running.
    pub(super) fn new(target: &Target) -> Result<Self, ProbeError> {
        let image = target.firmware.as_deref().map(Image::read).transpose()?;
        let registry = registry(target.description.as_deref())?;
        let known = registry.get_target_by_name(&target.chip).map_err(|error| unknown(&registry, target, &error))?;
        let selector = parse(&target.selector)?;
        let unopened = |cause: &(dyn std::error::Error + 'static)| ProbeError::Unopened {
            selector: target.selector.clone(),
            cause: words(cause),
        };
        // Opening by the selector would try every driver and tell the last one's error.
        let found = Lister::new().list_with_access(Some(&selector)).into_iter().next();
        let found = found.ok_or_else(|| ProbeError::Missing(target.selector.clone()))?;
        if found.accessibility == Accessibility::PermissionDenied {
            return Err(ProbeError::Forbidden(target.selector.clone()));
        }
        let mut probe = found.info.open().map_err(|error| unopened(&error))?;
        // A probe that has one protocol only may refuse to be told.
        let _ = probe.select_protocol(WireProtocol::Swd);
        if let Some(speed) = target.speed {
            probe.set_speed(speed).map_err(|error| unopened(&error))?;
        }
        let mut session = probe.attach_with_registry(known, Permissions::new(), &registry)?;
        check_core(&mut session, &target.chip)?;
        if let Some(image) = &image {
            check_architecture(&mut session, image)?;
        }
        Ok(Self { session, program: image.map(|image| Program { image, decoder: None }) })
    }

    pub(super) fn identify(&mut self) -> Result<Identity, ProbeError> {
        let image = &self.program.as_ref().ok_or(ProbeError::NoFirmware)?.image;
        let none = ProbeError::NoIdentity { path: image.path().to_owned() };
        let Some(address) = image.symbol(SYMBOL) else { return Err(none) };
        let mut bytes = [0; Identity::SIZE as usize];
        self.session.core(0)?.read_8(address, &mut bytes)?;
        Identity::from_bytes(&bytes).ok_or(none)
    }

    /// The first address at which the flash does not hold the program. The core goes on running.
    pub(super) fn compare(&mut self) -> Result<Option<u64>, ProbeError> {
        let loader = self.loader()?;
        let flash: Vec<_> = self
            .session
            .target()
            .memory_map
            .iter()
            .filter_map(MemoryRegion::as_nvm_region)
            .map(|region| region.range.clone())
            .collect();
        let mut core = self.session.core(0)?;
        for (start, bytes) in loader.data().filter(|(start, _)| flash.iter().any(|range| range.contains(start))) {
            for (page, wanted) in (start..).step_by(PAGE).zip(bytes.chunks(PAGE)) {
                let mut found = vec![0; wanted.len()];
                core.read_8(page, &mut found)?;
                if let Some(at) = found.iter().zip(wanted).position(|(found, wanted)| found != wanted) {
                    return Ok(Some(page + at as u64));
                }
            }
        }
        Ok(None)
    }

    /// Programs the flash and compares it. The core is halted afterwards.
    pub(super) fn flash(&mut self, tell: &mut dyn FnMut(Progress)) -> Result<(), ProbeError> {
        let loader = self.loader()?;
        let mut options = DownloadOptions::default();
        let mut stages = Stages::new(&mut *tell);
        options.progress = FlashProgress::new(move |event| stages.note(&event));
        loader.commit(&mut self.session, options)?;
        // probe-rs would tell that something differs, but not where.
        tell(Progress { stage: Stage::Verify, done: 0, total: 0 });
        self.compare()?.map_or(Ok(()), |address| Err(ProbeError::Unverified { address }))
    }

    /// Starts the program anew.
    pub(super) fn reset(&mut self) -> Result<(), ProbeError> {
        let decoder = self.program.as_mut().and_then(|program| decoder(program).ok());
        let mut core = self.session.core(0)?;
        if let Some(decoder) = decoder {
            core.halt(HALTS)?;
            decoder.clear(&mut core)?;
        }
        Ok(core.reset()?)
    }

    pub(super) fn halt(&mut self) -> Result<(), ProbeError> {
        self.session.core(0)?.halt(HALTS)?;
        Ok(())
    }

    pub(super) fn run(&mut self) -> Result<(), ProbeError> {
        Ok(self.session.core(0)?.run()?)
    }

    pub(super) fn state(&mut self) -> Result<CoreState, ProbeError> {
        state(&mut self.session.core(0)?)
    }

    pub(super) fn read(&mut self, address: u64, length: u32) -> Result<Vec<u8>, ProbeError> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.session.core(0)?.read_8(address, &mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn log(&mut self) -> Result<Log, ProbeError> {
        let decoder = decoder(self.program.as_mut().ok_or(ProbeError::NoFirmware)?)?;
        let mut core = self.session.core(0)?;
        let found = decoder.read(&mut core)?;
        let state = state(&mut core)?;
        Ok(Log { kept: found.kept, lines: found.lines, emptied: found.emptied, garbled: found.garbled, state })
    }

    fn loader(&mut self) -> Result<FlashLoader, ProbeError> {
        let image = &self.program.as_ref().ok_or(ProbeError::NoFirmware)?.image;
        let mut loader = self.session.target().flash_loader();
        let elf = &mut Cursor::new(image.bytes());
        let result = loader.load_image(&mut self.session, elf, ElfLoader(ElfOptions::default()), None);
        result.map_err(|error| match error {
            FileDownloadError::Other(error) => error.into(),
            FileDownloadError::Flash(FlashError::NoSuitableNvm { range, .. }) => {
                let cause = format!("the chip has no flash at {:#010x}; is it linked for another one?", range.start);
                wrong(image, &cause)
            }
            error => wrong(image, &words(&error)),
        })?;
        Ok(loader)
    }
}

fn decoder(program: &mut Program) -> Result<&mut Decoder, ProbeError> {
    let Program { image, decoder } = program;
    match decoder {
        Some(decoder) => Ok(decoder),
        None => Ok(decoder.insert(Decoder::new(image)?)),
    }
}

fn state(core: &mut Core<'_>) -> Result<CoreState, ProbeError> {
    Ok(match core.status()? {
        CoreStatus::Running => CoreState::Running,
        CoreStatus::Halted(_) => CoreState::Halted,
        CoreStatus::LockedUp => CoreState::LockedUp,
        CoreStatus::Sleeping => CoreState::Sleeping,
        CoreStatus::Unknown => CoreState::Unknown,
    })
}

fn registry(description: Option<&Path>) -> Result<Registry, ProbeError> {
    let mut registry = Registry::from_builtin_families();
    if let Some(path) = description {
        let bad = |cause: String| ProbeError::Description { path: PathBuf::from(path), cause };
        let size = fs::metadata(path).map_err(|error| bad(error.to_string()))?.len();
        if size > LARGEST_DESCRIPTION {
            return Err(bad("it is larger than 16 MiB".to_owned()));
        }
        let yaml = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        registry.add_target_family_from_yaml(&yaml).map_err(|error| bad(words(&error)))?;
    }
    Ok(registry)
}

fn unknown(registry: &Registry, target: &Target, error: &RegistryError) -> ProbeError {
    let chip = target.chip.clone();
    match error {
        RegistryError::ChipNotFound(_) | RegistryError::ChipNotUnique(..) => {
            let names = registry.families().iter().flat_map(|family| &family.variants).map(|chip| chip.name.as_str());
            let near = names.map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &chip.to_lowercase()), name));
            let nearest = near.max_by(|one, other| one.0.total_cmp(&other.0)).filter(|(near, _)| *near > 0.85);
            ProbeError::UnknownChip { chip, like: nearest.map(|(_, name)| name.to_owned()) }
        }
        error => ProbeError::Other(words(error)),
    }
}

/// Whether the core is of the kind that the chip has, where it says so itself.
fn check_core(session: &mut Session, chip: &str) -> Result<(), ProbeError> {
    let mut core = session.core(0)?;
    let wanted = core.core_type();
    if !matches!(wanted, CoreType::Armv6m | CoreType::Armv7m | CoreType::Armv7em | CoreType::Armv8m) {
        return Ok(());
    }
    let part = core.read_word_32(CPUID)? >> 4 & 0xFFF;
    // Part numbers of the cores' technical reference manuals.
    let (found, name) = match part {
        0xC20 => (CoreType::Armv6m, "a Cortex-M0"),
        0xC21 => (CoreType::Armv6m, "a Cortex-M1"),
        0xC60 => (CoreType::Armv6m, "a Cortex-M0+"),
        0xC23 => (CoreType::Armv7m, "a Cortex-M3"),
        0xC24 => (CoreType::Armv7em, "a Cortex-M4"),
        0xC27 => (CoreType::Armv7em, "a Cortex-M7"),
        0xD20 => (CoreType::Armv8m, "a Cortex-M23"),
        0xD21 => (CoreType::Armv8m, "a Cortex-M33"),
        _ => return Ok(()),
    };
    // An Armv7E-M core runs what an Armv7-M core does, and descriptions mix them up.
    let v7 = |core: CoreType| matches!(core, CoreType::Armv7m | CoreType::Armv7em);
    if found == wanted || (v7(found) && v7(wanted)) {
        return Ok(());
    }
    let wanted = match wanted {
        CoreType::Armv6m => "one of Armv6-M",
        CoreType::Armv8m => "one of Armv8-M",
        _ => "one of Armv7-M",
    };
    Err(ProbeError::WrongChip { chip: chip.to_owned(), found: name.to_owned(), wanted: wanted.to_owned() })
}

fn check_architecture(session: &mut Session, image: &Image) -> Result<(), ProbeError> {
    let (wanted, name) = match session.core(0)?.architecture() {
        probe_rs::Architecture::Arm => (Architecture::Arm, "Arm"),
        probe_rs::Architecture::Riscv => (Architecture::Riscv32, "RISC-V"),
        probe_rs::Architecture::Xtensa => (Architecture::Xtensa, "Xtensa"),
    };
    if image.architecture() == wanted {
        return Ok(());
    }
    Err(wrong(image, &format!("it is for {:?}, and the target is {name}", image.architecture())))
}

fn wrong(image: &Image, cause: &str) -> ProbeError {
    ProbeError::WrongFirmware { path: image.path().to_owned(), cause: cause.to_owned() }
}

/// What an error of probe-rs says, with its causes, on one bounded line.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for error in causes(error) {
        let words = error.to_string();
        let words = words.trim_end_matches('.').to_owned();
        if !said.iter().any(|known| known.contains(&words)) {
            said.push(words);
        }
    }
    visible_up_to(&said.join(": "), WORDS)
}

/// An error and what caused it.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source()).take(CAUSES)
}

/// What is wrong with probe or target, where an error tells that: the link to the probe has failed, or nobody answers at
/// the debug port.
fn link(error: &(dyn std::error::Error + 'static)) -> Option<ProbeError> {
    if causes(error).any(|error| matches!(error.downcast_ref(), Some(DebugProbeError::Usb(_)))) {
        return Some(ProbeError::Gone(words(error)));
    }
    let is_unanswered = causes(error).any(|error| {
        matches!(error.downcast_ref(), Some(ArmError::NoTargetResponse { .. }))
            || matches!(error.downcast_ref(), Some(DapError::NoAcknowledge | DapError::Protocol(_)))
    });
    if is_unanswered {
        return Some(ProbeError::NoTarget(words(error)));
    }
    let is_faulted = causes(error).any(|error| matches!(error.downcast_ref(), Some(DapError::FaultResponse)));
    is_faulted.then(|| ProbeError::Faulted(words(error)))
}

impl From<probe_rs::Error> for ProbeError {
    fn from(error: probe_rs::Error) -> Self {
        link(&error).unwrap_or_else(|| Self::Other(words(&error)))
    }
}

impl From<FlashError> for ProbeError {
    fn from(error: FlashError) -> Self {
        link(&error).unwrap_or_else(|| Self::Unprogrammed(words(&error)))
    }
}
