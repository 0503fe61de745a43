//! A graph of the users that a file describes.

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A graph of the users: who is linked with whom, as a file says.
///
/// A setting of this type names the file. An architecture opens no files, so whoever reads the
/// settings puts the links below the name, one pair of users on each line.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct UserGraph {
    /// The file's name as written.
    pub file: String,
    /// Pairs of users, counted from 0.
    pub links: Vec<(u32, u32)>,
}

impl UserGraph {
    /// The name of its schema, by which settings that read such a file are told from others.
    pub const SCHEMA: &'static str = "UserGraph";

    /// The name with the links below it: the text from which it is read.
    pub fn to_text(&self) -> String {
        let mut text = self.file.clone();
        for (a, b) in &self.links {
            write!(text, "\n{a} {b}").expect("a string takes any text");
        }
        text
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut rest = text.lines();
        let file = rest.next()?.to_owned();
        let links = rest.map(|pair| {
            let (a, b) = pair.split_once(' ')?;
            Some((a.parse().ok()?, b.parse().ok()?))
        });
        Some(Self {
            file,
            links: links.collect::<Option<_>>()?,
        })
    }
}

impl Serialize for UserGraph {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.file)
    }
}

impl<'de> Deserialize<'de> for UserGraph {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text)
            .ok_or_else(|| D::Error::custom("found no links below the name; expected a graph"))
    }
}

impl JsonSchema for UserGraph {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Self::SCHEMA.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = "a file beside the scenario: GraphML when its name ends in .graphml, else \
                           a CSV table with the columns from, to; users count from 0";
        json_schema!({ "type": "string", "description": description })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_reads_back_as_written() {
        let graph = UserGraph {
            file: "campus net.csv".into(),
            links: vec![(0, 1), (1, 70_000)],
        };
        assert_eq!(UserGraph::from_text(&graph.to_text()), Some(graph));
        for text in ["", "a.csv\n0", "a.csv\n0 x", "a.csv\n0 1 2"] {
            assert_eq!(UserGraph::from_text(text), None, "{text:?}");
        }
    }
}
