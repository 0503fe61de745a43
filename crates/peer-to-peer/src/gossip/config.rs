//! Settings of gossip.

use netduel_world::{ConfigError, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::unstructured::Start;

/// Settings of gossip.
///
/// What a setting is when it is left out may depend on `spread`; one that has no effect with the
/// chosen `spread` is refused.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
// `Self` stands in for itself, so that what is written out has every default filled in.
#[serde(
    default,
    deny_unknown_fields,
    rename_all = "kebab-case",
    remote = "Self"
)]
pub struct Config {
    /// How news spreads: as a rumour that users tell until they lose interest, once to a few on
    /// first receipt, or by comparing what two users know (anti-entropy).
    pub spread: Spread,
    /// Which way news goes when one user calls another; push with rumours, push-pull with
    /// anti-entropy, when left out. Who may pull calls for ever, as it cannot know that there is
    /// no news: give broadcasts a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Exchange>,
    /// What makes a user lose interest in a rumour: calls to those who knew it (feedback, when
    /// left out) or any calls (blind). Rumours only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "feedback"))]
    pub stop: Option<Stop>,
    /// How a user loses interest: after `k` such calls in a row (counter, when left out) or after
    /// each with probability 1 / `k` (coin). Rumours only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "counter"))]
    pub stop_by: Option<StopBy>,
    /// How lasting interest is; at least 1; 4 when left out, with which push, feedback and counter
    /// leave out 0.36 % of 1,000 (Demers et al. 1987, table 1). Rumours only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 4))]
    pub k: Option<u32>,
    /// Mean time between two calls of a user; 1 s when left out, as in Apache Cassandra. Rumours and
    /// anti-entropy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1 s"))]
    pub period: Option<Seconds>,
    /// When users call: all at the same instants (rounds), each at its own phase (staggered, when
    /// left out), or at random, as a Poisson process. Rumours and anti-entropy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "staggered"))]
    pub timing: Option<Timing>,
    /// To how many a user forwards on first receipt, on average; above 0; 12 when left out, which reaches
    /// all of 10,000 with probability 0.94 (Kermarrec et al. 2003: ln n + c for exp(-exp(-c))). Once only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 12.0))]
    pub fanout: Option<f64>,
    /// Whether something of a size above 0 is offered before it is sent; false when left out:
    /// it is sent straight. Rumours that are pushed, and once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub offer: Option<bool>,
    /// Time between comparisons (anti-entropy) that back rumours up, by each user that remembers
    /// any; 0 s for none. When left out 30 s with rumours, as in the library memberlist, and none
    /// with once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<Seconds>,
    /// Whether users know others from the start, or nobody but the bootstrap node, and join.
    pub start: Start,
    /// Time from the start over which users join, each at a random instant; 60 s when left out. Only
    /// with `start = "join"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "60 s"))]
    pub join_within: Option<Seconds>,
    /// Machine under `[infrastructure]` that newcomers ask for others; the first user's device when
    /// left out. Only where neighbours are swapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<String>,
    /// How many others a user knows, chosen at random at a converged start. All when left out; where
    /// neighbours are swapped 20, the smallest view of Voulgaris et al. (2005), or all of fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<u32>,
    /// Time between two swaps of neighbours that a user begins, by which views stay fresh (Cyclon:
    /// Voulgaris et al. 2005); 0 s for none. When left out 10 s with `start = "join"`, so that one
    /// who is gone leaves a view of 20 within 4 min, and none with `"converged"`: views stay as they
    /// were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<Seconds>,
    /// Neighbours that are sent in a swap, the sender among them; from 1 to `view`; 8 when left out,
    /// or `view` if that is less: two fifths of a view of 20 change hands in a datagram of 95 bytes.
    /// Only where neighbours are swapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_length: Option<u32>,
    /// How long users remember something after it was first told; at least 1 s; 10 min when left out,
    /// in which every user makes 20 repairs. It bounds memory and the length of comparisons; who is
    /// away for longer does not hear.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "600 s"))]
    pub remember: Option<Seconds>,
    /// Silence after which content that a user asked for may be asked for elsewhere; 30 s when
    /// left out, the time that common web clients wait for a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "30 s"))]
    pub answer_timeout: Option<Seconds>,
}

/// How news spreads.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// As a rumour, told until interest is lost.
    #[default]
    Rumour,
    /// Once, on first receipt.
    Once,
    /// By comparing what two users know.
    AntiEntropy,
}

/// Which way news goes in a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exchange {
    /// From the caller.
    Push,
    /// To the caller.
    Pull,
    /// Both ways.
    PushPull,
}

impl Exchange {
    pub(super) fn pushes(self) -> bool {
        self != Self::Pull
    }

    pub(super) fn pulls(self) -> bool {
        self != Self::Push
    }
}

