//! The device that Linux has behind a tty or a network interface.

use std::fs;
use std::path::{Path, PathBuf};

use super::shown;

/// A device's folder in sysfs.
pub(super) struct Device(PathBuf);

impl Device {
    /// The device of a tty, whose path may be a link. A pseudo-terminal has none.
    pub(super) fn of_tty(path: &Path) -> Option<Self> {
        let tty = fs::canonicalize(path).ok()?;
        Self::at(&Path::new("/sys/class/tty").join(tty.file_name()?))
    }

    /// The device of a network interface. A virtual one has none, nor has one that a line discipline makes of a tty.
    pub(super) fn of_interface(name: &str) -> Option<Self> {
        // The fixture's check keeps names from leading anywhere else.
        Self::at(&Path::new("/sys/class/net").join(name))
    }

    fn at(class: &Path) -> Option<Self> {
        fs::canonicalize(class.join("device")).ok().map(Self)
    }

    /// Whether it is on USB.
    pub(super) fn is_on_usb(&self) -> bool {
        self.0.components().any(|part| part.as_os_str().to_string_lossy().starts_with("usb"))
    }

    /// The name of its driver.
    pub(super) fn driver(&self) -> Option<String> {
        let driver = fs::read_link(self.0.join("driver")).ok()?;
        Some(shown(&driver.file_name()?.to_string_lossy()))
    }

    /// What its driver tells in a file of that name.
    pub(super) fn told(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.0.join(file)).ok().map(|text| text.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_device_tells_its_bus_its_driver_and_its_settings() {
        let sys = tempfile::tempdir().expect("a folder");
        let device = sys.path().join("devices/pci0000:00/usb1/1-2/1-2:1.0/ttyUSB0");
        let class = sys.path().join("class/tty/ttyUSB0");
        for folder in [&device, &class, &sys.path().join("bus/usb-serial/drivers/ftdi_sio")] {
            fs::create_dir_all(folder).expect("a folder");
        }
        symlink(&device, class.join("device")).expect("a link");
        symlink(sys.path().join("bus/usb-serial/drivers/ftdi_sio"), device.join("driver")).expect("a link");
        fs::write(device.join("latency_timer"), "16\n").expect("a file");
        let device = Device::at(&class).expect("a device");
        assert!(device.is_on_usb());
        assert_eq!(
            (device.driver().as_deref(), device.told("latency_timer").as_deref()),
            (Some("ftdi_sio"), Some("16"))
        );
        assert_eq!(device.told("speed"), None);
    }

    #[test]
    fn an_interface_that_is_not_there_has_no_device() {
        assert!(Device::of_interface("nocan7").is_none());
        assert!(Device::of_tty(Path::new("/dev/null")).is_none());
    }
}
