//! Small CSV tables whose cells know their position.
//!
//! The `csv` crate knows at which byte a record begins, not where a cell does, and an error
//! must point at the cell.

use std::path::PathBuf;

use crate::error::{Position, ScenarioError};

/// A table as read: lines that begin with `#` are comments, the first other line has the names
/// of the columns.
#[derive(Debug)]
pub(crate) struct Table {
    path: PathBuf,
    header: Row,
    rows: Vec<Row>,
}

/// A line of cells.
#[derive(Debug)]
pub(crate) struct Row {
    line: usize,
    cells: Vec<Cell>,
}

/// A cell and the character at which it begins.
#[derive(Clone, Debug)]
struct Cell {
    column: usize,
    text: String,
}

impl Table {
    /// Reads a table that has exactly these columns, in any order.
    pub(crate) fn parse(
        path: PathBuf,
        text: &str,
        columns: &[&str],
    ) -> Result<Self, ScenarioError> {
        let mut rows = text
            .lines()
            .zip(1..)
            .filter(|(line, _)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(text, line)| {
                let cells = cells(text).map_err(|column| (line, column))?;
                Ok(Row { line, cells })
            });
        let unclosed = |(line, column)| ScenarioError {
            path: path.clone(),
            position: Some(Position { line, column }),
            message: "a quote is opened and not closed; expected another `\"` in the same line"
                .to_owned(),
            hint: None,
        };
        let header = rows.next().transpose().map_err(unclosed)?;
        let header = header.unwrap_or(Row {
            line: 1,
            cells: Vec::new(),
        });
        let rows = rows.collect::<Result<_, _>>().map_err(unclosed)?;
        let table = Self { path, header, rows };
        table.check(columns)?;
        Ok(table)
    }

    fn check(&self, columns: &[&str]) -> Result<(), ScenarioError> {
        let expected = format!("expected the columns {}", columns.join(", "));
        for column in columns {
            if self.index(column).is_none() {
                let message = format!("the column `{column}` is missing; {expected}");
                return Err(self.error(self.header.line, 1, message));
            }
        }
        for cell in &self.header.cells {
            if !columns.contains(&cell.text.as_str()) {
                let message = format!("`{}` is not a column; {expected}", cell.text);
                return Err(self.error(self.header.line, cell.column, message));
            }
        }
        let width = self.header.cells.len();
        if let Some(row) = self.rows.iter().find(|row| row.cells.len() != width) {
            let found = row.cells.len();
            let message = format!("the row has {found} cells; expected {width}");
            return Err(self.error(row.line, 1, message));
        }
        if width != columns.len() {
            let message = format!("a column is there twice; {expected}");
            return Err(self.error(self.header.line, 1, message));
        }
        if self.rows.is_empty() {
            let message = "the table has no rows; expected at least one".to_owned();
            return Err(self.error(self.header.line, 1, message));
        }
        Ok(())
    }

    /// The rows below the header; there is at least one.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The text of a cell.
    pub(crate) fn text<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        &row.cells[self.known(column)].text
    }

    /// The number in a cell, when `accept` holds for it.
    pub(crate) fn number(
        &self,
        row: &Row,
        column: &str,
        expected: &str,
        accept: impl Fn(f64) -> bool,
    ) -> Result<f64, ScenarioError> {
        let number = self.text(row, column).parse::<f64>().ok();
        let accepted = number.filter(|number| number.is_finite() && accept(*number));
        accepted.ok_or_else(|| self.refuse(row, column, expected))
    }

    /// The column `share` of all rows, which must add up to 1.
    pub(crate) fn shares(&self) -> Result<Vec<f64>, ScenarioError> {
        let expected = "a share from 0 to 1";
        let accept = |share: f64| (0.0..=1.0).contains(&share);
        let shares: Vec<f64> = self
            .rows
            .iter()
            .map(|row| self.number(row, "share", expected, accept))
            .collect::<Result<_, _>>()?;
        let sum: f64 = shares.iter().sum();
        if (sum - 1.0).abs() > 1e-6 {
            // Rounded to what is written in such tables, so that 0.30000000000000004 reads 0.3.
            let sum = (sum * 1e9).round() / 1e9;
            let column = self.header.cells[self.known("share")].column;
            let message = format!("the shares add up to {sum}; expected 1");
            return Err(self.error(self.header.line, column, message));
        }
        Ok(shares)
    }

    /// An error at a cell, whose text is not what was expected.
    pub(crate) fn refuse(&self, row: &Row, column: &str, expected: &str) -> ScenarioError {
        let cell = &row.cells[self.known(column)];
        let message = format!("`{column}` is \"{}\"; expected {expected}", cell.text);
        self.error(row.line, cell.column, message)
    }

    /// An error at the header.
    pub(crate) fn lacks(&self, message: impl Into<String>) -> ScenarioError {
        self.error(self.header.line, 1, message.into())
    }

    fn index(&self, column: &str) -> Option<usize> {
        self.header
            .cells
            .iter()
            .position(|cell| cell.text == column)
    }

    fn known(&self, column: &str) -> usize {
        self.index(column).expect("columns are checked")
    }

    fn error(&self, line: usize, column: usize, message: String) -> ScenarioError {
        ScenarioError {
            path: self.path.clone(),
            position: Some(Position { line, column }),
            message,
            hint: None,
        }
    }
}

