//! The scenario in plain words.

mod demand;

use std::fmt::{self, Write as _};

use netduel_world::{Patience, Pick, RetryBudget, StateLoss};

use crate::{
    check,
    claim::Claim,
    key::Key,
    raw::{self, Either, LatencyTable, Until, WhatTable, WhoTable},
    scenario::{Axis, Entrant, Experiment, FairnessLedger, Point},
};

/// Puts things in words, a range or "swept" in the place of what is varied.
pub(crate) struct Words<'a> {
    pub(crate) raw: &'a raw::Scenario,
    /// The swept keys, one for each axis.
    pub(crate) swept: &'a [Key],
    pub(crate) axes: &'a [Axis],
    /// The rate of Poisson arrivals as written.
    pub(crate) rate: Option<&'a str>,
}

/// What the explanation is about besides the world.
pub(crate) struct Duel<'a> {
    pub(crate) entrants: &'a [Entrant],
    pub(crate) axes: &'a [Axis],
    pub(crate) first: &'a Point,
    pub(crate) point_count: usize,
    pub(crate) experiment: Experiment,
    pub(crate) claims: &'a [Claim],
    pub(crate) ledger: &'a FairnessLedger,
}

impl Words<'_> {
    /// The set-up in one line.
    pub(crate) fn setup(&self) -> String {
        let mut parts = self.asked();
        parts.push(self.users());
        for (name, machines) in &self.raw.infrastructure.0 {
            let key = Key::from("infrastructure").join(name);
            let number = match machines.count {
                count if self.varies_at(&key.join("count")) => {
                    format!("{}, each ", self.or_swept(&key.join("count"), count))
                }
                1 => String::new(),
                count => format!("{count}, each "),
            };
            let up = self.or_swept(&key.join("upload"), machines.upload);
            parts.push(format!("{name} {number}up {up}"));
        }
        parts.push(match self.raw.population.access {
            Some(_) => format!("users' {}", self.access()),
            None => format!("users {}", self.access()),
        });
        parts.extend(self.pace());
        parts.push(format!("latency {}", self.latency()));
        parts.extend(self.trunks_in_short());
        parts.extend(
            self.free_riders()
                .map(|share| format!("{share} free riders")),
        );
        parts.extend(self.churn().map(str::to_owned));
        let deadline = self.raw.patience.deadline;
        if let Some(time) = deadline.filter(|_| !self.varies("patience.deadline")) {
            parts.push(format!("deadline {time}"));
        } else if self.varies("patience.deadline") {
            let time = deadline.map_or_else(String::new, |time| time.to_string());
            let time = self.or_swept(&"patience.deadline".into(), time);
            parts.push(format!("deadline {time}"));
        }
        parts.join("; ")
    }

    fn users(&self) -> String {
        let key = "population.peers".into();
        match self.range(&key) {
            Some(range) => format!("{range} users"),
            None => count(self.raw.population.peers as usize, "user"),
        }
    }

    /// The share of users who give nothing back, unless there are none.
    fn free_riders(&self) -> Option<String> {
        let share = self.raw.population.free_riders.unwrap_or_default();
        let there = share.get() > 0.0 || self.varies("population.free-riders");
        there.then(|| self.or_swept(&"population.free-riders".into(), share))
    }

    /// Who comes and goes.
    fn churn(&self) -> Option<&'static str> {
        let churns =
            |failure: &&raw::Failure| matches!(failure.what, Either::Table(WhatTable::Churn(_)));
        let failure = self.raw.failures.iter().find(churns)?;
        let of_users = match &failure.who {
            Either::Text(pick) => *pick == Pick::Users,
            Either::Table(WhoTable::Random(random)) => random.of == Pick::Users,
            Either::Table(_) => false,
        };
        Some(if of_users {
            "users come and go"
        } else {
            "nodes come and go"
        })
    }

    /// What the scenario means.
    pub(crate) fn explain(&self, duel: &Duel<'_>) -> String {
        let raw = self.raw;
        let mut text = format!("{}\n\nQuestion: {}\n", raw.title, raw.question);
        let mut section = |title: &str, lines: Vec<String>| {
            write!(text, "\n{title}\n").expect("a string takes any text");
            for line in lines {
                writeln!(text, "  {line}").expect("a string takes any text");
            }
        };
        section("Contenders", contenders(duel));
        let families = duel.entrants.iter().map(|entrant| entrant.family);
        section("Devices", self.devices(families));
        section("Demand", self.demand());
        section("Patience", self.patience(&duel.first.world.patience));
        section("Failures", self.failures());
        section("Runs", self.runs(duel));
        if !duel.claims.is_empty() {
            let claims = duel.claims.iter();
            let claims = claims.map(|claim| format!("{} ({})", claim.text, claim.expect));
            section("Claims", claims.collect());
        }
        section("Equal for all", duel.ledger.equal.clone());
        let different = duel.ledger.different.iter();
        let different: Vec<String> = different.map(|(l, s)| format!("{l}: {s}")).collect();
        section("Different", or_none(different));
        text
    }

    fn varies(&self, key: &str) -> bool {
        self.varies_at(&key.into())
    }

    /// Whether the key or something in it is swept.
    fn varies_at(&self, key: &Key) -> bool {
        self.swept.iter().any(|swept| swept.0.starts_with(&key.0))
    }

    /// A value, or the range of the axis that varies it.
    fn or_swept(&self, key: &Key, value: impl fmt::Display) -> String {
        if self.varies_at(key) {
            self.range(key).unwrap_or_else(|| SWEPT.to_owned())
        } else {
            format!("{value}")
        }
    }

    /// First and last value of the axis of this very key, such as `1 to 1,000` or `1 to 10 Mbps`.
    fn range(&self, key: &Key) -> Option<String> {
        let axis = self.swept.iter().position(|swept| swept == key)?;
        let values = &self.axes.get(axis)?.values;
        let numeric = |value: &String| value.starts_with(|c: char| c.is_ascii_digit());
        let (first, last) = (values.first()?, values.last()?);
        if !values.iter().all(numeric) {
            return None;
        }
        if first == last {
            return Some(grouped(first));
        }
        // A unit that both have is said once.
        let low = match (first.split_once(' '), last.split_once(' ')) {
            (Some((number, unit)), Some((_, same))) if unit == same => number,
            _ => first,
        };
        Some(format!("{} to {}", grouped(low), grouped(last)))
    }

    fn access(&self) -> String {
        let population = &self.raw.population;
        let key = Key::from("population");
        match (&population.access, &population.upload, &population.download) {
            (_, Some(upload), Some(download)) => {
                let up = self.or_swept(&key.join("upload"), upload);
                let down = self.or_swept(&key.join("download"), download);
                format!("{up} up, {down} down")
            }
            (Some(file), ..) => {
                let file = self.or_swept(&key.join("access"), &file.table);
                format!("access lines as in {}", file_name(&file))
            }
            _ => unreachable!("a checked scenario has access rates"),
        }
    }

    fn latency(&self) -> String {
        if self.varies("network.latency") {
            return self.or_swept(&"network.latency".into(), SWEPT);
        }
        match &self.raw.network.latency {
            Either::Text(time) => time.to_string(),
            Either::Table(table) => latency(table),
        }
    }

    fn devices<'a>(&self, families: impl Iterator<Item = &'a str>) -> Vec<String> {
        let population = &self.raw.population;
        let mut lines = vec![format!(
            "{}, each with one device: {}",
            self.users(),
            self.access()
        )];
        if !check::servers_only(families) {
            let processor = population.written().processor();
            let processor = self.processor(&"population".into(), processor);
            lines.extend(processor.map(|words| format!("  each device with {words}")));
        }
        for (name, machines) in &self.raw.infrastructure.0 {
            let key = Key::from("infrastructure").join(name);
            let number = self.or_swept(&key.join("count"), machines.count);
            let up = self.or_swept(&key.join("upload"), machines.upload);
            let down = self.or_swept(&key.join("download"), machines.download);
            let place = machines.region.as_deref();
            let place = place.map_or(String::new(), |region| format!(", in {region}"));
            lines.push(format!(
                "machines \"{name}\" of an operator: {number}, each {up} up, {down} down{place}"
            ));
            if let Some(storage) = machines.storage {
                let storage = self.or_swept(&key.join("storage"), storage);
                lines.push(format!("  each with a disk of {storage}"));
            }
            if let Some(price) = machines.price {
                let price = self.or_swept(&key.join("price"), price);
                lines.push(format!("  each costs {price} while it is rented"));
            }
            let processor = self.processor(&key, machines.written().processor());
            lines.extend(processor.map(|words| format!("  each with {words}")));
        }
        lines.push(format!("latency, one way: {}", self.latency()));
        lines.extend(self.trunks());
        let loss = self.raw.network.message_loss;
        if loss.get() > 0.0 || self.varies("network.message-loss") {
            let share = self.or_swept(&"network.message-loss".into(), loss);
            lines.push(format!("the network loses {share} of all messages"));
        }
        if self.raw.network.corruption > 0.0 || self.varies("network.corruption") {
            let key = "network.corruption".into();
            let share = self.or_swept(&key, self.raw.network.corruption);
            lines.push(format!(
                "a byte of a transfer arrives wrong with probability {share}"
            ));
        }
        if let Some(file) = &population.regions {
            lines.push(format!(
                "users live in regions as in {}",
                file_name(&file.table)
            ));
        }
        if let Some(share) = self.free_riders() {
            lines.push(format!(
                "free riders, who give nothing back: {share} of users"
            ));
        }
        lines.extend(self.after_download());
        lines
    }

    /// The rate of the only trunk, or how many there are.
    fn trunks_in_short(&self) -> Option<String> {
        let network = &self.raw.network;
        if let Some(name) = &network.trunk_table {
            return Some(format!("trunks as in {}", file_name(name)));
        }
        match network.trunks.0.as_slice() {
            [] => None,
            [(name, trunk)] => {
                let key = Key::from("network.trunks").join(name).join("rate");
                Some(format!("trunk {}", self.or_swept(&key, trunk.rate)))
            }
            trunks => Some(count(trunks.len(), "trunk")),
        }
    }

    /// What lies between the regions.
    fn trunks(&self) -> Vec<String> {
        let network = &self.raw.network;
        let trunks = network.trunks.0.iter().map(|(name, trunk)| {
            let key = Key::from("network.trunks").join(name);
            let raw::Trunk { from, to, .. } = trunk;
            let rate = self.or_swept(&key.join("rate"), trunk.rate);
            let latency = self.or_swept(&key.join("latency"), trunk.latency);
            let mut others = network.trunks.0.iter().map(|(_, other)| other);
            let back = if others.any(|other| other.from == *to && other.to == *from) {
                ""
            } else {
                " and back, each way"
            };
            format!("trunk \"{name}\" from {from} to {to}{back} {rate}, {latency}")
        });
        let mut lines: Vec<String> = trunks.collect();
        let table = network.trunk_table.iter();
        lines.extend(table.map(|name| format!("trunks as in {}", file_name(name))));
        if !lines.is_empty() {
            lines.push(
                "every region is at the router of its name; transfers share the trunks on the way \
                 of least latency, which is added to every other latency"
                    .to_owned(),
            );
        }
        lines
    }

    fn after_download(&self) -> Option<String> {
        let after = self.raw.population.after_download.as_ref()?;
        if self.varies("population.after-download") {
            return Some("how long users stay after the download is swept".into());
        }
        Some(match after {
            Either::Text(raw::AfterWord::Stay) => return None,
            Either::Text(raw::AfterWord::Leave) => "users leave once they have the object".into(),
            Either::Table(raw::AfterTable::Linger(time)) => {
                format!("users stay for {time} after the download and then leave")
            }
        })
    }

    fn patience(&self, patience: &Patience) -> Vec<String> {
        let deadline = match patience.deadline {
            _ if self.varies("patience.deadline") => "a request has a deadline, swept".to_owned(),
            Some(time) => format!("a request that is not served after {time} has failed"),
            None => "a request has no deadline".to_owned(),
        };
        let mut lines = vec![deadline];
        lines.extend(self.timeout(patience));
        let retries = self.or_swept(&"patience.retries".into(), patience.retries);
        if retries == "0" {
            lines.push("a failed attempt is not repeated".to_owned());
            return lines;
        }
        let waits = ["backoff", "backoff-factor", "backoff-max", "backoff-jitter"];
        let swept = waits.iter().any(|name| {
            let key = Key::from("patience").join(*name);
            self.varies_at(&key)
        });
        let waits = if swept {
            "waits swept".to_owned()
        } else {
            let Patience {
                backoff,
                backoff_factor,
                backoff_max,
                backoff_jitter,
                ..
            } = patience;
            format!(
                "after {backoff} at first, {backoff_factor} times longer each time up to \
                 {backoff_max}, all within {backoff_jitter}"
            )
        };
        lines.push(format!(
            "a failed attempt is repeated; retries at most: {retries}, {waits}"
        ));
        lines.extend(self.budget(patience));
        lines
    }

    fn timeout(&self, patience: &Patience) -> Option<String> {
        if self.varies("patience.timeout") {
            return Some("an attempt has a timeout, swept".to_owned());
        }
        let time = patience.timeout?;
        Some(format!(
            "an attempt without an outcome is given up after {time}"
        ))
    }

    fn budget(&self, patience: &Patience) -> Option<String> {
        if self.varies("patience.retry-budget") {
            return Some("retries have a budget, swept".to_owned());
        }
        let RetryBudget { tokens, ratio } = patience.budget?;
        Some(format!(
            "a user's budget for retries: {tokens} tokens, one for each failed attempt, {ratio} back \
             for each served request; no retry while half of them or fewer are left"
        ))
    }

    fn failures(&self) -> Vec<String> {
        let failures = self.raw.failures.iter().zip(1_usize..);
        let lines = failures.map(|(failure, number)| {
            let key = Key::from("failures").join(number.to_string());
            let mut sentence = format!("{number}. {}", failure_in_words(failure));
            if self.varies_at(&key) {
                sentence.push_str(" (swept in part; this is the first point)");
            }
            sentence
        });
        or_none(lines.collect())
    }

    fn runs(&self, duel: &Duel<'_>) -> Vec<String> {
        let mut lines: Vec<String> = duel
            .axes
            .iter()
            .map(|axis| format!("{} ({}): {}", axis.label, axis.key, axis.values.join(", ")))
            .collect();
        let Experiment { seed, replications } = duel.experiment;
        let runs = duel.point_count * duel.entrants.len() * replications as usize;
        lines.push(format!(
            "{}, {} at each, from seed {seed}: {runs} runs",
            count(duel.point_count, "point"),
            count(replications as usize, "replication"),
        ));
        lines.push(match self.raw.experiment.until.unwrap_or_default() {
            _ if self.varies("experiment") => "the end of a run is swept".to_owned(),
            Until::Fixed(time) => format!("a run ends after {time}"),
            Until::AllServed => format!(
                "a run ends once every request has ended, after {} at the latest",
                duel.first.world.at_most
            ),
        });
        lines
    }
}

