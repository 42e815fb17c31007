use std::fs;
use std::process::ExitCode;

use clap::Args;

use crate::workspace::{cargo, root};

/// Kind of file, and where its schema lies: beside the files, which name it in their first line.
const SCHEMAS: [(&str, &str); 2] =
    [("plan", "testplans/plan.schema.json"), ("fixture", "fixtures/fixture.schema.json")];

#[derive(Args)]
pub struct SchemaArgs {
    /// Write nothing; fail where a committed schema is not the program's
    #[arg(long)]
    check: bool,
}

/// Writes the schemas that the program prints to where editors look for them.
///
/// # Errors
/// Says which schema could not be made, read or written.
pub fn run(args: &SchemaArgs) -> Result<ExitCode, String> {
    let mut stale = false;
    for (kind, path) in SCHEMAS {
        let schema = schema(kind)?;
        let file = root().join(path);
        if !args.check {
            fs::write(&file, schema).map_err(|error| format!("cannot write {path}: {error}"))?;
        } else if fs::read(&file).map_err(|error| format!("cannot read {path}: {error}"))? != schema {
            eprintln!("xtask: {path} is not what the program prints: run cargo xtask schema");
            stale = true;
        }
    }
    Ok(if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn schema(kind: &str) -> Result<Vec<u8>, String> {
    let output = cargo()
        .args(["run", "--quiet", "--package", "rig", "--", "schema", kind])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if output.status.success() && !output.stdout.is_empty() {
        Ok(output.stdout)
    } else {
        Err(format!("rig schema {kind} failed: {} (see above)", output.status))
    }
}
