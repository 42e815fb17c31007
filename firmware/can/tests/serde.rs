//! How plans, fixtures and records spell identifiers, settings and messages.
#![cfg(feature = "serde")]
#![expect(clippy::unwrap_used, reason = "test code")]

use rig_can::Id;
use rig_can::bits::Rate;
use rig_can::isotp::{Addressing, Settings};
use rig_can::layout::{Field, FrameLayout, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json, to_value};

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T, written: Value) {
    assert_eq!(to_value(value).unwrap(), written);
    assert_eq!(from_value::<T>(written).unwrap(), *value);
}

#[test]
fn identifiers_are_their_digits() {
    comes_back(&Id::Standard(0x7E0), json!("7E0"));
    comes_back(&Id::Extended(0x7E0), json!("000007E0"));
    for wrong in [json!("800"), json!("7E"), json!(0x7E0)] {
        assert!(from_value::<Id>(wrong).is_err());
    }
}

#[test]
fn settings_are_their_names() {
    let settings = Settings {
        send: Id::Standard(0x7E0),
        receive: Id::Standard(0x7E8),
        addressing: Addressing::Extended { send: 0xF1, receive: 0x10 },
        frame_length: 64,
        fd: Some(true),
        padding: Some(0xCC),
        block_size: 8,
        separation: 0xF3,
        longest: 4095,
    };
    let written = json!({
        "send": "7E0",
        "receive": "7E8",
        "addressing": { "extended": { "send": 0xF1, "receive": 0x10 } },
        "frame-length": 64,
        "fd": true,
        "padding": 0xCC,
        "block-size": 8,
        "separation": 0xF3,
        "longest": 4095,
    });
    comes_back(&settings, written);
    comes_back(&Addressing::Normal, json!("normal"));
    comes_back(&Rate { nominal: 500_000, data: None }, json!({ "nominal": 500_000, "data": null }));
}

#[test]
fn messages_are_their_frames_and_are_checked() {
    let layout = FrameLayout {
        id: Id::Standard(0x351),
        data: vec![0; 8],
        signals: vec![(Field::PowerW, "16|12@1- (0.1,0)".parse().unwrap()), (Field::Mode, "0|3@1+".parse().unwrap())],
    };
    let written = json!({ "frames": [{
        "id": "351",
        "data": [0, 0, 0, 0, 0, 0, 0, 0],
        "signals": [["power-w", "16|12@1- (0.1,0)"], ["mode", "0|3@1+"]],
    }] });
    comes_back(&Message::new(vec![layout]).unwrap(), written.clone());

    let mut wrong = written;
    wrong["frames"][0]["data"] = json!([0, 0, 0]);
    let error = from_value::<Message>(wrong).unwrap_err().to_string();
    assert_eq!(
        error,
        "frame 351: power-w (16|12@1- (0.1,0)) lies outside of its 3 bytes: move it or make the data longer"
    );
    for field in Field::ALL {
        comes_back(&field, json!(field.name()));
    }
}
