use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tokio::io::DuplexStream;

use super::Opened;
use super::adapter::Pacing;
use super::error::{LinkError, shown};
use super::stream::Stream;

/// A port in this process: each call opens it and gives the near end of a stream.
pub type MemoryPort = Rc<dyn Fn() -> io::Result<DuplexStream>>;

pub(super) fn open(name: &str, ports: &BTreeMap<String, MemoryPort>) -> Result<Opened, LinkError> {
    let port = ports.get(name).ok_or_else(|| LinkError::NoBenchPort {
        name: shown(name),
        has: ports.keys().map(|name| shown(name)).collect::<Vec<_>>().join(", "),
    })?;
    let mut opened = opened(port().map_err(|error| LinkError::of_io(&format!("bench:{name}"), error))?);
    opened.obtained.insert("port".into(), format!("bench:{}", shown(name)));
    Ok(opened)
}

pub(super) fn opened(stream: DuplexStream) -> Opened {
    let obtained = BTreeMap::from([("medium".into(), "memory".into())]);
    Opened { stream: Stream::Memory(stream), pacing: Pacing::NONE, obtained }
}

/// The path of a bench's tty. A name that would lead out of the directory is no port.
pub(super) fn port_below(directory: &Path, name: &str) -> Result<PathBuf, LinkError> {
    if name.is_empty() || name.contains(['/', '\\', '\0']) || name == "." || name == ".." {
        return Err(LinkError::NoBenchPort { name: shown(name), has: "names without a path in them".into() });
    }
    Ok(directory.join(name))
}
