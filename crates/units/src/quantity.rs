//! The quantities themselves.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, Div, Mul},
    str::FromStr,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::parse::{ParseError, Units};

const SIZE: Units = Units {
    expected: "a size with its unit, such as \"256 KiB\" or \"1 GB\"",
    scales: &[
        ("B", 1.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("TiB", 1_099_511_627_776.0),
        ("bit", 0.125),
        ("kbit", 125.0),
        ("Mbit", 125e3),
        ("Gbit", 125e6),
        ("Tbit", 125e9),
    ],
    traps: &[
        ("b", "`b` is a bit: write `B` for bytes or `bit` for bits"),
        (
            "kb",
            "`kb` is kilobits: write `kB` for kilobytes or `kbit` for kilobits",
        ),
        (
            "Kb",
            "`Kb` is kilobits: write `kB` for kilobytes or `kbit` for kilobits",
        ),
        (
            "Mb",
            "`Mb` is megabits: write `MB` for megabytes or `Mbit` for megabits",
        ),
        (
            "Gb",
            "`Gb` is gigabits: write `GB` for gigabytes or `Gbit` for gigabits",
        ),
        (
            "Tb",
            "`Tb` is terabits: write `TB` for terabytes or `Tbit` for terabits",
        ),
        ("KB", "write `kB` for 1000 bytes or `KiB` for 1024 bytes"),
    ],
};

const RATE: Units = Units {
    expected: "a data rate with its unit, such as \"10 Mbps\" or \"2 MB/s\"",
    scales: &[
        ("bps", 1.0),
        ("kbps", 1e3),
        ("Mbps", 1e6),
        ("Gbps", 1e9),
        ("Tbps", 1e12),
        ("bit/s", 1.0),
        ("kbit/s", 1e3),
        ("Mbit/s", 1e6),
        ("Gbit/s", 1e9),
        ("Tbit/s", 1e12),
        ("B/s", 8.0),
        ("kB/s", 8e3),
        ("MB/s", 8e6),
        ("GB/s", 8e9),
        ("KiB/s", 8192.0),
        ("MiB/s", 8_388_608.0),
        ("GiB/s", 8_589_934_592.0),
    ],
    traps: &[
        (
            "Mb/s",
            "`Mb/s` is megabits a second: write `Mbps` for it or `MB/s` for megabytes a second",
        ),
        (
            "MBps",
            "write `MB/s` for megabytes a second or `Mbps` for megabits a second",
        ),
        ("MB", "a rate is per second: write `MB/s` or `Mbps`"),
        ("Mb", "a rate is per second: write `Mbps` or `MB/s`"),
    ],
};

const TIME: Units = Units {
    expected: "a time with its unit, such as \"40 ms\" or \"5 min\"",
    scales: &[
        ("s", 1.0),
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("min", 60.0),
        ("h", 3600.0),
        ("d", 86400.0),
    ],
    traps: &[
        ("m", "write `min` for minutes or `ms` for milliseconds"),
        ("M", "write `min` for minutes or `ms` for milliseconds"),
    ],
};

const FREQUENCY: Units = Units {
    expected: "a number of events per time, such as \"0.4 /s\" or \"30 /min\"",
    scales: &[
        ("/s", 1.0),
        ("/min", 1.0 / 60.0),
        ("/h", 1.0 / 3600.0),
        ("/d", 1.0 / 86400.0),
    ],
    traps: &[],
};

const PRICE: Units = Units {
    expected: "a price per time, such as \"0.10 /h\" or \"70 /month\"",
    scales: &[
        ("/h", 1.0),
        ("/d", 1.0 / 24.0),
        // The month of 730 hours in which clouds reckon: a twelfth of 365 days.
        ("/month", 1.0 / 730.0),
    ],
    traps: &[],
};

/// Implements reading from and writing to text for a quantity that files spell with a unit.
macro_rules! spelled {
    ($type:ident, $units:ident, $printable:expr, $title:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $units.print(self.base(), &$printable, f)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($units.expected)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }

                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$type, E> {
                        Err(E::custom(bare(number, &$units)))
                    }

                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$type, E> {
                        Err(E::custom(bare(number, &$units)))
                    }

                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$type, E> {
                        Err(E::custom(bare(number, &$units)))
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $units.expected })
            }
        }
    };
}

fn bare(number: impl fmt::Display, units: &Units) -> ParseError {
    ParseError::new(format!("the bare number {number}"), units.expected)
}

/// A data size in bytes.
///
/// Files spell the unit out, as in `"256 KiB"`; sizes in bits must be whole bytes.
///
/// ```
/// # use netduel_units::Bytes;
/// assert_eq!("1 GiB".parse::<Bytes>().unwrap(), Bytes(1 << 30));
/// assert!("1 Gb".parse::<Bytes>().is_err(), "gigabits are not gigabytes");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Bytes(pub u64);

