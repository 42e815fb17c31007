use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use rig::quantity::LONGEST;
use rig::replay::{Obstacle, Onto, Reply, Speed};

/// Examples for the help text.
pub const EXAMPLES: &str = "\
Examples:
  rig replay drive.log --dry-run
  rig replay drive.log --onto can:vcan0 --skip errors
  rig replay drive.pcapng --interface can1 --onto slcan:/dev/ttyACM0@500000 --speed 0.5
  rig replay trace.candump --onto can:can0 --sent-only --reply 601 --reply 701#05
";

const CODES: &str = "
Exit codes:
    0  every frame was on the bus, and every awaited reply came
    1  a frame was not on the bus, or a reply did not come
    2  wrong usage
    3  the bus cannot be opened, or is gone
    5  the file cannot be read, or something in it cannot be played
    6  the summary could not be written
  130  interrupted
";

/// The end of the long help text.
pub fn long_help() -> String {
    format!("{EXAMPLES}{CODES}")
}

/// What to play, onto what, and how.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// The bus: can:INTERFACE, or slcan:PORT@BITRATE for an adapter on a serial port
    #[arg(long, value_name = "LINK", required_unless_present = "dry_run")]
    pub onto: Option<Onto>,
    /// Play the frames of this interface, where the file has several
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// Play only the frames that were sent by who recorded them
    #[arg(long)]
    pub sent_only: bool,
    /// Play only the frames that were received by who recorded them
    #[arg(long, conflicts_with = "sent_only")]
    pub received_only: bool,
    /// How many times as fast as recorded
    #[arg(long, value_name = "FACTOR", default_value = "1")]
    pub speed: Speed,
    /// How much later than due a frame may be handed over without being counted as late
    #[arg(long, value_name = "TIME", default_value = "1ms", value_parser = duration)]
    pub tolerance: Duration,
    /// Await this frame from another node instead of sending it, and go on when it is there: an identifier, and the
    /// bytes that its data begins with; frames that were recorded as sent are sent all the same
    #[arg(long, value_name = "ID[#DATA]")]
    pub reply: Vec<Reply>,
    /// How much later than recorded such a frame may come
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    pub reply_timeout: Duration,
    /// Leave out what cannot be sent, and say how much that was: unreadable, errors (error frames), fd (FD frames on a
    /// classic bus)
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub skip: Vec<Obstacle>,
    /// Put frames in the order of their times, where a file has them in another order
    #[arg(long)]
    pub sort: bool,
    /// Only say what would be played
    #[arg(long)]
    pub dry_run: bool,
    /// How to write the summary
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
}

/// A way to write what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// For programs
    Json,
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| *duration <= LONGEST);
    duration.ok_or("write a number and a unit, such as 500us, 20ms or 2s, up to a day")
}
