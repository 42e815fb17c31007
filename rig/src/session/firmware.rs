//! Firmware put on devices before the first trial, through their debug probes.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use futures_util::future::try_join_all;

use super::Session;
use super::notes::Notes;
use super::port::Port;
use crate::event::{Fact, Firmware, Installed, Misbehaviour};
use crate::fixture::{self, Selector};
use crate::link::BenchPorts;
use crate::probe::{Driver, Image, Probe, ProbeError, Target};
use crate::stamp::Nanos;

/// A device whose firmware is known, and the probe that is at it.
pub struct Held {
    /// The device.
    pub port: Rc<Port>,
    /// How to attach to it again.
    pub target: Target,
    /// The probe, attached.
    pub probe: Probe,
    /// What its log holds was not written before; none where the device ran on, and may have logged before the session.
    pub since: Option<Nanos>,
}

/// What puts firmware on devices, and with what.
pub struct Installer<'a> {
    session: &'a Session,
    notes: &'a Notes,
    ports: &'a BenchPorts,
    driver: &'a Driver,
}

impl<'a> Installer<'a> {
    /// An installer for a session whose devices have power.
    #[must_use]
    pub fn new(session: &'a Session, notes: &'a Notes, ports: &'a BenchPorts, driver: &'a Driver) -> Self {
        Self { session, notes, ports, driver }
    }

    /// Attaches to every device with a probe, puts its firmware there unless it holds that already, and starts it.
    ///
    /// # Errors
    /// The device, and why its probe does not do its part.
    pub async fn install(&self, ports: &[Rc<Port>]) -> Result<Vec<Held>, (String, ProbeError)> {
        let probed = ports.iter().filter_map(|port| Some((port, port.device().probe.as_ref()?)));
        let held = try_join_all(probed.map(|(port, probe)| async {
            self.one(port, probe).await.map_err(|error| (port.name().to_string(), error))
        }));
        Ok(held.await?.into_iter().flatten().collect())
    }

    async fn one(&self, port: &Rc<Port>, probe: &fixture::Probe) -> Result<Option<Held>, ProbeError> {
        let target = self.target(probe)?;
        let Some(elf) = &target.firmware else {
            // It answers, and its chip is the right one.
            self.driver.attach(&target).await?.close().await;
            return Ok(None);
        };
        let image = read(elf.clone()).await?;
        let mut probe = self.driver.attach(&target).await?;
        let how = if !self.session.flash {
            Installed::Trusted
        } else if probe.compare().await?.is_none() {
            Installed::Held
        } else {
            probe.flash(|_| {}).await?;
            Installed::Flashed
        };
        self.note(port, (&image, elf), how, &mut probe).await?;
        let mut since = None;
        if how != Installed::Trusted {
            since = Some(self.notes.now());
            self.start(port, &mut probe).await?;
        }
        Ok(Some(Held { port: Rc::clone(port), target, probe, since }))
    }

    async fn note(
        &self,
        port: &Port,
        (image, elf): (&Image, &Path),
        how: Installed,
        probe: &mut Probe,
    ) -> Result<(), ProbeError> {
        let identity = match probe.identify().await {
            Ok(identity) => Some(identity),
            Err(ProbeError::NoIdentity { .. }) => None,
            Err(error) => return Err(error),
        };
        if identity.is_none() && how == Installed::Trusted {
            let detail = format!("{}: what it holds does not say what it is, and was not compared", port.name());
            self.notes.note(Fact::Warning { detail });
        }
        let (build_id, version) = identity.map(|identity| (identity.build_id, identity.version)).unzip();
        let name = elf.file_name().unwrap_or(elf.as_os_str()).to_string_lossy().into_owned();
        let device = port.name().to_string();
        self.notes.note(Fact::Firmware(Firmware { device, elf: name, sha256: image.sha256(), build_id, version, how }));
        Ok(())
    }

    /// Starts the program from its beginning, and waits until it has booted.
    async fn start(&self, port: &Port, probe: &mut Probe) -> Result<(), ProbeError> {
        let before = port.boots();
        port.restarts();
        probe.reset().await?;
        let allowed = port.device().boot;
        let booted = tokio::time::timeout(allowed, port.booted_since(before)).await.is_ok();
        // Where its port is not open, nobody could hear it.
        if !booted && port.is_open() {
            let detail = format!("no boot payload within {} of its reset", humantime::format_duration(allowed));
            port.misbehaved(Misbehaviour::SlowBoot, detail);
        }
        Ok(())
    }

    /// The target of a device's probe. Paths start at the fixture's folder, a probe of the virtual bench is in its own.
    fn target(&self, probe: &fixture::Probe) -> Result<Target, ProbeError> {
        let folder = self.session.fixture_file.parent().unwrap_or(Path::new(""));
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| folder.join(path));
        let selector = match &probe.selector {
            Selector::Probe(selector) => selector.clone(),
            Selector::Bench(name) => match self.ports {
                BenchPorts::Directory(bench) => of_bench(bench, name),
                BenchPorts::None | BenchPorts::Memory(_) => return Err(ProbeError::Missing(format!("bench:{name}"))),
            },
        };
        Ok(Target {
            selector,
            chip: probe.chip.clone(),
            description: path(&probe.description),
            speed: probe.speed,
            firmware: path(&probe.firmware),
        })
    }
}

/// The probe at a board of the virtual bench that has its sockets in a folder.
#[must_use]
pub fn of_bench(folder: &Path, board: &str) -> String {
    format!("20b7:9db1:unix:{}", folder.join(format!("{board}.probe")).display())
}

/// Reads an ELF. It may have tens of megabytes, and the wire thread waits for no disk.
async fn read(elf: PathBuf) -> Result<Image, ProbeError> {
    let path = elf.clone();
    let read = tokio::task::spawn_blocking(move || Image::read(&path)).await;
    read.unwrap_or_else(|error| Err(ProbeError::Unread { path: elf, cause: error.to_string() }))
}
