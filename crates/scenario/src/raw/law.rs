//! Probability laws as written.

use std::fmt;

use netduel_world::{BitsPerSecond, Seconds, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::either::{Either, Forms};

/// Declares the laws of one quantity; `row` adds forms that only this quantity has.
macro_rules! laws {
    (
        $law:ident, $table:ident, $class:ident, $quantity:ty, $title:literal, $class_title:literal,
        $about:literal, $expected:literal $(, $(#[$doc:meta])* $row:ident($content:ty))*
    ) => {
        #[doc = $about]
        pub(crate) type $law = Either<$quantity, $table>;

        #[doc = $about]
        #[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[schemars(title = $title, rename = $title)]
        pub(crate) enum $table {
            /// Any value from `min` to `max`, all equally likely.
            Uniform {
                /// Smallest value.
                min: $quantity,
                /// Largest value.
                max: $quantity,
            },
            /// Exponential: P(X > x) = exp(-x / mean).
            Exponential {
                /// Mean.
                mean: $quantity,
            },
            /// Weibull: P(X > x) = exp(-(x / scale)^shape).
            Weibull {
                /// Shape; below 1 the tail is heavier than exponential.
                shape: f64,
                /// The value that 37 % exceed.
                scale: $quantity,
            },
            /// Pareto: P(X > x) = (min / x)^shape.
            Pareto {
                /// Shape; the mean is finite above 1.
                shape: f64,
                /// Smallest value.
                min: $quantity,
            },
            /// Log-normal: the logarithm is normal.
            Lognormal {
                /// Median.
                median: $quantity,
                /// Standard deviation of the natural logarithm.
                sigma: f64,
            },
            /// A choice between classes, each with its share.
            Mix(Vec<$class>),
            /// A CSV table of classes, each with its share and its value.
            Table(String),
            $($(#[$doc])* $row($content),)*
        }

        impl fmt::Display for $table {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Uniform { min, max } => write!(f, "{min} to {max}"),
                    Self::Exponential { mean } => write!(f, "exponential with mean {mean}"),
                    Self::Weibull { shape, scale } => {
                        write!(f, "Weibull with shape {shape} and scale {scale}")
                    }
                    Self::Pareto { shape, min } => {
                        write!(f, "Pareto with shape {shape} from {min} up")
                    }
                    Self::Lognormal { median, sigma } => {
                        write!(f, "log-normal with median {median} and sigma {sigma}")
                    }
                    Self::Mix(classes) => write!(f, "a mix of {} classes", classes.len()),
                    Self::Table(name) => write!(f, "as in {name}"),
                    $(Self::$row(row) => row.fmt(f),)*
                }
            }
        }

        impl Forms for $table {
            const EXPECTED: &'static str = $expected;
        }

        /// One class of a mix.
        #[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[schemars(rename = $class_title)]
        pub(crate) struct $class {
            /// Its share. All shares add up to 1.
            pub(crate) share: Share,
            /// Its value, or a law of its own.
            pub(crate) value: $law,
        }
    };
}

laws!(
    RateLaw,
    RateLawTable,
    RateClass,
    BitsPerSecond,
    "Law of a data rate",
    "Class of data rates",
    "The law that a data rate follows.",
    "a data rate with its unit, such as \"10 Mbps\", or a law, such as { uniform = { min = \"5 Mbps\", max = \"20 Mbps\" } }"
);

laws!(
    TimeLaw,
    TimeLawTable,
    TimeClass,
    Seconds,
    "Law of a time",
    "Class of times",
    "The law that a time follows.",
    "a time with its unit, such as \"5 min\", or a law, such as { exponential = { mean = \"5 min\" } }",
    /// A row of a CSV table of laws.
    Row(Row),
    /// Erlang: the sum of `stages` exponential times of equal mean.
    Erlang(Erlang),
    /// Two-phase hyperexponential: one of two exponential times, with balanced means.
    Hyperexponential(Hyperexponential)
);

/// The sum of `stages` exponential times of equal mean.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Erlang {
    /// How many stages.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) stages: u32,
    /// Mean of the sum.
    pub(crate) mean: Seconds,
}

impl fmt::Display for Erlang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Erlang of {} stages with mean {}",
            self.stages, self.mean
        )
    }
}

/// One of two exponential times, both contributing the same to the mean.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Hyperexponential {
    /// Mean.
    pub(crate) mean: Seconds,
    /// Squared coefficient of variation: variance over squared mean.
    #[schemars(range(min = 1.0, max = 10000.0))]
    pub(crate) cv2: f64,
}

impl fmt::Display for Hyperexponential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, cv2 } = self;
        write!(
            f,
            "hyperexponential with mean {mean} and squared coefficient of variation {cv2}"
        )
    }
}

/// A row of a CSV table of laws.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Row {
    /// The CSV table, relative to the scenario file.
    pub(crate) table: String,
    /// What stands in the row's column `name`.
    pub(crate) name: String,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "as of \"{}\" in {}", self.name, self.table)
    }
}
