//! Values with units, as people write them in plans and fixtures: `"8s"`, `"5ms..25ms"`, `"99.5%"`, `50`, `"50..150"`;
//! and the bounded texts that name things.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// The longest duration a plan or fixture may ask for. It keeps every sum of durations far from overflow.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The longest name, in characters.
pub const LONGEST_NAME: usize = 64;

/// The longest line of free text, in characters.
pub const LONGEST_LINE: usize = 200;

/// A duration such as `"8s"` or `"20ms"`, at most a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Time(pub Duration);

/// A duration or a range of them, such as `"5ms..25ms"`, from which one is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange(pub Duration, pub Duration);

/// A share written as a percentage such as `"99.5%"`; held as 0.995.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percent(pub f64);

/// A size in bytes such as `50`, or a range of sizes such as `"50..150"`, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub u16, pub u16);

/// A name of something: 1 to 64 characters, none of them a control character.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub String);

/// A name that becomes part of a file's name: 1 to 64 lower-case letters, digits and `-`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slug(pub String);

/// A line of free text: 1 to 200 characters, none of them a control character.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub String);

impl Time {
    fn parse(text: &str) -> Result<Self, String> {
        let how = r#"write a number and a unit such as "8s", "20ms" or "1m 30s""#;
        match humantime::parse_duration(text) {
            Ok(time) if time <= LONGEST => Ok(Self(time)),
            Ok(_) => Err(format!("`{text}` is longer than a day; write at most \"24h\"")),
            Err(_) => Err(format!("`{text}` is no duration; {how}")),
        }
    }
}

impl TimeRange {
    fn parse(text: &str) -> Result<Self, String> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let (Time(low), Time(high)) = (Time::parse(low.trim())?, Time::parse(high.trim())?);
        if low > high {
            return Err(format!("`{text}` runs backwards; write the shorter time first"));
        }
        Ok(Self(low, high))
    }
}

impl Percent {
    fn parse(text: &str) -> Result<Self, String> {
        let how = r#"write a percentage from 0 to 100 such as "99.5%""#;
        let wrong = || format!("`{text}` is no percentage; {how}");
        let number = text.strip_suffix('%').ok_or_else(wrong)?.trim_end();
        if !number.starts_with(|c: char| c.is_ascii_digit()) || !number.chars().all(|c| c.is_ascii_digit() || c == '.')
        {
            return Err(wrong());
        }
        // Shifting the decimal point before parsing rounds once; dividing by 100 afterwards would round twice, and
        // 99.9 % would not be the same number as 0.999.
        let share: f64 = format!("{number}e-2").parse().map_err(|_| wrong())?;
        if share > 1.0 {
            return Err(format!("`{text}` is more than everything; {how}"));
        }
        Ok(Self(share))
    }
}

impl Bytes {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!(r#"`{text}` is no size; write bytes such as 50, or a range such as "50..150""#);
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let low: u16 = low.trim().parse().map_err(|_| wrong())?;
        let high: u16 = high.trim().parse().map_err(|_| wrong())?;
        match (low, high) {
            (0, _) => Err(format!("`{text}` starts at no byte at all; write a size from 1")),
            _ if low > high => Err(format!("`{text}` runs backwards; write the smaller size first")),
            _ => Ok(Self(low, high)),
        }
    }
}

impl Name {
    fn parse(text: &str) -> Result<Self, String> {
        bounded(text, "name", LONGEST_NAME).map(Self)
    }
}

impl Slug {
    fn parse(text: &str) -> Result<Self, String> {
        let text = bounded(text, "name", LONGEST_NAME)?;
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.chars().all(fits) || text.starts_with('-') {
            return Err(format!("`{text}` cannot be part of a file's name; write lower-case letters, digits and `-`"));
        }
        Ok(Self(text))
    }
}

impl Line {
    fn parse(text: &str) -> Result<Self, String> {
        bounded(text, "text", LONGEST_LINE).map(Self)
    }
}

fn bounded(text: &str, what: &str, longest: usize) -> Result<String, String> {
    if text.trim().is_empty() {
        Err(format!("an empty {what}; write 1 to {longest} characters"))
    } else if text.chars().any(char::is_control) {
        Err(format!("a {what} with a control character; leave out tabs, line ends and escapes"))
    } else if text.chars().nth(longest).is_some() {
        Err(format!("a {what} of {} characters; write at most {longest}", text.chars().count()))
    } else {
        Ok(text.to_owned())
    }
}