/// What stands after "# Source:" in the comments of a table.
pub(crate) fn sources(text: &str) -> impl Iterator<Item = &str> {
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    comments.filter_map(|line| {
        let comment = line.trim_start_matches('#').trim();
        comment.strip_prefix("Source:").map(str::trim)
    })
}

/// Splits a line at its commas. A cell may stand in double quotes, a quote in it is doubled.
///
/// # Errors
/// The character at which a quote begins that does not end.
fn cells(line: &str) -> Result<Vec<Cell>, usize> {
    let mut cells = Vec::new();
    let mut cell = Cell {
        column: 1,
        text: String::new(),
    };
    let mut quote = None;
    let mut letters = line.chars().zip(1..).peekable();
    while let Some((letter, column)) = letters.next() {
        match letter {
            '"' if quote.is_some() && letters.next_if(|(next, _)| *next == '"').is_some() => {
                cell.text.push('"');
            }
            '"' => quote = if quote.is_some() { None } else { Some(column) },
            ',' if quote.is_none() => {
                let next = Cell {
                    column: column + 1,
                    text: String::new(),
                };
                cells.push(std::mem::replace(&mut cell, next));
            }
            letter => cell.text.push(letter),
        }
    }
    if let Some(column) = quote {
        return Err(column);
    }
    cells.push(cell);
    for cell in &mut cells {
        let text = cell.text.trim_start();
        cell.column += cell.text.chars().count() - text.chars().count();
        cell.text = text.trim_end().to_owned();
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        let table = Table::parse("t.csv".into(), text, &["share", "value_s"]);
        table.map_err(|error| error.to_string())
    }

    #[test]
    fn quoted_cells_keep_their_commas() {
        let texts: Vec<String> = cells("a, \"b, \"\"c\"\"\",,d")
            .unwrap()
            .into_iter()
            .map(|c| c.text)
            .collect();
        assert_eq!(texts, ["a", "b, \"c\"", "", "d"]);
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        let table = table("# Source: us\nvalue_s,share\n3,1\n").unwrap();
        assert_eq!(table.text(&table.rows()[0], "value_s"), "3");
        assert_eq!(table.shares(), Ok(vec![1.0]));
    }

    #[test]
    fn wrong_columns_and_ragged_rows_are_pointed_at() {
        let expected = "expected the columns share, value_s";
        for (text, error) in [
            (
                "",
                format!("t.csv:1:1: the column `share` is missing; {expected}"),
            ),
            (
                "share,valu\n",
                format!("t.csv:1:1: the column `value_s` is missing; {expected}"),
            ),
            (
                "# x\nshare,value_s,z\n",
                format!("t.csv:2:15: `z` is not a column; {expected}"),
            ),
            (
                "share,value_s,share\n0,1,2\n",
                format!("t.csv:1:1: a column is there twice; {expected}"),
            ),
            (
                "share,value_s\n0.5,1\n0.5, \"2\n",
                "t.csv:3:6: a quote is opened and not closed; expected another `\"` in the same \
                 line"
                    .into(),
            ),
            (
                "share,value_s\n1\n",
                "t.csv:2:1: the row has 1 cells; expected 2".into(),
            ),
            (
                "share,value_s\n",
                "t.csv:1:1: the table has no rows; expected at least one".into(),
            ),
        ] {
            assert_eq!(table(text).unwrap_err(), error);
        }
    }

    #[test]
    fn sources_are_read_from_the_comments_on_top() {
        let text = "# Rates\n# Source: A. Author, 2006.\nshare\n# Source: too late\n";
        assert_eq!(sources(text).collect::<Vec<_>>(), ["A. Author, 2006."]);
    }
}
