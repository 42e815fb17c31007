//! `rig schema`: the JSON schemas of plans and fixtures.

use clap::{Args, ValueEnum};

use super::{ExitCode, stdout};

/// How `rig schema` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig schema plan > plan.schema.json
  rig schema fixture
";

/// Which schema to print.
#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Of which kind of file
    #[arg(value_name = "KIND")]
    pub kind: SchemaKind,
}

/// A kind of file that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// Files of testplans/
    Plan,
    /// Files of fixtures/
    Fixture,
}

/// Prints the schema.
#[must_use]
pub fn run(args: &SchemaArgs) -> ExitCode {
    let text = match args.kind {
        SchemaKind::Plan => rig::schema::plan(),
        SchemaKind::Fixture => rig::schema::fixture(),
    };
    match stdout::print(text.as_bytes()) {
        Ok(()) => ExitCode::Pass,
        Err(error) => {
            eprintln!("rig: cannot write the schema: {error}");
            ExitCode::NotWritten
        }
    }
}
