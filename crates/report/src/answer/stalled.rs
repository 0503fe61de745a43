//! Runs that ended because nothing could move any more.

use super::place;
use crate::{
    number::rounded,
    results::{Point, Results},
    words::{listed, sentence_case},
};

const STALLED: &str = "stalled_transfers";

/// Whose transfers were stalled when the runs ended, at the last point where any were; nothing
/// when all could move.
pub(super) fn stalled(results: &Results) -> Option<String> {
    let of = |point: &Point| -> Vec<String> {
        let stalled = results.contenders().filter_map(|contender| {
            let mean = results.estimate(point.index, contender, STALLED)?.mean;
            let label = results.label(contender);
            (mean > 0.0).then(|| format!("{} of {label}", rounded(mean)))
        });
        stalled.collect()
    };
    let point = results.points.iter().rfind(|point| !of(point).is_empty())?;
    let (at, who) = (place(results, point), listed(&of(point)));
    let sentence = format!(
        "{who} could not move when their runs ended{at}, since a link on their way was cut."
    );
    Some(sentence_case(&format!("transfers, on average {sentence}")))
}
