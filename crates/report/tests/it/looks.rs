//! Every figure, looked at by a machine; `WRITE_CHARTS=folder` writes them for human eyes.

use std::{env, fs, path::Path};

use netduel_report::render;

use crate::folders::{Folder, crowd, outage};

fn write(name: &str, folder: &Folder) {
    let Ok(target) = env::var("WRITE_CHARTS") else {
        return;
    };
    let results = folder.read();
    println!("{name}: {}\n", netduel_report::answer(&results));
    println!("{}", netduel_report::headline_table(&results));
    for (path, bytes) in render(&results).unwrap() {
        let path = Path::new(&target).join(name).join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn every_folder_is_drawn() {
    for (name, folder) in [("crowd", crowd()), ("outage", outage())] {
        write(name, &folder);
        assert!(!render(&folder.read()).unwrap().is_empty());
    }
}
