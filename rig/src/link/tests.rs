use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{BenchPorts, Link, LinkError, MemoryPort};
use crate::fixture::{self, Flow, Parity, Port, Serial};
use crate::stamp::Clock;

fn serial(port: Port) -> Serial {
    Serial { port, baud: 115_200, parity: Parity::None, stop_bits: 1, flow: Flow::None, rs485_echo: false }
}

fn at_path(path: impl Into<std::path::PathBuf>) -> fixture::Stream {
    fixture::Stream::Serial(serial(Port::Path(path.into())))
}

async fn open(link: &fixture::Stream) -> Result<Link, LinkError> {
    Link::open(link, &BenchPorts::None, Clock::start()).await
}

fn message(opened: Result<Link, LinkError>) -> String {
    opened.err().expect("it does not open").to_string()
}

#[tokio::test(start_paused = true)]
async fn bytes_from_memory_have_the_instant_of_the_peers_write() {
    let clock = Clock::start();
    let (near, mut far) = tokio::io::duplex(64);
    let link = Link::memory(near, clock);
    let write = async {
        tokio::time::sleep(Duration::from_secs(300)).await;
        far.write_all(b"alert").await.expect("the link is open");
        clock.now()
    };
    let mut buffer = [0; 16];
    let (written, chunk) = tokio::join!(write, link.receive(&mut buffer));
    let chunk = chunk.expect("bytes come");
    assert_eq!(&buffer[..chunk.length], b"alert");
    assert_eq!((chunk.read.lo, chunk.read.hi), (written, written));
}

#[tokio::test(start_paused = true)]
async fn bytes_that_nobody_took_for_long_may_have_come_at_any_time_since_the_last_look() {
    let clock = Clock::start();
    let (near, mut far) = tokio::io::duplex(64);
    let link = Link::memory(near, clock);
    let mut buffer = [0; 16];
    far.write_all(b"a").await.expect("the link is open");
    link.receive(&mut buffer).await.expect("bytes come");
    let looked = clock.now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    far.write_all(b"b").await.expect("the link is open");
    tokio::time::sleep(Duration::from_secs(5)).await;
    let chunk = link.receive(&mut buffer).await.expect("bytes come");
    assert_eq!((chunk.read.lo, chunk.read.hi), (looked, clock.now()));
}

