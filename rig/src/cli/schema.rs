//! `rig schema`: the JSON schemas of plans and fixtures.

use super::{ExitCode, SchemaArgs, SchemaKind, stdout};

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
