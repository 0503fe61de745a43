//! Places and the latencies between them.

use netduel_world::{Latency, Seconds, SimDuration};

use super::Check;
use crate::{
    error::ScenarioError,
    key::{Key, suggestion},
    raw::{Either, LatencyTable},
};

/// Above, a connection needs more than ten sendings for one message on average.
const MESSAGE_LOSS_MAX: f64 = 0.9;
/// Above, most transfers of a mebibyte arrive damaged whatever a design does.
const CORRUPTION_MAX: f64 = 1e-3;

impl Check<'_> {
    /// Whether places matter.
    pub(super) fn has_regions(&self) -> bool {
        self.has_trunks()
            || matches!(&self.raw.network.latency, Either::Table(table) if table.regions.is_some())
    }

    /// Names of the regions and the share of users in each; one without a name when places do
    /// not matter.
    pub(super) fn regions(&self) -> Result<(Vec<String>, Vec<f64>), ScenarioError> {
        if !self.has_regions() {
            return Ok((vec![String::new()], vec![1.0]));
        }
        let Some(file) = &self.raw.population.regions else {
            let why = if self.has_trunks() {
                "`network` has trunks"
            } else {
                "`network.latency` has regions"
            };
            let problem = format!("is missing; expected because {why}");
            return Err(self.doc.problem(&"population.regions".into(), problem));
        };
        let key = Key::from("population.regions.table");
        self.tables.regions(self.doc, &key, &file.table)
    }

    /// The number of the region in which machines stand.
    pub(super) fn region_of(
        &self,
        machines: &Key,
        region: Option<&str>,
        regions: &[String],
    ) -> Result<u16, ScenarioError> {
        if !self.has_regions() {
            return Ok(0);
        }
        let key = machines.join("region");
        let names = || regions.iter().map(String::as_str);
        let expected = crate::key::listed(names());
        let Some(region) = region else {
            let problem = format!("is missing; expected {expected}");
            return Err(self.doc.problem(&key, problem));
        };
        let index = names().position(|name| name == region).ok_or_else(|| {
            let mut error = self.doc.refuse(&key, expected);
            error.hint = suggestion(region, names());
            error
        })?;
        Ok(u16::try_from(index).expect("regions are counted in 16 bits"))
    }

    /// The share of messages that are lost.
    pub(super) fn message_loss(&self) -> Result<f64, ScenarioError> {
        let loss = self.raw.network.message_loss.get();
        if loss > MESSAGE_LOSS_MAX {
            let expected = format!("a share from 0 to {MESSAGE_LOSS_MAX}");
            let key = "network.message-loss".into();
            return Err(self.doc.refuse(&key, expected));
        }
        Ok(loss)
    }

    /// Latencies and corruption.
    pub(super) fn network(&self, regions: &[String]) -> Result<(Latency, f64), ScenarioError> {
        let corruption = self.raw.network.corruption;
        if !(0.0..=CORRUPTION_MAX).contains(&corruption) {
            let expected = format!("a probability per byte from 0 to {CORRUPTION_MAX}");
            return Err(self.doc.refuse(&"network.corruption".into(), expected));
        }
        let constant = |time: Seconds| Latency::constant(SimDuration::from(time));
        let latency = match &self.raw.network.latency {
            Either::Text(time) => constant(*time),
            Either::Table(LatencyTable {
                constant: Some(time),
                regions: None,
                jitter,
            }) => constant(*time).with_jitter(jitter.get()),
            Either::Table(LatencyTable {
                constant: None,
                regions: Some(name),
                jitter,
            }) => {
                let key = Key::from("network.latency.regions");
                let between = self.tables.latencies(self.doc, &key, name, regions)?;
                Latency::between_regions(regions.len(), between).with_jitter(jitter.get())
            }
            Either::Table(_) => {
                let expected = "either `constant` or `regions` in it";
                return Err(self.doc.refuse(&"network.latency".into(), expected));
            }
        };
        Ok((latency, corruption))
    }
}
