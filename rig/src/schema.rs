//! The JSON schemas of plans and fixtures, for editors: `#:schema` in a file's first line points at them.
//!
//! Draft 7, and of it only what Taplo and the editors built on it understand.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::fixture::RawFixture;
use crate::plan::RawPlan;

/// The schema of a plan, as the text of `testplans/plan.schema.json`.
#[must_use]
pub fn plan() -> String {
    text::<RawPlan>()
}

/// The schema of a fixture, as the text of `fixtures/fixture.schema.json`.
#[must_use]
pub fn fixture() -> String {
    text::<RawFixture>()
}

fn text<Raw: JsonSchema>() -> String {
    let settings = SchemaSettings::draft07().with_transform(AsToml);
    let schema = settings.into_generator().into_root_schema_for::<Raw>();
    format!("{:#}\n", Value::from(schema))
}

/// Leaves out what TOML does not have: null, and the widths of numbers.
#[derive(Clone, Debug)]
struct AsToml;

impl Transform for AsToml {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if schema.get("default") == Some(&Value::Null) {
            schema.remove("default");
        }
        schema.remove("format");
    }
}
