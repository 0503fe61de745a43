//! What transfers of values carry.

/// What a transfer carries, as its label says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cargo {
    /// A value to its asker, who knows the look-up by this ticket.
    Read(u32),
    /// A value to its owner, who knows it by the second ticket; its asker, by the first.
    Write(u32, u32),
    /// Copies to a node that knows them by this ticket.
    Copies(u32),
}

impl Cargo {
    pub(crate) fn label(self) -> u64 {
        let (kind, high, low) = match self {
            Self::Read(ticket) => (0, 0, ticket),
            Self::Write(asker, owner) => (1, asker, owner),
            Self::Copies(ticket) => (2, 0, ticket),
        };
        kind << 60 | u64::from(high) << 30 | u64::from(low)
    }

    pub(crate) fn of(label: u64) -> Self {
        let half = |shift: u32| {
            let bits = (label >> shift) & ((1 << 30) - 1);
            u32::try_from(bits).expect("30 bits fit into 32")
        };
        match label >> 60 {
            0 => Self::Read(half(0)),
            1 => Self::Write(half(30), half(0)),
            _ => Self::Copies(half(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_were_written() {
        let most = (1 << 30) - 1;
        for cargo in [Cargo::Read(most), Cargo::Write(7, most), Cargo::Copies(0)] {
            assert_eq!(Cargo::of(cargo.label()), cargo);
        }
    }
}
