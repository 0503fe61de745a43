//! Whom a broadcast has reached, and when.

use netduel_engine::SimTime;

/// How far a broadcast came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reach {
    /// Users whose devices have what was told.
    pub users: u32,
    /// When 1 %, 2 % ... of all users were reached, as far as it came.
    pub by: Vec<SimTime>,
    seen: Vec<u64>,
}

impl Reach {
    pub(crate) fn new(users: u32) -> Self {
        Self {
            seen: vec![0; users.div_ceil(64) as usize],
            ..Self::default()
        }
    }

    /// Notes that the device of user `user`, one of `users`, has it; says whether all have.
    pub(crate) fn note(&mut self, user: u32, users: u32, now: SimTime) -> bool {
        let (word, bit) = (user as usize / 64, 1_u64 << (user % 64));
        if self.seen[word] & bit == 0 {
            self.seen[word] |= bit;
            self.users += 1;
            let percent = u64::from(self.users) * 100 / u64::from(users);
            self.by
                .resize(usize::try_from(percent).expect("at most 100"), now);
        }
        self.users == users
    }
}
