//! The report: one HTML page that needs nothing else.

use crate::{
    answer::answer,
    charts::{Chart, incidents},
    font::{BOLD, FAMILY, REGULAR},
    grid,
    number::Scale,
    results::Results,
    words::sentence_case,
};

const STYLE: &str = include_str!("../assets/report.css");

/// The page for a result folder, with `charts` drawn into it.
pub fn page(results: &Results, charts: &[Chart]) -> String {
    let manifest = &results.manifest;
    let mut html = String::new();
    head(&mut html, &manifest.title);
    let title = escape(&manifest.title);
    put!(html, "<header>\n<h1>{title}</h1>\n");
    paragraph(&mut html, "question", &manifest.question);
    paragraph(&mut html, "answer", &answer(results));
    paragraph(&mut html, "setup", &manifest.setup);
    html.push_str("</header>\n<main>\n");
    figures(&mut html, charts);
    ledger(&mut html, results);
    claims(&mut html, results);
    incidents_section(&mut html, results);
    tables(&mut html, results);
    theory(&mut html, results);
    sources(&mut html, results);
    provenance(&mut html, results);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// `text` with everything that HTML and XML would take for their own replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no way to write these.
            c if c.is_control() && !matches!(c, '\n' | '\t') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

fn head(html: &mut String, title: &str) {
    html.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    put!(html, "<title>{}</title>\n<style>\n", escape(title));
    for (bytes, weight) in [(REGULAR, "normal"), (BOLD, "bold")] {
        put!(
            html,
            "@font-face {{ font-family: \"{FAMILY}\"; font-weight: {weight}; \
             src: url(data:font/ttf;base64,{}) format(\"truetype\"); }}\n",
            base64(bytes)
        );
    }
    html.push_str(STYLE);
    html.push_str("</style>\n</head>\n<body>\n");
}

fn paragraph(html: &mut String, class: &str, text: &str) {
    if !text.is_empty() {
        put!(html, "<p class=\"{class}\">{}</p>\n", escape(text));
    }
}

fn list<'a>(html: &mut String, items: impl Iterator<Item = &'a str>) {
    html.push_str("<ul>\n");
    items.for_each(|item| put!(html, "<li>{}</li>\n", escape(item)));
    html.push_str("</ul>\n");
}

fn figures(html: &mut String, charts: &[Chart]) {
    for chart in charts {
        put!(
            html,
            "<figure id=\"{}\">\n<div class=\"sheet\">{}</div>\n<figcaption>{}</figcaption>\n</figure>\n",
            chart.name,
            chart.svg,
            escape(&chart.description)
        );
    }
}

fn ledger(html: &mut String, results: &Results) {
    let ledger = &results.manifest.ledger;
    if ledger.equal.is_empty() && ledger.different.is_empty() {
        return;
    }
    html.push_str(
        "<section>\n<h2>What was equal, and what was not</h2>\n<div class=\"columns\">\n",
    );
    html.push_str("<div><h3>Equal for all contenders</h3>\n");
    list(html, ledger.equal.iter().map(String::as_str));
    html.push_str("</div>\n<div><h3>Different</h3>\n");
    if ledger.different.is_empty() {
        html.push_str("<p>Nothing but the architecture.</p>\n");
    } else {
        html.push_str("<dl>\n");
        for peculiarity in &ledger.different {
            let (contender, text) = (escape(&peculiarity.contender), escape(&peculiarity.text));
            put!(html, "<dt>{contender}</dt><dd>{text}</dd>\n");
        }
        html.push_str("</dl>\n");
    }
    html.push_str("</div>\n</div>\n</section>\n");
}

fn claims(html: &mut String, results: &Results) {
    if results.manifest.claims.is_empty() {
        return;
    }
    html.push_str("<section>\n<h2>What the scenario claims</h2>\n<ul class=\"claims\">\n");
    for claim in &results.manifest.claims {
        let (class, mark, words) = if claim.holds {
            ("holds", "<path d=\"M3 9l4 4 8-9\"/>", "holds")
        } else {
            (
                "fails",
                "<path d=\"M4 4l10 10M14 4L4 14\"/>",
                "does not hold",
            )
        };
        put!(
            html,
            "<li class=\"{class}\"><svg viewBox=\"0 0 18 18\" aria-hidden=\"true\">{mark}</svg> \
             <strong>{words}</strong>: {}",
            escape(&claim.text)
        );
        if !claim.expect.is_empty() {
            put!(html, "<br><code>{}</code>", escape(&claim.expect));
        }
        if !claim.detail.is_empty() {
            put!(html, "<br>{}", escape(&claim.detail));
        }
        html.push_str("</li>\n");
    }
    html.push_str("</ul>\n</section>\n");
}

/// More episodes of a point than this are told in one sentence.
const MOST_EPISODES: usize = 12;

