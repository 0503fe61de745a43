//! The HTML page.

use netduel_report::{charts, page, render};

use crate::folders::{Folder, crowd, outage};

fn html(folder: &Folder) -> String {
    let results = folder.read();
    page(&results, &charts(&results))
}

#[test]
fn the_page_needs_nothing_from_the_network() {
    for folder in [crowd(), outage()] {
        let html = html(&folder);
        let namespaces = html.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(html.matches("http").count(), namespaces);
        assert!(!html.contains("<script") && !html.contains("<link") && !html.contains("<img"));
        assert_eq!(
            html.matches("url(").count(),
            html.matches("url(data:").count()
        );
    }
}

#[test]
fn what_a_table_holds_is_shown_and_not_run() {
    let mut folder = outage();
    for text in folder.files.values_mut() {
        *text = text.replace("peer-to-peer", "<script>alert(1)</script>");
    }
    let html = html(&folder);
    assert!(!html.contains("<script"));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn the_page_can_be_used_without_seeing_it() {
    let html = html(&outage());
    assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    assert_eq!(html.matches("<h1").count(), 1);
    assert_eq!(
        html.matches("<table").count(),
        html.matches("<caption").count()
    );
    assert_eq!(
        html.matches("<figure").count(),
        html.matches("<figcaption").count()
    );
    assert_eq!(
        html.matches("<svg xmlns").count(),
        html.matches("<desc id=").count()
    );
    let ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    for (index, id) in ids.iter().enumerate() {
        assert!(!ids[index + 1..].contains(id), "two things are called {id}");
    }
}

#[test]
fn the_page_says_where_it_comes_from_and_what_was_unequal() {
    let html = html(&outage());
    for text in [
        "sha256:8c1f6e0b5a2d",
        "2026",
        "rents a server of 100 Mbps",
        "does not hold",
        "Who was hit",
        "server (15 of 20 runs, carrying 22 % of the load) and user 7 (5 of 20 runs",
        "Requests failed: timeout",
    ] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn every_chart_comes_with_picture_numbers_and_words() {
    let files = render(&outage().read()).unwrap();
    let has = |path: &str| {
        files
            .iter()
            .any(|(name, bytes)| name == path && !bytes.is_empty())
    };
    for chart in [
        "completion-compared",
        "distribution-of-completion",
        "delivery-over-time",
        "served-over-time",
    ] {
        for ending in ["svg", "png", "csv", "txt"] {
            assert!(has(&format!("charts/{chart}.{ending}")), "{chart}.{ending}");
        }
    }
    assert!(has("report.html"));
}

#[test]
fn the_numbers_drawn_are_those_of_the_tables() {
    let folder = crowd();
    let charts = charts(&folder.read());
    let chart = charts
        .iter()
        .find(|chart| chart.name == "makespan-against-population-peers")
        .unwrap();
    let drawn = chart
        .csv
        .lines()
        .find(|line| line.starts_with("client-server,simulated,1000,"))
        .unwrap();
    let mean = drawn.split(',').nth(7).unwrap();
    assert!(folder.files["summary.csv"].contains(mean), "{drawn}");
    assert!(
        chart
            .csv
            .contains("Kurose-Ross peer-to-peer bound (peer-to-peer),theory")
            || chart.csv.contains("Kurose-Ross peer-to-peer bound,theory")
    );
}
