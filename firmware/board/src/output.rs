use defmt::{error, info, warn};
use rig_device::{Memory, Output};
use rig_payload::{Actor, Chunk, Decoder, Encoded, Frame};
use rig_store::Store;

use crate::board::{Board, Here};
use crate::port::{FIELD, HOME};

/// What a step of the device does: payloads go to the ports, its memory to the flash.
pub(crate) struct Effects<'a> {
    pub(crate) store: &'a mut Store<<Here as Board>::State>,
}

impl Output for Effects<'_> {
    fn transmit(&mut self, payload: &Encoded) {
        let mut decoder = Decoder::default();
        let chunk = payload.as_bytes().iter().find_map(|byte| decoder.push(*byte));
        // The device encoded it, so it decodes.
        let Some((Chunk::Frame(Frame { header, .. }), _)) = chunk else { return };
        // Rows I6 and I12: what is for the customer leaves on the customer's side of the meter.
        let port = match header.destination {
            Actor::Ipd | Actor::CustomerEms => &HOME,
            _ => &FIELD,
        };
        if port.send(payload.as_bytes()) {
            info!(
                "sent {=str} to={=u8} sequence={=u16} correlation={=u16}",
                header.kind.name(),
                header.destination as u8,
                header.sequence,
                header.correlation
            );
        } else {
            warn!("unsent {=str}: the line is {=usize} bytes behind", header.kind.name(), payload.as_bytes().len());
        }
    }

    fn store(&mut self, memory: &Memory) {
        if self.store.save(memory).is_ok() {
            info!("kept record={=u32}", self.store.sequence());
        } else {
            error!("the flash keeps nothing any more");
        }
    }
}
