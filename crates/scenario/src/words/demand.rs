//! What users ask for, and what answers it, in plain words.

use netduel_world::{Bytes, Discipline, Processor};

use super::{SWEPT, Words, count, file_name, grouped};
use crate::{
    check,
    key::Key,
    raw::{self, ArrivalsTable, Either, Rule},
};

impl Words<'_> {
    fn demand_key(&self) -> Key {
        Key::from("demand").join(self.raw.demand.name())
    }

    /// What is asked for, as it stands first in the set-up.
    pub(super) fn asked(&self) -> Vec<String> {
        let raw = &self.raw.demand;
        let key = self.demand_key();
        let zipf = self.exponent().map(|zipf| format!(" (Zipf {zipf})"));
        let zipf = zipf.unwrap_or_default();
        let mut parts = Vec::new();
        if let Some(download) = &raw.download {
            parts.push(match self.or_swept(&key.join("size"), download.size) {
                _ if self.many("objects", download.objects) => {
                    let files = self.number(&key.join("objects"), download.objects, "file");
                    let size = self.or_swept(&key.join("size"), download.size);
                    format!("{files} of {size}{zipf}")
                }
                swept if swept == SWEPT => "file size swept".to_owned(),
                size => format!("{size} file"),
            });
        } else if let Some(lookup) = &raw.lookup {
            let keys = self.number(&key.join("keys"), lookup.keys, "key");
            let value = self.value(&key.join("value"), lookup.value);
            let value = value.map_or(String::new(), |value| format!(" with values of {value}"));
            let reads = self.reads();
            let reads = reads.map_or(String::new(), |share| format!(", {share} look-ups"));
            parts.push(format!("look-ups of {keys}{value}{zipf}{reads}"));
        } else if let Some(search) = &raw.search {
            let objects = self.number(&key.join("objects"), search.objects, "object");
            let replicas = self.or_swept(&key.join("replicas"), search.replicas);
            let rule = match search.replication.unwrap_or_default() {
                _ if self.rule().is_none() => "",
                _ if self.varies_at(&key.join("replication")) => ", spread as swept",
                Rule::Proportional => ", proportional",
                Rule::SquareRoot => ", square root",
                Rule::Uniform => "",
            };
            parts.push(format!(
                "searches for {objects}{zipf}, {replicas} copies of each on average{rule}"
            ));
        } else if let Some(broadcast) = &raw.broadcast {
            let size = self.value(&key.join("size"), broadcast.size);
            parts.push(match size {
                Some(size) => format!("broadcast of {size}"),
                None => "broadcast".to_owned(),
            });
        }
        if raw.requests().is_some() || self.varies_at(&key.join("requests")) {
            parts.push(self.number(
                &key.join("requests"),
                raw.requests().unwrap_or(1),
                "request",
            ));
        }
        parts
    }

    /// The work and how users come, as it stands late in the set-up.
    pub(super) fn pace(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if !matches!(self.raw.demand.arrivals(), Either::Text(_)) {
            let arrivals = self.arrivals();
            let few = arrivals.split_once(" (from");
            let few = few.map_or(arrivals.as_str(), |(few, _)| few);
            parts.push(format!("arrivals {few}"));
        }
        parts.extend(self.work().map(|work| format!("work {work}")));
        parts
    }

    /// What users ask for, a line each.
    pub(super) fn demand(&self) -> Vec<String> {
        let raw = &self.raw.demand;
        let key = self.demand_key();
        let every = match raw.requests() {
            Some(_) => "users".to_owned(),
            None => "every user".to_owned(),
        };
        let (s, once) = match raw.requests() {
            Some(_) => ("", ""),
            None => ("s", " once"),
        };
        let arrivals = self.arrivals();
        let mut lines = Vec::new();
        if let Some(download) = &raw.download {
            let size = self.or_swept(&key.join("size"), download.size);
            if self.many("objects", download.objects) {
                let objects = self.or_swept(&key.join("objects"), download.objects);
                let objects = grouped(&objects);
                lines.push(format!(
                    "{every} download{s} one of {objects} objects{once}; size of each {size}, \
                     arrivals {arrivals}"
                ));
            } else {
                lines.push(format!(
                    "{every} download{s} the same object{once}; size {size}, arrivals {arrivals}"
                ));
            }
        } else if let Some(lookup) = &raw.lookup {
            let keys = grouped(&self.or_swept(&key.join("keys"), lookup.keys));
            let what = match self.reads() {
                Some(share) => format!(
                    "look{s} up the value of one of {keys} keys ({share}) or store{s} one (the rest)"
                ),
                None => format!("look{s} up the value of one of {keys} keys"),
            };
            lines.push(format!("{every} {what}{once}; arrivals {arrivals}"));
            lines.push(match self.value(&key.join("value"), lookup.value) {
                Some(value) => format!("a value has {value}"),
                None => "a value is small enough to ride in a message".to_owned(),
            });
        } else if let Some(search) = &raw.search {
            let objects = grouped(&self.or_swept(&key.join("objects"), search.objects));
            lines.push(format!(
                "{every} search{s} for somebody who has one of {objects} objects{once}; arrivals \
                 {arrivals}"
            ));
            let replicas = self.or_swept(&key.join("replicas"), search.replicas);
            let rule = self.rule().unwrap_or("the same number of each");
            lines.push(format!(
                "an object is with this many users, on average: {replicas}, {rule}"
            ));
        } else if let Some(broadcast) = &raw.broadcast {
            let what = match self.value(&key.join("size"), broadcast.size) {
                Some(size) => format!("something of {size}"),
                None => "something that fits a message".to_owned(),
            };
            lines.push(match raw.requests() {
                Some(_) => format!("users tell all users {what}; arrivals {arrivals}"),
                None => format!("one user tells all users {what}"),
            });
        }
        lines.extend(self.popularity());
        if raw.requests().is_some() || self.varies_at(&key.join("requests")) {
            let key = key.join("requests");
            let requests = self.or_swept(&key, raw.requests().unwrap_or(1));
            let who = match raw.arrivals() {
                Either::Table(ArrivalsTable::ClosedLoop(_)) => "shared out among the users in turn",
                _ => "each from a user chosen at random",
            };
            lines.push(format!("requests in all: {}, {who}", grouped(&requests)));
        }
        lines.extend(
            self.work()
                .map(|work| format!("answering a request takes a core of speed 1: {work}")),
        );
        lines
    }

    /// How unequal the popularity is, when there is a choice.
    fn popularity(&self) -> Option<String> {
        let (name, count, _) = self.raw.demand.choice()?;
        if !self.many(name, count) {
            return None;
        }
        Some(match self.exponent() {
            Some(zipf) => format!("popularity by Zipf's law with exponent {zipf}"),
            None => "all equally popular".to_owned(),
        })
    }

    /// The exponent of Zipf's law, unless all are equally popular.
    fn exponent(&self) -> Option<String> {
        let (name, count, zipf) = self.raw.demand.choice()?;
        let key = self.demand_key().join("zipf");
        let zipf = zipf.unwrap_or(0.0);
        let unequal = zipf > 0.0 || self.varies_at(&key);
        (unequal && self.many(name, count)).then(|| self.or_swept(&key, zipf))
    }

    /// Whether there is more than one thing to ask for, here or at another point.
    fn many(&self, name: &str, count: u32) -> bool {
        count > 1 || self.varies_at(&self.demand_key().join(name))
    }

    fn number(&self, key: &Key, number: u32, noun: &str) -> String {
        if self.varies_at(key) {
            return format!("{} {noun}s", self.or_swept(key, number));
        }
        count(number as usize, noun)
    }

    /// A size that may be nothing to speak of.
    fn value(&self, key: &Key, size: Bytes) -> Option<String> {
        (size.0 > 0 || self.varies_at(key)).then(|| self.or_swept(key, size))
    }

    /// The share of look-ups, when there are stores too.
    fn reads(&self) -> Option<String> {
        let share = self.raw.demand.lookup.as_ref()?.reads.unwrap_or_default();
        let given = self.raw.demand.lookup.as_ref()?.reads.is_some();
        let key = self.demand_key().join("reads");
        let mixed = given && share.get() < 1.0 || self.varies_at(&key);
        mixed.then(|| self.or_swept(&key, share))
    }

    /// How copies are spread, unless evenly.
    fn rule(&self) -> Option<&'static str> {
        let search = self.raw.demand.search.as_ref()?;
        if self.varies_at(&self.demand_key().join("replication")) {
            return Some("spread as swept");
        }
        match search.replication.unwrap_or_default() {
            Rule::Uniform => None,
            Rule::Proportional => Some("in proportion to popularity"),
            Rule::SquareRoot => Some("in proportion to the square root of popularity"),
        }
    }

    /// The work of a request, unless there is none.
    fn work(&self) -> Option<String> {
        let key = self.demand_key().join("work");
        let work = self.raw.demand.work();
        if check::is_nothing(work) && !self.varies_at(&key) {
            return None;
        }
        let text = work.map_or_else(String::new, ToString::to_string);
        Some(self.or_swept(&key, text))
    }

    /// What devices or machines compute with, when they do.
    pub(super) fn processor(&self, key: &Key, processor: Processor) -> Option<String> {
        self.work()?;
        let name = |name: &str| key.join(name);
        let cores = match processor.cores {
            cores if self.varies_at(&name("cores")) => {
                format!("{} cores", self.or_swept(&name("cores"), cores))
            }
            cores => count(cores as usize, "core"),
        };
        let speed = self.or_swept(&name("speed"), processor.speed);
        let queue = self.or_swept(&name("queue"), processor.queue);
        let discipline = match processor.discipline {
            _ if self.varies_at(&name("discipline")) => "shared as swept",
            Discipline::Fifo => "first come, first served",
            Discipline::ProcessorSharing => "shared by all",
        };
        Some(format!(
            "{cores} of speed {speed}, {discipline}, {} may wait",
            grouped(&queue)
        ))
    }

    pub(super) fn arrivals(&self) -> String {
        let key = self.demand_key().join("arrivals");
        if let Some(range) = self.range(&key.join("poisson")) {
            return format!("{range} (Poisson)");
        }
        if self.varies_at(&key) {
            return SWEPT.into();
        }
        match self.raw.demand.arrivals() {
            Either::Text(raw::AllAtOnce::AllAtOnce) => "all at once".into(),
            Either::Table(ArrivalsTable::Poisson(rate)) => match self.rate {
                Some(written) => format!("{} (Poisson)", written.trim_matches(['"', '\''])),
                None => format!("{rate} (Poisson)"),
            },
            Either::Table(ArrivalsTable::FlashCrowd(crowd)) => format!(
                "{} rising to {} (from {} on: rise {}, hold {}, fall {})",
                crowd.base, crowd.peak, crowd.at, crowd.rise, crowd.hold, crowd.fall
            ),
            Either::Table(ArrivalsTable::Diurnal(day)) => format!(
                "{} on average, swinging by {} every {}",
                day.mean, day.swing, day.period
            ),
            Either::Table(ArrivalsTable::ClosedLoop(closed)) => format!(
                "in a closed loop: every user asks again after a pause ({})",
                closed.think
            ),
            Either::Table(ArrivalsTable::Trace(name)) => format!("as in {}", file_name(name)),
        }
    }
}
