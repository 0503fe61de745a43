//! Turns tables into charts and one HTML page.
//!
//! Everything here is drawn from the tables of a result folder alone: nothing can be simulated, no
//! file is opened and no clock is read. The same tables give the same bytes.
//!
//! ```
//! let folder = |name: &str| match name {
//!     "manifest.json" => Some(r#"{"title": "One file", "contenders": [{"label": "server"}]}"#.to_owned()),
//!     "summary.csv" => Some("point,contender,metric,unit,n,mean,ci_low,ci_high,method\n\
//!         0,server,completion_time,s,1,12.5,,,\n".to_owned()),
//!     _ => None,
//! };
//! let results = netduel_report::Results::read(&folder)?;
//! assert!(netduel_report::answer(&results).contains("12.5 s"));
//! let files = netduel_report::render(&results)?;
//! assert!(files.iter().any(|(path, _)| path == "report.html"));
//! # Ok::<(), netduel_report::ReportError>(())
//! ```

/// Writes formatted text to the end of a string.
macro_rules! put {
    ($out:expr, $($text:tt)*) => {{
        use std::fmt::Write as _;
        write!($out, $($text)*).expect("writing into a string cannot fail")
    }};
}

mod answer;
mod axis;
mod bars;
mod canvas;
mod captions;
mod charts;
mod demand;
mod error;
mod figure;
mod font;
mod grid;
mod headline;
mod layout;
mod look;
mod manifest;
mod number;
mod page;
mod panel;
mod png;
mod results;
mod table;
mod words;

pub use answer::answer;
pub use charts::{Chart, charts};
pub use demand::Demand;
pub use error::ReportError;
pub use headline::headline_table;
pub use manifest::{Claim, Contender, Ledger, Manifest, Peculiarity, SweptAxis};
pub use page::page;
pub use results::Results;

/// Renders everything: `charts/NAME.svg`, `.png`, `.csv` and `.txt` (the description in words) of
/// each chart, and `report.html`; as path inside the result folder and content.
///
/// # Errors
/// [`ReportError::Paint`] when a figure cannot be painted as PNG.
pub fn render(results: &Results) -> Result<Vec<(String, Vec<u8>)>, ReportError> {
    let charts = charts(results);
    let mut files = Vec::new();
    for chart in &charts {
        let painted = paint(chart)?;
        let path = |ending: &str| format!("charts/{}.{ending}", chart.name);
        files.push((path("svg"), chart.svg.clone().into_bytes()));
        files.push((path("png"), painted));
        files.push((path("csv"), chart.csv.clone().into_bytes()));
        files.push((path("txt"), format!("{}\n", chart.description).into_bytes()));
    }
    files.push((
        "report.html".to_owned(),
        page(results, &charts).into_bytes(),
    ));
    Ok(files)
}

/// Paints a chart as PNG, 1,920 pixels wide, with the bundled font alone.
///
/// # Errors
/// [`ReportError::Paint`] when the chart's SVG cannot be read.
pub fn paint(chart: &Chart) -> Result<Vec<u8>, ReportError> {
    let refuse = |what| ReportError::Paint {
        chart: chart.name.clone(),
        what,
    };
    png::paint(&chart.svg).map_err(refuse)
}
