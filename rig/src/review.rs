//! The review of one file: it collects what is wrong, and remembers what was too wrong to be used, so that one mistake is
//! one problem.
//!
//! serde stops at the first value it does not like. Here that value is reported, taken out of the tree, and the rest is
//! read again, so that a file's problems come all at once.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::document::{Checked, Given, Places};
use crate::problem::{Problem, Problems, Source};

/// After so many values that cannot be read, the rest of a file is not looked at.
const MOST_UNREADABLE: usize = 40;

/// A file while it is checked: what was found wrong so far, and where its parts are.
#[derive(Debug)]
pub(crate) struct Review {
    source: Source,
    found: Vec<Problem>,
    /// Keys taken out because of their value, each with the start of its table: they are not missing.
    taken_out: BTreeSet<(usize, String)>,
    /// Where the parts are.
    pub places: Places,
}

impl Review {
    /// Parses a text into raw values; `None` where too little of it can be read to go on.
    pub fn start<Raw: DeserializeOwned>(source: &Source) -> (Self, Option<Spanned<Raw>>) {
        let mut review =
            Self { source: source.clone(), found: Vec::new(), taken_out: BTreeSet::new(), places: Places::new() };
        let (tree, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors.iter().take(MOST_UNREADABLE) {
            review.at(error.span(), error.message(), "this is not TOML; see https://toml.io for how it is written");
        }
        // What a recovering parser makes of broken text would bring problems that are not there.
        let raw = if errors.is_empty() { review.values(tree) } else { None };
        (review, raw)
    }

    fn values<Raw: DeserializeOwned>(&mut self, tree: Spanned<DeTable<'_>>) -> Option<Spanned<Raw>> {
        let span = tree.span();
        let mut tree = Spanned::new(span.clone(), DeValue::Table(tree.into_inner()));
        for _ in 0..MOST_UNREADABLE {
            let DeValue::Table(table) = tree.get_ref().clone() else { break };
            let error = match Raw::deserialize(toml::Deserializer::from(Spanned::new(span.clone(), table))) {
                Ok(raw) => return Some(Spanned::new(span, raw)),
                Err(error) => error,
            };
            let (message, help) = said(error.message());
            let missing = message.strip_prefix('`').and_then(|rest| rest.strip_suffix("` is missing here"));
            let table = error.span().unwrap_or_default().start;
            if !missing.is_some_and(|key| self.taken_out.contains(&(table, key.to_owned()))) {
                self.at(error.span(), &message, &help);
            }
            let (table, key) = error.span().and_then(|span| take_out(&mut tree, &span))?;
            // A misspelt key is not missing as well.
            if let Some(meant) = help.strip_prefix("did you mean `").and_then(|rest| rest.strip_suffix("`?")) {
                self.taken_out.insert((table, meant.to_owned()));
            }
            self.taken_out.insert((table, key));
        }
        self.at(None, "the rest was not looked at", "correct these first, or check that this is the right file");
        None
    }

    /// Notes a problem at a place.
    pub fn at(&mut self, span: Option<Range<usize>>, message: &str, help: &str) {
        self.found.push(Problem::new(&self.source, span, message, help));
    }

    /// The value, or a problem with the table that lacks it. `example` shows how to write it: `latency = "8s"`.
    pub fn need<T: Clone>(&mut self, given: &Given<T>, table: &Range<usize>, example: &str) -> Option<T> {
        if given.get().is_none() {
            self.missing(table, example);
        }
        given.get().cloned()
    }

    /// Notes that a table lacks what `example` shows, unless it is there with a value that was reported already.
    pub fn missing(&mut self, table: &Range<usize>, example: &str) {
        let key = example.split(" =").next().unwrap_or(example);
        if !self.taken_out.contains(&(table.start, key.to_owned())) {
            self.at(Some(table.clone()), &format!("`{key}` is missing here"), &format!("add `{example}`"));
        }
    }

    /// Notes that something of this name is there, and too wrong to be used.
    pub fn lose(&mut self, name: &str) {
        self.taken_out.insert((usize::MAX, name.to_owned()));
    }

    /// Whether something of this name was taken out, so that it is no surprise that it cannot be found.
    pub fn lost(&self, name: &str) -> bool {
        self.taken_out.iter().any(|(_, key)| key == name)
    }

    /// Checks that the file's layout is the one this rig knows.
    pub fn version(&mut self, given: &Given<i64>, table: &Range<usize>) {
        if self.need(given, table, "version = 1").is_some_and(|version| version != 1) {
            self.at(
                given.span(),
                "this rig does not know this version of the layout",
                "write version = 1, or use a newer rig",
            );
        }
    }

    /// A count from 1 to `most`.
    pub fn count(&mut self, given: &Given<i64>, table: &Range<usize>, example: &str, most: i64) -> u32 {
        let Some(count) = self.need(given, table, example) else { return 1 };
        let what = example.split(" =").next().unwrap_or(example);
        self.within((count, given.span()), 1..=most, what).unwrap_or(1)
    }

    /// Notes where a part is.
    pub fn place<T>(&mut self, part: String, given: &Given<T>) {
        if let Some(span) = given.span() {
            self.places.insert(part, span);
        }
    }

    /// Whether a value of the table at this place was taken out.
    pub fn lost_in(&self, table: &Range<usize>) -> bool {
        self.taken_out.iter().any(|(start, _)| *start == table.start)
    }

    /// A number in a range; `None` and a problem where it is outside.
    pub fn within<T: TryFrom<i64>>(
        &mut self,
        (number, at): (i64, Option<Range<usize>>),
        range: RangeInclusive<i64>,
        what: &str,
    ) -> Option<T> {
        let fitting = T::try_from(number).ok().filter(|_| range.contains(&number));
        if fitting.is_none() {
            let help = format!("write a number from {} to {}", range.start(), range.end());
            self.at(at, &format!("{number} is no possible {what}"), &help);
        }
        fitting
    }

    /// The checked value, unless something was found wrong.
    pub fn finish<T>(self, value: Option<T>) -> Result<Checked<T>, Problems> {
        let Self { source, found, places, .. } = self;
        match value {
            Some(value) if found.is_empty() => Ok(Checked { value, source, places }),
            _ => Err(Problems::from(found)),
        }
    }
}

/// The closest of the names that can be meant, as a help: `did you mean …?`, else all of them.
pub(crate) fn suggest<'a>(meant: &str, names: impl Iterator<Item = &'a str>, none: &str) -> String {
    let names: Vec<_> = names.collect();
    match (closest(meant, names.iter().copied()), names.is_empty()) {
        (Some(name), _) => format!("did you mean `{name}`?"),
        (None, true) => none.to_owned(),
        (None, false) => format!("write one of: {}", names.join(", ")),
    }
}

