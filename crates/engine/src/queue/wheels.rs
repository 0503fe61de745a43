//! Keys that are not due for a while, sorted only as far as they must be.

use super::key::Key;

/// Bits of one digit of an instant: as many as let a level's buckets stay in the nearest cache.
const DIGIT: u32 = 8;
const RADIX: usize = 1 << DIGIT;
const LEVELS: usize = (u64::BITS / DIGIT) as usize;
const WORDS: usize = RADIX / 64;
/// Keys in a chunk, 256 bytes: four cache lines, read and written from end to end.
const CHUNK: usize = 16;
const NONE: u32 = u32::MAX;
/// Chunks that are kept even if nearly all of them are free. Tests go below, to see more of it.
const KEPT: usize = if cfg!(test) { 16 } else { 1024 };
/// When fewer than one chunk in so many is used, those that are free are given back.
const SPARSE: usize = 4;

/// It begins where a cache line does.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk([Key; CHUNK]);

/// Keys that agree in all digits above one level and in the digit there.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    first: u32,
    last: u32,
    len: u32,
}

const EMPTY: Bucket = Bucket {
    first: NONE,
    last: NONE,
    len: 0,
};

/// Where a bucket is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    level: usize,
    digit: usize,
}

impl Place {
    /// Where a key goes, seen from `base`: the highest digit in which they differ.
    #[inline]
    fn of(time: u64, base: u64) -> Self {
        let level = (((time ^ base) | 1).ilog2() / DIGIT) as usize;
        let digit = time >> shift(level) & (RADIX as u64 - 1);
        Self {
            level,
            digit: usize::try_from(digit).expect("a digit is small"),
        }
    }

    #[inline]
    fn index(self) -> usize {
        self.level * RADIX + self.digit
    }
}

#[inline]
fn shift(level: usize) -> u32 {
    u32::try_from(level).expect("levels are few") * DIGIT
}

/// Ones below the digits of `level`.
#[inline]
fn below(level: usize) -> u64 {
    (1_u64 << shift(level)) - 1
}

/// Ones through the digits of `level`.
#[inline]
fn through(level: usize) -> u64 {
    below(level) | (RADIX as u64 - 1) << shift(level)
}

/// Buckets by level and digit, in chunks from a common pool.
#[derive(Debug)]
pub(super) struct Wheels {
    /// No key is earlier, and a key's place is where it differs from this.
    base: u64,
    buckets: Vec<Bucket>,
    /// Which buckets hold something.
    occupied: [[u64; WORDS]; LEVELS],
    /// Which levels do.
    levels: u32,
    chunks: Vec<Chunk>,
    /// The chunk after each, in its bucket or among the free ones.
    after: Vec<u32>,
    free: u32,
    /// Chunks in buckets.
    used: usize,
    len: usize,
}

impl Default for Wheels {
    fn default() -> Self {
        Self {
            base: 0,
            buckets: vec![EMPTY; LEVELS * RADIX],
            occupied: [[0; WORDS]; LEVELS],
            levels: 0,
            chunks: Vec::new(),
            after: Vec::new(),
            free: NONE,
            used: 0,
            len: 0,
        }
    }
}

impl Wheels {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// No key is earlier.
    #[inline]
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Moves the base on to an instant that is before every key and in a bucket that is empty, so
    /// that every place stays as it is.
    pub(super) fn advance_base(&mut self, base: u64) {
        debug_assert!(self.base <= base, "the base only advances");
        debug_assert!(
            self.first().is_none_or(|first| {
                let place = Place::of(base, self.base);
                base < self.start(first) && place.level <= first.level
            }),
            "places depend on the base"
        );
        self.base = base;
    }

