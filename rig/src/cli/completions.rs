//! `rig completions`: what a shell needs to complete rig's command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, ExitCode, stdout};

/// How `rig completions` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig completions bash > ~/.local/share/bash-completion/completions/rig
  rig completions zsh > ~/.zfunc/_rig
  rig completions fish > ~/.config/fish/completions/rig.fish
";

/// Which completions to print.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints a shell's completions.
#[must_use]
pub fn run(args: &CompletionsArgs) -> ExitCode {
    match stdout::print(&script(args.shell)) {
        Ok(()) => ExitCode::Pass,
        Err(error) => {
            eprintln!("rig: cannot write the completions: {error}");
            ExitCode::NotWritten
        }
    }
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rig", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_completes_every_command_and_option() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).unwrap();
            for word in ["run", "check", "simulate", "report", "bench", "schema", "completions", "fixture", "only"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
