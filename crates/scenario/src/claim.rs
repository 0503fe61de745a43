//! What the author expects of the results.

use netduel_world::{Bytes, Wants, What, WorldSpec};

use crate::{
    document::Document,
    error::ScenarioError,
    key::{Key, listed, suggestion},
    raw,
    scenario::{Axis, Entrant, Point},
};

/// Names of the metrics that a claim may speak of.
pub const METRICS: &[&str] = &[
    "completion_time",
    "completion_time_p50",
    "completion_time_p95",
    "completion_time_p99",
    "makespan",
    "success_ratio",
    "throughput",
    "reach",
    "reach_time_50",
    "reach_time_90",
    "reach_time_100",
    "attempts_mean",
    "load_gini",
    "load_top_share",
    "infrastructure_bytes",
    "infrastructure_cost",
    "bytes_per_useful_byte",
    "messages_per_request",
    "work_wait_mean",
    "work_refused",
    "utilisation_infrastructure",
    "utilisation_users",
    "dip_depth",
    "recovery_90",
    "stalled_transfers",
];

/// An expectation that the results uphold or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The claim in words.
    pub text: String,
    /// The estimate on the left.
    pub left: Term,
    /// How it must compare.
    pub op: Relation,
    /// What it is compared with.
    pub right: Bound,
    /// Indices of the points at which it must hold.
    pub points: Vec<usize>,
    /// The comparison as written.
    pub expect: String,
}

/// A metric of a contender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Term {
    /// Index of the contender.
    pub contender: usize,
    /// Name of the metric.
    pub metric: String,
}

/// A comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// The right side of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number, in the unit of the metric on the left.
    Number(f64),
    /// Another estimate, times a factor.
    Term {
        /// The estimate.
        term: Term,
        /// The factor; `/ 10` is written here as 0.1.
        factor: f64,
    },
}

/// What claims speak of.
pub(crate) struct Ground<'a> {
    pub(crate) doc: &'a Document<'a>,
    pub(crate) entrants: &'a [Entrant],
    pub(crate) axes: &'a [Axis],
    pub(crate) points: &'a [Point],
}

/// What is wrong with a claim, and what may help.
type Problem = (String, Option<String>);

