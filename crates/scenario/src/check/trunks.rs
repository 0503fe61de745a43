//! Routers, the trunks between them and the ways over those.

use netduel_world::{BitsPerSecond, RegionId, RouteError, Routers, SimDuration, Trunk};

use super::Check;
use crate::{
    error::ScenarioError,
    key::{Key, suggestion},
    raw,
};

/// A trunk as listed, by the names of its routers.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) rate: BitsPerSecond,
    pub(crate) latency: SimDuration,
}

impl Listed {
    /// What is wrong with a trunk to `to` after these: what is expected in its place.
    pub(crate) fn fault(before: &[Self], from: &str, to: &str) -> Option<&'static str> {
        if from == to {
            return Some("another router than it comes from");
        }
        let twice = before
            .iter()
            .any(|other| other.from == from && other.to == to);
        twice.then_some("two routers that no other trunk joins in this direction")
    }
}

/// Routers and where their trunks stand in the list.
pub(super) struct Backbone {
    pub(super) routers: Routers,
    /// For each trunk, its place among those listed: one that holds for both directions is two.
    listed: Vec<usize>,
}

impl Check<'_> {
    pub(super) fn has_trunks(&self) -> bool {
        let network = &self.raw.network;
        !network.trunks.is_empty() || network.trunk_table.is_some()
    }

    /// The routers; none when there are no trunks.
    pub(super) fn backbone(&self, regions: &[String]) -> Result<Option<Backbone>, ScenarioError> {
        if !self.has_trunks() {
            return Ok(None);
        }
        let table = Key::from("network.trunk-table");
        let trunks = Key::from("network.trunks");
        let network = &self.raw.network;
        let (key, listed) = match &network.trunk_table {
            Some(_) if !network.trunks.is_empty() => {
                let problem = "is given besides `trunks`; expected one or the other";
                return Err(self.doc.problem(&table, problem));
            }
            Some(name) => {
                let listed = self.tables.trunks(self.doc, &table, name)?;
                (table, listed)
            }
            None => {
                let listed = self.written(&trunks, &network.trunks.0)?;
                (trunks, listed)
            }
        };
        let names = self.routers(&key, regions, &listed)?;
        let at: Vec<usize> = (0..regions.len()).collect();
        let (trunks, places) = both_ways(&listed, &names);
        let routers = Routers::new(names.len(), trunks, &at).map_err(|error| {
            let problem = match error {
                RouteError::NoWay { from, to } => format!(
                    "has no way from \"{}\" to \"{}\"; expected one between any two routers",
                    names[from], names[to]
                ),
                RouteError::TooLong { from, to } => format!(
                    "has too long a way from \"{}\" to \"{}\"; expected at most {} trunks",
                    names[from],
                    names[to],
                    Routers::TRUNKS_MAX
                ),
            };
            self.doc.problem(&key, problem)
        })?;
        Ok(Some(Backbone {
            routers,
            listed: places,
        }))
    }

    /// The trunks in the file.
    fn written(
        &self,
        key: &Key,
        trunks: &[(String, raw::Trunk)],
    ) -> Result<Vec<Listed>, ScenarioError> {
        let mut listed = Vec::new();
        for (name, trunk) in trunks {
            for (column, end) in [("from", &trunk.from), ("to", &trunk.to)] {
                if end.is_empty() {
                    let key = key.join(name).join(column);
                    return Err(self.doc.refuse(&key, "the name of a router"));
                }
            }
            if let Some(expected) = Listed::fault(&listed, &trunk.from, &trunk.to) {
                return Err(self.doc.refuse(&key.join(name).join("to"), expected));
            }
            listed.push(Listed {
                from: trunk.from.clone(),
                to: trunk.to.clone(),
                rate: trunk.rate,
                latency: SimDuration::from(trunk.latency),
            });
        }
        Ok(listed)
    }

    /// Names of all routers: those of the regions, in their order, then the others.
    fn routers(
        &self,
        key: &Key,
        regions: &[String],
        listed: &[Listed],
    ) -> Result<Vec<String>, ScenarioError> {
        let ends = || listed.iter().flat_map(|trunk| [&trunk.from, &trunk.to]);
        let mut names = regions.to_vec();
        for end in ends() {
            if !names.contains(end) {
                names.push(end.clone());
            }
        }
        if let Some(alone) = regions
            .iter()
            .find(|region| !ends().any(|end| end == *region))
        {
            let problem = format!(
                "has no trunk from or to the region \"{alone}\"; expected one for every region"
            );
            let mut error = self.doc.problem(key, problem);
            // A router that is no region may be one with a slip in its name.
            let others = names[regions.len()..].iter().map(String::as_str);
            error.hint = suggestion(alone, others);
            return Err(error);
        }
        Ok(names)
    }

    /// Names of the trunks over which no way between regions leads.
    pub(super) fn idle_trunks(&self) -> Vec<&str> {
        let regions = self.regions().map(|(regions, _)| regions);
        let Ok(Some(backbone)) = regions.and_then(|regions| self.backbone(&regions)) else {
            return Vec::new();
        };
        let count = u16::try_from(backbone.routers.region_count());
        let regions = || (0..count.expect("regions are counted in 16 bits")).map(RegionId);
        let mut used = vec![false; backbone.listed.len()];
        for (from, to) in regions().flat_map(|from| regions().map(move |to| (from, to))) {
            for trunk in backbone.routers.way(from, to) {
                used[backbone.listed[*trunk]] = true;
            }
        }
        let trunks = self.raw.network.trunks.0.iter().zip(used);
        let idle = trunks.filter(|(_, used)| !used);
        idle.map(|((name, _), _)| name.as_str()).collect()
    }
}

/// The trunks with those back that are not listed by themselves, and where each stands in the list.
fn both_ways(listed: &[Listed], names: &[String]) -> (Vec<Trunk>, Vec<usize>) {
    let router = |name: &String| {
        let index = names.iter().position(|known| known == name);
        index.expect("every end is a router")
    };
    let mut trunks = Vec::new();
    let mut places = Vec::new();
    for (place, trunk) in listed.iter().enumerate() {
        let (from, to) = (router(&trunk.from), router(&trunk.to));
        let mut push = |from, to| {
            trunks.push(Trunk {
                from,
                to,
                rate: trunk.rate,
                latency: trunk.latency,
            });
            places.push(place);
        };
        push(from, to);
        if Listed::fault(listed, &trunk.to, &trunk.from).is_none() {
            push(to, from);
        }
    }
    (trunks, places)
}
