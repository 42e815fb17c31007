use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::link::MemoryPort;

/// What a supply or board of the tests is like, and what it has heard.
#[derive(Default)]
pub(super) struct Bench {
    /// The output's level, and when its voltage follows a command.
    pub(super) on: Cell<bool>,
    pub(super) travel: Cell<Duration>,
    /// What to answer to `SYST:ERR?` once.
    pub(super) error: RefCell<Option<String>>,
    pub(super) silent: Cell<bool>,
    /// Whether it drops the line at the next command.
    pub(super) vanish: Cell<bool>,
    pub(super) heard: RefCell<Vec<String>>,
    pub(super) opened: Cell<u32>,
}

impl Bench {
    /// A port behind which `serve` runs each time it is opened.
    pub(super) fn port<F>(self: &Rc<Self>, serve: impl Fn(Rc<Self>, DuplexStream) -> F + 'static) -> MemoryPort
    where
        F: Future<Output = std::io::Result<()>> + 'static,
    {
        let bench = Rc::clone(self);
        Rc::new(move || {
            let (near, far) = tokio::io::duplex(256);
            bench.opened.set(bench.opened.get() + 1);
            tokio::task::spawn_local(serve(Rc::clone(&bench), far));
            Ok(near)
        })
    }

    fn switch(self: &Rc<Self>, on: bool) {
        let bench = Rc::clone(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(bench.travel.get()).await;
            bench.on.set(on);
        });
    }
}

/// A supply that answers after a millisecond.
pub(super) async fn supply(bench: Rc<Bench>, mut line: DuplexStream) -> std::io::Result<()> {
    let mut command = Vec::new();
    loop {
        let byte = line.read_u8().await?;
        if byte != b'\n' {
            command.push(byte);
            continue;
        }
        let heard = String::from_utf8_lossy(&std::mem::take(&mut command)).into_owned();
        bench.heard.borrow_mut().push(heard.clone());
        let answer = match heard.as_str() {
            "*IDN?" => Some("Maker,Model,\u{1b}[31m1,1.0".to_owned()),
            "SYST:ERR?" => Some(bench.error.take().unwrap_or_else(|| "+0,\"No error\"".to_owned())),
            "MEAS:VOLT?" => Some(if bench.on.get() { "2.300E+02".into() } else { "0.1".into() }),
            _ if bench.vanish.replace(false) => return Ok(()),
            "OUTP ON" => {
                bench.switch(true);
                None
            }
            "OUTP OFF" => {
                bench.switch(false);
                None
            }
            _ => None,
        };
        tokio::time::sleep(Duration::from_millis(1)).await;
        if let Some(answer) = answer.filter(|_| !bench.silent.get()) {
            line.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}

/// A relay board of two channels that speaks LCUS; its first contact moves like the supply's output.
pub(super) async fn board(bench: Rc<Bench>, mut line: DuplexStream) -> std::io::Result<()> {
    loop {
        match line.read_u8().await? {
            0xFF if bench.silent.get() => {}
            0xFF => line.write_all(&[u8::from(bench.on.get()), 0]).await?,
            0xA0 => {
                let mut rest = [0; 3];
                line.read_exact(&mut rest).await?;
                bench.heard.borrow_mut().push(format!("{rest:?}"));
                bench.switch(rest[1] == 1);
            }
            other => panic!("no board understands {other:#x}"),
        }
    }
}

/// A Modbus unit 17 of one coil, which refuses every other address; its bytes come one by one.
pub(super) async fn coils(bench: Rc<Bench>, mut line: DuplexStream) -> std::io::Result<()> {
    let crc = crc::Crc::<u16>::new(&crc::CRC_16_MODBUS);
    loop {
        let mut request = [0; 8];
        line.read_exact(&mut request).await?;
        assert_eq!(crc.checksum(&request), 0, "a frame with its own CRC leaves no remainder");
        let mut answer = match request {
            [17, code, _, address, ..] if address != 0 => vec![17, code | 0x80, 2],
            [17, 5, _, _, on, ..] => {
                bench.switch(on == 0xFF);
                request[..6].to_vec()
            }
            [17, 1, ..] => vec![17, 1, 1, u8::from(bench.on.get())],
            _ => continue,
        };
        answer.extend(crc.checksum(&answer).to_le_bytes());
        for byte in answer {
            tokio::time::sleep(Duration::from_millis(1)).await;
            line.write_all(&[byte]).await?;
        }
    }
}