impl Ground<'_> {
    /// The claims, when they speak of what there is.
    pub(crate) fn claims(&self, raw: &[raw::Claim]) -> Result<Vec<Claim>, ScenarioError> {
        let claims = raw.iter().zip(1_usize..).map(|(raw, number)| {
            let key = Key::from("claims").join(number.to_string());
            self.claim(&key, raw)
        });
        claims.collect()
    }

    fn claim(&self, key: &Key, raw: &raw::Claim) -> Result<Claim, ScenarioError> {
        let (left, op, right) = self.comparison(&raw.expect).map_err(|(problem, hint)| {
            let key = key.join("expect");
            let mut error = self.doc.problem(&key, problem);
            error.hint = hint;
            error
        })?;
        let points = self.selected(&key.join("where"), &raw.r#where)?;
        let mut terms = vec![&left];
        if let Bound::Term { term, .. } = &right {
            terms.push(term);
        }
        for term in terms {
            self.refuse_unmeasured(&key.join("expect"), term, &points)?;
        }
        Ok(Claim {
            text: raw.text.clone(),
            left,
            op,
            right,
            points,
            expect: raw.expect.clone(),
        })
    }

    /// Refuses a metric that no run at one of these points has, whoever competes.
    fn refuse_unmeasured(
        &self,
        key: &Key,
        term: &Term,
        points: &[usize],
    ) -> Result<(), ScenarioError> {
        let worlds = || points.iter().map(|point| &self.points[*point].world);
        let missing = worlds().find_map(|world| missing(&term.metric, world));
        let Some(why) = missing else { return Ok(()) };
        let there = |metric: &&str| worlds().all(|world| self::missing(metric, world).is_none());
        let problem = format!(
            "names the metric \"{}\", which there is not {why}; expected {}",
            term.metric,
            listed(METRICS.iter().copied().filter(|metric| there(metric)))
        );
        Err(self.doc.problem(key, problem))
    }

    fn comparison(&self, text: &str) -> Result<(Term, Relation, Bound), Problem> {
        // The longer operators first, as they begin with the shorter ones.
        let operators = [
            (" <= ", Relation::AtMost),
            (" >= ", Relation::AtLeast),
            (" < ", Relation::Less),
            (" > ", Relation::Greater),
        ];
        for (operator, op) in operators {
            if let Some((left, right)) = text.split_once(operator) {
                return Ok((self.term(left)?, op, self.bound(right)?));
            }
        }
        let problem = format!("is \"{text}\"; expected a comparison with <, <=, > or >=");
        let hint = "for instance \"a.completion_time < b.completion_time / 10\", with a space \
                    on both sides of the operators";
        Err((problem, Some(hint.into())))
    }

    fn bound(&self, text: &str) -> Result<Bound, Problem> {
        if let Ok(number) = text.trim().parse::<f64>() {
            return finite(number, text).map(Bound::Number);
        }
        let times = text.rsplit_once(" * ").map(|(t, f)| (t, f, false));
        let over = text.rsplit_once(" / ").map(|(t, f)| (t, f, true));
        let Some((term, factor, divides)) = times.or(over) else {
            let term = self.term(text)?;
            return Ok(Bound::Term { term, factor: 1.0 });
        };
        let number = factor.trim().parse::<f64>().unwrap_or(f64::NAN);
        let factor = if divides { 1.0 / number } else { number };
        let factor = finite(factor, text)?;
        let term = self.term(term)?;
        Ok(Bound::Term { term, factor })
    }

    fn term(&self, text: &str) -> Result<Term, Problem> {
        let text = text.trim();
        let Some((label, metric)) = text.rsplit_once('.') else {
            let problem =
                format!("has \"{text}\"; expected a contender's label, a dot and a metric");
            return Err((problem, None));
        };
        let label = label.trim_matches('"');
        let labels = || self.entrants.iter().map(|entrant| entrant.label.as_str());
        let contender = labels().position(|known| known == label).ok_or_else(|| {
            let problem = format!(
                "names the contender \"{label}\"; expected {}",
                listed(labels())
            );
            (problem, suggestion(label, labels()))
        })?;
        if !METRICS.contains(&metric) {
            let known = || METRICS.iter().copied();
            let problem = format!(
                "names the metric \"{metric}\"; expected {}",
                listed(known())
            );
            return Err((problem, suggestion(metric, known())));
        }
        let metric = metric.to_owned();
        Ok(Term { contender, metric })
    }

    /// Indices of the points that `where` selects.
    fn selected(&self, key: &Key, chosen: &toml::Table) -> Result<Vec<usize>, ScenarioError> {
        let mut points: Vec<usize> = (0..self.points.len()).collect();
        for (name, value) in chosen {
            let place = key.join(name);
            let swept = || self.axes.iter().map(|axis| axis.key.as_str());
            let Some(axis) = swept().position(|known| known == name) else {
                let problem = if self.axes.is_empty() {
                    "selects nothing, as nothing is swept; expected no `where`".to_owned()
                } else {
                    format!("is not swept; expected {}", listed(swept()))
                };
                let mut error = self.doc.problem(&place, problem);
                error.hint = suggestion(name, swept());
                return Err(error);
            };
            let text = match value {
                toml::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let values = &self.axes[axis].values;
            if !values.contains(&text) {
                let known = listed(values.iter().map(String::as_str));
                return Err(self.doc.refuse(&place, format!("a swept value, {known}")));
            }
            points.retain(|point| self.points[*point].values[axis] == text);
        }
        Ok(points)
    }
}

/// Where a metric is not measured in this world, whoever competes.
fn missing(metric: &str, world: &WorldSpec) -> Option<&'static str> {
    let demand = &world.demand;
    let (there, without) = match metric {
        "reach" | "reach_time_50" | "reach_time_90" | "reach_time_100" => (
            matches!(demand.wants, Wants::Broadcast { .. }),
            "where nobody broadcasts",
        ),
        "infrastructure_cost" => {
            let mut groups = world.infrastructure.iter();
            let priced = groups.any(|group| group.price.get() > 0.0);
            (priced, "where no machine has a `price`")
        }
        "bytes_per_useful_byte" | "dip_depth" | "recovery_90"
            if demand.wants.size() == Bytes(0) =>
        {
            (false, "where what is asked for has no bytes")
        }
        "work_wait_mean" | "work_refused" | "utilisation_infrastructure" | "utilisation_users" => {
            (demand.takes_work(), "where answering takes no `work`")
        }
        "dip_depth" | "recovery_90" => (!world.failures.is_empty(), "where nothing fails"),
        "stalled_transfers" => {
            let mut failures = world.failures.iter();
            let slow = failures.any(|failure| matches!(failure.what, What::Slow(_)));
            (slow, "where no link is slowed down or cut")
        }
        _ => return None,
    };
    (!there).then_some(without)
}

/// Larger numbers are slips; their squares, which intervals are made of, would be no numbers.
const NUMBER_MAX: f64 = 1e100;

/// A number that can be reckoned with.
fn finite(number: f64, text: &str) -> Result<f64, Problem> {
    if number.abs() <= NUMBER_MAX {
        return Ok(number);
    }
    if number.is_finite() {
        let problem =
            format!("has \"{text}\" on the right; expected no number or factor beyond 1e100");
        return Err((problem, None));
    }
    let problem = format!(
        "has \"{text}\" on the right; expected a number, or a metric times or over a number"
    );
    Err((problem, None))
}
