//! Checks of settings that several searches have.

use netduel_world::{ConfigError, Seconds};

/// Refuses a count of 0.
pub(crate) fn refuse_zero(key: &'static str, count: u32) -> Result<(), ConfigError> {
    match count {
        0 => Err(ConfigError {
            key,
            problem: "is 0; expected at least 1".into(),
        }),
        _ => Ok(()),
    }
}

/// Refuses a wait so short that nobody can answer in time.
pub(crate) fn refuse_short(key: &'static str, time: Seconds) -> Result<(), ConfigError> {
    if time.get() > 0.0 {
        return Ok(());
    }
    Err(ConfigError {
        key,
        problem: "is 0 s; expected a time above 0".into(),
    })
}
