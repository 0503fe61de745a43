//! What is varied: axes, and the file as it reads at each point.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::de::{DeValue, ValueDeserializer};

use crate::{
    document::{Document, Span, Value},
    error::ScenarioError,
    key::{Key, listed, suggestion},
    scenario::Axis,
};

/// More points than this are a slip, such as a product of axes that was not meant.
const POINTS_MAX: usize = 10_000;

/// An axis with its values as they stand in the file.
#[derive(Debug)]
pub(crate) struct Sweep<'t> {
    pub(crate) axis: Axis,
    pub(crate) key: Key,
    /// Where the key is written in `[sweep]`.
    span: Span,
    pub(crate) values: Vec<Value<'t>>,
}

/// Reads `[sweep]`.
pub(crate) fn axes<'t>(doc: &Document<'t>) -> Result<Vec<Sweep<'t>>, ScenarioError> {
    let Some((_, sweep)) = doc.find(&Key::from("sweep")) else {
        return Ok(Vec::new());
    };
    let DeValue::Table(table) = sweep.get_ref() else {
        return Err(doc.refuse(&Key::from("sweep"), "a table of keys with their values"));
    };
    let mut sweeps: Vec<Sweep<'_>> = Vec::new();
    for (name, value) in table {
        let sweep = axis(doc, name.get_ref(), &name.span(), value)?;
        if let Some(other) = sweeps.iter().find(|other| overlap(&other.key, &sweep.key)) {
            let message = format!(
                "`{}` is swept together with `{}`, which is part of it or the same; expected one of them",
                sweep.key, other.key
            );
            return Err(doc.at(&sweep.span, message));
        }
        sweeps.push(sweep);
    }
    let count = sweeps.iter().try_fold(1_usize, |count, sweep| {
        count.checked_mul(sweep.values.len())
    });
    if count.is_none_or(|count| count > POINTS_MAX) {
        let problem = format!("has more than {POINTS_MAX} points; expected fewer");
        return Err(doc.problem(&Key::from("sweep"), problem));
    }
    Ok(sweeps)
}

fn overlap(a: &Key, b: &Key) -> bool {
    a.0.starts_with(&b.0) || b.0.starts_with(&a.0)
}

fn axis<'t>(
    doc: &Document<'t>,
    name: &str,
    span: &Span,
    value: &Value<'t>,
) -> Result<Sweep<'t>, ScenarioError> {
    let place = Key::from("sweep").join(name);
    let Some(key) = Key::parse(name) else {
        let message = format!("`{place}` is not a key; expected names with dots between them");
        return Err(doc.at(span, message));
    };
    let DeValue::Array(values) = value.get_ref() else {
        if let DeValue::Table(_) = value.get_ref() {
            let mut error = doc.at(
                span,
                format!("`{place}` is a table; expected a list of values"),
            );
            error.hint = Some("write the whole key in quotes, as in \"population.peers\"".into());
            return Err(error);
        }
        return Err(doc.refuse(&place, "a list of values in square brackets"));
    };
    let values: Vec<Value<'_>> = values.iter().cloned().collect();
    if values.is_empty() {
        return Err(doc.at(
            &value.span(),
            format!("`{place}` is empty; expected at least one value"),
        ));
    }
    let mut seen = BTreeSet::new();
    let mut written = Vec::new();
    for value in &values {
        let text = shown(value);
        if !seen.insert(text.clone()) {
            let message = format!("`{place}` has {text} twice; expected different values");
            return Err(doc.at(&value.span(), message));
        }
        written.push(text);
    }
    sweepable(doc, &key, span)?;
    let axis = Axis {
        key: name.to_owned(),
        label: label(&key),
        values: written,
    };
    Ok(Sweep {
        axis,
        key,
        span: span.clone(),
        values,
    })
}

