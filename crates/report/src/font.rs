//! The bundled font, and how wide a text is in it.

use std::sync::Once;

use plotters::style::{FontFamily, FontStyle, IntoFont as _, register_font};

/// The family, as charts name it.
pub(crate) const FAMILY: &str = "Open Sans";
/// Latin letters, figures and the signs that charts need.
pub(crate) const REGULAR: &[u8] = include_bytes!("../assets/OpenSans-Regular-subset.ttf");
/// The same in bold.
pub(crate) const BOLD: &[u8] = include_bytes!("../assets/OpenSans-Bold-subset.ttf");

/// Height of the font's box over its em: the measure that plotters' size is in.
const BOX_PER_EM: f64 = 2789.0 / 2048.0;
/// Texts are measured this much larger, since plotters measures in whole pixels.
const FINE: f64 = 20.0;

/// Size and weight of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Face {
    /// The em, in pixels.
    pub(crate) size: f64,
    /// Whether it is bold.
    pub(crate) bold: bool,
}

impl Face {
    pub(crate) const TITLE: Self = Self {
        size: 30.0,
        bold: true,
    };
    pub(crate) const SMALL: Self = Self {
        size: 18.0,
        bold: false,
    };
    pub(crate) const TICK: Self = Self {
        size: 19.0,
        bold: false,
    };
    pub(crate) const AXIS: Self = Self {
        size: 19.0,
        bold: true,
    };
    pub(crate) const LABEL: Self = Self {
        size: 21.0,
        bold: true,
    };
    pub(crate) const THEORY: Self = Self {
        size: 18.0,
        bold: false,
    };

    /// The style in plotters' words.
    pub(crate) fn style(self) -> FontStyle {
        if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        }
    }

    /// Distance between two baselines, in pixels.
    pub(crate) fn line_height(self) -> f64 {
        (self.size * 1.3).round()
    }

    /// How wide a text is, in pixels.
    pub(crate) fn width(self, text: &str) -> f64 {
        register();
        let font = (
            FontFamily::Name(FAMILY),
            self.size * BOX_PER_EM * FINE,
            self.style(),
        );
        let (_, (width, _)) = font
            .into_font()
            .layout_box(text)
            .expect("the bundled font is registered");
        f64::from(width) / FINE
    }

    /// Breaks a text into lines of at most `width` pixels; `most` lines at most, the last one cut
    /// short with an ellipsis where the text goes on.
    pub(crate) fn wrap(self, text: &str, width: f64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in phrases(text) {
            let longer = lines.last().map(|line| format!("{line} {word}"));
            match longer {
                Some(longer) if self.width(&longer) <= width => {
                    *lines.last_mut().expect("there is a line to be longer than") = longer;
                }
                _ => lines.push(word),
            }
        }
        let cut = lines.len() > most;
        lines.truncate(most);
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter_mut().enumerate() {
            if self.width(line) > width || (cut && index == last) {
                *line = self.shortened(line, width);
            }
        }
        lines
    }

    fn shortened(self, text: &str, width: f64) -> String {
        let mut kept: String = text.to_owned();
        while !kept.is_empty() && self.width(&format!("{kept}…")) > width {
            kept.pop();
        }
        format!("{}…", kept.trim_end_matches([' ', ',', ';', ':']))
    }
}

fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (style, bytes) in [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)] {
            assert!(
                register_font(FAMILY, style, bytes).is_ok(),
                "the bundled font is a font"
            );
        }
    });
}

/// The words of a text, a number together with its unit.
fn phrases(text: &str) -> Vec<String> {
    let mut phrases: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let number = |last: &str| {
            let last = last.rsplit(' ').next().unwrap_or(last);
            last.trim_start_matches('(').parse::<f64>().is_ok()
        };
        match phrases.last_mut() {
            Some(last) if number(last) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => phrases.push(word.to_owned()),
        }
    }
    phrases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digit_is_as_wide_as_the_font_says() {
        // 1169 of 2048 units.
        let width = Face {
            size: 20.48,
            bold: false,
        }
        .width("0000000000");
        assert!((width - 116.9).abs() < 0.2, "{width}");
    }

    #[test]
    fn a_long_text_is_broken_and_what_does_not_fit_is_cut_short() {
        let face = Face::SMALL;
        let lines = face.wrap("a set-up that goes on and on and on and on", 120.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'));
        assert!(
            lines.iter().all(|line| face.width(line) <= 120.0),
            "{lines:?}"
        );
        let word = face.wrap("Donaudampfschifffahrtsgesellschaft", 120.0, 3);
        assert!(word[0].ends_with('…') && face.width(&word[0]) <= 120.0);
    }
}
