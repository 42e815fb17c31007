//! The same loop over tokio-serial, with nothing around it: what an asynchronous loop costs at the least.

use std::io;
use std::path::Path;
use std::time::Instant;

use rig_payload::Decoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_serial::SerialPortBuilderExt;

use super::block::{Block, nanos};
use super::cpu::monotonic;
use super::{bare, payload};

/// Exchanges one after another on one tty.
pub fn exchanges(port: &Path, count: u16, block: &mut Block) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut tty = tokio_serial::new(port.to_string_lossy(), super::peer::BAUD).open_native_async()?;
        let mut decoder = Decoder::default();
        let mut buffer = [0; 4096];
        for sequence in 0..count {
            let began = Instant::now();
            let request = payload::request(sequence).encode();
            let sent = Instant::now();
            tty.write_all(request.as_bytes()).await?;
            let (frame, received, stamp) = loop {
                let read = AsyncReadExt::read(&mut tty, &mut buffer).await?;
                let (received, stamp) = (Instant::now(), monotonic());
                if let Some(frame) = bare::reply(&mut decoder, &buffer[..read]) {
                    break (frame, received, stamp);
                }
            };
            block.whole.push(nanos(began.elapsed()));
            block.round_trips.push(nanos(received - sent));
            block.stamps.push(nanos(stamp).saturating_sub(frame.header.stamp));
        }
        Ok(())
    })
}
