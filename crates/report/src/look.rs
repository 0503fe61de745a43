//! How contenders look: the same colour, marker and dash in every figure, by their index.

use plotters::style::RGBColor;

use crate::canvas::Stroke;

/// Text and axes.
pub(crate) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// The line under the title.
pub(crate) const QUIET: RGBColor = RGBColor(0x44, 0x44, 0x44);
/// Grid lines.
pub(crate) const GRID: RGBColor = RGBColor(0xD8, 0xD8, 0xD8);
/// What theory says.
pub(crate) const THEORY: RGBColor = RGBColor(0x55, 0x55, 0x55);
/// The time of an incident.
pub(crate) const SHADE: RGBColor = RGBColor(0xEE, 0xEE, 0xEE);
/// Begin and end of an incident.
pub(crate) const SHADE_EDGE: RGBColor = RGBColor(0xB0, 0xB0, 0xB0);

/// The palette of Okabe and Ito, which the colour-blind can tell apart; its yellow, too pale for a
/// line on white, gives way to black, and those that tell best apart come first.
///
/// # Source
/// M. Okabe, K. Ito, "Color universal design", University of Tokyo, 2002 (revised 2008).
const COLORS: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x00, 0x00),
];

/// The shape at a line's points.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Wedge,
}

impl Marker {
    /// Corners for a radius of 1; none for a circle.
    pub(crate) fn corners(self) -> &'static [(f64, f64)] {
        match self {
            Self::Circle => &[],
            Self::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Self::Triangle => &[(0.0, -1.15), (1.1, 0.8), (-1.1, 0.8)],
            Self::Diamond => &[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            Self::Wedge => &[(0.0, 1.15), (1.1, -0.8), (-1.1, -0.8)],
        }
    }
}

/// How a line is broken up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dash {
    Solid,
    Long,
    LongShort,
    Short,
    Dots,
}

impl Dash {
    /// Pixels drawn and left out in turn; none for a solid line.
    pub(crate) fn lengths(self) -> &'static [f64] {
        match self {
            Self::Solid => &[],
            Self::Long => &[16.0, 5.0],
            Self::LongShort => &[16.0, 5.0, 4.0, 5.0],
            Self::Short => &[7.0, 5.0],
            Self::Dots => &[2.5, 4.0],
        }
    }
}

/// The look of one contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) color: RGBColor,
    /// For its name: ink where the colour is too pale for letters.
    pub(crate) text: RGBColor,
    pub(crate) marker: Marker,
    pub(crate) dash: Dash,
}

impl Look {
    /// The look of the contender of an index. Colours repeat after 7, markers and dashes after 5
    /// and 4, so that the first 140 differ.
    pub(crate) fn of(contender: usize) -> Self {
        use Dash::{Dots, Long, LongShort, Solid};
        use Marker::{Circle, Diamond, Square, Triangle, Wedge};
        Self {
            color: COLORS[contender % COLORS.len()],
            text: if (3..6).contains(&(contender % COLORS.len())) {
                INK
            } else {
                COLORS[contender % COLORS.len()]
            },
            marker: [Circle, Square, Triangle, Diamond, Wedge][contender % 5],
            dash: [Solid, Long, LongShort, Dots][contender % 4],
        }
    }

    /// The line of the contender.
    pub(crate) fn stroke(self) -> Stroke {
        Stroke {
            color: self.color,
            width: 4.0,
            dash: self.dash,
        }
    }
}

/// Under the line of what theory says, so that it shows on top of another line.
pub(crate) const THEORY_RIM: Stroke = Stroke {
    color: plotters::style::WHITE,
    width: 2.8,
    dash: Dash::Short,
};
/// The line of what theory says.
pub(crate) const THEORY_STROKE: Stroke = Stroke {
    color: THEORY,
    width: 1.5,
    dash: Dash::Short,
};
