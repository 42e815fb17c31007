//! A TOML file on its way to a plan or a fixture: read, parsed, and turned into raw values that know their place.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::DeTable;

use crate::problem::{Problem, Problems, Source};
use crate::quantity::Name;

/// The largest plan or fixture, in bytes.
pub const LARGEST: u64 = 1024 * 1024;

/// What a file holds once nothing is wrong with it, its text, and where in the text its parts are.
#[derive(Clone, Debug)]
pub struct Checked<T> {
    /// The plan or fixture.
    pub value: T,
    /// Its text.
    pub source: Source,
    /// Where its parts are, for problems that show only when two files meet.
    pub(crate) places: Places,
}

impl<T> Checked<T> {
    /// A problem of one of the parts; of the whole file where the part has no place of its own.
    pub(crate) fn problem(&self, part: &str, message: &str, help: &str) -> Problem {
        Problem::new(&self.source, self.places.get(part).cloned(), message, help)
    }
}

/// The bytes of a file's parts, by a key such as `row.I1.payload`.
pub(crate) type Places = BTreeMap<String, Range<usize>>;

/// A value that may be missing, and its place.
#[derive(Clone, Debug)]
pub struct Given<T>(Option<Spanned<T>>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Given<T> {
    /// The value, where there is one.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref().map(Spanned::get_ref)
    }

    /// Its place, where there is one.
    pub fn span(&self) -> Option<Range<usize>> {
        self.0.as_ref().map(Spanned::span)
    }

    /// The value with its place, where there is one.
    pub fn spanned(&self) -> Option<(&T, Range<usize>)> {
        self.0.as_ref().map(|value| (value.get_ref(), value.span()))
    }
}

// Through `Option`, so that a field that is not there is `Given(None)` without a `#[serde(default)]`: the schema then
// lists it as required, and its absence is reported beside the other problems.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Given<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A key that names something, and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Spanned<Name>);

impl Key {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.get_ref().0
    }

    /// Its place.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Key {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

/// Which of the two kinds a file is, told by its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A plan: rows and steps.
    Plan,
    /// A fixture: actors, devices and rails.
    Fixture,
}

impl FileKind {
    /// The kind that a text's keys speak of; a plan where they say nothing.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if Self::leaning(text).is_gt() { Self::Fixture } else { Self::Plan }
    }

    /// Greater where a text's keys speak of a fixture, less where they speak of a plan.
    fn leaning(text: &str) -> Ordering {
        let (tree, _) = DeTable::parse_recoverable(text);
        let speaks_of = |keys: &[&str]| keys.iter().filter(|key| tree.get_ref().contains_key(**key)).count();
        let fixture = speaks_of(&["actors", "device", "instrument", "rail", "hop", "path", "bench", "stall-limit"]);
        let plan = speaks_of(&["row", "step", "sub-total", "trials", "decision", "patience", "settle"]);
        fixture.cmp(&plan)
    }

    /// Holds a file to its kind, so that one of the other kind is one problem and not one for each of its keys.
    ///
    /// # Errors
    /// One problem: the file's keys speak of the other kind.
    pub fn expect(self, source: &Source) -> Result<(), Problems> {
        let (message, help) = match (self, Self::leaning(&source.text)) {
            (Self::Plan, Ordering::Greater) => {
                ("this is a fixture, not a plan", "plans are in testplans/; a fixture is given by --fixture")
            }
            (Self::Fixture, Ordering::Less) => {
                ("this is a plan, not a fixture", "fixtures are in fixtures/; a plan comes first on the command line")
            }
            _ => return Ok(()),
        };
        Err(Problems::from(vec![Problem::new(source, None, message, help)]))
    }
}

/// Reads a file's text.
///
/// # Errors
/// One problem: it is missing, not a file, over [`LARGEST`], or not UTF-8.
pub fn read(path: &Path) -> Result<Source, Problems> {
    let name = path.display().to_string();
    let text = read_text(path).map_err(|(message, help)| {
        Problems::from(vec![Problem::new(&Source::new(&name, ""), None, &message, &help)])
    })?;
    Ok(Source::new(&name, &text))
}

fn read_text(path: &Path) -> Result<String, (String, String)> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => (
            "there is no such file".to_owned(),
            "check the path; plans are in testplans/, fixtures in fixtures/".to_owned(),
        ),
        _ => (format!("cannot be read: {error}"), "check the path and its permissions".to_owned()),
    };
    // Looked at before it is opened: opening a FIFO would wait for a writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(("this is not a file".to_owned(), "give the path of a .toml file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err((
            "larger than 1 MiB".to_owned(),
            "a plan or fixture is a few kilobytes; check the path".to_owned(),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        (format!("not UTF-8 at byte {at}"), "save the file as UTF-8".to_owned())
    })
}
