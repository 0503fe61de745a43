//! Faults that the tests plant, to see that they would notice.

/// A step of the method that can be left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// Flows that are too fast stay in their group.
    PullSkipped,
    /// A level may rise above what was promised.
    CertificateIgnored,
    /// Members may run above their cap.
    CapIgnored,
    /// A level changes before the clock is brought up to date.
    ClockNotTouched,
}

/// The fault planted, if any. Outside tests there is none, and asking costs nothing.
#[derive(Debug, Default)]
pub(super) struct Faults {
    #[cfg(test)]
    pub(super) planted: Option<Fault>,
}

impl Faults {
    #[cfg(test)]
    pub(super) fn planted(&self, fault: Fault) -> bool {
        self.planted == Some(fault)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the same signature as in tests")]
    pub(super) fn planted(&self, _: Fault) -> bool {
        false
    }
}
