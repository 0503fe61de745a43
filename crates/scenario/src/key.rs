//! Keys that are written with dots.

use std::fmt;

/// The way to a value: names of tables and keys, and for lists a number that counts from 1.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Key(pub(crate) Vec<String>);

impl Key {
    /// Reads `a.b."c d".e` as TOML does; names with spaces may also go without quotes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = first_name(rest.trim_start())?;
            names.push(name);
            let after = after.trim_start();
            if after.is_empty() {
                return Some(Self(names));
            }
            rest = after.strip_prefix('.')?;
        }
    }

    /// The key `name` in the table that this key leads to.
    pub(crate) fn join(&self, name: impl Into<String>) -> Self {
        let mut names = self.0.clone();
        names.push(name.into());
        Self(names)
    }

    /// The same without the last name.
    pub(crate) fn parent(&self) -> Self {
        let mut names = self.0.clone();
        names.pop();
        Self(names)
    }

    /// The names as slices, to match on.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

/// A key of the format. Names that authors choose are joined to it one by one.
impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self(text.split('.').map(str::to_owned).collect())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if !name.is_empty() && name.chars().all(bare) {
                f.write_str(name)?;
            } else {
                write!(f, "\"{name}\"")?;
            }
        }
        Ok(())
    }
}

/// The first name of a dotted key and what follows it.
fn first_name(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some(quote) = quote {
        let (name, after) = text[1..].split_once(quote)?;
        return Some((name.to_owned(), after));
    }
    let end = text.find('.').unwrap_or(text.len());
    let name = text[..end].trim_end();
    (!name.is_empty()).then(|| (name.to_owned(), &text[end..]))
}

/// The name among `known` that `written` was most likely meant to be.
pub(crate) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&written, &name.to_lowercase());
    // A third of the letters wrong is a slip; more is another word.
    let slips = (written.chars().count() / 3).max(2);
    let near = known.into_iter().map(|name| (distance(name), name));
    near.filter(|(distance, name)| *distance <= slips && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// "did you mean ...?", when there is something near.
pub(crate) fn suggestion<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// Names in quotes, as a list in a sentence.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [only] => only.clone(),
        _ => format!("one of {}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_keys_read_back_as_printed() {
        for text in ["population.peers", "contenders.\"a.b c\".swarm.piece", "x"] {
            assert_eq!(Key::parse(text).unwrap().to_string(), text);
        }
        let loose = Key::parse("contenders.my design . swarm").unwrap();
        assert_eq!(loose.to_string(), "contenders.\"my design\".swarm");
    }

    #[test]
    fn keys_with_missing_names_are_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "\"a", "\"a\"b"] {
            assert_eq!(Key::parse(text), None, "{text} was accepted");
        }
    }

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        assert_eq!(nearest("peeers", ["upload", "peers"]), Some("peers"));
        assert_eq!(nearest("Upload", ["upload", "peers"]), Some("upload"));
        assert_eq!(nearest("bandwidth", ["upload", "peers"]), None);
        assert_eq!(nearest("at", ["up", "peers"]), None);
    }
}
