//! One table as it is written: a header, and rows that open with their point.

use netduel_metrics::interval::{Estimate, Interval};
use netduel_scenario::Scenario;

/// A finished table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table {
    /// Name of its file.
    pub name: &'static str,
    /// Its text, comma-separated.
    pub text: String,
}

/// A table under way.
pub(crate) struct Sheet<'a> {
    scenario: &'a Scenario,
    name: &'static str,
    writer: csv::Writer<Vec<u8>>,
}

impl<'a> Sheet<'a> {
    /// Opens a table whose columns are the point, the axes and then `columns`.
    pub(crate) fn new(scenario: &'a Scenario, name: &'static str, columns: &[&str]) -> Self {
        let mut sheet = Self {
            scenario,
            name,
            writer: csv::Writer::from_writer(Vec::new()),
        };
        let axes = scenario.axes.iter().map(|axis| axis.key.as_str());
        let header = ["point"].into_iter().chain(axes);
        sheet.write(header.chain(columns.iter().copied()));
        sheet
    }

    /// Writes a row about a point.
    pub(crate) fn row<S: AsRef<str>>(&mut self, point: usize, cells: impl IntoIterator<Item = S>) {
        let mut row = vec![point.to_string()];
        row.extend(self.scenario.points[point].values.iter().cloned());
        row.extend(cells.into_iter().map(|cell| cell.as_ref().to_owned()));
        self.write(row);
    }

    fn write<S: AsRef<[u8]>>(&mut self, row: impl IntoIterator<Item = S>) {
        let written = self.writer.write_record(row);
        written.expect("memory takes every row, and all rows have the same columns");
    }

    pub(crate) fn finish(self) -> Table {
        let bytes = self.writer.into_inner().expect("memory takes every row");
        Table {
            name: self.name,
            text: String::from_utf8(bytes).expect("text was written"),
        }
    }
}

/// A number as it is printed: the fewest digits that read back to the same number.
pub(crate) fn number(value: f64) -> String {
    // Adding 0 turns a negative zero, which would print its sign, into 0.
    (value + 0.0).to_string()
}

/// A number, or an empty cell.
pub(crate) fn maybe(value: Option<f64>) -> String {
    value.map(number).unwrap_or_default()
}

/// The cells `n`, `mean`, `ci_low` and `ci_high`.
pub(crate) fn estimate_cells(estimate: &Estimate) -> [String; 4] {
    let [low, high] = interval_cells(estimate.interval);
    [estimate.n.to_string(), number(estimate.mean), low, high]
}

/// The cells `ci_low` and `ci_high`; empty when there is no interval.
pub(crate) fn interval_cells(interval: Option<Interval>) -> [String; 2] {
    [
        maybe(interval.map(|i| i.low)),
        maybe(interval.map(|i| i.high)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_with_the_fewest_digits_that_read_back() {
        for (value, text) in [
            (0.1, "0.1"),
            (100.0, "100"),
            (-0.0, "0"),
            (1.0 / 3.0, "0.3333333333333333"),
            (1e21, "1000000000000000000000"),
        ] {
            assert_eq!(number(value), text);
            assert!((text.parse::<f64>().unwrap() - value).abs() == 0.0);
        }
    }
}