impl Bytes {
    fn base(self) -> f64 {
        self.0 as f64
    }
}

impl FromStr for Bytes {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (number, scale) = SIZE.parse(text)?;
        let bytes = number * scale;
        // Above 2^53 a double no longer counts single bytes.
        if !(0.0..=9_007_199_254_740_992.0).contains(&bytes) {
            return Err(ParseError::new(
                format!("`{text}`"),
                "a size from 0 B to 8192 TiB",
            ));
        }
        if bytes.fract() != 0.0 {
            return Err(ParseError::new(
                format!("`{text}`"),
                "a whole number of bytes",
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and in range, as checked above"
        )]
        Ok(Self(bytes as u64))
    }
}

impl Add for Bytes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self(0), Add::add)
    }
}

/// Bytes over bits per second: the time needed to push the bytes onto a wire.
impl Div<BitsPerSecond> for Bytes {
    type Output = Seconds;

    fn div(self, rate: BitsPerSecond) -> Seconds {
        Seconds(self.0 as f64 * 8.0 / rate.0)
    }
}

spelled!(
    Bytes,
    SIZE,
    ["B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"],
    "Size"
);

/// A data rate in bits per second: always finite, always above zero.
///
/// Files spell the unit out, as in `"20 Mbps"`; a bare number is refused.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct BitsPerSecond(f64);

impl BitsPerSecond {
    /// The largest rate that the network's whole-number arithmetic holds: 4 Tbit/s.
    pub const MAX: Self = Self(4e12);

    /// A rate of `rate` bits per second, above 0 and at most [`Self::MAX`].
    pub fn new(rate: f64) -> Result<Self, ParseError> {
        if rate > 0.0 && rate <= Self::MAX.0 {
            Ok(Self(rate))
        } else {
            Err(ParseError::new(
                format!("{rate} bps"),
                "a rate above 0 and at most 4 Tbps",
            ))
        }
    }

    /// The rate in bits per second.
    pub fn get(self) -> f64 {
        self.0
    }

    fn base(self) -> f64 {
        self.0
    }
}

impl FromStr for BitsPerSecond {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (number, scale) = RATE.parse(text)?;
        Self::new(number * scale).map_err(|error| error.written_as(text))
    }
}

spelled!(
    BitsPerSecond,
    RATE,
    ["bps", "kbps", "Mbps", "Gbps", "Tbps"],
    "Data rate"
);

/// A price per hour, in a currency that is the reader's own: finite and not negative.
///
/// ```
/// # use netduel_units::PerHour;
/// assert_eq!("73 /month".parse::<PerHour>().unwrap().get(), 0.1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct PerHour(f64);

impl PerHour {
    /// A price of `price` per hour, from 0 up to a million.
    pub fn new(price: f64) -> Result<Self, ParseError> {
        if (0.0..=1e6).contains(&price) {
            Ok(Self(price))
        } else {
            Err(ParseError::new(
                format!("{price} /h"),
                "a price from 0 to 1,000,000 /h",
            ))
        }
    }

    /// The price per hour.
    pub fn get(self) -> f64 {
        self.0
    }

    fn base(self) -> f64 {
        self.0
    }
}

impl FromStr for PerHour {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (number, scale) = PRICE.parse(text)?;
        Self::new(number * scale).map_err(|error| error.written_as(text))
    }
}

spelled!(PerHour, PRICE, ["/h", "/d", "/month"], "Price");

/// A length of time in seconds: finite and not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Seconds(f64);

impl Seconds {
    /// The longest time that simulated clocks of whole nanoseconds hold with room to add: 100 years.
    pub const MAX: Self = Self(100.0 * 365.25 * 86400.0);

    /// A time of `seconds`, from 0 to [`Self::MAX`].
    pub fn new(seconds: f64) -> Result<Self, ParseError> {
        if (0.0..=Self::MAX.0).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(ParseError::new(
                format!("{seconds} s"),
                "a time from 0 s to 100 years",
            ))
        }
    }

    /// The time in seconds.
    pub fn get(self) -> f64 {
        self.0
    }

    fn base(self) -> f64 {
        self.0
    }
}

impl FromStr for Seconds {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (number, scale) = TIME.parse(text)?;
        Self::new(number * scale).map_err(|error| error.written_as(text))
    }
}

impl Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Mul<f64> for Seconds {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

spelled!(
    Seconds,
    TIME,
    ["s", "ns", "us", "ms", "min", "h", "d"],
    "Time"
);

/// How often something happens, in events per second: finite and above zero.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct PerSecond(f64);

impl PerSecond {
    /// A frequency of `rate` events per second, finite and above 0.
    pub fn new(rate: f64) -> Result<Self, ParseError> {
        if rate > 0.0 && rate.is_finite() {
            Ok(Self(rate))
        } else {
            Err(ParseError::new(
                format!("{rate} /s"),
                "a number of events per time above 0",
            ))
        }
    }