#[tokio::test(start_paused = true)]
async fn one_task_sends_while_another_waits() {
    let (near, mut far) = tokio::io::duplex(64);
    let link = Rc::new(Link::memory(near, Clock::start()));
    tokio::task::LocalSet::new()
        .run_until(async {
            let waiting = Rc::clone(&link);
            let received = tokio::task::spawn_local(async move {
                let mut buffer = [0; 16];
                waiting.receive(&mut buffer).await.map(|chunk| buffer[..chunk.length].to_vec())
            });
            tokio::task::yield_now().await;
            link.send(b"ask").await.expect("it is sent");
            let mut asked = [0; 3];
            far.read_exact(&mut asked).await.expect("it comes");
            far.write_all(b"answer").await.expect("the link is open");
            assert_eq!(received.await.expect("no panic").expect("bytes come"), b"answer");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn two_senders_do_not_mix_their_bytes() {
    let (near, mut far) = tokio::io::duplex(4);
    let link = Link::memory(near, Clock::start());
    let mut received = [0; 16];
    let (first, second, all) =
        tokio::join!(link.send(b"aaaaaaaa"), link.send(b"bbbbbbbb"), far.read_exact(&mut received));
    assert!(first.is_ok() && second.is_ok() && all.is_ok());
    assert_eq!(&received, b"aaaaaaaabbbbbbbb");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_is_an_error() {
    let (near, far) = tokio::io::duplex(4);
    let link = Link::memory(near, Clock::start());
    drop(far);
    let error = link.receive(&mut [0; 4]).await.expect_err("nobody is there");
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert!(link.receive(&mut []).await.is_err());
    assert!(link.send(b"a").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_adapters_echo_is_dropped() {
    let port: MemoryPort = Rc::new(|| {
        let (near, mut far) = tokio::io::duplex(64);
        tokio::spawn(async move {
            let mut heard = [0; 3];
            far.read_exact(&mut heard).await?;
            far.write_all(&heard).await?;
            far.write_all(b"answer").await?;
            far.read_exact(&mut heard).await
        });
        Ok(near)
    });
    let ports = BenchPorts::Memory(BTreeMap::from([("relays".to_owned(), port)]));
    let settings = Serial { rs485_echo: true, ..serial(Port::Bench("relays".into())) };
    let link = Link::open(&fixture::Stream::Serial(settings), &ports, Clock::start()).await.expect("it opens");
    link.send(b"ask").await.expect("it is sent");
    let (mut buffer, mut received) = ([0; 4], Vec::new());
    while received.len() < 6 {
        let chunk = link.receive(&mut buffer).await.expect("bytes come");
        received.extend_from_slice(&buffer[..chunk.length]);
    }
    assert_eq!(received, b"answer");
    assert_eq!(link.echo_mismatches(), 0);
}

#[tokio::test]
async fn tcp_carries_both_ways_and_bounds_what_it_receives() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("it is bound").to_string();
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let mut asked = [0; 3];
        stream.read_exact(&mut asked).await?;
        stream.write_all(&asked).await
    });
    let clock = Clock::start();
    let link = Link::open(&fixture::Stream::Tcp(address), &BenchPorts::None, clock).await.expect("it connects");
    let sent = link.send(b"ask").await.expect("it is sent");
    let mut buffer = [0; 16];
    let chunk = link.receive(&mut buffer).await.expect("bytes come");
    assert_eq!(&buffer[..chunk.length], b"ask");
    assert!(sent.first.lo <= sent.last.lo && sent.last.hi <= chunk.read.hi && chunk.read.hi <= clock.now());
    peer.await.expect("no panic").expect("the peer is served");
}

#[tokio::test]
async fn a_tcp_peer_that_is_not_there_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("it is bound").to_string();
    drop(listener);
    let text = message(open(&fixture::Stream::Tcp(address.clone())).await);
    assert!(text.starts_with(&address) && text.contains("check that the peer runs"), "{text}");
}

#[tokio::test]
async fn a_missing_port_says_where_to_look() {
    let text = message(open(&at_path("/dev/serial/by-id/usb-none")).await);
    assert!(text.contains("check the cable") && text.contains("/dev/serial/by-id holds"), "{text}");
}

#[tokio::test]
async fn what_is_no_serial_port_is_refused() {
    for path in ["/dev/null", "/", "/etc/passwd"] {
        assert!(matches!(open(&at_path(path)).await, Err(LinkError::NotSerial { .. })), "{path}");
    }
}

#[tokio::test]
async fn settings_that_no_port_has_are_refused() {
    let zero_baud = Serial { baud: 0, ..serial(Port::Path("/dev/null".into())) };
    let stop_bits = Serial { stop_bits: 3, ..serial(Port::Path("/dev/null".into())) };
    for settings in [zero_baud, stop_bits] {
        let opened = open(&fixture::Stream::Serial(settings)).await;
        assert!(matches!(opened, Err(LinkError::Settings { .. })));
    }
}

#[tokio::test]
async fn bench_ports_without_a_bench_and_names_that_are_paths_are_refused() {
    let named = |name: &str| fixture::Stream::Serial(serial(Port::Bench(name.into())));
    assert!(message(open(&named("storage")).await).contains("[bench] table"));
    let directory = BenchPorts::Directory("/dev".into());
    for name in ["../etc/passwd", "..", "", "a/b", "a\0b"] {
        let opened = Link::open(&named(name), &directory, Clock::start()).await;
        assert!(matches!(opened, Err(LinkError::NoBenchPort { .. })), "{name:?}");
    }
    let none = BenchPorts::Memory(BTreeMap::new());
    assert!(
        Link::open(&named("storage\u{1b}[31m"), &none, Clock::start())
            .await
            .is_err_and(|error| { !error.to_string().contains('\u{1b}') })
    );
}

#[cfg(target_os = "linux")]
mod tty {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{BenchPorts, Link, LinkError, at_path, message, open};
    use crate::link::turn;
    use crate::stamp::Clock;

    /// A pseudo-terminal: its master, its tty, and the tty's path.
    fn pty() -> (File, OwnedFd, PathBuf) {
        let pair = nix::pty::openpty(None, None).expect("a pseudo-terminal");
        let path = nix::unistd::ttyname(&pair.slave).expect("it has a name");
        (File::from(pair.master), pair.slave, path)
    }

    #[tokio::test]
    async fn a_tty_carries_both_ways_and_says_what_it_is() {
        let (mut master, _tty, path) = pty();
        let link = open(&at_path(path)).await.expect("it opens");
        link.send(b"ask\r\n\x03\x00").await.expect("it is sent");
        let mut asked = [0; 7];
        master.read_exact(&mut asked).expect("it comes");
        assert_eq!(&asked, b"ask\r\n\x03\x00");
        master.write_all(b"\x04\x11\x13\n").expect("the tty is open");
        let mut buffer = [0; 16];
        let chunk = link.receive(&mut buffer).await.expect("bytes come");
        assert_eq!((&buffer[..chunk.length], chunk.byte_time), (b"\x04\x11\x13\n".as_slice(), 0));
        assert_eq!(link.obtained()["baud"], "115200");
        assert!(link.obtained()["line"].contains("pseudo-terminal"), "{:?}", link.obtained());
    }

    #[tokio::test]
    async fn a_busy_port_says_how_to_find_its_owner() {
        let (_master, _tty, path) = pty();
        let first = open(&at_path(&path)).await.expect("it opens");
        let text = message(open(&at_path(&path)).await);
        assert!(text.contains(&format!("fuser {}", path.display())), "{text}");
        drop(first);
        assert!(open(&at_path(&path)).await.is_ok());
    }

    #[tokio::test]
    async fn a_port_that_goes_ends_the_wait_and_is_missing_afterwards() {
        let clock = Clock::start();
        let (master, tty, path) = pty();
        // As udev does it: the name is a link, and goes with the port.
        let directory = tempfile::tempdir().expect("a directory");
        let by_id = directory.path().join("usb-adapter");
        std::os::unix::fs::symlink(path, &by_id).expect("a link");
        let link = open(&at_path(&by_id)).await.expect("it opens");
        std::fs::remove_file(&by_id).expect("the link goes");
        drop((master, tty));
        assert!(link.receive(&mut [0; 4]).await.is_err());
        drop(link);
        let until = clock.now() + 30_000_000;
        let again = Link::reopen(&at_path(by_id), &BenchPorts::None, clock, until).await;
        assert!(matches!(again, Err(LinkError::Missing { .. })));
        assert!(clock.now() >= until);
    }

    #[test]
    fn the_runtimes_turns_bound_a_bytes_arrival_from_below() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = turn::watch(builder.enable_all()).build().expect("a runtime");
        runtime.block_on(async {
            let (mut master, _tty, path) = pty();
            let clock = Clock::start();
            let link = Link::open(&at_path(path), &BenchPorts::None, clock).await.expect("it opens");
            let writer = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(50));
                let before = clock.now();
                master.write_all(b"alert").expect("the tty is open");
                (before, clock.now(), master)
            });
            let mut buffer = [0; 16];
            let begun = clock.now();
            let ticking = async {
                loop {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            let chunk = tokio::select! {
                chunk = link.receive(&mut buffer) => chunk.expect("bytes come"),
                () = ticking => unreachable!("it ticks without end"),
            };
            let (before, after, _master) = writer.join().expect("the writer ends");
            assert!(chunk.read.lo > begun, "a turn that heard of nothing proves that nothing was there");
            assert!(chunk.read.lo <= after && chunk.read.hi >= before, "{chunk:?} {before} {after}");
        });
    }
}
