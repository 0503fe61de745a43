//! Graphs of the users that settings name: GraphML, or tables of links.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use netduel_world::{Kind, UserGraph};
use petgraph::unionfind::UnionFind;
use roxmltree::{Attribute, Node};
use schemars::SchemaGenerator;
use toml::de::DeValue;

use crate::{
    document::{Document, Value, position},
    error::ScenarioError,
    key::Key,
    table::Table,
    tables::Tables,
};

/// Puts the links of every graph that settings name below its name: an architecture opens no files.
pub(crate) struct Graphs<'a> {
    pub(crate) doc: &'a Document<'a>,
    pub(crate) tables: &'a Tables<'a>,
    /// How many users there are.
    pub(crate) users: u32,
}

/// Whether an architecture has settings that name a graph.
pub(crate) fn takes_graphs(kind: &Kind) -> bool {
    let mut generator = SchemaGenerator::default();
    (kind.schema)(&mut generator);
    generator.definitions().contains_key(UserGraph::SCHEMA)
}

impl Graphs<'_> {
    /// Reads the files that the keys `file` in these settings name.
    pub(crate) fn put_into(
        &self,
        settings: &mut Value<'_>,
        key: &Key,
    ) -> Result<(), ScenarioError> {
        let DeValue::Table(table) = settings.get_mut() else {
            return Ok(());
        };
        for (name, value) in table.iter_mut() {
            let key = key.join(&**name.get_ref());
            let is_file = name.get_ref() == "file";
            match value.get_mut() {
                DeValue::String(file) if is_file => {
                    let graph = self.read(&key, file)?;
                    *file = graph.to_text().into();
                }
                _ => self.put_into(value, &key)?,
            }
        }
        Ok(())
    }

    fn read(&self, key: &Key, name: &str) -> Result<UserGraph, ScenarioError> {
        let is_markup = Path::new(name)
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("graphml"));
        let links = if is_markup {
            let (path, text) = self.tables.text(self.doc, key, name, "a GraphML file")?;
            Markup { path, text: &text }.links(self.users)?
        } else {
            let table = self.tables.links(self.doc, key, name)?;
            links(&table, self.users)?
        };
        Ok(UserGraph {
            file: name.to_owned(),
            links,
        })
    }
}

/// Links as they are read: no user with itself, no pair twice, and everybody can be reached.
struct Links {
    pairs: Vec<(u32, u32)>,
    /// Each pair in ascending order.
    seen: BTreeSet<(u32, u32)>,
    parts: UnionFind<u32>,
    users: u32,
}

/// What the second end of a link is to be.
const NOT_ITSELF: &str = "another user than the link begins with";
const NOT_TWICE: &str = "a pair that is not linked yet";

impl Links {
    fn new(users: u32) -> Self {
        Self {
            pairs: Vec::new(),
            seen: BTreeSet::new(),
            parts: UnionFind::new(users as usize),
            users,
        }
    }

    /// Adds a link, or says what was expected of its second end.
    fn add(&mut self, a: u32, b: u32) -> Result<(), &'static str> {
        if a == b {
            return Err(NOT_ITSELF);
        }
        if !self.seen.insert((a.min(b), a.max(b))) {
            return Err(NOT_TWICE);
        }
        self.parts.union(a, b);
        self.pairs.push((a, b));
        Ok(())
    }

    /// The links, or somebody who cannot be reached.
    fn finish(self) -> Result<Vec<(u32, u32)>, String> {
        let apart = (1..self.users).find(|user| !self.parts.equiv(0, *user));
        match apart {
            Some(user) => Err(format!(
                "no links lead from user 0 to user {user}; expected a graph in which everybody can \
                 be reached"
            )),
            None => Ok(self.pairs),
        }
    }
}