fn incidents_section(html: &mut String, results: &Results) {
    if results.incidents.is_empty() {
        return;
    }
    html.push_str("<section>\n<h2>Who was hit</h2>\n<ul>\n");
    for point in &results.points {
        let episodes = incidents::episodes(results, point.index);
        let words = results.point_words(point);
        let at = if words.is_empty() {
            words
        } else {
            format!("At {words}: ")
        };
        if episodes.len() > MOST_EPISODES {
            let last = episodes.last().map_or(0.0, |episode| episode.at);
            let text = incidents::summary(&episodes, &Scale::of("s", last));
            put!(html, "<li>{}.</li>\n", escape(&format!("{at}{text}")));
            continue;
        }
        for episode in episodes {
            let scale = Scale::of("s", episode.until.unwrap_or(episode.at));
            let text = sentence_case(&format!("{at}{}", episode.words(results, &scale)));
            put!(html, "<li>{}.</li>\n", escape(&text));
        }
    }
    html.push_str("</ul>\n</section>\n");
}

fn tables(html: &mut String, results: &Results) {
    html.push_str("<section>\n<h2>The numbers</h2>\n");
    let unknown = grid::unknown_failures(results);
    for metric in grid::metrics(results) {
        if unknown.contains(&metric) {
            continue;
        }
        let grids = [
            grid::means(results, metric),
            grid::differences(results, metric),
        ];
        let grids: Vec<grid::Grid> = grids.into_iter().flatten().collect();
        let folded = !results.manifest.demand.headlines().contains(&metric);
        if folded && let Some(first) = grids.first() {
            let summary = escape(&first.caption);
            put!(html, "<details>\n<summary>{summary}</summary>\n");
        }
        for grid in &grids {
            html.push_str(&grid.html());
        }
        if folded && !grids.is_empty() {
            html.push_str("</details>\n");
        }
    }
    if !unknown.is_empty() {
        let causes = unknown.iter().filter_map(|id| id.strip_prefix("failed."));
        let causes: Vec<String> = causes.map(|cause| cause.replace('_', " ")).collect();
        let text = format!(
            "In no run did a request fail because of: {}.",
            causes.join(", ")
        );
        paragraph(html, "note", &text);
    }
    html.push_str(
        "<p class=\"note\">Intervals are per number; verdicts rest on p-values corrected for \
         several comparisons (Holm 1979). A difference that is not distinguishable may \
         still exist: more replications would tell.</p>\n</section>\n",
    );
}

fn theory(html: &mut String, results: &Results) {
    let mut named: Vec<(&str, &str)> = Vec::new();
    for bound in &results.theory {
        if !named.iter().any(|(name, _)| *name == bound.name) {
            named.push((&bound.name, &bound.source));
        }
    }
    if named.is_empty() {
        return;
    }
    html.push_str("<section>\n<h2>What theory says</h2>\n<dl>\n");
    for (name, source) in named {
        put!(
            html,
            "<dt>{}</dt><dd>{}</dd>\n",
            escape(name),
            escape(source)
        );
    }
    html.push_str("</dl>\n</section>\n");
}

fn sources(html: &mut String, results: &Results) {
    if results.manifest.sources.is_empty() {
        return;
    }
    html.push_str("<section>\n<h2>Sources</h2>\n");
    list(html, results.manifest.sources.iter().map(String::as_str));
    html.push_str("</section>\n");
}

fn provenance(html: &mut String, results: &Results) {
    let manifest = &results.manifest;
    html.push_str("<section class=\"provenance\">\n<h2>Where this comes from</h2>\n<dl>\n");
    let facts = [
        ("Netduel", manifest.version.clone()),
        ("Seed", manifest.seed.to_string()),
        ("Replications", manifest.replications.to_string()),
        ("Scenario digest", manifest.scenario_digest.clone()),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        put!(
            html,
            "<dt>{name}</dt><dd><code>{}</code></dd>\n",
            escape(value)
        );
    }
    html.push_str("</dl>\n");
    if !manifest.files.is_empty() {
        html.push_str("<details>\n<summary>Digests of the result files</summary>\n<dl>\n");
        for (file, digest) in &manifest.files {
            let (file, digest) = (escape(file), escape(digest));
            put!(html, "<dt>{file}</dt><dd><code>{digest}</code></dd>\n");
        }
        html.push_str("</dl>\n</details>\n");
    }
    html.push_str("</section>\n");
}

/// Base64 with padding, RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| chunk.get(index).copied().map_or(0, u32::from);
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for digit in 0..4 {
            if digit <= chunk.len() {
                let index = (bits >> (18 - 6 * digit)) & 63;
                out.push(char::from(DIGITS[index as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let expected = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        for (length, expected) in expected.iter().enumerate() {
            assert_eq!(&base64(&b"foobar"[..length]), expected);
        }
    }

    #[test]
    fn nothing_of_a_table_becomes_markup() {
        assert_eq!(
            escape("<b a=\"1\">&'"),
            "&lt;b a=&quot;1&quot;&gt;&amp;&#39;"
        );
    }
}
