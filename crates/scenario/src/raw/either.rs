//! Values that are written as a text or, where there is more to say, as a table.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        Error, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
        value::{Error as TextError, MapAccessDeserializer, StrDeserializer},
    },
};

/// A text, or a table. Reading looks at which of the two is there, so that errors keep their
/// position; serde's untagged enums would lose it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Either<Text, Table> {
    /// The short form.
    Text(Text),
    /// The long form.
    Table(Table),
}

impl<Text: fmt::Display, Table: fmt::Display> fmt::Display for Either<Text, Table> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Table(table) => table.fmt(f),
        }
    }
}

/// What is accepted where this table is, the short form included.
pub(crate) trait Forms {
    /// As it reads after "expected".
    const EXPECTED: &'static str;
}

struct Reader<Text, Table>(PhantomData<(Text, Table)>);

impl<'de, Text, Table> Visitor<'de> for Reader<Text, Table>
where
    Text: Deserialize<'de>,
    Table: Deserialize<'de> + Forms,
{
    type Value = Either<Text, Table>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Table::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let source: StrDeserializer<'_, TextError> = text.into_deserializer();
        let read = Text::deserialize(source).map_err(|error| match error.to_string() {
            // A word that is none of those accepted; the table may be what was meant.
            message if message.starts_with("unknown variant") => {
                E::custom(format!("found \"{text}\"; expected {}", Table::EXPECTED))
            }
            message => E::custom(message),
        });
        read.map(Either::Text)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Err(E::custom(bare::<Table>(number)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Err(E::custom(bare::<Table>(number)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(&mut map)).map_err(|error| {
            // What serde says of an enum that is written as an empty table.
            if error
                .to_string()
                .starts_with("invalid type: map, expected enum")
            {
                let expected = Table::EXPECTED;
                return A::Error::custom(format!("found an empty table; expected {expected}"));
            }
            error
        })?;
        if map.next_key::<IgnoredAny>()?.is_some() {
            let expected = Table::EXPECTED;
            let message = format!("found a table of several entries; expected {expected}");
            return Err(A::Error::custom(message));
        }
        Ok(Either::Table(table))
    }
}

fn bare<Table: Forms>(number: impl fmt::Display) -> String {
    format!(
        "found the bare number {number}; expected {}",
        Table::EXPECTED
    )
}

impl<'de, Text, Table> Deserialize<'de> for Either<Text, Table>
where
    Text: Deserialize<'de>,
    Table: Deserialize<'de> + Forms,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

impl<Text: JsonSchema, Table: JsonSchema> JsonSchema for Either<Text, Table> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{} or {}", Text::schema_name(), Table::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Text>();
        let table = generator.subschema_for::<Table>();
        json_schema!({ "anyOf": [text, table] })
    }
}
