//! Every figure, looked at by a machine; `WRITE_CHARTS=folder` writes them for human eyes.

use std::{env, fmt::Write as _, fs, path::Path};

use netduel_report::{answer, charts, headline_table, render};
use resvg::{
    tiny_skia::Rect,
    usvg::{Group, Node, Options, TextChunk, Tree, fontdb::Database},
};

use crate::folders::{Folder, crowd, grid, kinds, outage, race, sole, throng};

fn write(name: &str, folder: &Folder) {
    let Ok(target) = env::var("WRITE_CHARTS") else {
        return;
    };
    let results = folder.read();
    let mut files = render(&results).unwrap();
    files.push(("answer.txt".to_owned(), answer(&results).into_bytes()));
    files.push((
        "headlines.txt".to_owned(),
        headline_table(&results).into_bytes(),
    ));
    for (path, bytes) in files {
        let path = Path::new(&target).join(name).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn all() -> [(&'static str, Folder); 7] {
    [
        ("crowd", crowd()),
        ("outage", outage()),
        ("throng", throng()),
        ("kinds", kinds()),
        ("grid", grid()),
        ("sole", sole()),
        ("race", race()),
    ]
}

#[test]
fn every_folder_is_drawn() {
    for (name, folder) in all() {
        write(name, &folder);
        assert!(!render(&folder.read()).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    for (name, folder) in all() {
        assert!(render(&folder.read()) == render(&folder.read()), "{name}");
    }
}

/// The texts of a group with their boxes in pixels.
fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, found),
            Node::Text(text) => {
                let words: String = text.chunks().iter().map(TextChunk::text).collect();
                // The ink of the letters, not the height of the line.
                let ink = text.flattened().abs_bounding_box();
                found.push((words.trim().to_owned(), ink));
            }
            _ => {}
        }
    }
}

fn tree(svg: &str) -> Tree {
    let mut fonts = Database::new();
    fonts.load_font_data(include_bytes!("../../assets/OpenSans-Regular-subset.ttf").to_vec());
    fonts.load_font_data(include_bytes!("../../assets/OpenSans-Bold-subset.ttf").to_vec());
    Tree::from_str(
        svg,
        &Options {
            fontdb: fonts.into(),
            ..Options::default()
        },
    )
    .unwrap()
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.left() < b.right() && b.left() < a.right() && a.top() < b.bottom() && b.top() < a.bottom()
}

#[test]
fn no_label_leaves_the_sheet_or_covers_another() {
    for (name, folder) in all() {
        for chart in charts(&folder.read()) {
            let tree = tree(&chart.svg);
            let mut labels = Vec::new();
            texts(tree.root(), &mut labels);
            assert!(
                labels.len() > 5,
                "{name}/{}: {} labels",
                chart.name,
                labels.len()
            );
            for (index, (text, frame)) in labels.iter().enumerate() {
                let inside = frame.left() >= 0.0
                    && frame.top() >= 0.0
                    && frame.right() <= tree.size().width()
                    && frame.bottom() <= tree.size().height();
                assert!(inside, "{name}/{}: `{text}` is at {frame:?}", chart.name);
                for (other, covered) in &labels[index + 1..] {
                    let apart = !overlap(frame, covered);
                    assert!(apart, "{name}/{}: `{text}` covers `{other}`", chart.name);
                }
            }
        }
    }
}

#[test]
fn a_swarm_much_faster_than_a_server_is_seen_on_a_logarithmic_clock() {
    let charts = charts(&race().read());
    let served = charts
        .iter()
        .find(|chart| chart.name == "served-over-time")
        .unwrap();
    for label in ["log scale", ">10 s<", ">1 min<", ">1 h<"] {
        let text = served.svg.replace('\n', "");
        assert!(text.contains(label), "{label}");
    }
    assert!(
        served
            .description
            .contains("peer-to-peer: reaches 100 % by 80 s"),
        "{}",
        served.description
    );
}

/// FNV-1a over bytes.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn figures_are_those_that_were_looked_at() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/figures.txt");
    let mut found = String::new();
    for (name, folder) in all() {
        for chart in charts(&folder.read()) {
            let digest = digest(chart.svg.as_bytes());
            writeln!(found, "{digest:016x} {name}/{}", chart.name).unwrap();
        }
    }
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    let hint = "look at the figures (WRITE_CHARTS=folder), then set UPDATE_GOLDEN=1";
    assert_eq!(found, golden, "a figure has changed: {hint}");
}

#[test]
fn thousands_of_departures_are_told_and_not_drawn() {
    let mut folder = outage();
    for run in 0..20 {
        for departure in 0..2000 {
            let (at, node) = (departure / 2, departure % 97);
            let line = format!("0,peer-to-peer,{run},churn,leave,{at}.5,{at}.9,{node},peer,");
            folder.add("incidents.csv", "", &line);
        }
    }
    let charts = charts(&folder.read());
    let served = charts
        .iter()
        .find(|chart| chart.name == "served-over-time")
        .unwrap();
    assert!(
        served.description.contains("too many to shade"),
        "{}",
        served.description
    );
    assert!(served.svg.len() < 60_000);
}
