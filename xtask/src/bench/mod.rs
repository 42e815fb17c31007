//! `cargo xtask bench`: what the issue of the wire plane's speed asks for, measured and printed beside its aims.
//!
//! Ratios, not times: rig and the yardstick run in turns, block by block, on the same ttys' peer, on one processor
//! where idle states and migrations would blur the figures, and with the same priority.

mod bare;
mod block;
mod bus;
mod candump;
mod capacity;
mod cpu;
mod listener;
mod payload;
mod peer;
mod program;
mod step;
mod table;
mod tokio_loop;
mod tty;
mod wire;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use self::block::{Block, quantile};
pub use self::bus::Load;
use self::candump::Candump;
use self::listener::Listened;
use self::peer::{Peer, Role};
use self::table::{Aim, figure, part, single};
use crate::guest::{self, Job};
use crate::packages;
use crate::workspace::{cargo, target};

/// What to measure.
#[derive(Args)]
pub struct BenchArgs {
    /// A short run: fewer and shorter blocks, a tenth of the deliveries
    #[arg(long)]
    quick: bool,
    /// Only these parts
    #[arg(value_name = "PART")]
    parts: Vec<Part>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One exchange after another through a session, against a bare loop
    Step,
    /// Receive stamps against the peer's own
    Stamps,
    /// 32 ttys driven at once
    Many,
    /// How many ttys are held at 115200 baud
    Capacity,
    /// `rig report` and `rig simulate` of long sessions
    Program,
    /// How many frames a second are logged of a kernel's CAN bus, in a guest where this kernel has none
    Can,
}

/// What the far end of a benchmark does; started by the benchmark itself.
#[derive(Args)]
pub struct PeerArgs {
    role: Role,
    ttys: usize,
}

