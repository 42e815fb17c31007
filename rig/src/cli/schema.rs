//! `rig schema`: the JSON schemas of plans and fixtures.

use std::io::Write as _;
use std::process::ExitCode;

use super::NOT_WRITTEN;

/// Prints the JSON schema of plans or fixtures.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(after_help = "Examples:\n  rig schema plan > testplans/plan.schema.json\n  \
    rig schema fixture > fixtures/fixture.schema.json")]
pub struct SchemaArgs {
    /// Which of the two.
    pub kind: Kind,
}

/// Plans or fixtures.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Kind {
    /// The schema of plans.
    Plan,
    /// The schema of fixtures.
    Fixture,
}

/// Prints the schema; 0, or 6 where it could not be written.
pub fn run(args: SchemaArgs) -> ExitCode {
    let text = match args.kind {
        Kind::Plan => rig::schema::plan(),
        Kind::Fixture => rig::schema::fixture(),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(NOT_WRITTEN),
    }
}