    /// Takes in a key that is not earlier than the base.
    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        self.push_at(Place::of(key.time(), self.base), key);
    }

    #[inline]
    fn push_at(&mut self, place: Place, key: Key) {
        self.len += 1;
        let bucket = &mut self.buckets[place.index()];
        let at = bucket.len as usize % CHUNK;
        bucket.len += 1;
        if at > 0 {
            self.chunks[bucket.last as usize].0[at] = key;
        } else {
            self.push_chunk(place, key);
        }
    }

    fn push_chunk(&mut self, place: Place, key: Key) {
        let chunk = self.take_chunk();
        self.chunks[chunk as usize].0[0] = key;
        let bucket = &mut self.buckets[place.index()];
        if bucket.last == NONE {
            bucket.first = chunk;
            self.occupied[place.level][place.digit / 64] |= 1 << (place.digit % 64);
            self.levels |= 1 << place.level;
        } else {
            self.after[bucket.last as usize] = chunk;
        }
        bucket.last = chunk;
    }

    fn take_chunk(&mut self) -> u32 {
        self.used += 1;
        if self.free == NONE {
            let chunk = u32::try_from(self.chunks.len()).expect("chunks are fewer than keys");
            self.chunks.push(Chunk([Key::default(); CHUNK]));
            self.after.push(NONE);
            return chunk;
        }
        let chunk = self.free;
        self.free = std::mem::replace(&mut self.after[chunk as usize], NONE);
        chunk
    }

    /// The earliest bucket.
    pub(super) fn first(&self) -> Option<Place> {
        if self.levels == 0 {
            return None;
        }
        self.first_of(self.levels.trailing_zeros() as usize)
    }

    fn first_of(&self, level: usize) -> Option<Place> {
        let words = self.occupied[level].iter().zip(0..);
        let (word, index) = words.into_iter().find(|(word, _)| **word != 0)?;
        let digit = index * 64 + word.trailing_zeros() as usize;
        Some(Place { level, digit })
    }

    /// The next bucket of the same level.
    pub(super) fn next(&self, place: Place) -> Option<Place> {
        self.first_of(place.level)
    }

    /// How many keys a bucket holds.
    pub(super) fn len_of(&self, place: Place) -> usize {
        self.buckets[place.index()].len as usize
    }

    /// The earliest instant that falls into a bucket.
    pub(super) fn start(&self, place: Place) -> u64 {
        let digit = (place.digit as u64) << shift(place.level);
        self.base & !through(place.level) | digit
    }

    /// The latest instant that falls into a bucket.
    pub(super) fn end(&self, place: Place) -> u64 {
        self.start(place) | below(place.level)
    }

    /// Empties a bucket.
    pub(super) fn drain(&mut self, place: Place, mut visit: impl FnMut(Key)) {
        let bucket = self.detach(place);
        let (mut chunk, mut left) = (bucket.first, bucket.len as usize);
        while left > 0 {
            let keys = &self.chunks[chunk as usize].0[..left.min(CHUNK)];
            left -= keys.len();
            for key in keys {
                visit(*key);
            }
            chunk = self.release(chunk);
        }
    }

    /// Divides the earliest bucket among lower levels. It holds more than one instant.
    pub(super) fn divide(&mut self, place: Place) {
        let bucket = self.detach(place);
        self.base = self.start(place);
        self.consume(bucket, Self::push);
    }

    /// The instant of all keys of a bucket, when they have the same.
    pub(super) fn instant(&self, place: Place) -> Option<u64> {
        let bucket = self.buckets[place.index()];
        let first = self.chunks[bucket.first as usize].0[0].time();
        let (mut chunk, mut left) = (bucket.first, bucket.len as usize);
        while left > 0 {
            let keys = &self.chunks[chunk as usize].0[..left.min(CHUNK)];
            if keys.iter().any(|key| key.time() != first) {
                return None;
            }
            chunk = self.after[chunk as usize];
            left -= keys.len();
        }
        Some(first)
    }

    /// Drops the keys that are not to be kept.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Key) -> bool) {
        for place in self.places() {
            let bucket = self.detach(place);
            self.consume(bucket, |this, key| {
                if keep(key) {
                    this.push_at(place, key);
                }
            });
        }
    }

    /// Empties every bucket.
    pub(super) fn drain_all(&mut self, mut visit: impl FnMut(Key)) {
        for place in self.places() {
            self.drain(place, &mut visit);
        }
    }

    /// Every bucket that holds something.
    fn places(&self) -> Vec<Place> {
        (0..LEVELS)
            .flat_map(|level| (0..RADIX).map(move |digit| Place { level, digit }))
            .filter(|place| self.len_of(*place) > 0)
            .collect()
    }

    /// Takes a bucket's chunks away from it.
    fn detach(&mut self, place: Place) -> Bucket {
        let bucket = std::mem::replace(&mut self.buckets[place.index()], EMPTY);
        let words = &mut self.occupied[place.level];
        words[place.digit / 64] &= !(1 << (place.digit % 64));
        if *words == [0; WORDS] {
            self.levels &= !(1 << place.level);
        }
        self.len -= bucket.len as usize;
        bucket
    }

    /// Visits the keys of a detached bucket in the order of their coming, and frees its chunks.
    fn consume(&mut self, bucket: Bucket, mut visit: impl FnMut(&mut Self, Key)) {
        let (mut chunk, mut left) = (bucket.first, bucket.len as usize);
        while left > 0 {
            let Chunk(keys) = self.chunks[chunk as usize];
            chunk = self.release(chunk);
            let held = left.min(CHUNK);
            for key in &keys[..held] {
                visit(self, *key);
            }
            left -= held;
        }
    }

    /// Frees a chunk; returns the one after it.
    fn release(&mut self, chunk: u32) -> u32 {
        self.used -= 1;
        let next = std::mem::replace(&mut self.after[chunk as usize], self.free);
        self.free = chunk;
        next
    }

    /// Whether most chunks are free, as after a burst.
    #[inline]
    pub(super) fn is_sparse(&self) -> bool {
        self.chunks.len() > KEPT && self.used < self.chunks.len() / SPARSE
    }

    /// Keeps the chunks that are used and gives the others back.
    #[cold]
    pub(super) fn give_back(&mut self) {
        let mut chunks = Vec::with_capacity(self.used);
        let mut after = Vec::with_capacity(self.used);
        let number = |at| u32::try_from(at).expect("chunks are fewer than keys");
        for place in self.places() {
            let bucket = &mut self.buckets[place.index()];
            let mut chunk = std::mem::replace(&mut bucket.first, number(chunks.len()));
            while chunk != bucket.last {
                chunks.push(self.chunks[chunk as usize]);
                after.push(number(chunks.len()));
                chunk = self.after[chunk as usize];
            }
            bucket.last = number(chunks.len());
            chunks.push(self.chunks[chunk as usize]);
            after.push(NONE);
        }
        (self.chunks, self.after, self.free) = (chunks, after, NONE);
    }

    /// Keys for which there is room.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.chunks.len() * CHUNK
    }
}
