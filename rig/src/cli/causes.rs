//! An error with what caused it, on one line.

use std::error::Error;

/// What an error says and, in parentheses, what its causes say that it does not say itself.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut causes: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !said.contains(&words) && !causes.iter().any(|known| known.contains(&words)) {
            causes.push(words);
        }
        next = cause.source();
    }
    if !causes.is_empty() {
        said += &format!(" ({})", causes.join(": "));
    }
    said
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot write {0}")]
        Silent(&'static str, #[source] io::Error),
        #[error("cannot write: {0}")]
        Telling(#[source] io::Error),
    }

    #[test]
    fn a_cause_is_told_once() {
        let full = || io::Error::other("no space");
        assert_eq!(with_causes(&Outer::Silent("x", full())), "cannot write x (no space)");
        assert_eq!(with_causes(&Outer::Telling(full())), "cannot write: no space");
        assert_eq!(with_causes(&full()), "no space");
    }
}