/// What makes a user lose interest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Calls in vain.
    Feedback,
    /// All calls.
    Blind,
}

/// How a user loses interest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopBy {
    /// After so many in a row.
    Counter,
    /// After each with some probability.
    Coin,
}

/// When users call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// All at the same instants. What is learnt in a round is passed on in the next.
    Rounds,
    /// Each at its own phase.
    Staggered,
    /// At random.
    Poisson,
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(&self.filled(), serializer)
    }
}

/// Settings as nodes act on them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) spread: Spread,
    pub(super) exchange: Exchange,
    pub(super) stop: Stop,
    pub(super) stop_by: StopBy,
    pub(super) k: u32,
    pub(super) period: Seconds,
    pub(super) timing: Timing,
    pub(super) fanout: f64,
    pub(super) offer: bool,
    /// None when nothing is repaired.
    pub(super) repair: Option<Seconds>,
    pub(super) remember: Seconds,
    pub(super) answer_timeout: Seconds,
    /// None when everybody is there from the start.
    pub(super) join_within: Option<Seconds>,
    /// None when views stay as they are.
    pub(super) swap: Option<Seconds>,
}

impl Rules {
    /// Whether users call even when they know of nothing.
    pub(super) fn polls(&self) -> bool {
        self.spread != Spread::Once && self.exchange.pulls()
    }
}

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).expect("some minutes are in range")
}

impl Config {
    fn exchange_or_default(&self) -> Exchange {
        self.exchange.unwrap_or(match self.spread {
            Spread::AntiEntropy => Exchange::PushPull,
            Spread::Rumour | Spread::Once => Exchange::Push,
        })
    }

    /// With every default that has an effect.
    fn filled(&self) -> Self {
        let mut filled = self.clone();
        let rules = self.rules();
        let (rumour, once) = (self.spread == Spread::Rumour, self.spread == Spread::Once);
        if rumour {
            filled.stop = Some(rules.stop);
            filled.stop_by = Some(rules.stop_by);
            filled.k = Some(rules.k);
        }
        if once {
            filled.fanout = Some(rules.fanout);
        } else {
            filled.exchange = Some(rules.exchange);
            filled.period = Some(rules.period);
            filled.timing = Some(rules.timing);
        }
        if self.may_offer() {
            filled.offer = Some(rules.offer);
        }
        if rumour || once {
            filled.repair = Some(rules.repair.unwrap_or(seconds(0.0)));
        }
        filled.join_within = rules.join_within;
        filled.swap = Some(rules.swap.unwrap_or(seconds(0.0)));
        filled.remember = Some(rules.remember);
        filled.answer_timeout = Some(rules.answer_timeout);
        filled
    }

    /// Whether content is told to somebody who did not ask.
    fn may_offer(&self) -> bool {
        match self.spread {
            Spread::Rumour => self.exchange_or_default().pushes(),
            Spread::Once => true,
            Spread::AntiEntropy => false,
        }
    }

    pub(super) fn rules(&self) -> Rules {
        let repair = self.repair.unwrap_or(seconds(match self.spread {
            Spread::Rumour => 30.0,
            Spread::Once | Spread::AntiEntropy => 0.0,
        }));
        let joins = self.start == Start::Join;
        let swap = self.swap.unwrap_or(seconds(if joins { 10.0 } else { 0.0 }));
        Rules {
            spread: self.spread,
            exchange: self.exchange_or_default(),
            stop: self.stop.unwrap_or(Stop::Feedback),
            stop_by: self.stop_by.unwrap_or(StopBy::Counter),
            k: self.k.unwrap_or(4),
            period: self.period.unwrap_or(seconds(1.0)),
            timing: self.timing.unwrap_or(Timing::Staggered),
            fanout: self.fanout.unwrap_or(12.0),
            offer: self.offer.unwrap_or(false),
            repair: Some(repair).filter(|repair| repair.get() > 0.0),
            remember: self.remember.unwrap_or(seconds(600.0)),
            answer_timeout: self.answer_timeout.unwrap_or(seconds(30.0)),
            join_within: joins.then(|| self.join_within.unwrap_or(seconds(60.0))),
            swap: Some(swap).filter(|swap| swap.get() > 0.0),
        }
    }

    /// How many of so many others a user knows; none when all.
    pub(super) fn view_size(&self, others: u32) -> Option<u32> {
        let swapped = self.rules().swap.map(|_| 20.min(others));
        self.view.or(swapped)
    }

    /// How many neighbours of a view are sent in a swap.
    pub(super) fn swap_length(&self, view: u32) -> u32 {
        self.swap_length.unwrap_or(8.min(view)).max(1)
    }