/// Reads a text with `parse`, and says `expecting` to anything that is no text.
struct Text<T> {
    expecting: &'static str,
    parse: fn(&str) -> Result<T, String>,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }
}

/// Deserialisation and schema of a type that is written as a text.
macro_rules! text {
    ($type:ident, $expecting:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text { expecting: $expecting, parse: Self::parse })
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

text!(Time, r#"a duration such as "8s" or "20ms""#, r"^\s*[0-9].*[a-z]\s*$|^0$");
text!(TimeRange, r#"a duration such as "10ms", or a range such as "5ms..25ms""#, r"^\s*[0-9]");
text!(Percent, r#"a percentage such as "99.5%""#, r"^[0-9]+(\.[0-9]*)?\s*%$");
text!(Name, "a name of 1 to 64 characters", r"^[^\u0000-\u001f\u007f]{1,64}$");
text!(Slug, "a name of lower-case letters, digits and `-`", r"^[a-z0-9][a-z0-9-]{0,63}$");
text!(Line, "a line of text", r"^[^\u0000-\u001f\u007f]{1,200}$");

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"bytes such as 50, or a range such as "50..150""#)
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Bytes, E> {
                self.visit_str(&bytes.to_string())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                Bytes::parse(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Bytes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": u16::MAX },
                { "type": "string", "pattern": r"^[0-9]+\s*\.\.\s*[0-9]+$" }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use test_case::test_case;

    use super::*;

    #[test_case("8s" => Ok(8_000); "seconds")]
    #[test_case("1m 30s" => Ok(90_000); "two units")]
    #[test_case("8" => Err("`8` is no duration; write a number and a unit such as \"8s\", \"20ms\" or \"1m 30s\"".into()); "no unit")]
    #[test_case("25h" => Err("`25h` is longer than a day; write at most \"24h\"".into()); "too long")]
    fn time(text: &str) -> Result<u128, String> {
        Time::parse(text).map(|time| time.0.as_millis())
    }

    #[test_case("99.5%" => Ok(0.995))]
    #[test_case("99.9 %" => Ok(0.999))]
    #[test_case("100%" => Ok(1.0))]
    #[test_case("0%" => Ok(0.0))]
    #[test_case("99.5" => Err("`99.5` is no percentage; write a percentage from 0 to 100 such as \"99.5%\"".into()); "no sign")]
    #[test_case("100.1%" => Err("`100.1%` is more than everything; write a percentage from 0 to 100 such as \"99.5%\"".into()); "too much")]
    #[test_case("-1%" => Err("`-1%` is no percentage; write a percentage from 0 to 100 such as \"99.5%\"".into()); "negative")]
    fn percent(text: &str) -> Result<f64, String> {
        Percent::parse(text).map(|percent| percent.0)
    }

    #[test_case("5ms..25ms" => Ok((5, 25)))]
    #[test_case("5ms" => Ok((5, 5)))]
    #[test_case("0ms..20ms" => Ok((0, 20)))]
    #[test_case("25ms..5ms" => Err("`25ms..5ms` runs backwards; write the shorter time first".into()); "backwards")]
    fn range(text: &str) -> Result<(u128, u128), String> {
        TimeRange::parse(text).map(|range| (range.0.as_millis(), range.1.as_millis()))
    }

    #[test_case("50..150" => Ok((50, 150)))]
    #[test_case("50" => Ok((50, 50)))]
    #[test_case("0" => Err("`0` starts at no byte at all; write a size from 1".into()); "zero")]
    #[test_case("50-150" => Err("`50-150` is no size; write bytes such as 50, or a range such as \"50..150\"".into()); "dash")]
    fn bytes(text: &str) -> Result<(u16, u16), String> {
        Bytes::parse(text).map(|bytes| (bytes.0, bytes.1))
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in ".{0,80}") {
            let _ = (Time::parse(&text), TimeRange::parse(&text), Percent::parse(&text), Bytes::parse(&text));
            let _ = (Name::parse(&text), Slug::parse(&text), Line::parse(&text));
        }

        #[test]
        fn a_percentage_is_the_number_that_its_decimal_writes(hundredths in 0_u32..=10_000) {
            let text = format!("{}.{:02}%", hundredths / 100, hundredths % 100);
            let share: f64 = format!("{}.{:04}", hundredths / 10_000, hundredths % 10_000).parse().expect("a decimal");
            prop_assert_eq!(Percent::parse(&text), Ok(Percent(share)));
        }
    }
}