fn contenders(duel: &Duel<'_>) -> Vec<String> {
    let lines = duel.entrants.iter().map(|entrant| {
        let Entrant {
            label,
            kind,
            family,
        } = entrant;
        format!("{label}: {kind}, of the family {family}")
    });
    lines.collect()
}

fn latency(table: &LatencyTable) -> String {
    let mut text = match (&table.constant, &table.regions) {
        (Some(time), _) => time.to_string(),
        (None, Some(name)) => format!("between regions as in {}", file_name(name)),
        (None, None) => unreachable!("a checked scenario has a latency"),
    };
    if table.jitter.get() > 0.0 {
        write!(text, ", varying by up to {}", table.jitter).expect("a string takes any text");
    }
    text
}

fn failure_in_words(failure: &raw::Failure) -> String {
    let (who, one) = match &failure.who {
        Either::Text(Pick::All) => ("all machines and users' devices".to_owned(), false),
        Either::Text(Pick::Infrastructure) => ("all machines of the operator".to_owned(), false),
        Either::Text(Pick::Users) => ("all users' devices".to_owned(), false),
        Either::Table(WhoTable::Machine(name)) => (format!("the machines \"{name}\""), false),
        Either::Table(WhoTable::MostLoaded(1)) => ("the most loaded node".to_owned(), true),
        Either::Table(WhoTable::MostLoaded(n)) => (format!("the {n} most loaded nodes"), false),
        Either::Table(WhoTable::Random(random)) => {
            let of = match random.of {
                Pick::All => "all nodes",
                Pick::Infrastructure => "the operator's machines",
                Pick::Users => "users' devices",
            };
            (
                format!("{} of {of}, chosen at random,", random.share),
                false,
            )
        }
    };
    let lasts = match failure.lasts {
        Some(time) => format!("for {time}"),
        None => "for good".to_owned(),
    };
    let at = failure.at;
    match &failure.what {
        Either::Text(raw::Crash::Crash) => {
            let (crash, their) = if one {
                ("crashes", "its")
            } else {
                ("crash", "their")
            };
            let state = match (failure.state.unwrap_or_default(), one) {
                (StateLoss::Kept, true) => format!("keeps what is on {their} disk"),
                (StateLoss::Kept, false) => format!("keep what is on {their} disks"),
                (StateLoss::Lost, true) => format!("loses what is on {their} disk"),
                (StateLoss::Lost, false) => format!("lose what is on {their} disks"),
            };
            format!("at {at}, {lasts}, {who} {crash} and {state}")
        }
        Either::Table(WhatTable::Churn(churn)) => format!(
            "from {at} on, {lasts}, {who} come and go: sessions {}, downtimes {}",
            churn.session, churn.downtime
        ),
        Either::Table(WhatTable::Slow(slow)) => {
            let (are, their) = if one { ("is", "its") } else { ("are", "their") };
            if slow.to.get() > 0.0 {
                let to = slow.to;
                format!(
                    "at {at}, {lasts}, {who} {are} slowed down to {to} of {their} rates, up and down"
                )
            } else {
                format!("at {at}, {lasts}, {who} {are} cut off: transfers stall, and messages wait")
            }
        }
    }
}

fn or_none(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() {
        return vec!["none".to_owned()];
    }
    lines
}

/// What stands for a value that is varied in parts or has no order.
const SWEPT: &str = "swept";

/// The name of a file without the folders that lead to it.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A number, which may have a unit, with commas between thousands.
fn grouped(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// A count with its noun: `1 user`, `2 users`.
fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{} {noun}s", grouped(&number.to_string())),
    }
}

/// A list in a sentence: `a, b and c`.
pub(crate) fn and(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}