    /// Checks the settings for `others` users beside oneself.
    pub(super) fn check(&self, others: u32) -> Result<(), ConfigError> {
        self.refuse_idle()?;
        let refuse = |key, problem: String| Err(ConfigError { key, problem });
        let rules = self.rules();
        if rules.k == 0 {
            return refuse("k", "is 0; expected at least 1".into());
        }
        if !(rules.fanout > 0.0 && rules.fanout <= f64::from(u32::MAX)) {
            let problem = format!("is {}; expected a number above 0", rules.fanout);
            return refuse("fanout", problem);
        }
        if let Some(view) = self.view {
            if view == 0 {
                return refuse("view", "is 0; expected at least 1".into());
            }
            if view > others {
                let problem = format!("is {view}; expected at most {others}, the other users");
                return refuse("view", problem);
            }
        }
        if let (Some(fanout), Some(view)) = (self.fanout, self.view_size(others))
            && fanout > f64::from(view)
        {
            let problem = format!("is {fanout}; expected at most {view}, the `view`");
            return refuse("fanout", problem);
        }
        // Below a thousandth of a second rounds are shorter than any way through a network.
        let times = [
            ("period", rules.period, 0.001),
            ("remember", rules.remember, 1.0),
            ("answer-timeout", rules.answer_timeout, 0.001),
        ];
        for (key, time, least) in times {
            if time.get() < least {
                let problem = format!("is {time}; expected at least {least} s");
                return refuse(key, problem);
            }
        }
        self.check_swaps(others)?;
        match rules.repair {
            Some(repair) if repair.get() < 0.001 => {
                let problem = format!("is {repair}; expected 0 s or at least 0.001 s");
                refuse("repair", problem)
            }
            _ => Ok(()),
        }
    }

    /// Checks how views are kept up.
    fn check_swaps(&self, others: u32) -> Result<(), ConfigError> {
        let refuse = |key, problem: String| Err(ConfigError { key, problem });
        if self.start == Start::Join && self.swap.is_some_and(|swap| swap.get() == 0.0) {
            let problem = "is 0 s; expected a time above 0 with `start = \"join\"`, as only swaps \
                           fill the views of those who join";
            return refuse("swap", problem.into());
        }
        let Some(swap) = self.rules().swap else {
            return Ok(());
        };
        if swap.get() < 0.001 {
            let problem = format!("is {swap}; expected 0 s or at least 0.001 s");
            return refuse("swap", problem);
        }
        let most = self.view_size(others).unwrap_or(others).max(1);
        match self.swap_length {
            Some(length) if length == 0 || length > most => {
                let problem = format!("is {length}; expected 1 to {most}, the `view`");
                refuse("swap-length", problem)
            }
            _ => Ok(()),
        }
    }

    /// Refuses what has no effect on whom users know.
    fn refuse_idle_views(&self) -> Result<(), ConfigError> {
        let refuse = |key, problem: &str| {
            let problem = problem.into();
            Err(ConfigError { key, problem })
        };
        if self.join_within.is_some() && self.start != Start::Join {
            return refuse(
                "join-within",
                "has no effect with `start = \"converged\"`; leave it out",
            );
        }
        if self.rules().swap.is_some() {
            return Ok(());
        }
        let unswapped =
            "has no effect where no neighbours are swapped; set `swap`, or leave it out";
        if self.bootstrap.is_some() {
            return refuse("bootstrap", unswapped);
        }
        if self.swap_length.is_some() {
            return refuse("swap-length", unswapped);
        }
        Ok(())
    }

    /// Refuses what has no effect.
    fn refuse_idle(&self) -> Result<(), ConfigError> {
        let rumour = self.spread == Spread::Rumour;
        let once = self.spread == Spread::Once;
        let idle = [
            ("exchange", self.exchange.is_some() && once),
            ("stop", self.stop.is_some() && !rumour),
            ("stop-by", self.stop_by.is_some() && !rumour),
            ("k", self.k.is_some() && !rumour),
            ("period", self.period.is_some() && once),
            ("timing", self.timing.is_some() && once),
            ("fanout", self.fanout.is_some() && !once),
            ("repair", self.repair.is_some() && !(rumour || once)),
        ];
        self.refuse_idle_views()?;
        let name = match self.spread {
            Spread::Rumour => "rumour",
            Spread::Once => "once",
            Spread::AntiEntropy => "anti-entropy",
        };
        for (key, is_idle) in idle {
            if is_idle {
                let problem = format!("has no effect with `spread = \"{name}\"`; leave it out");
                return Err(ConfigError { key, problem });
            }
        }
        if self.offer.is_some() && !self.may_offer() {
            return Err(ConfigError {
                key: "offer",
                problem: "has no effect where nothing is pushed straight; leave it out".into(),
            });
        }
        Ok(())
    }
}
