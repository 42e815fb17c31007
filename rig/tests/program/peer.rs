//! A program that plays an external actor.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use rig_payload::{Body, Chunk, Decoder, Frame, Header, Kind};

/// What the program does with a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// It says that it consumed it.
    Receipts,
    /// Nothing.
    Silent,
    /// It closes the connection.
    Closes,
    /// It says that it consumed another one.
    WrongReceipts,
}

/// Starts a program with a habit, and returns its address. It ends with its connection.
pub fn start(habit: Habit) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("rig connects");
        // An error is the session's end.
        let _ = play(stream, habit);
    });
    address
}

fn play(mut stream: TcpStream, habit: Habit) -> std::io::Result<()> {
    let mut decoder = Decoder::default();
    let mut buffer = [0; 256];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        for byte in &buffer[..length] {
            let Some((Chunk::Frame(frame), _)) = decoder.push(*byte) else { continue };
            match habit {
                Habit::Receipts => stream.write_all(receipt(&frame.header).encode().as_bytes())?,
                Habit::WrongReceipts => {
                    let sequence = frame.header.sequence.wrapping_add(1_000);
                    stream.write_all(receipt(&Header { sequence, ..frame.header }).encode().as_bytes())?;
                }
                Habit::Silent => {}
                Habit::Closes => return Ok(()),
            }
        }
    }
}

fn receipt(header: &Header) -> Frame {
    Frame { header: Header { kind: Kind::Receipt, stamp: 0, ..*header }, body: Body::new(&[0; 5]) }
}
