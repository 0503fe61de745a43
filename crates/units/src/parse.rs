//! Reading and writing a number with its unit.

use std::fmt;

/// Why a text is not the quantity that was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct ParseError {
    found: String,
    expected: String,
    hint: Option<String>,
}

impl ParseError {
    pub(crate) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            found: found.into(),
            expected: expected.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the text in the place of the value that it stands for.
    pub(crate) fn written_as(mut self, text: &str) -> Self {
        self.found = format!("`{text}`");
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "found {}; expected {}", self.found, self.expected)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ParseError {}

/// A family of units of one quantity: each spelling with the number of base units it stands for.
pub(crate) struct Units {
    /// What is expected, with an example, as it stands in error messages.
    pub(crate) expected: &'static str,
    /// Accepted spellings. A spelling used for printing comes before its synonyms.
    pub(crate) scales: &'static [(&'static str, f64)],
    /// Spellings that look right and are not, each with what to write instead.
    pub(crate) traps: &'static [(&'static str, &'static str)],
}

impl Units {
    /// Splits `text` into its number and the scale of its unit.
    pub(crate) fn parse(&self, text: &str) -> Result<(f64, f64), ParseError> {
        let refuse = || ParseError::new(format!("`{text}`"), self.expected);
        let trimmed = text.trim();
        let split = trimmed
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+')))
            .unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(split);
        let number: f64 = number.replace('_', "").parse().map_err(|_| refuse())?;
        let unit = unit.trim_start();
        if unit.is_empty() {
            return Err(ParseError::new(
                format!("`{text}` without a unit"),
                self.expected,
            ));
        }
        for (trap, hint) in self.traps {
            if unit == *trap {
                return Err(refuse().with_hint(*hint));
            }
        }
        match self.scales.iter().find(|(name, _)| *name == unit) {
            Some((_, scale)) => Ok((number, *scale)),
            None => Err(refuse().with_hint(self.spellings(unit))),
        }
    }

    /// Lists the accepted spellings, the one that differs from `unit` by case alone first.
    fn spellings(&self, unit: &str) -> String {
        if let Some((near, _)) = self
            .scales
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        {
            return format!("did you mean `{near}`?");
        }
        let names: Vec<&str> = self.scales.iter().map(|(name, _)| *name).collect();
        format!("units are {}", names.join(", "))
    }

    /// Writes `value` base units in the unit that makes the shortest number from 1 up and reads back
    /// to the same value; of equals the larger unit.
    pub(crate) fn print(
        &self,
        value: f64,
        printable: &[&str],
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        if value == 0.0 {
            return write!(f, "0 {}", printable[0]);
        }
        let candidates = self.scales.iter().filter_map(|(name, scale)| {
            let number = value / scale;
            let exact = (number * scale).to_bits() == value.to_bits();
            let digits = number.to_string();
            let rank = (number.abs() < 1.0, digits.len());
            (exact && printable.contains(name)).then_some((rank, digits, *name, *scale))
        });
        let best = candidates.min_by(|a, b| a.0.cmp(&b.0).then(b.3.total_cmp(&a.3)));
        match best {
            Some((_, digits, name, _)) => write!(f, "{digits} {name}"),
            None => write!(f, "{value} {}", printable[0]),
        }
    }
}
