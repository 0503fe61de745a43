//! Charts and the report, drawn from the tables of a result folder alone. `netduel report`

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use netduel_report::{Chart, ReportError, Results};

use super::{
    failure::{Exit, Failure},
    interrupt, terminal,
};

/// What the tables say in words.
pub(super) struct Words {
    /// The answer to the scenario's question.
    pub(super) answer: String,
    /// The results with their intervals and differences, as text.
    pub(super) table: String,
}

/// Draws everything again.
pub(super) fn redraw(folder: &Path, with_png: bool) -> Result<Exit, Failure> {
    draw(folder, with_png, &interrupt::flag())?;
    terminal::say(&folder.join("report.html").display().to_string())
}

/// Draws every chart and the report of a result folder.
pub(super) fn draw(folder: &Path, with_png: bool, stop: &AtomicBool) -> Result<Words, Failure> {
    let drawn = |source: ReportError| Failure::Report {
        folder: folder.to_owned(),
        source: Box::new(source),
    };
    let results = Results::read(&|name| fs::read_to_string(folder.join(name)).ok());
    let results = results.map_err(drawn)?;
    let charts = netduel_report::charts(&results);
    clear(&folder.join("charts"))?;
    for chart in &charts {
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::DrawingInterrupted {
                folder: folder.to_owned(),
            });
        }
        write(folder, chart)?;
        if with_png {
            let png = netduel_report::paint(chart).map_err(drawn)?;
            put(&folder.join(format!("charts/{}.png", chart.name)), &png)?;
        }
    }
    let page = netduel_report::page(&results, &charts);
    put(&folder.join("report.html"), page.as_bytes())?;
    Ok(Words {
        answer: netduel_report::answer(&results),
        table: netduel_report::headline_table(&results),
    })
}

/// Writes a chart, the numbers in it and its description.
fn write(folder: &Path, chart: &Chart) -> Result<(), Failure> {
    let path = |ending: &str| folder.join(format!("charts/{}.{ending}", chart.name));
    put(&path("svg"), chart.svg.as_bytes())?;
    put(&path("csv"), chart.csv.as_bytes())?;
    put(&path("txt"), format!("{}\n", chart.description).as_bytes())
}

/// Makes sure that the folder is there and holds no chart that nobody draws any more.
fn clear(charts: &Path) -> Result<(), Failure> {
    let failed = |source| Failure::Write {
        path: charts.to_owned(),
        source,
    };
    fs::create_dir_all(charts).map_err(failed)?;
    for entry in fs::read_dir(charts).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if matches!(ending, Some("svg" | "png" | "csv" | "txt")) {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    Ok(())
}

fn put(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = fs::write(path, content);
    written.map_err(|source| Failure::Write {
        path: path.to_owned(),
        source,
    })
}
