//! What goes wrong, and whether it can.

use netduel_world::{Failure, MachineGroup, Pick, Seconds, What, Who};

use super::Check;
use crate::{
    error::ScenarioError,
    key::{Key, listed, suggestion},
    raw::{self, Either, WhatTable, WhoTable},
};

impl Check<'_> {
    pub(super) fn failures(
        &self,
        groups: &[MachineGroup],
        end: Seconds,
    ) -> Result<Vec<Failure>, ScenarioError> {
        let failures = self.raw.failures.iter().zip(1_usize..);
        failures
            .map(|(failure, number)| {
                let key = Key::from("failures").join(number.to_string());
                self.failure(&key, failure, groups, end)
            })
            .collect()
    }

    fn failure(
        &self,
        key: &Key,
        raw: &raw::Failure,
        groups: &[MachineGroup],
        end: Seconds,
    ) -> Result<Failure, ScenarioError> {
        if raw.at >= end {
            let expected = format!("a time before the run ends, at {end} at the latest");
            return Err(self.doc.refuse(&key.join("at"), expected));
        }
        Ok(Failure {
            at: raw.at,
            lasts: raw.lasts,
            who: self.who(&key.join("who"), raw, groups)?,
            what: self.what(&key.join("what"), raw)?,
        })
    }

    fn what(&self, key: &Key, raw: &raw::Failure) -> Result<What, ScenarioError> {
        match &raw.what {
            Either::Text(raw::Crash::Crash) => Ok(What::Crash(raw.state.unwrap_or_default())),
            Either::Table(WhatTable::Churn(churn)) => {
                let key = key.join("churn");
                Ok(What::Churn {
                    session: self.turns(&key.join("session"), &churn.session)?,
                    downtime: self.turns(&key.join("downtime"), &churn.downtime)?,
                })
            }
            Either::Table(WhatTable::Slow(slow)) => {
                if slow.to.get() >= 1.0 {
                    let expected = "a share below 1, since all of a rate is no loss";
                    return Err(self.doc.refuse(&key.join("slow").join("to"), expected));
                }
                Ok(What::Slow(slow.to))
            }
        }
    }

    fn who(
        &self,
        key: &Key,
        raw: &raw::Failure,
        groups: &[MachineGroup],
    ) -> Result<Who, ScenarioError> {
        let needs_machines = |key: &Key, pick: Pick| {
            if pick == Pick::Infrastructure && groups.is_empty() {
                let expected = "users, or machines under [infrastructure]";
                return Err(self.doc.refuse(key, expected));
            }
            Ok(pick)
        };
        match &raw.who {
            Either::Text(pick) => needs_machines(key, *pick).map(Who::Role),
            Either::Table(WhoTable::Random(random)) => {
                let of = needs_machines(&key.join("random").join("of"), random.of)?;
                let share = random.share;
                Ok(Who::Random { share, of })
            }
            Either::Table(WhoTable::Machine(name)) => {
                self.machine(&key.join("machine"), name, groups)
            }
            Either::Table(WhoTable::MostLoaded(count)) => {
                let key = key.join("most-loaded");
                let machines: u32 = groups.iter().map(|group| group.count).sum();
                let nodes = machines.saturating_add(self.raw.population.peers);
                if *count > nodes {
                    let expected = format!("at most {nodes}, the number of machines and users");
                    return Err(self.doc.refuse(&key, expected));
                }
                if matches!(raw.what, Either::Table(WhatTable::Churn(_))) {
                    let problem = "chooses whom to crash or slow down, not who comes and goes; \
                                   expected another `who` for churn";
                    return Err(self.doc.problem(&key, problem));
                }
                Ok(Who::MostLoaded(*count))
            }
        }
    }

    fn machine(
        &self,
        key: &Key,
        name: &str,
        groups: &[MachineGroup],
    ) -> Result<Who, ScenarioError> {
        let names = || groups.iter().map(|group| group.name.as_str());
        if names().any(|known| known == name) {
            return Ok(Who::Machine(name.to_owned()));
        }
        if groups.is_empty() {
            let expected = "users, or machines under [infrastructure]";
            return Err(self.doc.refuse(key, expected));
        }
        let mut error = self.doc.refuse(key, listed(names()));
        error.hint = suggestion(name, names());
        Err(error)
    }
}
