//! The tables that scenarios read, each kind with its columns.

use std::{
    cell::RefCell,
    io,
    path::{Path, PathBuf},
    rc::Rc,
};

use netduel_world::{AccessClass, BitsPerSecond, Law, Seconds, SimDuration};

use crate::{
    check::Listed,
    document::Document,
    error::ScenarioError,
    files::Files,
    key::{Key, suggestion},
    table::{self, Table},
};

/// Reads tables, and remembers what was read.
pub(crate) struct Tables<'a> {
    files: &'a dyn Files,
    /// The scenario file's folder.
    folder: PathBuf,
    /// Name as written and text, in the order of first reading.
    read: RefCell<Vec<(String, Rc<str>)>>,
}

impl<'a> Tables<'a> {
    pub(crate) fn new(scenario: &Path, files: &'a dyn Files) -> Self {
        Self {
            files,
            folder: scenario.parent().unwrap_or(Path::new("")).to_owned(),
            read: RefCell::new(Vec::new()),
        }
    }

    /// Every table that was read: its name as written and its text.
    pub(crate) fn into_read(self) -> Vec<(String, Rc<str>)> {
        self.read.into_inner()
    }

    /// The table that `name` at `key` stands for.
    fn open(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
        columns: &[&str],
    ) -> Result<Table, ScenarioError> {
        let (path, text) = self.text(doc, key, name, "a CSV table")?;
        Table::parse(path, &text, columns)
    }

    /// The text of the file that `name` at `key` stands for, and where it is.
    pub(crate) fn text(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
        expected: &str,
    ) -> Result<(PathBuf, Rc<str>), ScenarioError> {
        let path = self.folder.join(name);
        let known = self.read.borrow().iter().find(|(n, _)| n == name).cloned();
        let text = if let Some((_, text)) = known {
            text
        } else {
            let text = self.files.read(&path).map_err(|error| {
                let why = unreadable(&error);
                doc.problem(key, format!("names \"{name}\", {why}; expected {expected}"))
            })?;
            // Spreadsheets put a byte order mark in front, which is no part of the first column.
            let text: Rc<str> = text.strip_prefix('\u{feff}').unwrap_or(&text).into();
            let mut read = self.read.borrow_mut();
            read.push((name.to_owned(), Rc::clone(&text)));
            text
        };
        Ok((path, text))
    }

    /// Links between users: from, to.
    pub(crate) fn links(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
    ) -> Result<Table, ScenarioError> {
        self.open(doc, key, name, &["from", "to"])
    }

    /// Classes of data rates: share, `value_kbps`.
    pub(crate) fn rates(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
    ) -> Result<Law, ScenarioError> {
        let table = self.open(doc, key, name, &["share", "value_kbps"])?;
        let shares = table.shares()?;
        let classes = shares.into_iter().zip(table.rows()).map(|(share, row)| {
            let rate = rate(&table, row, "value_kbps")?;
            Ok((share, Law::Constant(rate.get())))
        });
        classes.collect::<Result<_, _>>().map(Law::Mixture)
    }

    /// Classes of times: share, `value_s`.
    pub(crate) fn times(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
    ) -> Result<Law, ScenarioError> {
        let table = self.open(doc, key, name, &["share", "value_s"])?;
        let shares = table.shares()?;
        let classes = shares.into_iter().zip(table.rows()).map(|(share, row)| {
            let time = time(&table, row, "value_s", 1.0)?;
            Ok((share, Law::Constant(time.get())))
        });
        classes.collect::<Result<_, _>>().map(Law::Mixture)
    }

    /// A law in a table of laws: name, law, shape, `scale_min`.
    pub(crate) fn law(
        &self,
        doc: &Document<'_>,
        key: &Key,
        (name, row): (&str, &str),
    ) -> Result<Law, ScenarioError> {
        let columns = ["name", "law", "shape", "scale_min"];
        let table = self.open(doc, &key.join("table"), name, &columns)?;
        let names = || table.rows().iter().map(|r| table.text(r, "name"));
        let found = names().position(|name| name == row).ok_or_else(|| {
            let expected = crate::key::listed(names());
            let mut error = doc.refuse(&key.join("name"), expected);
            error.hint = suggestion(row, names());
            error
        })?;
        let row = &table.rows()[found];
        if table.text(row, "law") != "weibull" {
            return Err(table.refuse(row, "law", "weibull"));
        }
        let positive = |number: f64| number > 0.0;
        let shape = table.number(row, "shape", "a number above 0", positive)?;
        let minutes = table.number(row, "scale_min", "a number of minutes above 0", positive)?;
        Ok(Law::Weibull {
            shape,
            scale: minutes * 60.0,
        })
    }

    /// Classes of access lines: share, `download_kbps`, `upload_kbps`.
    pub(crate) fn access(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
    ) -> Result<Vec<AccessClass>, ScenarioError> {
        let columns = ["share", "download_kbps", "upload_kbps"];
        let table = self.open(doc, key, name, &columns)?;
        let shares = table.shares()?;
        let classes = shares.into_iter().zip(table.rows()).map(|(share, row)| {
            Ok(AccessClass {
                share,
                upload: rate(&table, row, "upload_kbps")?,
                download: rate(&table, row, "download_kbps")?,
            })
        });
        classes.collect()
    }

