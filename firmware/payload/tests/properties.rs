//! What holds for every payload and for every stream of bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rig_payload::{Actor, Body, Chunk, Decoder, Frame, Header, Kind, Mode, Setting, State};

fn frame() -> impl Strategy<Value = Frame> {
    let actor = || select(Actor::ALL.to_vec());
    let header = (select(Kind::ALL.to_vec()), actor(), actor(), any::<u16>(), any::<u16>(), any::<u64>());
    // Bodies that are mostly zeros or mostly not are the two ends of COBS.
    let body = prop_oneof![vec(any::<u8>(), 0..=130), vec(select(vec![0, 0, 0, 1, 255]), 0..=130)];
    (header, body).prop_map(|((kind, source, destination, sequence, correlation, stamp), body)| Frame {
        header: Header { kind, source, destination, sequence, correlation, stamp },
        body: Body::new(&body),
    })
}

fn chunks(bytes: impl IntoIterator<Item = u8>) -> Vec<(Chunk, usize)> {
    let mut decoder = Decoder::default();
    bytes.into_iter().filter_map(|byte| decoder.push(byte)).collect()
}

proptest! {
    #[test]
    fn every_frame_comes_back(frames in vec(frame(), 0..20)) {
        let stream: Vec<u8> = frames.iter().flat_map(|frame| frame.encode().as_bytes().to_vec()).collect();
        let back = chunks(stream);
        prop_assert_eq!(back.len(), frames.len());
        for ((chunk, spent), frame) in back.into_iter().zip(frames) {
            prop_assert_eq!(chunk, Chunk::Frame(frame));
            prop_assert_eq!(spent, frame.encode().as_bytes().len());
        }
    }

    #[test]
    fn an_encoded_frame_has_one_zero_at_its_end(frame in frame()) {
        let encoded = frame.encode();
        prop_assert_eq!(encoded.as_bytes().iter().position(|byte| *byte == 0), Some(encoded.as_bytes().len() - 1));
        prop_assert_eq!(encoded.as_bytes().len(), frame.size() + 2);
    }

    #[test]
    fn any_bytes_are_survived_and_every_byte_is_accounted_for(bytes in vec(any::<u8>(), 0..4000)) {
        let mut decoder = Decoder::default();
        let (mut spent, mut idle) = (0, 0);
        for byte in &bytes {
            let before = decoder.pending();
            match decoder.push(*byte) {
                Some((_, count)) => spent += count,
                None if *byte == 0 && before == 0 => idle += 1,
                None => {}
            }
        }
        prop_assert_eq!(spent + idle + decoder.pending(), bytes.len());
    }

    #[test]
    fn a_frame_after_any_garbage_and_a_zero_is_found(garbage in vec(any::<u8>(), 0..1000), frame in frame()) {
        let stream = garbage.into_iter().chain([0]).chain(frame.encode().as_bytes().to_vec());
        let last = chunks(stream).pop().map(|(chunk, _)| chunk);
        prop_assert_eq!(last, Some(Chunk::Frame(frame)));
    }

    #[test]
    fn no_flipped_bit_is_accepted(frame in frame(), after in frame(), at in any::<prop::sample::Index>()) {
        let mut bytes = frame.encode().as_bytes().to_vec();
        let bit = at.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        // The first zero ends what a damaged delimiter left open; the next frame is found whatever happened.
        let stream = bytes.into_iter().chain([0]).chain(after.encode().as_bytes().to_vec());
        let mut found = chunks(stream);
        prop_assert_eq!(found.pop().map(|(chunk, _)| chunk), Some(Chunk::Frame(after)));
        // A delimiter that became another byte belongs to the chunk and breaks it too.
        for (chunk, _) in found {
            prop_assert!(!matches!(chunk, Chunk::Frame(_)), "{:?} was accepted", chunk);
        }
    }

    #[test]
    fn no_cut_is_accepted(frame in frame(), at in any::<prop::sample::Index>()) {
        let encoded = frame.encode();
        let kept = at.index(encoded.as_bytes().len() - 1);
        let found = chunks(encoded.as_bytes()[..kept].iter().copied().chain([0]));
        prop_assert!(found.iter().all(|(chunk, _)| !matches!(chunk, Chunk::Frame(_))), "{:?}", found);
    }

    #[test]
    fn reading_any_bytes_never_panics(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(frame) = Frame::read(&bytes) {
            let mut again = [0; rig_payload::MAX_PAYLOAD];
            let size = frame.write(&mut again);
            prop_assert_eq!(&again[..size], &bytes[..]);
        }
        let _ = Frame::claimed_header(&bytes);
    }

    #[test]
    fn settings_and_states_come_back(
        setting in (any::<i32>(), any::<u8>()).prop_map(|(value, flags)| Setting { value, flags }),
        numbers in any::<(u16, u16, i32, u16, u32, u32, u32, u32, u16)>(),
        mode in select(vec![Mode::Normal, Mode::Islanded, Mode::Returning, Mode::Tripped, Mode::Capped]),
        feeder in any::<bool>(),
    ) {
        let (boots, last_setting, power_w, charge_permille, energy_wh, voltage_mv, frequency_mhz, event_age_us, trips) =
            numbers;
        let state = State {
            mode, feeder, boots, last_setting, power_w, charge_permille, energy_wh, voltage_mv, frequency_mhz,
            event_age_us, trips,
        };
        prop_assert_eq!(Body::from(setting).setting(), Some(setting));
        prop_assert_eq!(Body::from(state).state(), Some(state));
    }
}
