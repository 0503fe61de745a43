//! `netduel explain`

mod hit;

use std::fmt::Write as _;

use netduel_scenario::Scenario;
use serde_json::{Value, json};

use super::{
    Call,
    args::ExplainArgs,
    failure::{Exit, Failure},
    place, terminal,
};
use hit::Hits;

/// Says in words what a scenario means and, where that depends on chance or on the contender, who
/// its failures hit.
pub(super) fn explain(call: &Call, args: &ExplainArgs) -> Result<Exit, Failure> {
    let scenario = call.read(&args.file)?;
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| place::results_of(&args.file));
    let hits = hit::hits(&scenario, &folder)?;
    if args.json {
        let value = to_json(&scenario, hits.as_ref());
        return terminal::say(&format!("{value:#}"));
    }
    let mut text = scenario.explain().trim_end().to_owned();
    if let Some(hits) = hits {
        write!(text, "\n\n{}", hits.in_words()).expect("memory takes every line");
    }
    terminal::say(&text)
}

fn to_json(scenario: &Scenario, hits: Option<&Hits>) -> Value {
    let contenders = scenario.contenders.iter().map(
        |entrant| json!({ "label": entrant.label, "kind": entrant.kind, "family": entrant.family }),
    );
    let axes = scenario
        .axes
        .iter()
        .map(|axis| json!({ "key": axis.key, "label": axis.label, "values": axis.values }));
    let different = scenario
        .ledger
        .different
        .iter()
        .map(|(contender, text)| json!({ "contender": contender, "text": text }));
    let claims = scenario.claims.iter();
    let claims = claims.map(|claim| json!({ "text": claim.text, "expect": claim.expect }));
    json!({
        "title": scenario.title,
        "question": scenario.question,
        "setup": scenario.setup,
        "contenders": contenders.collect::<Vec<_>>(),
        "axes": axes.collect::<Vec<_>>(),
        "points": scenario.points.len(),
        "seed": scenario.experiment.seed,
        "replications": scenario.experiment.replications,
        "ledger": {
            "equal": scenario.ledger.equal,
            "different": different.collect::<Vec<_>>(),
        },
        "claims": claims.collect::<Vec<_>>(),
        "sources": scenario.sources,
        "digest": scenario.digest,
        "explanation": scenario.explain(),
        "hit": hits.map(Hits::to_json),
    })
}
