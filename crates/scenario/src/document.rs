//! The scenario file as a tree in which everything knows its position.

use std::{ops::Range, path::PathBuf};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue, Deserializer},
};

use crate::{
    error::{Position, ScenarioError},
    key::Key,
    message,
};

/// A byte range of the text.
pub(crate) type Span = Range<usize>;

/// A value with its position.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// A scenario file, or what it says at one point of its sweep.
#[derive(Clone, Debug)]
pub(crate) struct Document<'t> {
    path: PathBuf,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Document<'t> {
    /// Reads the TOML, whatever it says.
    pub(crate) fn parse(path: PathBuf, text: &'t str) -> Result<Self, ScenarioError> {
        let root = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            ScenarioError {
                path: path.clone(),
                position: Some(position(text, span.start)),
                message: message::syntax(error.message(), text.get(span).unwrap_or_default()),
                hint: None,
            }
        })?;
        Ok(Self { path, text, root })
    }

    /// The table at the top.
    pub(crate) fn root(&self) -> &DeTable<'t> {
        self.root.get_ref()
    }

    /// The value that `key` leads to, with the position of its name.
    pub(crate) fn find(&self, key: &Key) -> Option<(Span, &Value<'t>)> {
        let (first, rest) = key.0.split_first()?;
        let (name, value) = self.root().get_key_value(first.as_str())?;
        let mut found = (name.span(), value);
        for name in rest {
            found = step(found.1.get_ref(), name)?;
        }
        Some(found)
    }

    /// Whether `key` is written.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.find(key).is_some()
    }

    /// Names in the table that `key` leads to.
    pub(crate) fn names_under(&self, key: &Key) -> Vec<&str> {
        match self.find(key).map(|(_, value)| value.get_ref()) {
            Some(DeValue::Table(table)) => table.keys().map(|name| &**name.get_ref()).collect(),
            _ => Vec::new(),
        }
    }

    /// The text of a value as written.
    pub(crate) fn written(&self, key: &Key) -> &str {
        let span = self.find(key).map(|(_, value)| value.span());
        span.map_or("missing", |span| &self.text[span])
    }

    /// Puts `value` where `key` leads; tables on the way are made where they are missing, and
    /// what is made stands at `span`. When something on the way is no table, its key is returned.
    pub(crate) fn set(&mut self, key: &Key, value: &Value<'t>, span: &Span) -> Result<(), Key> {
        put(self.root.get_mut(), &key.0, value, span)
            .map_err(|remaining| Key(key.0[..key.0.len() - remaining].to_vec()))
    }

    /// Takes a table or value out of the top.
    pub(crate) fn remove(&mut self, name: &str) {
        self.root.get_mut().remove(name);
    }

    /// Reads all of it as a `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ScenarioError> {
        T::deserialize(Deserializer::from(self.root.clone())).map_err(|error| self.explain(&error))
    }

    /// An error of deserialisation in the project's words.
    pub(crate) fn explain(&self, error: &toml::de::Error) -> ScenarioError {
        let span = error.span().unwrap_or(0..0);
        let (message, hint) = message::translate(error.message(), &self.key_at(&span));
        ScenarioError {
            path: self.path.clone(),
            position: Some(position(self.text, span.start)),
            message,
            hint,
        }
    }

    /// The innermost key whose name or value stands at `span`, or failing that around it.
    fn key_at(&self, span: &Span) -> Key {
        let mut best = (usize::MAX, Key::default());
        if *span != (0..0) {
            table_at(self.root(), span, &Key::default(), &mut best);
        }
        best.1
    }

    /// An error at `key`, or where it would be: "`key` `problem`".
    pub(crate) fn problem(&self, key: &Key, problem: impl Into<String>) -> ScenarioError {
        let mut place = key.clone();
        while !place.0.is_empty() && !self.has(&place) {
            place = place.parent();
        }
        let span = self.find(&place).map_or(0..0, |(name, value)| {
            // Of a value its own position says most, of a table its name in the header.
            match value.get_ref() {
                DeValue::Table(_) => name,
                _ => value.span(),
            }
        });
        self.at(&span, format!("`{key}` {}", problem.into()))
    }

    /// An error at `key`, whose value is not what was expected.
    pub(crate) fn refuse(&self, key: &Key, expected: impl std::fmt::Display) -> ScenarioError {
        let written = self.written(key);
        self.problem(key, format!("is {written}; expected {expected}"))
    }

    /// An error at a position.
    pub(crate) fn at(&self, span: &Span, message: impl Into<String>) -> ScenarioError {
        ScenarioError {
            path: self.path.clone(),
            position: Some(position(self.text, span.start)),
            message: message.into(),
            hint: None,
        }
    }
}