/// The name that is closest to what was written, and close enough that it can be meant.
pub(crate) fn closest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::damerau_levenshtein(&written.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// serde's words, split into what is wrong and what to write.
fn said(message: &str) -> (String, String) {
    if let Some((unknown, known)) =
        message.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected "))
    {
        let names = known.split('`').skip(1).step_by(2);
        return (format!("there is no key `{unknown}` here"), suggest(unknown, names, "leave it out"));
    }
    if let Some((unknown, known)) =
        message.strip_prefix("unknown variant `").and_then(|rest| rest.split_once("`, expected "))
    {
        let names = known.split('`').skip(1).step_by(2);
        return (format!("`{unknown}` is not known here"), suggest(unknown, names, "leave it out"));
    }
    if let Some((wrong, expected)) = message.split_once(", expected ") {
        let expected = match expected {
            "i64" | "u64" => "a whole number",
            "f64" => "a number",
            other => other,
        };
        return (wrong.replace("invalid ", "wrong "), format!("write {expected}"));
    }
    if let Some(field) = message.strip_prefix("missing field ") {
        return (format!("{field} is missing here"), "add it".to_owned());
    }
    let (wrong, help) = message.split_once("; ").unwrap_or((message, "correct or leave out this value"));
    (wrong.to_owned(), help.to_owned())
}

/// Takes the smallest value at a place out of the tree; says which key of the table at which place it was.
fn take_out(node: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<(usize, String)> {
    let start = node.span().start;
    match node.get_mut() {
        DeValue::Table(table) => take_out_of_table(table, start, span),
        DeValue::Array(array) => take_out_of_array(array, start, span),
        _ => None,
    }
}

fn take_out_of_table(table: &mut DeTable<'_>, start: usize, span: &Range<usize>) -> Option<(usize, String)> {
    // Not by containment: the place of a `[table]` is its header, and its values lie after it.
    for (_, value) in table.iter_mut() {
        if let Some(taken) = take_out(value, span) {
            return Some(taken);
        }
    }
    let is_there = |key: &Range<usize>, value: &Range<usize>| key == span || value == span;
    let key = table.iter().find(|(key, value)| is_there(&key.span(), &value.span()))?.0.get_ref().to_string();
    table.remove(key.as_str());
    Some((start, key))
}

fn take_out_of_array<'i>(array: &mut DeArray<'i>, start: usize, span: &Range<usize>) -> Option<(usize, String)> {
    for value in array.iter_mut() {
        if let Some(taken) = take_out(value, span) {
            return Some(taken);
        }
    }
    let index = array.iter().position(|value| value.span() == *span)?;
    let kept = std::mem::replace(array, DeArray::<'i>::new()).into_iter().enumerate().filter(|(at, _)| *at != index);
    *array = kept.map(|(_, value)| value).collect();
    Some((start, index.to_string()))
}
