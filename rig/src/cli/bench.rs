//! `rig bench`: the virtual bench standing alone, for other people's tools and for rig's own sessions.

#[cfg(unix)]
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::ExitCode;
use super::causes::with_causes;
use rig::fixture::Fixture;

/// How `rig bench` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig bench fixtures/virtual.toml
  rig bench fixtures/virtual.toml --dir /tmp/bench
";

/// Which virtual bench to start.
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// A fixture with a [bench] table
    #[arg(value_name = "FIXTURE", value_hint = ValueHint::FilePath)]
    pub fixture: PathBuf,
    /// The folder for links to the ports, by their names; without it, a temporary one
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Ends when standard input does: a session starts its bench so, and neither outlives the other
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
}

/// Runs the virtual bench of a fixture until it is interrupted, or until its parent closes its input.
#[must_use]
pub fn run(args: &BenchArgs) -> ExitCode {
    let fixture = match Fixture::load(&args.fixture) {
        Ok(fixture) => fixture.value,
        Err(problems) => {
            super::problems::show(&problems);
            return ExitCode::BadInput;
        }
    };
    let Some(spec) = &fixture.bench else {
        eprintln!("error: {} has no [bench] table: nothing in it is virtual", args.fixture.display());
        return ExitCode::BadInput;
    };
    let chosen = args.dir.clone().map_or_else(temporary, |dir| Ok((dir, None)));
    let (dir, _keep) = match chosen {
        Ok(chosen) => chosen,
        Err(error) => {
            eprintln!("error: cannot make a folder for the ports: {error}");
            return ExitCode::Inconclusive;
        }
    };
    match serve(spec, &dir, args.until_stdin_closes) {
        Ok(()) => ExitCode::Pass,
        Err(error) => {
            eprintln!("error: {}", with_causes(&*error));
            ExitCode::Inconclusive
        }
    }
}

fn temporary() -> std::io::Result<(std::path::PathBuf, Option<tempfile::TempDir>)> {
    let dir = tempfile::Builder::new().prefix("rig-bench-").tempdir()?;
    Ok((dir.path().to_owned(), Some(dir)))
}

#[cfg(unix)]
fn serve(spec: &rig_virtual::Spec, dir: &Path, until_stdin_closes: bool) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::task::LocalSet::new().run_until(async {
        let announce = |ports: &std::collections::BTreeMap<String, std::path::PathBuf>| {
            let mut out = std::io::stdout().lock();
            for (name, path) in ports {
                let _ = writeln!(out, "{name} {}", path.display());
            }
            let _ = writeln!(out, "ready");
            let _ = out.flush();
        };
        let parent = async {
            if until_stdin_closes {
                // A thread, because a terminal or pipe as standard input is not for an event loop.
                let _ =
                    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            result = rig_virtual::serve(spec, dir, announce) => result.map_err(Into::into),
            () = parent => Ok(()),
            _ = tokio::signal::ctrl_c(), if !until_stdin_closes => Ok(()),
        }
    }))
}

#[cfg(not(unix))]
fn serve(_: &rig_virtual::Spec, _: &Path, _: bool) -> Result<(), Box<dyn std::error::Error>> {
    Err("a virtual bench needs the ttys of Linux or macOS; here, play it in memory: `rig simulate`".into())
}