    /// The frequency in events per second.
    pub fn get(self) -> f64 {
        self.0
    }

    fn base(self) -> f64 {
        self.0
    }
}

impl FromStr for PerSecond {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (number, scale) = FREQUENCY.parse(text)?;
        Self::new(number * scale).map_err(|error| error.written_as(text))
    }
}

spelled!(
    PerSecond,
    FREQUENCY,
    ["/s", "/min", "/h", "/d"],
    "Frequency"
);

/// A share of a whole, from 0 to 1; files may also write it as `"20 %"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
pub struct Share(f64);

impl Share {
    const EXPECTED: &'static str = "a share from 0 to 1, such as 0.2 or \"20 %\"";

    /// A share from 0 to 1.
    pub fn new(share: f64) -> Result<Self, ParseError> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(ParseError::new(format!("{share}"), Self::EXPECTED))
        }
    }

    /// The share, from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let trimmed = text.trim();
        let number = trimmed.strip_suffix('%').unwrap_or(trimmed).trim_end();
        let number: f64 = number
            .parse()
            .map_err(|_| ParseError::new(format!("`{text}`"), Self::EXPECTED))?;
        let divisor = if trimmed.ends_with('%') { 100.0 } else { 1.0 };
        Self::new(number / divisor).map_err(|error| error.written_as(text))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", (self.0 * 1e8).round() / 1e6)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Share;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Share::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Share, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Share, E> {
                Share::new(number).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Share, E> {
                Share::new(number as f64).map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Share, E> {
                Share::new(number as f64).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{ "type": "number", "minimum": 0, "maximum": 1 }, { "type": "string" }],
            "description": Share::EXPECTED,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_bits_and_in_bytes_are_different_things() {
        assert_eq!("15 Gbit".parse(), Ok(Bytes(1_875_000_000)));
        assert_eq!("15 GB".parse(), Ok(Bytes(15_000_000_000)));
        let error = "15 Mb".parse::<Bytes>().unwrap_err().to_string();
        assert!(error.contains("write `MB` for megabytes"), "{error}");
    }

    #[test]
    fn a_number_without_its_unit_is_refused() {
        let error = "10".parse::<BitsPerSecond>().unwrap_err().to_string();
        assert!(error.contains("without a unit"), "{error}");
        assert!(error.contains("10 Mbps"), "{error}");
    }

    #[test]
    fn a_unit_in_the_wrong_case_is_pointed_out() {
        let error = "10 mbps".parse::<BitsPerSecond>().unwrap_err().to_string();
        assert!(error.contains("did you mean `Mbps`?"), "{error}");
    }

    #[test]
    fn negative_infinite_and_missing_numbers_are_refused() {
        for text in ["-1 s", "1e400 s", "s", "", "NaN s", "inf s", "--1 s"] {
            assert!(text.parse::<Seconds>().is_err(), "{text} was accepted");
        }
        assert!("0 Mbps".parse::<BitsPerSecond>().is_err());
        assert!("0 /s".parse::<PerSecond>().is_err());
        assert!(Share::new(1.2).is_err());
        assert!("101 %".parse::<Share>().is_err());
        assert!("1.5 B".parse::<Bytes>().is_err());
    }

    #[test]
    fn what_is_printed_reads_back_to_the_same_value() {
        let mut state = 1_u64;
        for _ in 0..2000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = (state >> 20) as f64 / 1e5 + 1e-7;
            let size = Bytes(state >> 30);
            let rate = BitsPerSecond::new(value).unwrap();
            let time = Seconds::new(value).unwrap();
            assert_eq!(size.to_string().parse(), Ok(size));
            assert_eq!(rate.to_string().parse(), Ok(rate), "{rate}");
            assert_eq!(time.to_string().parse(), Ok(time), "{time}");
        }
    }

    #[test]
    fn quantities_print_in_the_unit_a_reader_would_choose() {
        assert_eq!(Bytes(256 * 1024).to_string(), "256 KiB");
        assert_eq!(Bytes(10_000_000).to_string(), "10 MB");
        assert_eq!(BitsPerSecond(10e6).to_string(), "10 Mbps");
        assert_eq!(Seconds(300.0).to_string(), "5 min");
        assert_eq!(Seconds(0.02).to_string(), "20 ms");
        assert_eq!(BitsPerSecond(100e6).to_string(), "100 Mbps");
        assert_eq!(Seconds(0.0).to_string(), "0 s");
        assert_eq!(Share(0.2).to_string(), "20 %");
    }

    #[test]
    fn a_value_out_of_range_is_shown_as_it_wwritten_as() {
        let error = "-20 ms".parse::<Seconds>().unwrap_err().to_string();
        assert_eq!(
            error,
            "found `-20 ms`; expected a time from 0 s to 100 years"
        );
    }
}