/// A value as it stands in tables and legends.
pub(crate) fn shown(value: &Value<'_>) -> String {
    match plain(value) {
        toml::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A value without its position.
pub(crate) fn plain(value: &Value<'_>) -> toml::Value {
    let value = toml::Value::deserialize(ValueDeserializer::from(value.clone()));
    value.expect("what was parsed is a value")
}

/// Refuses keys that cannot differ between points. Keys that do not exist are found when the
/// point is read.
fn sweepable(doc: &Document<'_>, key: &Key, span: &Span) -> Result<(), ScenarioError> {
    let names = key.names();
    let refuse = |problem: &str| Err(doc.at(span, format!("`{key}` {problem}")));
    match names.as_slice() {
        ["network", "trunks", _, _, ..] => chosen_names(doc, key, span),
        ["population" | "network" | "demand" | "patience", _, ..]
        | ["experiment", "until" | "at-most"] => Ok(()),
        ["infrastructure" | "failures", _, _, ..] | ["contenders", _, _, _, ..] => {
            chosen_names(doc, key, span)
        }
        ["experiment", "seed" | "replications", ..] => {
            refuse("is the same for all points; expected a key of the world or of a contender")
        }
        ["title" | "question" | "claims" | "sweep", ..] => {
            refuse("cannot be swept; expected a key of the world or of a contender")
        }
        [
            "population" | "network" | "demand" | "patience" | "experiment" | "infrastructure"
            | "contenders" | "failures",
            ..,
        ] => refuse("is a table; expected a key in it"),
        _ => {
            let known = [
                "population",
                "infrastructure",
                "network",
                "demand",
                "patience",
                "failures",
                "experiment",
                "contenders",
            ];
            let mut error = doc.at(
                span,
                format!(
                    "`{key}` is not a key; expected one that begins with {}",
                    listed(known)
                ),
            );
            error.hint = suggestion(names[0], known);
            Err(error)
        }
    }
}

/// Names that the author chose must be in the file already.
fn chosen_names(doc: &Document<'_>, key: &Key, span: &Span) -> Result<(), ScenarioError> {
    let depth = match key.names().as_slice() {
        ["infrastructure", ..] => 2,
        ["contenders", ..] | ["network", "trunks", ..] => 3,
        ["failures", number, ..] => {
            let count = doc
                .find(&Key::from("failures"))
                .and_then(|(_, value)| value.get_ref().as_array().map(|items| items.len()))
                .unwrap_or(0);
            let number = number.parse::<usize>().unwrap_or(0);
            if (1..=count).contains(&number) {
                return Ok(());
            }
            let message = format!(
                "`{key}` names no failure; expected a number from 1 to the {count} in the file"
            );
            return Err(doc.at(span, message));
        }
        _ => return Ok(()),
    };
    for length in 2..=depth {
        let table = Key(key.0[..length].to_vec());
        if !doc.has(&table) {
            let known = doc.names_under(&table.parent());
            let expected = if known.is_empty() {
                format!("it under [{}]", table.parent())
            } else {
                listed(known.iter().copied())
            };
            let written = &key.0[length - 1];
            let message = format!(
                "`{key}` speaks of `{written}`, which is not in the file; expected {expected}"
            );
            let mut error = doc.at(span, message);
            error.hint = suggestion(written, known);
            return Err(error);
        }
    }
    Ok(())
}

/// The file at each point: values as shown and the document. The first axis is the slowest.
pub(crate) fn expand<'t>(
    doc: &Document<'t>,
    sweeps: &[Sweep<'t>],
) -> Result<Vec<(Vec<String>, Document<'t>)>, ScenarioError> {
    let mut base = doc.clone();
    base.remove("sweep");
    let mut points = vec![(Vec::new(), base)];
    for sweep in sweeps {
        let mut next = Vec::new();
        for (values, doc) in &points {
            for (value, text) in sweep.values.iter().zip(&sweep.axis.values) {
                let mut at = doc.clone();
                at.set(&sweep.key, value, &sweep.span).map_err(|key| {
                    let written = doc.written(&key);
                    let message = format!(
                        "`{}` cannot be swept: `{key}` is {written}; expected a table there",
                        sweep.key
                    );
                    doc.at(&sweep.span, message)
                })?;
                let mut values = values.clone();
                values.push(text.clone());
                next.push((values, at));
            }
        }
        points = next;
    }
    Ok(points)
}

/// A key in a reader's words.
fn label(key: &Key) -> String {
    let words = |name: &str| name.replace('-', " ");
    let names = key.names();
    match names.as_slice() {
        ["population", "peers"] => "users".into(),
        ["population", "upload", ..] => "users' upload".into(),
        ["population", "download", ..] => "users' download".into(),
        ["population", "free-riders"] => "free riders (share of users)".into(),
        ["population", "after-download", "linger"] => "time users stay after the download".into(),
        ["population", "after-download"] => "after the download".into(),
        ["demand", "download", "size"] => "file size".into(),
        ["demand", _, "arrivals", "poisson"] => "offered load".into(),
        ["demand", "download", "arrivals", ..] => "arrivals of users".into(),
        ["demand", _, "arrivals", "diurnal", "mean"] => "offered load on average".into(),
        ["demand", _, "arrivals", "flash-crowd", "peak"] => "offered load at the peak".into(),
        ["demand", _, "arrivals", "closed-loop", "think", ..] => "time users think".into(),
        ["demand", _, "arrivals", ..] => "arrivals of requests".into(),
        ["demand", _, "requests"] => "requests".into(),
        ["demand", _, "zipf"] => "exponent of the popularity (Zipf)".into(),
        [
            "demand",
            _,
            "work",
            "exponential" | "erlang" | "hyperexponential",
            "mean",
        ] => "work per request on average".into(),
        ["demand", _, "work", "hyperexponential", "cv2"] => {
            "squared coefficient of variation of the work".into()
        }
        ["demand", _, "work", ..] => "work per request".into(),
        ["demand", "download", "objects"] => "files".into(),
        ["demand", "lookup", "keys"] => "keys".into(),
        ["demand", "lookup", "value"] => "size of a value".into(),
        ["demand", "lookup", "reads"] => "look-ups (share of requests)".into(),
        ["demand", "search", "objects"] => "objects".into(),
        ["demand", "search", "replicas"] => "copies of an object".into(),
        ["demand", "search", "replication"] => "rule of the copies".into(),
        ["demand", "broadcast", "size"] => "size of what is told".into(),
        [
            "population",
            name @ ("cores" | "speed" | "queue" | "discipline"),
        ] => {
            format!("users' {}", processor(name))
        }
        [
            "infrastructure",
            name,
            key @ ("cores" | "speed" | "queue" | "discipline"),
        ] => {
            format!("{name} {}", processor(key))
        }
        ["infrastructure", name, "price"] => format!("price of a machine \"{name}\""),
        ["patience", "timeout"] => "timeout of an attempt".into(),
        ["patience", "retry-budget", "tokens"] => "tokens for retries".into(),
        ["patience", "retry-budget", "ratio"] => "tokens back for a served request".into(),
        ["network", "latency", "jitter"] => "jitter of the latency".into(),
        ["network", "trunks", name, rest @ ..] => {
            format!("{} of the trunk \"{name}\"", words(&rest.join(" ")))
        }
        ["network", "message-loss"] => "share of messages that the network loses".into(),
        ["network", "corruption"] => "corruption (probability per byte)".into(),
        ["infrastructure", name, "count"] => format!("number of machines \"{name}\""),
        ["infrastructure", name, rest @ ..] => format!("{name} {}", words(&rest.join(" "))),
        ["contenders", label, _, rest @ ..] => format!("{label}: {}", words(&rest.join(" "))),
        ["failures", number, "who", "random", "share"] => format!("share hit by failure {number}"),
        ["failures", number, "who", "most-loaded"] => {
            format!("most loaded nodes hit by failure {number}")
        }
        ["failures", number, "what", "slow", "to"] => {
            format!("share of the rates that failure {number} leaves")
        }
        ["failures", number, "at"] => format!("beginning of failure {number}"),
        ["failures", number, "lasts"] => format!("length of failure {number}"),
        ["failures", number, rest @ ..] => {
            format!("{} of failure {number}", words(&rest.join(" ")))
        }
        ["experiment", "until" | "at-most"] => "end of the run".into(),
        _ => words(names.last().expect("a key has names")),
    }
}

/// A key of a processor in a reader's words.
fn processor(key: &str) -> &str {
    match key {
        "speed" => "speed of a core",
        "queue" => "places to wait for a core",
        "discipline" => "rule who gets a core",
        key => key,
    }
}