    /// Regions with the share of users who live there: region, share.
    pub(crate) fn regions(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
    ) -> Result<(Vec<String>, Vec<f64>), ScenarioError> {
        let table = self.open(doc, key, name, &["region", "share"])?;
        let mut regions: Vec<String> = Vec::new();
        for row in table.rows() {
            let region = table.text(row, "region");
            if region.is_empty() || regions.iter().any(|known| known == region) {
                return Err(table.refuse(row, "region", "a name that no other row has"));
            }
            regions.push(region.to_owned());
        }
        if regions.len() > usize::from(u16::MAX) {
            return Err(table.lacks("the table has more than 65535 regions"));
        }
        Ok((regions, table.shares()?))
    }

    /// A latency for every pair of regions: from, to, `latency_ms`.
    pub(crate) fn latencies(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
        regions: &[String],
    ) -> Result<Vec<SimDuration>, ScenarioError> {
        let table = self.open(doc, key, name, &["from", "to", "latency_ms"])?;
        let count = regions.len();
        let mut between: Vec<Option<SimDuration>> = vec![None; count * count];
        for row in table.rows() {
            let end = |column: &str| {
                let region = table.text(row, column);
                let index = regions.iter().position(|known| known == region);
                index.ok_or_else(|| {
                    let known = crate::key::listed(regions.iter().map(String::as_str));
                    let mut error = table.refuse(row, column, &format!("a region: {known}"));
                    error.hint = suggestion(region, regions.iter().map(String::as_str));
                    error
                })
            };
            let pair = end("from")? * count + end("to")?;
            let latency = time(&table, row, "latency_ms", 1e-3)?;
            if between[pair].replace(SimDuration::from(latency)).is_some() {
                return Err(table.refuse(row, "to", "a pair that no other row has"));
            }
        }
        let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        let complete = pairs.map(|(from, to)| {
            // A pair that is given in one direction holds for both.
            let latency = between[from * count + to].or(between[to * count + from]);
            latency.ok_or_else(|| {
                let [from, to] = [&regions[from], &regions[to]];
                table.lacks(format!(
                    "the latency from \"{from}\" to \"{to}\" is missing; expected every pair of \
                     regions"
                ))
            })
        });
        complete.collect()
    }

    /// Links between routers: from, to, `rate_kbps`, `latency_ms`.
    pub(crate) fn trunks(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
    ) -> Result<Vec<Listed>, ScenarioError> {
        let table = self.open(doc, key, name, &["from", "to", "rate_kbps", "latency_ms"])?;
        let mut listed = Vec::new();
        for row in table.rows() {
            let [from, to] = ["from", "to"].map(|column| table.text(row, column));
            for (column, end) in [("from", from), ("to", to)] {
                if end.is_empty() {
                    return Err(table.refuse(row, column, "the name of a router"));
                }
            }
            if let Some(expected) = Listed::fault(&listed, from, to) {
                return Err(table.refuse(row, "to", expected));
            }
            listed.push(Listed {
                from: from.to_owned(),
                to: to.to_owned(),
                rate: rate(&table, row, "rate_kbps")?,
                latency: SimDuration::from(time(&table, row, "latency_ms", 1e-3)?),
            });
        }
        Ok(listed)
    }

    /// Times at which requests come: `time_s`, not falling.
    pub(crate) fn trace(
        &self,
        doc: &Document<'_>,
        key: &Key,
        name: &str,
    ) -> Result<Vec<Seconds>, ScenarioError> {
        let table = self.open(doc, key, name, &["time_s"])?;
        let mut times: Vec<Seconds> = Vec::new();
        for row in table.rows() {
            let next = time(&table, row, "time_s", 1.0)?;
            if times.last().is_some_and(|last| next < *last) {
                return Err(table.refuse(row, "time_s", "a time not before the row above"));
            }
            times.push(next);
        }
        Ok(times)
    }
}

fn rate(table: &Table, row: &table::Row, column: &str) -> Result<BitsPerSecond, ScenarioError> {
    let expected = "a number of kilobits per second above 0";
    let kbps = table.number(row, column, expected, |number| number > 0.0)?;
    BitsPerSecond::new(kbps * 1e3).map_err(|_| {
        table.refuse(
            row,
            column,
            "a rate of at most 4 Tbps, in kilobits per second",
        )
    })
}

/// A time in units of `scale` seconds.
fn time(
    table: &Table,
    row: &table::Row,
    column: &str,
    scale: f64,
) -> Result<Seconds, ScenarioError> {
    let expected = match column {
        "latency_ms" => "a number of milliseconds from 0 up",
        _ => "a number of seconds from 0 up",
    };
    let number = table.number(row, column, expected, |number| number >= 0.0)?;
    Seconds::new(number * scale).map_err(|_| table.refuse(row, column, "at most 100 years"))
}

/// Why a file cannot be read, after a comma.
pub(crate) fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "which does not exist".to_owned(),
        io::ErrorKind::InvalidData => "which is not text".to_owned(),
        _ => format!("which cannot be read ({error})"),
    }
}