/// The links in a table with the columns from, to.
fn links(table: &Table, users: u32) -> Result<Vec<(u32, u32)>, ScenarioError> {
    let mut links = Links::new(users);
    let expected = format!("a user from 0 to {}", users.saturating_sub(1));
    for row in table.rows() {
        let end = |column| {
            let user = table.text(row, column).parse().ok();
            user.filter(|user| *user < users)
                .ok_or_else(|| table.refuse(row, column, &expected))
        };
        let (from, to) = (end("from")?, end("to")?);
        links
            .add(from, to)
            .map_err(|expected| table.refuse(row, "to", expected))?;
    }
    links.finish().map_err(|problem| table.lacks(problem))
}

/// A GraphML file.
///
/// # Source
/// U. Brandes et al., "GraphML progress report", Graph Drawing 2001; graphml.graphdrawing.org.
struct Markup<'a> {
    path: PathBuf,
    text: &'a str,
}

impl Markup<'_> {
    /// The links in the file, in which the first node is user 0.
    fn links(&self, users: u32) -> Result<Vec<(u32, u32)>, ScenarioError> {
        let document = roxmltree::Document::parse(self.text).map_err(|error| {
            let at = error.pos();
            let mut problem = self.at(0, format!("the file is not GraphML: {error}"));
            problem.position = Some(crate::Position {
                line: at.row as usize,
                column: at.col as usize,
            });
            problem
        })?;
        let root = document.root_element();
        let graph = root
            .descendants()
            .find(|node| node.has_tag_name_of("graph"));
        let graph = graph.ok_or_else(|| self.at(root.range().start, "the file has no graph"))?;
        let numbers = self.numbers(graph, users)?;
        let mut links = Links::new(users);
        for edge in graph.descendants().filter(|n| n.has_tag_name_of("edge")) {
            let end = |name: &str| {
                let end = self.attribute(edge, name)?;
                let number = numbers.get(end.value()).copied();
                let number = number.ok_or_else(|| self.refuse(end, "a node of the graph"))?;
                Ok((number, end))
            };
            let ((from, _), (to, end)) = (end("source")?, end("target")?);
            links
                .add(from, to)
                .map_err(|expected| self.refuse(end, expected))?;
        }
        let start = graph.range().start;
        links.finish().map_err(|problem| self.at(start, problem))
    }

    /// The nodes' names with their numbers.
    fn numbers<'n>(
        &self,
        graph: Node<'n, '_>,
        users: u32,
    ) -> Result<BTreeMap<&'n str, u32>, ScenarioError> {
        let mut numbers = BTreeMap::new();
        let nodes = graph.descendants().filter(|n| n.has_tag_name_of("node"));
        for (node, number) in nodes.zip(0..) {
            let id = self.attribute(node, "id")?;
            if numbers.insert(id.value(), number).is_some() {
                return Err(self.refuse(id, "a name that no other node has"));
            }
        }
        if numbers.len() != users as usize {
            let count = numbers.len();
            let problem =
                format!("the graph has {count} nodes; expected {users}, one for each user");
            return Err(self.at(graph.range().start, problem));
        }
        Ok(numbers)
    }

    fn attribute<'n, 'i>(
        &self,
        node: Node<'n, 'i>,
        name: &str,
    ) -> Result<Attribute<'n, 'i>, ScenarioError> {
        let found = node.attributes().find(|attribute| attribute.name() == name);
        found.ok_or_else(|| {
            let tag = node.tag_name().name();
            self.at(
                node.range().start,
                format!("a {tag} has no `{name}`; expected one"),
            )
        })
    }

    fn refuse(&self, attribute: Attribute<'_, '_>, expected: &str) -> ScenarioError {
        let (name, value) = (attribute.name(), attribute.value());
        let message = format!("`{name}` is \"{value}\"; expected {expected}");
        self.at(attribute.range_value().start, message)
    }

    fn at(&self, byte: usize, message: impl Into<String>) -> ScenarioError {
        ScenarioError {
            path: self.path.clone(),
            position: Some(position(self.text, byte)),
            message: message.into(),
            hint: None,
        }
    }
}

/// Elements go by their name, whatever their namespace: some writers leave it out.
trait TagName {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl TagName for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}
