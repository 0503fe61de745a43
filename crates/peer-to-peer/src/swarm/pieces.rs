//! Sets of pieces, a bit each, and how many neighbours are known to have each piece.
//!
//! A peer with 400 pieces and 50 neighbours chooses among 64 pieces at a time.

use netduel_world::{Stream, uniform_below};

/// Bits in a word.
const WORD: u32 = u64::BITS;

/// Where a piece is: its word, and its bit there.
pub(super) fn place(piece: u32) -> (usize, u64) {
    ((piece / WORD) as usize, 1 << (piece % WORD))
}

/// Pieces in a word whose bits are set, lowest first.
fn pieces_of(word: usize, mut bits: u64) -> impl Iterator<Item = u32> {
    let first = u32::try_from(word).expect("pieces are counted in 32 bits") * WORD;
    std::iter::from_fn(move || {
        let lowest = (bits != 0).then(|| first + bits.trailing_zeros());
        bits &= bits.wrapping_sub(1);
        lowest
    })
}

/// A set of pieces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PieceSet {
    words: Box<[u64]>,
    len: u32,
}

impl PieceSet {
    /// No piece of `piece_count`.
    pub(super) fn none(piece_count: u32) -> Self {
        let words = piece_count.div_ceil(WORD) as usize;
        Self {
            words: vec![0; words].into_boxed_slice(),
            len: 0,
        }
    }

    /// All `piece_count` pieces.
    pub(super) fn all(piece_count: u32) -> Self {
        let mut all = Self::none(piece_count);
        (0..piece_count).for_each(|piece| all.insert(piece));
        all
    }

    /// Bytes of its words.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.words)
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn contains(&self, piece: u32) -> bool {
        let (word, bit) = place(piece);
        self.words[word] & bit != 0
    }

    pub(super) fn insert(&mut self, piece: u32) {
        let (word, bit) = place(piece);
        self.len += u32::from(self.words[word] & bit == 0);
        self.words[word] |= bit;
    }

    pub(super) fn remove(&mut self, piece: u32) {
        let (word, bit) = place(piece);
        self.len -= u32::from(self.words[word] & bit != 0);
        self.words[word] &= !bit;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let words = self.words.iter().enumerate();
        words.flat_map(|(word, bits)| pieces_of(word, *bits))
    }

    /// How many words there are.
    pub(super) fn word_count(&self) -> usize {
        self.words.len()
    }

    /// The pieces of one word.
    pub(super) fn word(&self, word: usize) -> u64 {
        self.words[word]
    }
}

/// What a neighbour is known to have: all that it has, but for its last announcements, which
/// have not been read yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    has: &'a PieceSet,
    unread: Unread<'a>,
}

/// Announcements, oldest first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unread<'a> {
    Narrow(&'a [u16]),
    Wide(&'a [u32]),
}

impl<'a> Unread<'a> {
    /// The pieces.
    #[inline]
    pub(super) fn iter(self) -> impl Iterator<Item = u32> {
        let (narrow, wide): (&'a [u16], &'a [u32]) = match self {
            Self::Narrow(pieces) => (pieces, &[]),
            Self::Wide(pieces) => (&[], pieces),
        };
        let narrow = narrow.iter().map(|piece| u32::from(*piece));
        narrow.chain(wide.iter().copied())
    }
}

impl<'a> Known<'a> {
    pub(super) fn new(has: &'a PieceSet, unread: Unread<'a>) -> Self {
        Self { has, unread }
    }

    pub(super) fn contains(&self, piece: u32) -> bool {
        let (word, bit) = place(piece);
        self.word(word) & bit != 0
    }

    /// The pieces of one word.
    pub(super) fn word(&self, word: usize) -> u64 {
        let strike = |bits: u64, piece: u32| {
            let (other, bit) = place(piece);
            if other == word { bits & !bit } else { bits }
        };
        let bits = self.has.word(word);
        match self.unread {
            Unread::Narrow(pieces) => pieces.iter().fold(bits, |b, p| strike(b, u32::from(*p))),
            Unread::Wide(pieces) => pieces.iter().fold(bits, |b, p| strike(b, *p)),
        }
    }

    /// A piece of `wanted` that is known: from the word of `from` on, and round again; in a word the
    /// first bit from `turn` on.
    pub(super) fn common(&self, wanted: &PieceSet, from: u32, turn: u32) -> Option<u32> {
        let (from, _) = place(from);
        for word in (from..wanted.word_count()).chain(0..from) {
            let wanted = wanted.word(word);
            if wanted & self.has.word(word) == 0 {
                continue;
            }
            let bits = (wanted & self.word(word)).rotate_right(turn);
            if bits != 0 {
                let bit = (bits.trailing_zeros() + turn) % WORD;
                return pieces_of(word, 1 << bit).next();
            }
        }
        None
    }
}

/// Bits of a count of neighbours, of which there are at most 64.
const COUNT_BITS: usize = 7;

/// For each piece, how many neighbours are known to have it.
///
/// The counts stand upright: a word holds one digit, in base two, of the counts of 64 pieces, so that one
/// addition counts up to 64 pieces and the rarest of 64 is found with seven comparisons.
#[derive(Clone, Debug)]
pub(super) struct Rarity {
    digits: Box<[[u64; COUNT_BITS]]>,
}

impl Rarity {
    pub(super) fn new(piece_count: u32) -> Self {
        let words = piece_count.div_ceil(WORD) as usize;
        Self {
            digits: vec![[0; COUNT_BITS]; words].into_boxed_slice(),
        }
    }

    /// Bytes of its words.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.digits)
    }

    /// One more neighbour is known to have these pieces of a word.
    #[inline]
    pub(super) fn count_word(&mut self, word: usize, mut carry: u64) {
        for digit in &mut self.digits[word] {
            if carry == 0 {
                return;
            }
            (*digit, carry) = (*digit ^ carry, *digit & carry);
        }
    }

    /// One neighbour less is known to have these pieces of a word.
    pub(super) fn discount_word(&mut self, word: usize, mut borrow: u64) {
        for digit in &mut self.digits[word] {
            if borrow == 0 {
                return;
            }
            (*digit, borrow) = (*digit ^ borrow, !*digit & borrow);
        }
    }

    /// The pieces among those of a word that fewest neighbours are known to have, and how many
    /// those are.
    fn rarest(&self, word: usize, mut among: u64) -> (u32, u64) {
        let mut count = 0;
        for digit in self.digits[word].iter().rev() {
            let without = among & !digit;
            let has = u32::from(without == 0);
            among = if without == 0 { among } else { without };
            count = count << 1 | has;
        }
        (count, among)
    }
}

