//! What a person sees: narrow and wide terminals, with colours and without.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;
use std::thread;

use console::{measure_text_width, strip_ansi_codes};
use nix::pty::{Winsize, openpty};

use crate::lab::Lab;

/// A terminal, and what is shown on it.
struct Terminal {
    columns: u16,
    /// Whether progress is shown on it too, or the verdict alone.
    progress: bool,
    /// An environment variable that is set.
    set: Option<&'static str>,
}

impl Terminal {
    /// Plays a simulated session: all that came to the screen.
    fn show(&self, arguments: &[&str]) -> String {
        let lab = Lab::new("dispatch").trials(30);
        let size = Winsize { ws_row: 24, ws_col: self.columns, ws_xpixel: 0, ws_ypixel: 0 };
        let tty = openpty(&size, None).unwrap();
        let mut command = lab.command(arguments);
        command.arg("--simulate").env("TERM", "xterm-256color").stderr(Stdio::null());
        if self.progress {
            command.stderr(Stdio::from(tty.slave.try_clone().unwrap()));
        }
        command.stdout(Stdio::from(tty.slave)).envs(self.set.map(|name| (name, "1")));
        let screen = thread::spawn(move || {
            let (mut text, mut buffer, mut screen) = (Vec::new(), [0; 4_096], File::from(tty.master));
            // A terminal whose last writer is gone answers with an error.
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                text.extend_from_slice(&buffer[..length]);
            }
            String::from_utf8(text).expect("text")
        });
        let status = command.status().unwrap();
        // The command holds the terminal open, too.
        drop(command);
        assert_eq!(status.code(), Some(3));
        screen.join().unwrap()
    }
}

/// The lines on the screen.
fn lines(screen: &str) -> Vec<String> {
    screen.lines().map(|line| strip_ansi_codes(line).trim_end().to_owned()).collect()
}

fn coloured(screen: &str) -> bool {
    ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[2m"].iter().any(|colour| screen.contains(colour))
}

#[test]
fn a_narrow_terminal_has_no_line_that_wraps() {
    let screen = Terminal { columns: 40, progress: false, set: None }.show(&[]);
    let lines = lines(&screen);
    for line in lines.iter().filter(|line| !line.starts_with("report:")) {
        assert!(measure_text_width(line) <= 40, "{line:?}");
    }
    assert!(lines.iter().any(|line| line == "inconclusive D7 Distr. Cust. Storage → …"), "{lines:#?}");
    // The verdict's reason is wrapped and not cut: how many trials are missing is in it.
    let text = lines.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let why = "15 of 15 claims are not decided; 568 more trials, all in time, would decide them";
    assert!(text.contains(why), "{text}");
}

#[test]
fn a_wide_terminal_has_each_claim_with_its_reason() {
    let screen = Terminal { columns: 200, progress: false, set: None }.show(&[]);
    let lines = lines(&screen);
    assert!(lines.iter().all(|line| measure_text_width(line) <= 200), "{lines:#?}");
    let line = "inconclusive D7 Distr. Cust. Storage → DAC - sub    30 of 30 in time show neither more nor less than \
                99.5 % at 95 %; 568 more in time would decide it";
    assert!(lines.iter().any(|shown| shown == line), "{lines:#?}");
}

#[test]
fn colours_are_for_those_who_want_them() {
    let plain = Terminal { columns: 100, progress: true, set: None };
    let no_color = Terminal { set: Some("NO_COLOR"), ..plain };
    assert!(coloured(&plain.show(&[])), "a terminal gets colours");
    assert!(!coloured(&no_color.show(&[])), "NO_COLOR is honoured");
    assert!(!coloured(&plain.show(&["--color", "never"])), "never is never");
    assert!(coloured(&no_color.show(&["--color", "always"])), "what is asked for on the command line is stronger");
}

#[test]
fn colours_go_into_a_file_where_they_are_asked_for() {
    let lab = Lab::new("dispatch").trials(2);
    let plain = lab.run(&["--simulate"]);
    assert!(!coloured(&plain.out) && !coloured(&plain.err));
    let asked = lab.run(&["--simulate", "--name", "asked", "--color", "always"]);
    assert!(coloured(&asked.out), "{}", asked.out);
}
