//! What a server has on its disk: objects, values, or the directory of who has what.

use netduel_world::{
    Bytes, Cast, Cause, Key, NodeId, ObjectId, Stream, Want, Wants, uniform_below,
};

use crate::{bits::Bits, message::Guest, message::Message};

/// What a server has on its disk.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// Objects or keys that it has.
    things: Bits,
    /// Where each object's holders begin among all; then how many there are.
    starts: Box<[u32]>,
    holders: Box<[NodeId]>,
}

/// How a server answers.
pub(crate) enum Answer {
    /// With the object or the value.
    Content,
    /// With a message.
    Message(Message),
    /// Not.
    Sorry(Cause),
}

impl Content {
    /// Everything that users can ask for; who has what as it was registered before the start.
    pub(crate) fn complete(cast: Cast<'_>) -> Self {
        let (things, searched) = match cast.wants() {
            Wants::Download { objects, .. } => (*objects, 0),
            Wants::Lookup { keys, .. } => (*keys, 0),
            Wants::Search { objects, .. } => (0, *objects),
            Wants::Broadcast { .. } => (0, 0),
        };
        let users = cast.machine_count()..cast.machine_count() + cast.user_count();
        let mut shared: Vec<(ObjectId, NodeId)> = Vec::new();
        if searched > 0 {
            for user in users.map(NodeId) {
                shared.extend(cast.objects_of(user).iter().map(|object| (*object, user)));
            }
        }
        shared.sort_unstable();
        let starts = (0..=searched).map(|object| {
            let before = shared.partition_point(|(shared, _)| shared.0 < object);
            u32::try_from(before).expect("copies are counted in 32 bits")
        });
        let starts = if searched > 0 {
            starts.collect()
        } else {
            Box::default()
        };
        Self {
            things: Bits::full(things),
            starts,
            holders: shared.into_iter().map(|(_, holder)| holder).collect(),
        }
    }

    /// The disk is gone.
    pub(crate) fn lose(&mut self) {
        self.things.clear();
        self.starts.fill(0);
        self.holders = Box::default();
    }

    /// Bytes of it all, when each object or value has `size`. An entry of the directory takes an
    /// object's number and an address and port of IPv4: 4 and 6 bytes.
    pub(crate) fn size(&self, size: Bytes) -> Bytes {
        Bytes(u64::from(self.things.count()) * size.0 + 10 * self.holders.len() as u64)
    }

    pub(crate) fn has_object(&self, object: ObjectId) -> bool {
        self.things.has(object.0)
    }

    pub(crate) fn store(&mut self, key: Key) {
        self.things.set(key.0);
    }

    /// Answers everything but stores and broadcasts.
    pub(crate) fn answer(&self, guest: Guest, want: Want, rng: &mut Stream) -> Answer {
        match want {
            Want::Download(ObjectId(thing)) | Want::Lookup(Key(thing)) => {
                if self.things.has(thing) {
                    Answer::Content
                } else {
                    Answer::Sorry(Cause::NotFound)
                }
            }
            Want::Search(object) => match self.holders_of(object) {
                [] => Answer::Sorry(Cause::NotFound),
                holders => {
                    let count = u32::try_from(holders.len()).expect("fewer than nodes");
                    Answer::Message(Message::Found {
                        request: guest.1,
                        holder: holders[uniform_below(rng, count) as usize],
                    })
                }
            },
            Want::Store(_) | Want::Broadcast => panic!("a server answers that in its own way"),
        }
    }

    fn holders_of(&self, object: ObjectId) -> &[NodeId] {
        let index = object.0 as usize;
        &self.holders[self.starts[index] as usize..self.starts[index + 1] as usize]
    }

    pub(crate) fn state_bytes(&self) -> usize {
        self.things.state_bytes() + size_of_val(&*self.starts) + size_of_val(&*self.holders)
    }
}
