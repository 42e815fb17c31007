use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::Opened;
use super::adapter::Pacing;
use super::error::{LinkError, shown};
use super::stream::Stream;

/// A peer on a bench's own network that takes longer to answer is switched off.
const CONNECT: Duration = Duration::from_secs(3);

/// Connects to `host:port`. Small payloads go out at once (`TCP_NODELAY`): Nagle's algorithm (RFC 896) would hold them.
pub(super) async fn connect(address: &str) -> Result<Opened, LinkError> {
    let failed = |source| LinkError::Tcp { address: shown(address), source };
    let stream = tokio::time::timeout(CONNECT, TcpStream::connect(address))
        .await
        .map_err(|_| LinkError::NoAnswer { address: shown(address), within: CONNECT })?
        .map_err(failed)?;
    opened(stream).map_err(failed)
}

/// Both ends of a connection within this machine.
pub(super) async fn loopback() -> std::io::Result<(Opened, Opened)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (near, far) = tokio::try_join!(TcpStream::connect(address), listener.accept())?;
    Ok((opened(near)?, opened(far.0)?))
}

fn opened(stream: TcpStream) -> std::io::Result<Opened> {
    stream.set_nodelay(true)?;
    let mut obtained =
        BTreeMap::from([("address".into(), stream.peer_addr()?.to_string()), ("nodelay".into(), "on".into())]);
    if let Ok(local) = stream.local_addr() {
        obtained.insert("local".into(), local.to_string());
    }
    Ok(Opened { stream: Stream::Tcp(stream), pacing: Pacing::NONE, obtained })
}
