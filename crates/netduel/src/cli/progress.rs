//! A progress bar on a terminal; silence elsewhere.

use std::{
    io::{self, IsTerminal as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use netduel_experiment::Tick;

use super::terminal::colours_wanted;

/// How far the runs have come, for whoever watches.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        let watched = io::stderr().is_terminal();
        let target = if watched && !quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let colour = if colours_wanted(watched) { ".cyan" } else { "" };
        let template =
            format!("{{bar:40{colour}}} {{pos}}/{{len}} worlds, {{elapsed}} gone, {{eta}} to go");
        let style = ProgressStyle::with_template(&template);
        let style = style.expect("the template is one").progress_chars("━╸─");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        if !bar.is_hidden() {
            // A large world takes minutes; the clock shows that it is being worked on.
            bar.enable_steady_tick(Duration::from_secs(1));
        }
        Self(bar)
    }

    pub(super) fn tick(&self, tick: Tick) {
        self.0.set_length(tick.planned as u64);
        if self.0.position() == 0 && tick.finished > 0 {
            // What was finished before says nothing about the time still needed.
            self.0.reset_eta();
        }
        self.0.set_position(tick.finished as u64);
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
