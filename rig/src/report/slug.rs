//! Names of files and anchors, made from hostile text.

use std::collections::BTreeSet;

use crate::verdict::{Finding, Findings};

/// The most characters of a name: well under what file systems take, with room for a suffix.
const LONGEST: usize = 64;

/// Names given out so far; no two are the same.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    given: BTreeSet<String>,
}

impl Slugs {
    /// A name of `[a-z0-9-]`, never empty, never the same twice: never a path, whatever the text is.
    pub(super) fn unique(&mut self, text: &str) -> String {
        let base = slug(text);
        let mut name = base.clone();
        let mut again = 2_u64;
        while !self.given.insert(name.clone()) {
            name = format!("{base}-{again}");
            again += 1;
        }
        name
    }
}

/// Every claim of a session, edges before sub-totals, with a name for its files and its anchor.
pub(super) fn claims(findings: &Findings) -> Vec<(String, &Finding)> {
    let mut slugs = Slugs::default();
    let all = findings.edges.iter().chain(&findings.sub_totals);
    all.map(|finding| (slugs.unique(&finding.label), finding)).collect()
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if slug.len() >= LONGEST {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "unnamed".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_become_readable_names() {
        let mut slugs = Slugs::default();
        assert_eq!(slugs.unique("I3 Distr. Cust. Storage → LMS - Utility"), "i3-distr-cust-storage-lms-utility");
        assert_eq!(slugs.unique("I3 Distr Cust Storage LMS/Utility"), "i3-distr-cust-storage-lms-utility-2");
        assert_eq!(slugs.unique("../../etc/passwd"), "etc-passwd");
        assert_eq!(slugs.unique("変電所"), "unnamed");
    }

    proptest! {
        #[test]
        fn a_name_is_never_a_path_and_never_given_twice(texts in proptest::collection::vec(any::<String>(), 1..40)) {
            let mut slugs = Slugs::default();
            let names: Vec<_> = texts.iter().map(|text| slugs.unique(text)).collect();
            for name in &names {
                prop_assert!(!name.is_empty() && name.len() < 90);
                prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            }
            prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        }
    }
}
