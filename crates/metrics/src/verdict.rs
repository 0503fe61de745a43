//! What may be concluded from a comparison, in words that tables hold.

use std::{fmt, str::FromStr};

/// What a comparison of A with B concludes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// A's mean is below B's.
    ALower,
    /// B's mean is below A's.
    BLower,
    /// The replications do not tell the two apart.
    NotDistinguishable,
    /// Every difference is exactly 0.
    Identical,
}

impl Verdict {
    const WORDS: [(Self, &str); 4] = [
        (Self::ALower, "A lower"),
        (Self::BLower, "B lower"),
        (Self::NotDistinguishable, "not distinguishable"),
        (Self::Identical, "identical"),
    ];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Self::WORDS.iter().find(|(verdict, _)| verdict == self);
        f.write_str(words.expect("every verdict has its words").1)
    }
}

/// Words that are no verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnknownVerdict(String);

impl fmt::Display for UnknownVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no verdict; expected one of", self.0)?;
        for (index, (_, words)) in Verdict::WORDS.iter().enumerate() {
            write!(f, "{} `{words}`", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownVerdict {}

impl FromStr for Verdict {
    type Err = UnknownVerdict;

    fn from_str(text: &str) -> Result<Self, UnknownVerdict> {
        let found = Self::WORDS.iter().find(|(_, words)| *words == text);
        found
            .map(|(verdict, _)| *verdict)
            .ok_or_else(|| UnknownVerdict(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_reads_back_from_its_words() {
        for (verdict, words) in Verdict::WORDS {
            assert_eq!(verdict.to_string(), words);
            assert_eq!(words.parse(), Ok(verdict));
        }
        assert!(
            "B wins"
                .parse::<Verdict>()
                .unwrap_err()
                .to_string()
                .contains("`A lower`")
        );
    }
}