/// Builds everything in release and runs the benchmark from there.
///
/// # Errors
/// Where cargo or the benchmark does not start.
pub fn run(args: &BenchArgs) -> Result<ExitCode, String> {
    let built = cargo().args(["build", "--release", "--package", "rig", "--package", "xtask"]).status();
    if !built.map_err(|error| format!("cargo does not start: {error}"))?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let inner = |parts: &[&Part]| {
        let mut words = vec![target().join("release/xtask").into_os_string(), "bench-inner".into()];
        words.extend(args.quick.then(|| "--quick".into()));
        words.extend(parts.iter().filter_map(|part| part.to_possible_value()).map(|part| part.get_name().into()));
        words
    };
    let wanted = Part::value_variants().iter().filter(|part| args.parts.is_empty() || args.parts.contains(part));
    let (on_can, others): (Vec<_>, Vec<_>) = wanted.partition(|part| **part == Part::Can);
    if !others.is_empty() {
        let words = inner(&others);
        let status = std::process::Command::new(&words[0]).args(&words[1..]).status();
        if !status.map_err(|error| format!("the benchmark does not start: {error}"))?.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    if on_can.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    packages::install(&packages::OF_TESTS)?;
    guest::run(&guest::find()?, &Job::here(&inner(&on_can))?, Duration::from_secs(600)).map(ExitCode::from)
}

/// Runs as the peer.
///
/// # Errors
/// What the system said.
pub fn run_peer(args: &PeerArgs) -> Result<ExitCode, String> {
    peer::run(args.role, args.ttys).map(|()| ExitCode::SUCCESS).map_err(|error| format!("the peer: {error}"))
}

/// Runs as the sender on a CAN bus.
///
/// # Errors
/// What the system said.
pub fn run_sender(load: Load) -> Result<ExitCode, String> {
    let latest = load.send().map_err(|error| format!("the sender on {}: {error}", bus::INTERFACE))?;
    println!("{}", latest.as_nanos());
    Ok(ExitCode::SUCCESS)
}

/// Runs the benchmark in this build.
///
/// # Errors
/// Names the part that could not be measured, and why.
pub fn run_inner(args: &BenchArgs) -> Result<ExitCode, String> {
    let wanted = |part: &Part| args.parts.is_empty() || args.parts.contains(part);
    let length = if args.quick { Length::QUICK } else { Length::FULL };
    host();
    for part in Part::value_variants().iter().filter(|part| wanted(part)) {
        let measured = match part {
            Part::Step => steps(length),
            Part::Stamps => stamps(length),
            Part::Many => many(length),
            Part::Capacity => capacities(length),
            Part::Program => programs(length),
            Part::Can => buses(length),
        };
        measured.map_err(|error| format!("the benchmark broke off: {error}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How long a benchmark is.
#[derive(Clone, Copy)]
struct Length {
    blocks: usize,
    exchanges: u16,
    stream: Duration,
    deliveries: u32,
}

impl Length {
    const QUICK: Self = Self { blocks: 3, exchanges: 1_000, stream: Duration::from_secs(2), deliveries: 100_000 };
    const FULL: Self = Self { blocks: 11, exchanges: 5_000, stream: Duration::from_secs(10), deliveries: 1_000_000 };
}

fn host() {
    println!("what the host granted:");
    // On a thread of its own: its priority may rise.
    let granted = std::thread::spawn(|| rig::host::prepare().granted().clone()).join().unwrap_or_default();
    for (what, granted) in granted {
        println!("  {what}: {granted}");
    }
    println!("  processors: {}", std::thread::available_parallelism().map_or(0, usize::from));
}

/// Fills a block on a fresh peer's only tty: a tty that rig has had is closed to others until its far end is, too.
fn block(fill: impl FnOnce(&Path, &mut Block) -> io::Result<()> + Send) -> io::Result<Block> {
    let peer = Peer::start(Role::Answer, 1)?;
    Block::of(|block| fill(&peer.ports[0], block))
}

fn steps(length: Length) -> io::Result<()> {
    let pinned = cpu::Pinned::to_one()?;
    let (mut bare, mut tokio, mut rig) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..length.blocks {
        bare.push(block(|port, block| bare::exchanges(port, length.exchanges, block))?);
        rig.push(block(|port, block| step::exchanges(port, length.exchanges, block))?);
        tokio.push(block(|port, block| tokio_loop::exchanges(port, length.exchanges, block))?);
    }
    part(&format!(
        "a request of 25 bytes and a reply of 50 on one tty, {} blocks of {}, all on processor {}",
        length.blocks, length.exchanges, pinned.cpu
    ));
    let whole = |block: &Block| quantile(&block.whole, 0.5);
    let micros =
        |blocks: &[Block], of: &dyn Fn(&Block) -> f64| blocks.iter().map(|it| of(it) / 1e3).collect::<Vec<_>>();
    let ratios = |blocks: &[Block], of: &dyn Fn(&Block) -> f64| -> Vec<f64> {
        blocks.iter().zip(&bare).map(|(it, bare)| of(it) / of(bare)).collect()
    };
    figure("bare loop: p50 (µs)", &micros(&bare, &whole), Aim::None);
    figure("bare loop: processor (µs an exchange)", &micros(&bare, &|it| it.cpu), Aim::None);
    for (name, blocks, p50, cpu) in
        [("rig step", &rig, Aim::AtMost(1.5), Aim::AtMost(3.0)), ("tokio-serial loop", &tokio, Aim::None, Aim::None)]
    {
        figure(&format!("{name} / bare loop: p50"), &ratios(blocks, &whole), p50);
        figure(&format!("{name} / bare loop: p99"), &ratios(blocks, &|it| quantile(&it.whole, 0.99)), Aim::None);
        figure(&format!("{name} / bare loop: processor"), &ratios(blocks, &|it| it.cpu), cpu);
        let round_trip = |it: &Block| quantile(&it.round_trips, 0.5);
        figure(&format!("{name} / bare loop: p50 by its own stamps"), &ratios(blocks, &round_trip), Aim::None);
    }
    Ok(())
}

fn stamps(length: Length) -> io::Result<()> {
    let pinned = cpu::Pinned::to_one()?;
    let (mut bare, mut rig) = (Vec::new(), Vec::new());
    for _ in 0..length.blocks {
        bare.push(block(|port, block| bare::exchanges(port, length.exchanges, block))?);
        rig.push(block(|port, block| wire::stamps(port, length.exchanges, block))?);
    }
    part(&format!("receive stamp behind the peer's own, all on processor {}", pinned.cpu));
    for (share, name, aim) in [(0.5, "p50", Aim::AtMost(1.0)), (0.99, "p99", Aim::None)] {
        let of = |block: &Block| quantile(&block.stamps, share) / 1e3;
        figure(&format!("bare loop: {name} (µs)"), &bare.iter().map(of).collect::<Vec<_>>(), Aim::None);
        figure(&format!("rig: {name} (µs)"), &rig.iter().map(of).collect::<Vec<_>>(), Aim::None);
        let ratios: Vec<_> = rig.iter().zip(&bare).map(|(rig, bare)| of(rig) / of(bare)).collect();
        figure(&format!("rig / bare loop: {name}"), &ratios, aim);
    }
    Ok(())
}

fn many(length: Length) -> io::Result<()> {
    const TTYS: usize = 32;
    let pinned = cpu::Pinned::to_one()?;
    let each = length.exchanges / 5;
    let (mut bare, mut rig) = (Vec::new(), Vec::new());
    for _ in 0..length.blocks {
        bare.push(driven(TTYS, |ports| bare::exchanges_at_once(ports, each))?);
        rig.push(driven(TTYS, |ports| wire::exchanges_at_once(ports, each))?);
    }
    part(&format!("{TTYS} ttys driven at once, {each} exchanges on each, all on processor {}", pinned.cpu));
    let ratios =
        |of: fn(&wire::Rate) -> f64| rig.iter().zip(&bare).map(|(rig, bare)| of(rig) / bare).collect::<Vec<_>>();
    figure("bare epoll loop (thousands a second)", &bare.iter().map(|rate| rate / 1e3).collect::<Vec<_>>(), Aim::None);
    figure("rig / bare epoll loop", &ratios(|rate| rate.on_wire), Aim::AtLeast(0.7));
    figure("the same, until all is on the disk", &ratios(|rate| rate.recorded), Aim::None);
    Ok(())
}

/// Drives a fresh peer's ttys on a thread that has what the host grants.
fn driven<T: Send>(ttys: usize, drive: impl FnOnce(&[PathBuf]) -> io::Result<T> + Send) -> io::Result<T> {
    let peer = Peer::start(Role::Answer, ttys)?;
    block::on_wire_thread(|| drive(&peer.ports))
}

fn capacities(length: Length) -> io::Result<()> {
    println!("\nttys that stream 50-byte payloads at {} baud for {:?}, on all processors", peer::BAUD, length.stream);
    let mut held: u16 = 0;
    for ttys in [16_u16, 32, 64, 128, 256, 512] {
        let it = block::on_wire_thread(|| capacity::listen(ttys.into(), length.stream))?;
        println!(
            "  {ttys:>4} ttys: {} whole, {} lost; stamps p99 {:.0} µs behind the peer's; {:.2} processors; \
             record whole {:.1} s later; longest silence {:.1} ms, peer late by {:.1} ms at most{}",
            it.whole,
            it.lost,
            it.stamp_p99 / 1e3,
            it.processors,
            it.backlog.as_secs_f64(),
            it.silence.as_secs_f64() * 1e3,
            it.peer_late.as_secs_f64() * 1e3,
            if it.offered() { "" } else { ", so that this line shows nothing" },
        );
        if !it.all() || !it.offered() {
            break;
        }
        held = ttys;
    }
    single("ttys held with nothing lost", f64::from(held), Aim::AtLeast(128.0));
    Ok(())
}

fn programs(length: Length) -> io::Result<()> {
    println!("\nthe rig program on long sessions");
    let report = program::report(length.deliveries)?;
    single(&format!("rig report, {} deliveries (s)", length.deliveries), report.wall.as_secs_f64(), Aim::AtMost(15.0));
    single("its processor time (s)", report.processor.as_secs_f64(), Aim::None);
    single("its memory at the most (MB)", report.peak as f64 / 1e6, Aim::AtMost(300.0));
    let simulate = program::simulate(600)?;
    single("rig simulate, 600 trials of 300 s (s)", simulate.wall.as_secs_f64(), Aim::AtMost(10.0));
    single("its processor time (s)", simulate.processor.as_secs_f64(), Aim::None);
    Ok(())
}

/// Each rate is put on the bus twice, once for candump and once for rig, until one of them has lost a frame.
fn buses(length: Length) -> io::Result<()> {
    /// A sender that is later than this has not offered the rate all the time.
    const PUNCTUAL: Duration = Duration::from_millis(100);
    println!("\nframes on {} for {:?}, on all processors", bus::INTERFACE, length.stream);
    let mut held = [0_u32; 2];
    let mut goes_on = [true; 2];
    for rate in [5_000_u32, 10_000, 20_000, 30_000, 40_000, 60_000, 80_000, 100_000, 120_000, 160_000, 200_000] {
        let frames = u32::try_from(u128::from(rate) * length.stream.as_millis() / 1000).unwrap_or(u32::MAX);
        let load = Load { rate, frames };
        for (index, name) in ["candump", "rig"].into_iter().enumerate() {
            if !goes_on[index] {
                continue;
            }
            let (late, logged) = if index == 0 { by_candump(load)? } else { by_rig(load)? };
            let (lost, offered) = (u64::from(frames).saturating_sub(logged), late < PUNCTUAL);
            println!(
                "  {rate:>6} frames/s: {name} lost {lost} of {frames}; sender late by {:.1} ms at most{}",
                late.as_secs_f64() * 1e3,
                if offered { "" } else { ", so that this line shows nothing" },
            );
            goes_on[index] = lost == 0 && offered;
            held[index] = if goes_on[index] { rate } else { held[index] };
        }
    }
    let [candump, rig] = held.map(f64::from);
    single("candump: frames/s logged with none lost", candump, Aim::None);
    single("rig: frames/s stamped and journalled, none lost", rig, Aim::None);
    single("rig / candump", rig / candump, Aim::None);
    Ok(())
}

fn by_candump(load: Load) -> io::Result<(Duration, u64)> {
    let candump = Candump::listen()?;
    let late = load.play()?;
    Ok((late, candump.logged()?))
}

fn by_rig(load: Load) -> io::Result<(Duration, u64)> {
    let Listened { late, logged, lost, unstamped } = listener::listen(load)?;
    if lost + logged != u64::from(load.frames) || unstamped > 0 {
        let what = format!("{logged} frames logged and {lost} lost of {}, {unstamped} without a stamp", load.frames);
        return Err(io::Error::other(what));
    }
    Ok((late, logged))
}
