//! What an incident did to a delivery, and how long it took to get over it.

/// A cumulative delivery: what had been delivered in all at each instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    samples: Vec<(f64, f64)>,
    end: f64,
}

/// One incident, in seconds of simulated time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incident {
    /// When it begins.
    pub at: f64,
    /// When it is over; `None` when it lasts for ever.
    pub until: Option<f64>,
}

/// What an incident did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recovery {
    /// Rate before the incident, per second.
    pub baseline: f64,
    /// Share of the baseline lost at the worst moment, 0 (nothing) to 1 (everything).
    pub dip_depth: f64,
    /// Seconds from the begin of the incident until the rate was back at 90 % of the baseline: 0
    /// when it never fell below that, `None` when it did and did not come back.
    pub recovered_after: Option<f64>,
    /// What the baseline would have delivered from the begin of the incident until recovery (or
    /// the end of the observation) and was not; never below 0.
    pub lost: f64,
}

/// The share of the baseline that counts as recovered.
pub const RECOVERED_SHARE: f64 = 0.9;

impl Delivery {
    /// Takes `(seconds, delivered so far)` samples, and what was asked for in all.
    ///
    /// Once everything asked for is delivered the rate falls to nothing for a good reason; the
    /// observation therefore ends at the first sample that reaches `demanded`, or at the last one.
    ///
    /// # Panics
    /// When times do not rise or the delivered amount falls.
    pub fn new(mut samples: Vec<(f64, f64)>, demanded: f64) -> Self {
        assert!(
            samples.is_sorted_by(|a, b| a.0 < b.0),
            "samples are in order of time"
        );
        assert!(
            samples.is_sorted_by(|a, b| a.1 <= b.1),
            "what is delivered stays delivered"
        );
        // Sums of many transfers miss the demand by rounding.
        let enough = demanded * (1.0 - 1e-9);
        if let Some(done) = samples
            .iter()
            .position(|(_, delivered)| *delivered >= enough)
        {
            samples.truncate(done + 1);
        }
        let end = samples.last().map_or(0.0, |(time, _)| *time);
        Self { samples, end }
    }

    /// Measures one incident; `None` when nothing flowed before it, so that nothing can be said.
    ///
    /// - Rates are means over windows of a twentieth of the incident's length, or of what is left
    ///   to see when it lasts for ever, but not shorter than the time between two samples.
    /// - The baseline is the mean rate over the second half of the time from the first sample to
    ///   the begin of the incident: a ramp at the start does not count.
    /// - The worst moment is the slowest window that begins while the incident lasts, or before
    ///   recovery.
    /// - Recovery is the begin of the first window at 90 % of the baseline or more after the last
    ///   slower one that began while the incident lasted: a service that goes on for a moment and
    ///   then fails has not recovered.
    ///
    /// # Source
    /// Depth, recovery time and area of the "resilience triangle": M. Bruneau et al., "A framework
    /// to quantitatively assess and enhance the seismic resilience of communities", *Earthquake
    /// Spectra* 19(4), 2003, 733-752.
    pub fn recovery(&self, incident: Incident) -> Option<Recovery> {
        let baseline = self.baseline(incident.at)?;
        let over = incident.until.unwrap_or(self.end).min(self.end);
        let windows = self.windows(incident.at, (over - incident.at) / WINDOWS);
        let enough = baseline * RECOVERED_SHARE;
        let during = windows.iter().take_while(|window| window.from < over);
        let during = during.count();
        let last_fall = windows[..during]
            .iter()
            .rposition(|window| window.rate < enough);
        let Some(last_fall) = last_fall else {
            return Some(Recovery {
                baseline,
                dip_depth: depth(&windows[..during], baseline),
                recovered_after: Some(0.0),
                lost: 0.0,
            });
        };
        let back = windows[last_fall..]
            .iter()
            .position(|window| window.rate >= enough);
        let dip = back.map_or(&windows[..], |back| &windows[..last_fall + back]);
        let recovered_at = back.map(|back| windows[last_fall + back].from);
        let missed_until = recovered_at.unwrap_or(self.end);
        let expected = baseline * (missed_until - incident.at);
        let delivered = self.delivered_by(missed_until) - self.delivered_by(incident.at);
        Some(Recovery {
            baseline,
            dip_depth: depth(dip, baseline),
            recovered_after: recovered_at.map(|time| time - incident.at),
            lost: (expected - delivered).max(0.0),
        })
    }

    fn baseline(&self, at: f64) -> Option<f64> {
        let start = self.samples.first()?.0;
        let at = at.min(self.end);
        let from = start + (at - start) / 2.0;
        let delivered = self.delivered_by(at) - self.delivered_by(from);
        (at > from && delivered > 0.0).then(|| delivered / (at - from))
    }

    /// What had been delivered by `time`, linearly between samples.
    fn delivered_by(&self, time: f64) -> f64 {
        let next = self.samples.partition_point(|(at, _)| *at < time);
        let Some(&(to, after)) = self.samples.get(next) else {
            return self.samples.last().map_or(0.0, |(_, delivered)| *delivered);
        };
        let Some(&(from, before)) = next.checked_sub(1).map(|index| &self.samples[index]) else {
            return after;
        };
        before + (after - before) * (time - from) / (to - from)
    }

