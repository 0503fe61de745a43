//! Ctrl-C: the first ends the work in good order, the second ends the process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{failure::Exit, terminal};

/// A flag that becomes true on the first Ctrl-C.
pub(super) fn flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let installed = ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
        flag.store(true, Ordering::Relaxed);
    });
    if installed.is_err() {
        terminal::note(
            "note: Ctrl-C will end the run at once; finished runs are kept all the same",
        );
    }
    stop
}