/// Puts `value` where `way` leads from `table`. The error is how many names are left on the way
/// where something is no table.
fn put<'t>(
    table: &mut DeTable<'t>,
    way: &[String],
    value: &Value<'t>,
    span: &Span,
) -> Result<(), usize> {
    let [name, rest @ ..] = way else {
        return Err(0);
    };
    if rest.is_empty() {
        table.insert(spanned(name, span), value.clone());
        return Ok(());
    }
    if !table.contains_key(name.as_str()) {
        let made = DeValue::Table(DeTable::new());
        table.insert(spanned(name, span), Spanned::new(span.clone(), made));
    }
    let next = table.get_mut(name.as_str()).expect("it was made above");
    match next.get_mut() {
        DeValue::Table(table) => put(table, rest, value, span),
        DeValue::Array(items) => {
            let number = rest[0].parse::<usize>().ok();
            let index = number.and_then(|number| number.checked_sub(1));
            let item = index.and_then(|index| items.get_mut(index));
            match item.map(Spanned::get_mut) {
                Some(DeValue::Table(table)) if rest.len() > 1 => {
                    put(table, &rest[1..], value, span)
                }
                _ => Err(rest.len()),
            }
        }
        _ => Err(rest.len()),
    }
}

fn spanned(name: &str, span: &Span) -> Spanned<DeString<'static>> {
    Spanned::new(span.clone(), name.to_owned().into())
}

fn step<'a, 't>(value: &'a DeValue<'t>, name: &str) -> Option<(Span, &'a Value<'t>)> {
    match value {
        DeValue::Table(table) => {
            let (name, value) = table.get_key_value(name)?;
            Some((name.span(), value))
        }
        DeValue::Array(items) => {
            let value = items.get(name.parse::<usize>().ok()?.checked_sub(1)?)?;
            Some((value.span(), value))
        }
        _ => None,
    }
}

/// Keeps the key that fits `span` best: one that stands exactly there, the innermost of several;
/// else the one that spans least around it.
fn table_at(table: &DeTable<'_>, span: &Span, way: &Key, best: &mut (usize, Key)) {
    for (name, value) in table {
        let key = way.join(&**name.get_ref());
        weigh(&name.span(), span, &key, best);
        value_at(value, span, &key, best);
    }
}

fn value_at(value: &Value<'_>, span: &Span, key: &Key, best: &mut (usize, Key)) {
    weigh(&value.span(), span, key, best);
    match value.get_ref() {
        DeValue::Table(table) => table_at(table, span, key, best),
        DeValue::Array(items) => {
            for (item, number) in items.iter().zip(1_usize..) {
                value_at(item, span, &key.join(number.to_string()), best);
            }
        }
        _ => {}
    }
}

fn weigh(candidate: &Span, span: &Span, key: &Key, best: &mut (usize, Key)) {
    if candidate.start <= span.start && span.end <= candidate.end {
        let slack = candidate.len() - span.len();
        if slack <= best.0 {
            *best = (slack, key.clone());
        }
    }
}

/// Line and column of a byte.
pub(crate) fn position(text: &str, byte: usize) -> Position {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
