//! Reads the rows of each table.

use std::collections::BTreeMap;

use super::{Bound, Difference, Hit, Moment, ShareServed, Summary};
use crate::{
    error::ReportError,
    manifest::Manifest,
    table::{Row, Table},
};

/// What is known while tables are read.
pub(super) struct Reader<'a> {
    pub(super) manifest: &'a Manifest,
    /// The axes' values of each point met so far.
    pub(super) points: BTreeMap<usize, Vec<String>>,
}

impl Reader<'_> {
    /// The rows of a table that may be missing.
    pub(super) fn maybe<T>(
        &mut self,
        table: Option<Table>,
        read: fn(&Self, Row<'_>, usize) -> Result<T, ReportError>,
    ) -> Result<Vec<T>, ReportError> {
        table.map_or(Ok(Vec::new()), |table| self.rows(&table, read))
    }

    /// The rows of a table, whose points are noted.
    pub(super) fn rows<T>(
        &mut self,
        table: &Table,
        read: fn(&Self, Row<'_>, usize) -> Result<T, ReportError>,
    ) -> Result<Vec<T>, ReportError> {
        let axes = self.manifest.axes.iter().map(|axis| axis.key.as_str());
        table.require(&axes.clone().chain(["point"]).collect::<Vec<_>>())?;
        let values = table.read(|row| {
            let values: Result<Vec<_>, _> = axes.clone().map(|key| row.text(key)).collect();
            Ok((
                row.count("point")?,
                values?.into_iter().map(str::to_owned).collect(),
            ))
        })?;
        self.points.extend(values);
        table.read(|row| read(self, row, row.count("point")?))
    }

    fn contender(&self, row: Row<'_>, column: &str) -> Result<usize, ReportError> {
        let label = row.text(column)?;
        let known = self
            .manifest
            .contenders
            .iter()
            .position(|known| known.label == label);
        known.ok_or_else(|| row.refuse(column, "the label of a contender in manifest.json"))
    }
}

pub(super) fn read_summary(
    reader: &Reader<'_>,
    row: Row<'_>,
    point: usize,
) -> Result<Summary, ReportError> {
    Ok(Summary {
        point,
        contender: reader.contender(row, "contender")?,
        metric: row.text("metric")?.to_owned(),
        unit: row.text("unit")?.to_owned(),
        estimate: row.estimate("mean")?,
        method: row.text("method")?.to_owned(),
    })
}

pub(super) fn read_difference(
    reader: &Reader<'_>,
    row: Row<'_>,
    point: usize,
) -> Result<Difference, ReportError> {
    let verdict = row.text("verdict")?.parse();
    Ok(Difference {
        point,
        metric: row.text("metric")?.to_owned(),
        unit: row.text("unit")?.to_owned(),
        a: reader.contender(row, "a")?,
        b: reader.contender(row, "b")?,
        estimate: row.estimate("mean_difference")?,
        p_adjusted: row.optional("p_adjusted")?,
        verdict: verdict.map_err(|_| {
            row.refuse(
                "verdict",
                "`A lower`, `B lower`, `not distinguishable` or `identical`",
            )
        })?,
    })
}

pub(super) fn read_moment(
    reader: &Reader<'_>,
    row: Row<'_>,
    point: usize,
) -> Result<Option<Moment>, ReportError> {
    let contender = reader.contender(row, "contender")?;
    let (time, metric) = (row.number("time_s")?, row.text("metric")?.to_owned());
    let unit = row.text("unit")?.to_owned();
    let estimate = row.estimate("mean")?;
    Ok(estimate.map(|estimate| Moment {
        point,
        contender,
        time,
        metric,
        unit,
        estimate,
    }))
}

pub(super) fn read_share(
    reader: &Reader<'_>,
    row: Row<'_>,
    point: usize,
) -> Result<Option<ShareServed>, ReportError> {
    let contender = reader.contender(row, "contender")?;
    let share = row.number("share")?;
    let time = row
        .estimate("mean")?
        .filter(|_| row.text("metric") == Ok("completion_time"));
    Ok(time.map(|time| ShareServed {
        point,
        contender,
        share,
        time,
    }))
}

pub(super) fn read_hit(
    reader: &Reader<'_>,
    row: Row<'_>,
    point: usize,
) -> Result<Hit, ReportError> {
    Ok(Hit {
        point,
        contender: reader.contender(row, "contender")?,
        replication: row.count("replication")?,
        failure: row.text("failure")?.to_owned(),
        what: row.text("what")?.to_owned(),
        at: row.number("at_s")?,
        until: row.optional("until_s")?,
        node: row.text("node")?.to_owned(),
        role: row.text("role")?.to_owned(),
        load_share: row.optional("load_share")?,
    })
}

pub(super) fn read_bound(
    reader: &Reader<'_>,
    row: Row<'_>,
    point: usize,
) -> Result<Bound, ReportError> {
    let contender = match row.text("contender")? {
        "" => None,
        _ => Some(reader.contender(row, "contender")?),
    };
    Ok(Bound {
        point,
        name: row.text("name")?.to_owned(),
        contender,
        metric: row.text("metric")?.to_owned(),
        value: row.number("value")?,
        source: row.text("source")?.to_owned(),
    })
}