    /// The mean rates over windows of `length`, or of the time between two samples if that is
    /// longer, from `at` to the end.
    fn windows(&self, at: f64, length: f64) -> Vec<Window> {
        let spacing = self.samples.windows(2).map(|pair| pair[1].0 - pair[0].0);
        let length = spacing.fold(length, f64::max);
        let mut windows = Vec::new();
        let mut from = at;
        // What is left at the end is a window when it is at least half of one.
        while from + length / 2.0 <= self.end {
            let to = (from + length).min(self.end);
            let delivered = self.delivered_by(to) - self.delivered_by(from);
            let rate = delivered / (to - from);
            windows.push(Window { from, rate });
            from = to;
        }
        windows
    }
}

/// Windows in which an incident is looked at.
const WINDOWS: f64 = 20.0;

/// A time with the mean rate over it.
struct Window {
    from: f64,
    rate: f64,
}

fn depth(windows: &[Window], baseline: f64) -> f64 {
    let rates = windows.iter().map(|window| window.rate);
    let worst = rates.fold(baseline, f64::min);
    (1.0 - worst / baseline).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One sample per second; `rate(t)` applies from t to t + 1.
    fn delivery(seconds: u32, demanded: f64, rate: impl Fn(u32) -> f64) -> Delivery {
        let mut samples = vec![(0.0, 0.0)];
        for second in 0..seconds {
            let so_far = samples.last().unwrap().1;
            samples.push((f64::from(second) + 1.0, so_far + rate(second)));
        }
        Delivery::new(samples, demanded)
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    const CRASH: Incident = Incident {
        at: 10.0,
        until: Some(20.0),
    };

    #[test]
    fn a_crash_of_everything_costs_its_whole_length() {
        let found = delivery(40, 1e9, |t| if (10..20).contains(&t) { 0.0 } else { 5.0 });
        let found = found.recovery(CRASH).unwrap();
        close(found.baseline, 5.0);
        close(found.dip_depth, 1.0);
        close(found.recovered_after.unwrap(), 10.0);
        close(found.lost, 50.0);
    }

    #[test]
    fn a_slow_return_counts_until_nine_tenths_of_the_rate_before() {
        let found = delivery(60, 1e9, |t| match t {
            0..10 => 10.0,
            10..20 => 4.0,
            _ => (f64::from(t) - 15.0).min(10.0),
        });
        let found = found.recovery(CRASH).unwrap();
        close(found.dip_depth, 0.6);
        // The rate is 9 from second 24 on.
        close(found.recovered_after.unwrap(), 14.0);
        close(found.lost, 60.0 + 5.0 + 4.0 + 3.0 + 2.0);
    }

    #[test]
    fn a_moment_of_service_before_the_fall_is_no_recovery() {
        let found = delivery(40, 1e9, |t| match t {
            10 => 1.0,
            13..25 => 0.0,
            _ => 5.0,
        });
        let found = found.recovery(CRASH).unwrap();
        close(found.dip_depth, 1.0);
        close(found.recovered_after.unwrap(), 15.0);
    }

    #[test]
    fn an_incident_that_nobody_feels_leaves_no_trace() {
        let found = delivery(30, 1e9, |_| 2.0).recovery(CRASH).unwrap();
        close(found.dip_depth, 0.0);
        assert_eq!(found.recovered_after, Some(0.0));
        close(found.lost, 0.0);
    }

    #[test]
    fn a_service_that_stays_down_never_recovers() {
        let found = delivery(30, 1e9, |t| if t < 10 { 3.0 } else { 0.0 });
        let found = found
            .recovery(Incident {
                at: 10.0,
                until: None,
            })
            .unwrap();
        close(found.dip_depth, 1.0);
        assert_eq!(found.recovered_after, None);
        close(found.lost, 60.0);
    }

    #[test]
    fn having_delivered_everything_is_not_a_dip() {
        let found = delivery(40, 50.0, |t| if t < 25 { 2.0 } else { 0.0 });
        let found = found
            .recovery(Incident {
                at: 10.0,
                until: Some(30.0),
            })
            .unwrap();
        close(found.dip_depth, 0.0);
        assert_eq!(found.recovered_after, Some(0.0));
    }

    #[test]
    fn a_ramp_at_the_start_does_not_lower_the_baseline() {
        let found = delivery(20, 1e9, |t| if t < 5 { 0.0 } else { 6.0 });
        close(found.recovery(CRASH).unwrap().baseline, 6.0);
    }

    #[test]
    fn before_anything_flowed_nothing_can_be_said() {
        assert_eq!(delivery(20, 1e9, |_| 0.0).recovery(CRASH), None);
        assert_eq!(Delivery::new(Vec::new(), 1.0).recovery(CRASH), None);
        assert_eq!(
            delivery(20, 1e9, |_| 1.0).recovery(Incident {
                at: 0.0,
                until: None
            }),
            None
        );
    }

    #[test]
    fn an_incident_after_the_end_of_the_work_hurts_nobody() {
        let found = delivery(40, 10.0, |t| if t < 5 { 2.0 } else { 0.0 });
        let found = found.recovery(CRASH).unwrap();
        close(found.dip_depth, 0.0);
        assert_eq!(found.recovered_after, Some(0.0));
    }

    #[test]
    fn an_incident_that_begins_between_samples_counts_from_its_own_begin() {
        let found = delivery(40, 1e9, |t| if (10..20).contains(&t) { 0.0 } else { 5.0 });
        let found = found
            .recovery(Incident {
                at: 10.5,
                until: Some(20.0),
            })
            .unwrap();
        // To within one window.
        close(found.recovered_after.unwrap(), 10.0);
    }
}
