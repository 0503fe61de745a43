//! What users ask for.

use std::ops::RangeInclusive;

use netduel_world::{
    AfterDownload, Arrivals, Demand, Law, PerSecond, Processor, Seconds, Share, Wants, WorldKey,
};

use super::{Check, Idle, after_download};
use crate::{
    error::ScenarioError,
    key::{Key, listed},
    raw::{self, ArrivalsTable, Either, TimeLaw},
};

/// Most requests of a run: what the ledger of a laptop holds.
const REQUESTS_MAX: u32 = 100_000_000;
/// Most objects or keys: as many as users.
const CHOICE_MAX: u32 = 10_000_000;
/// With a larger exponent nobody ever asks for the second.
const ZIPF_MAX: f64 = 10.0;
/// Users who come more slowly are a slip in the unit.
const CROWD_YEARS_MAX: f64 = 10.0;
/// More cores than the largest machines have.
const CORES_MAX: u32 = 1_000_000;
/// Cores differ by less than a thousand times; beyond, the unit of work is a slip.
const SPEEDS: RangeInclusive<f64> = 1e-3..=1e3;
/// The only tables that a demand can be.
const TABLES: [&str; 4] = ["download", "lookup", "search", "broadcast"];

impl Check<'_> {
    /// What users ask for.
    pub(super) fn demand(&self, peers: u32) -> Result<Demand, ScenarioError> {
        let key = self.demand_key()?;
        let raw = &self.raw.demand;
        let requests = raw.requests();
        if requests.is_some_and(|count| !(1..=REQUESTS_MAX).contains(&count)) {
            let expected = format!("a whole number from 1 to {REQUESTS_MAX}");
            return Err(self.doc.refuse(&key.join("requests"), expected));
        }
        let wants = self.wants(&key, peers)?;
        let work = match raw.work() {
            Some(law) => self.bounded(&key.join("work"), law)?,
            None => Law::Constant(0.0),
        };
        let mut demand = Demand {
            wants,
            arrivals: Arrivals::AllAtOnce,
            requests,
            work,
        };
        let count = demand.request_count(peers);
        demand.arrivals = self.arrivals(&key.join("arrivals"), count, requests.is_none())?;
        self.refuse_leavers_who_ask_again(requests)?;
        Ok(demand)
    }

    /// The key of the only table.
    fn demand_key(&self) -> Result<Key, ScenarioError> {
        let key = Key::from("demand");
        match self.raw.demand.names().as_slice() {
            [name] => Ok(key.join(*name)),
            [] => {
                let problem = format!("says nothing; expected {}", listed(TABLES));
                Err(self.doc.problem(&key, problem))
            }
            [first, second, ..] => {
                let problem =
                    format!("is given besides `demand.{first}`; expected one or the other");
                Err(self.doc.problem(&key.join(*second), problem))
            }
        }
    }

    fn wants(&self, key: &Key, peers: u32) -> Result<Wants, ScenarioError> {
        let raw = &self.raw.demand;
        if let Some((name, count, exponent)) = raw.choice() {
            if !(1..=CHOICE_MAX).contains(&count) {
                let expected = format!("a whole number from 1 to {CHOICE_MAX}");
                return Err(self.doc.refuse(&key.join(name), expected));
            }
            if exponent.is_some_and(|zipf| !(0.0..=ZIPF_MAX).contains(&zipf)) {
                let expected = format!("a number from 0 to {ZIPF_MAX}");
                return Err(self.doc.refuse(&key.join("zipf"), expected));
            }
        }
        let zipf = |written: Option<f64>| written.unwrap_or(0.0);
        if let Some(download) = &raw.download {
            if download.size.0 == 0 {
                return Err(self.doc.refuse(&key.join("size"), "a size above 0 B"));
            }
            return Ok(Wants::Download {
                objects: download.objects,
                zipf: zipf(download.zipf),
                size: download.size,
            });
        }
        if let Some(lookup) = &raw.lookup {
            return Ok(Wants::Lookup {
                keys: lookup.keys,
                zipf: zipf(lookup.zipf),
                value: lookup.value,
                reads: lookup
                    .reads
                    .unwrap_or_else(|| Share::new(1.0).expect("1 is a share")),
            });
        }
        if let Some(search) = &raw.search {
            if !(1.0..=f64::from(peers)).contains(&search.replicas) {
                let expected = format!("a number from 1 to {peers}, the number of users");
                return Err(self.doc.refuse(&key.join("replicas"), expected));
            }
            return Ok(Wants::Search {
                objects: search.objects,
                zipf: zipf(search.zipf),
                replicas: search.replicas,
                rule: search.replication.unwrap_or_default().into(),
            });
        }
        let broadcast = raw.broadcast.as_ref();
        let broadcast = broadcast.expect("the demand is one of its tables");
        Ok(Wants::Broadcast {
            size: broadcast.size,
        })
    }

    fn arrivals(&self, key: &Key, count: u32, once: bool) -> Result<Arrivals, ScenarioError> {
        let table = match self.raw.demand.arrivals() {
            Either::Text(raw::AllAtOnce::AllAtOnce) => return Ok(Arrivals::AllAtOnce),
            Either::Table(table) => table,
        };
        let who = match (once, self.raw.demand.name()) {
            (true, name) if name != "broadcast" => "users",
            _ => "requests",
        };
        // Of each way to come, the rate at its slowest and where it is written.
        let within = |rate: PerSecond, key: &Key| {
            if f64::from(count) / rate.get() > CROWD_YEARS_MAX * 365.25 * 86400.0 {
                let expected = format!("all {count} {who} to come within {CROWD_YEARS_MAX} years");
                return Err(self.doc.refuse(key, expected));
            }
            Ok(())
        };
        match table {
            ArrivalsTable::Poisson(rate) => {
                within(*rate, &key.join("poisson"))?;
                Ok(Arrivals::Poisson(*rate))
            }
            ArrivalsTable::FlashCrowd(crowd) => {
                let key = key.join("flash-crowd");
                within(crowd.base, &key.join("base"))?;
                if crowd.peak <= crowd.base {
                    let expected = format!("more than `base`, {}", crowd.base);
                    return Err(self.doc.refuse(&key.join("peak"), expected));
                }
                if crowd.rise.get() + crowd.hold.get() + crowd.fall.get() <= 0.0 {
                    let problem = "has a height that lasts no time; expected `rise`, `hold` or \
                                   `fall` above 0 s";
                    return Err(self.doc.problem(&key, problem));
                }
                Ok(Arrivals::FlashCrowd {
                    base: crowd.base,
                    peak: crowd.peak,
                    at: crowd.at,
                    rise: crowd.rise,
                    hold: crowd.hold,
                    fall: crowd.fall,
                })
            }
            ArrivalsTable::Diurnal(day) => {
                let key = key.join("diurnal");
                within(day.mean, &key.join("mean"))?;
                if day.period.get() <= 0.0 {
                    return Err(self.doc.refuse(&key.join("period"), "a time above 0 s"));
                }
                Ok(Arrivals::Diurnal {
                    mean: day.mean,
                    swing: day.swing,
                    period: day.period,
                })
            }
            ArrivalsTable::ClosedLoop(closed) => {
                let key = key.join("closed-loop").join("think");
                let think = self.bounded(&key, &closed.think)?;
                Ok(Arrivals::ClosedLoop { think })
            }
            ArrivalsTable::Trace(name) => {
                let times = self.trace(&key.join("trace"), name, count, who)?;
                Ok(Arrivals::Trace(times))
            }
        }
    }

    /// A law of times that a clock can hold, whatever is drawn.
    fn bounded(&self, key: &Key, raw: &TimeLaw) -> Result<Law, ScenarioError> {
        let law = self.times(key, raw)?;
        if law.largest() > Seconds::MAX.get() {
            let expected = "a law under which no draw is longer than 100 years";
            return Err(self.doc.refuse(key, expected));
        }
        Ok(law)
    }

    fn trace(
        &self,
        key: &Key,
        name: &str,
        count: u32,
        who: &str,
    ) -> Result<Vec<Seconds>, ScenarioError> {
        let mut times = self.tables.trace(self.doc, key, name)?;
        if times.len() < count as usize {
            let rows = times.len();
            let one = who.trim_end_matches('s');
            let problem =
                format!("has {rows} rows for {count} {who}; expected a row for each {one}");
            return Err(self.doc.problem(key, problem));
        }
        times.truncate(count as usize);
        // A fixed time is a window on the trace; the limit of what ends by itself cuts it off.
        if let (None, limit) = self.limits()?
            && let Some(late) = times.iter().position(|time| *time > limit)
        {
            let [late, last] = [times[late], times[times.len() - 1]];
            let problem = format!(
                "has a request at {late}, after the run has ended at `experiment.at-most`, \
                 {limit}; expected at most that, or an `at-most` from {last} up"
            );
            return Err(self.doc.problem(key, problem));
        }
        Ok(times)
    }

    /// A user who leaves after the first request would take the others along.
    fn refuse_leavers_who_ask_again(&self, requests: Option<u32>) -> Result<(), ScenarioError> {
        let leaves = after_download(&self.raw.population) != AfterDownload::Stay;
        if leaves && requests.is_some() && self.raw.demand.download.is_some() {
            let problem = "has users leave who may ask again; expected \"stay\", or one request \
                           from each user, without `demand.download.requests`";
            let key = Key::from("population.after-download");
            return Err(self.doc.problem(&key, problem));
        }
        Ok(())
    }

    /// Keys of the demand, and of what answers it, that are written and do nothing.
    pub(super) fn idle_demand(&self, note: &mut impl FnMut(Key, &'static str)) {
        let raw = &self.raw.demand;
        let key = Key::from("demand").join(raw.name());
        if let Some((_, count, zipf)) = raw.choice() {
            if count == 1 {
                note(key.join("zipf"), "there is one thing to ask for");
            }
            if count == 1 || zipf.unwrap_or(0.0) <= 0.0 {
                let why = "all objects are equally popular";
                note(key.join("replication"), why);
            }
        }
        self.idle_swell(&key, note);
        if raw.download.is_none() {
            note("population.after-download".into(), "nobody downloads");
        }
        if !self.used(WorldKey::Work) {
            note(key.join("work"), "no contender has a processor answer");
        }
    }

    /// A swing of nothing has no period.
    fn idle_swell(&self, key: &Key, note: &mut impl FnMut(Key, &'static str)) {
        if let Either::Table(ArrivalsTable::Diurnal(day)) = self.raw.demand.arrivals()
            && day.swing.get() <= 0.0
        {
            let key = key.join("arrivals").join("diurnal").join("period");
            note(key, "the rate does not swing");
        }
    }

    /// Keys of processors that are written and do nothing.
    pub(super) fn idle_processors(&self) -> Vec<Idle> {
        let everywhere = if self.used(WorldKey::Work) {
            is_nothing(self.raw.demand.work()).then_some("answering takes no work")
        } else {
            Some("no contender has a processor answer")
        };
        let machines = self.raw.infrastructure.0.iter().map(|(name, _)| {
            let key = Key::from("infrastructure").join(name);
            (key, everywhere)
        });
        let servers_only = servers_only(self.kinds.iter().map(|kind| kind.family));
        let users_do_not = "in no contender do users' devices answer";
        let users = everywhere.or(servers_only.then_some(users_do_not));
        let mut idle = Vec::new();
        for (key, why) in machines.chain([("population".into(), users)]) {
            let Some(why) = why else { continue };
            for name in raw::Written::KEYS {
                if self.doc.has(&key.join(name)) {
                    let key = key.join(name);
                    idle.push(Idle { key, why });
                }
            }
        }
        idle
    }

    /// A processor as written, with every default filled in.
    pub(super) fn processor(
        &self,
        key: &Key,
        written: raw::Written,
    ) -> Result<Processor, ScenarioError> {
        let processor = written.processor();
        if !(1..=CORES_MAX).contains(&processor.cores) {
            let expected = format!("a whole number from 1 to {CORES_MAX}");
            return Err(self.doc.refuse(&key.join("cores"), expected));
        }
        if !SPEEDS.contains(&processor.speed) {
            let expected = "a number from 0.001 to 1000";
            return Err(self.doc.refuse(&key.join("speed"), expected));
        }
        Ok(processor)
    }
}

/// Whether a law of times is written that is always 0 s.
pub(crate) fn is_nothing(law: Option<&TimeLaw>) -> bool {
    law.is_none_or(|law| matches!(law, Either::Text(time) if time.get() <= 0.0))
}

/// Whether in these families only an operator's machines answer.
pub(crate) fn servers_only<'a>(mut families: impl Iterator<Item = &'a str>) -> bool {
    families.all(|family| family == "client-server")
}
