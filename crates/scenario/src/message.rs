//! What serde and the TOML parser say, in the project's words.

use crate::key::{Key, suggestion};

/// A syntax error at `text`. The parser's words are good where they have a subject.
pub(crate) fn syntax(message: &str, text: &str) -> String {
    match message {
        "duplicate key" => return format!("`{text}` is written twice; expected once"),
        _ if !(message.starts_with("string values must be quoted")
            || message.starts_with("invalid boolean")) => {}
        _ if text.trim().is_empty() => {
            return "the value is missing; expected one after `=`".to_owned();
        }
        _ => return format!("`{text}` is not a value; expected a number, or a text in quotes"),
    }
    match message.split_once(", expected ") {
        Some((problem, "nothing")) => problem.to_owned(),
        Some((problem, expected)) => format!("{problem}; expected {expected}"),
        None => message.to_owned(),
    }
}

/// What `message` says about the value at `key`, and a hint.
pub(crate) fn translate(message: &str, key: &Key) -> (String, Option<String>) {
    let translated = unknown_key(message, key)
        .or_else(|| missing(message, key))
        .or_else(|| wrong_value(message, key));
    translated.unwrap_or_else(|| (format!("`{key}` cannot be read: {message}"), None))
}

fn unknown_key(message: &str, key: &Key) -> Option<(String, Option<String>)> {
    let (written, known) = if let Some(rest) = message.strip_prefix("unexpected keys in table: ") {
        // The parser lists all of them; the first is where the error stands.
        let (written, known) = rest.split_once(", available keys: ")?;
        let known: Vec<&str> = known.split(", ").collect();
        (written.split(", ").next()?, known)
    } else {
        let rest = message.strip_prefix("unknown field `")?;
        let (written, known) = rest.split_once('`')?;
        (written, quoted(known))
    };
    let last = key.0.last().map(String::as_str);
    let key = if last == Some(written) {
        key.clone()
    } else {
        key.join(written)
    };
    Some(not_a_key(&key, &known))
}

/// A key that is none of `known`.
pub(crate) fn not_a_key(key: &Key, known: &[&str]) -> (String, Option<String>) {
    let written = key.0.last().expect("a key has names");
    let expected = match known {
        [] => "none here".to_owned(),
        known => crate::key::listed(known.iter().copied()),
    };
    let message = format!("`{key}` is not a key; expected {expected}");
    (message, suggestion(written, known.iter().copied()))
}

fn missing(message: &str, key: &Key) -> Option<(String, Option<String>)> {
    let name = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    let place = match key.0.as_slice() {
        [] => "every scenario".to_owned(),
        _ => format!("`{key}`"),
    };
    let message = format!("`{}` is missing; expected in {place}", key.join(name));
    Some((message, None))
}

fn wrong_value(message: &str, key: &Key) -> Option<(String, Option<String>)> {
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let (written, known) = rest.split_once('`')?;
        let known = quoted(known);
        let expected = crate::key::listed(known.iter().copied());
        let hint = suggestion(written, known);
        // A key is told apart from a text by standing last on the way.
        let found = if key.0.last().is_some_and(|last| last == written) {
            "not known".to_owned()
        } else {
            format!("\"{written}\"")
        };
        return Some((format!("`{key}` is {found}; expected {expected}"), hint));
    }
    if message.starts_with("wanted exactly 1 element") {
        return Some((
            format!("`{key}` is not one table entry; expected one"),
            None,
        ));
    }
    let rest = ["found ", "invalid type: ", "invalid value: "]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix))?;
    let (found, expected) = rest
        .split_once("; expected ")
        .or_else(|| rest.split_once(", expected "))?;
    let (expected, hint) = split_hint(expected);
    let expected = match kind(expected) {
        // A count that is too large learns the range; any other mistake is of another kind.
        range if found.starts_with("integer `") && !found.contains('-') => range,
        "a whole number from 0 to 4294967295" => "a whole number from 0 up",
        other => other,
    };
    let message = format!("`{key}` is {}; expected {expected}", value(found));
    Some((message, hint))
}

/// Takes the remark in brackets off the end of an error in a quantity.
fn split_hint(expected: &str) -> (&str, Option<String>) {
    let hint = expected
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" ("));
    match hint {
        Some((expected, hint)) => (expected, Some(hint.to_owned())),
        None => (expected, None),
    }
}

/// The names in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// A value as serde names it, as the author wrote it.
fn value(found: &str) -> String {
    let number = ["integer `", "floating point `", "boolean `"]
        .iter()
        .find_map(|prefix| found.strip_prefix(prefix))
        .and_then(|rest| rest.strip_suffix('`'));
    match (number, found) {
        (Some(number), _) => number.to_owned(),
        (None, "map") => "a table".to_owned(),
        (None, "sequence") => "a list".to_owned(),
        (None, found) => found.strip_prefix("string ").unwrap_or(found).to_owned(),
    }
}

/// A type as serde names it, in words.
fn kind(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 up",
        "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "a sequence" => "a list",
        "enum" | "map" | "a map" => "a table",
        "struct variant" | "newtype variant" => "a table with this key",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}