/// Pieces of equal merit, of which chance picks one.
#[derive(Debug, Default)]
pub(super) struct Ties {
    words: Vec<(usize, u64)>,
    rarest: u32,
}

impl Ties {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.rarest = u32::MAX;
    }

    /// These pieces of a word are as good as all others.
    pub(super) fn add(&mut self, word: usize, pieces: u64) {
        if pieces != 0 {
            self.words.push((word, pieces));
        }
    }

    /// These pieces of a word are good where no others are rarer.
    pub(super) fn add_rarest(&mut self, word: usize, pieces: u64, rarity: &Rarity) {
        if pieces == 0 {
            return;
        }
        let (count, rarest) = rarity.rarest(word, pieces);
        if count < self.rarest {
            self.rarest = count;
            self.words.clear();
        }
        if count == self.rarest {
            self.words.push((word, rarest));
        }
    }

    /// One of them, each as likely as any other.
    pub(super) fn draw(&self, rng: &mut Stream) -> Option<u32> {
        let count = self.words.iter().map(|(_, bits)| bits.count_ones()).sum();
        if count == 0 {
            return None;
        }
        let mut nth = uniform_below(rng, count);
        for (word, bits) in &self.words {
            if nth < bits.count_ones() {
                let above = (0..nth).fold(*bits, |bits, _| bits & (bits - 1));
                return pieces_of(*word, above).next();
            }
            nth -= bits.count_ones();
        }
        unreachable!("a number below the count of all pieces is the place of one")
    }
}

#[cfg(test)]
mod tests {
    use netduel_world::Streams;

    use super::*;

    #[test]
    fn the_rarest_of_many_pieces_is_found_after_neighbours_came_and_went() {
        let mut rng = Streams::new(5, 1).open("rarity", 0);
        for round in 0..64 {
            let piece_count = 1 + uniform_below(&mut rng, 300);
            let mut rarity = Rarity::new(piece_count);
            let mut plain = vec![0_u32; piece_count as usize];
            let have = |rng: &mut Stream| {
                let mut set = PieceSet::none(piece_count);
                for piece in 0..piece_count {
                    if uniform_below(rng, 3) > 0 {
                        set.insert(piece);
                    }
                }
                set
            };
            let neighbours: Vec<PieceSet> = (0..64).map(|_| have(&mut rng)).collect();
            let leave = uniform_below(&mut rng, 64) as usize;
            for (index, set) in neighbours.iter().enumerate() {
                for piece in set.iter() {
                    let (word, bit) = place(piece);
                    rarity.count_word(word, bit);
                    plain[piece as usize] += u32::from(index >= leave);
                }
            }
            for set in &neighbours[..leave] {
                (0..set.word_count()).for_each(|word| rarity.discount_word(word, set.word(word)));
            }
            let among = have(&mut rng);
            let mut ties = Ties::default();
            ties.clear();
            for word in 0..among.word_count() {
                ties.add_rarest(word, among.word(word), &rarity);
            }
            let fewest = among.iter().map(|piece| plain[piece as usize]).min();
            let chosen = ties.draw(&mut rng);
            let count = chosen.map(|piece| plain[piece as usize]);
            assert_eq!(count, fewest, "round {round}");
            assert!(chosen.is_none_or(|piece| among.contains(piece)));
        }
    }

    #[test]
    fn pieces_of_equal_merit_are_drawn_equally_often() {
        let mut rng = Streams::new(6, 1).open("ties", 0);
        let mut ties = Ties::default();
        ties.add(0, 0b1001);
        ties.add(2, 0b10);
        let mut counts = [0_u32; 3];
        for _ in 0..3000 {
            let piece = ties.draw(&mut rng).unwrap();
            counts[[0, 3, 129].iter().position(|p| *p == piece).unwrap()] += 1;
        }
        // 1,000 each; 4 standard deviations of a binomial count are 103.
        assert!(counts.iter().all(|c| c.abs_diff(1000) < 103), "{counts:?}");
    }

    #[test]
    fn what_was_not_read_is_not_known() {
        let mut has = PieceSet::all(200);
        has.remove(7);
        let known = Known::new(&has, Unread::Narrow(&[64, 199]));
        let contained: Vec<u32> = (0..200).filter(|piece| !known.contains(*piece)).collect();
        assert_eq!(contained, [7, 64, 199]);
        let mut wanted = PieceSet::none(200);
        wanted.insert(64);
        assert_eq!(known.common(&wanted, 0, 0), None);
        wanted.insert(8);
        wanted.insert(9);
        assert_eq!(known.common(&wanted, 70, 0), Some(8));
        assert_eq!(known.common(&wanted, 0, 9), Some(9));
    }
}
