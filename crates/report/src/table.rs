//! Reads one CSV table with a header, so that whatever is wrong is pointed at.

use csv::ReaderBuilder;
use netduel_metrics::interval::{Estimate, Interval};

use crate::error::ReportError;

/// A table as read: all fields are text.
pub(crate) struct Table {
    file: &'static str,
    header: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

/// One line of a table.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    table: &'a Table,
    line: u64,
    fields: &'a [String],
}

impl Table {
    /// Splits `text` into fields; every line must have as many as the header.
    pub(crate) fn parse(file: &'static str, text: &str) -> Result<Self, ReportError> {
        let fields_error = |error: csv::Error| ReportError::Fields {
            file,
            what: error.to_string(),
        };
        let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
        let header = reader.headers().map_err(fields_error)?;
        let header = header.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(fields_error)?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, record.iter().map(str::to_owned).collect()));
        }
        Ok(Self { file, header, rows })
    }

    /// Reads every line with `read`.
    pub(crate) fn read<T>(
        &self,
        read: impl Fn(Row<'_>) -> Result<T, ReportError>,
    ) -> Result<Vec<T>, ReportError> {
        let row = |(line, fields): &'_ (u64, Vec<String>)| {
            read(Row {
                table: self,
                line: *line,
                fields,
            })
        };
        self.rows.iter().map(row).collect()
    }

    /// Refuses a table without one of `columns`, even when it has no line.
    pub(crate) fn require(&self, columns: &[&str]) -> Result<(), ReportError> {
        columns
            .iter()
            .try_for_each(|column| self.position(column).map(|_| ()))
    }

    fn position(&self, column: &str) -> Result<usize, ReportError> {
        self.header
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| ReportError::Column {
                file: self.file,
                column: column.to_owned(),
                found: self.header.clone(),
            })
    }
}

impl<'a> Row<'a> {
    /// The field of `column`.
    pub(crate) fn text(self, column: &str) -> Result<&'a str, ReportError> {
        Ok(self.fields[self.table.position(column)?].trim())
    }

    /// A finite number.
    pub(crate) fn number(self, column: &str) -> Result<f64, ReportError> {
        self.optional(column)?
            .ok_or_else(|| self.refuse(column, "a number"))
    }

    /// A finite number, or nothing where the field is empty.
    pub(crate) fn optional(self, column: &str) -> Result<Option<f64>, ReportError> {
        match self.text(column)? {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.refuse(column, "a number")),
            },
        }
    }

    /// A whole number, 0 or more.
    pub(crate) fn count(self, column: &str) -> Result<usize, ReportError> {
        self.text(column)?
            .parse()
            .map_err(|_| self.refuse(column, "a whole number"))
    }

    /// The mean in `column` with `n`, `ci_low` and `ci_high`; nothing where the mean is empty.
    pub(crate) fn estimate(self, column: &str) -> Result<Option<Estimate>, ReportError> {
        let Some(mean) = self.optional(column)? else {
            return Ok(None);
        };
        let interval = match (self.optional("ci_low")?, self.optional("ci_high")?) {
            (Some(low), Some(high)) if low <= high => Some(Interval { low, high }),
            (None, None) => None,
            (None, Some(_)) => return Err(self.refuse("ci_low", "a number, as `ci_high` has one")),
            _ => return Err(self.refuse("ci_high", "a number not below `ci_low`")),
        };
        Ok(Some(Estimate {
            n: self.count("n")?,
            mean,
            interval,
        }))
    }

    /// The error that says that `column` does not hold what is `expected`.
    pub(crate) fn refuse(self, column: &str, expected: &str) -> ReportError {
        let Ok(position) = self.table.position(column) else {
            return ReportError::Fields {
                file: self.table.file,
                what: format!("no `{column}`"),
            };
        };
        ReportError::Field {
            file: self.table.file,
            line: self.line,
            field: position + 1,
            column: column.to_owned(),
            found: self.fields[position].clone(),
            expected: expected.to_owned(),
        }
    }
}
