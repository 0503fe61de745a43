//! The users' devices.

use netduel_world::{Access, Population};

use super::{Check, PEERS_MAX, after_download};
use crate::{error::ScenarioError, key::Key, raw::RateLaw};

impl Check<'_> {
    pub(super) fn population(&self, region_shares: Vec<f64>) -> Result<Population, ScenarioError> {
        let raw = &self.raw.population;
        if !(1..=PEERS_MAX).contains(&raw.peers) {
            let expected = format!("a whole number from 1 to {PEERS_MAX}");
            return Err(self.doc.refuse(&"population.peers".into(), expected));
        }
        Ok(Population {
            peers: raw.peers,
            access: self.access()?,
            region_shares,
            free_riders: raw.free_riders.unwrap_or_default(),
            after_download: after_download(raw),
            processor: self.processor(&"population".into(), raw.written())?,
        })
    }

    fn access(&self) -> Result<Access, ScenarioError> {
        let raw = &self.raw.population;
        let key = Key::from("population");
        let Some(file) = &raw.access else {
            let rates = |name: &str, law: &Option<RateLaw>| {
                let key = key.join(name);
                let Some(law) = law else {
                    let problem = "is missing; expected in `population`, or `access` in its place";
                    return Err(self.doc.problem(&key, problem));
                };
                self.rates(&key, law)
            };
            return Ok(Access::Independent {
                upload: rates("upload", &raw.upload)?,
                download: rates("download", &raw.download)?,
            });
        };
        for name in ["upload", "download"] {
            if self.doc.has(&key.join(name)) {
                let problem = "is given besides `access`; expected one or the other";
                return Err(self.doc.problem(&key.join(name), problem));
            }
        }
        let key = key.join("access").join("table");
        let classes = self.tables.access(self.doc, &key, &file.table)?;
        Ok(Access::Classes(classes))
    }
}
