use std::collections::BTreeMap;
use std::path::Path;

use tokio_serial::{SerialPort, SerialStream};

use super::Opened;
use super::adapter;
use super::error::{LinkError, shown};
use super::stream::Stream;
use crate::fixture::{Flow, Parity, Serial};

/// Opens a serial port for this process alone.
pub(super) fn open(path: &Path, settings: &Serial) -> Result<Opened, LinkError> {
    let name = path.to_string_lossy();
    let bad = |reason: String| LinkError::Settings { port: shown(&name), reason };
    let stop_bits = match settings.stop_bits {
        1 => tokio_serial::StopBits::One,
        2 => tokio_serial::StopBits::Two,
        other => return Err(bad(format!("{other} stop bits, where a port has 1 or 2"))),
    };
    if settings.baud == 0 {
        return Err(bad("0 baud, which would hang up".into()));
    }
    // Opening what is no character device could block (a FIFO), or be somebody's file.
    let found = std::fs::metadata(path).map_err(|error| LinkError::of_io(&name, error))?;
    if !may_be_a_port(&found) {
        return Err(LinkError::NotSerial { port: shown(&name) });
    }
    let builder = tokio_serial::new(name.as_ref(), settings.baud)
        .data_bits(tokio_serial::DataBits::Eight)
        .parity(match settings.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(stop_bits)
        .flow_control(match settings.flow {
            Flow::None => tokio_serial::FlowControl::None,
            Flow::Hardware => tokio_serial::FlowControl::Hardware,
            Flow::Software => tokio_serial::FlowControl::Software,
        });
    // Windows opens a port for one process alone, always.
    #[cfg(unix)]
    let builder = builder.exclusive(true);
    let port = SerialStream::open(&builder).map_err(|error| match error.description.as_str() {
        "Not a typewriter" | "Inappropriate ioctl for device" => LinkError::NotSerial { port: shown(&name) },
        _ => LinkError::of_serial(&name, error),
    })?;
    let mut obtained = read_back(&port, settings);
    obtained.insert("port".into(), shown(&name));
    let pacing = adapter::tune(&port, path, settings, &mut obtained);
    Ok(Opened { stream: Stream::Serial(port), pacing, obtained })
}

#[cfg(unix)]
fn may_be_a_port(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    found.file_type().is_char_device()
}

#[cfg(not(unix))]
fn may_be_a_port(_: &std::fs::Metadata) -> bool {
    true
}

/// What the port says that its settings are, next to what was asked for where that differs.
fn read_back(port: &SerialStream, settings: &Serial) -> BTreeMap<String, String> {
    let mut obtained = BTreeMap::new();
    let mut note = |what: &str, asked: String, got: Result<String, tokio_serial::Error>| {
        let text = match got {
            Ok(got) if got == asked => got,
            Ok(got) => format!("{got} ({asked} asked for)"),
            Err(error) => format!("{asked} asked for; the port does not tell ({})", error.description),
        };
        obtained.insert(what.to_owned(), text);
    };
    let lower = |word: String| word.to_lowercase();
    note("baud", settings.baud.to_string(), port.baud_rate().map(|baud| baud.to_string()));
    note("parity", lower(format!("{:?}", settings.parity)), port.parity().map(|it| lower(it.to_string())));
    note(
        "stop-bits",
        settings.stop_bits.to_string(),
        port.stop_bits().map(|bits| if bits == tokio_serial::StopBits::One { "1" } else { "2" }.to_owned()),
    );
    note("flow", lower(format!("{:?}", settings.flow)), port.flow_control().map(|it| lower(it.to_string())));
    obtained.insert("exclusive".into(), "on".into());
    if settings.rs485_echo {
        obtained.insert("rs485-echo".into(), "dropped".into());
    }
    obtained
}
