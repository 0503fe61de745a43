//! How clients ask: they wait, ask again, go elsewhere, hang up.
//!
//! A client is a user's device, or a machine that asks another one on behalf of users.

use netduel_world::{
    Bytes, Cast, Cause, Context, Down, Ending, NodeId, ObjectId, RequestId, Seconds, SimDuration,
    SimTime, StateLoss, TransferEnded, TransferId, Want, Wants,
};

use crate::message::{Ask, Label, MESSAGE, Message, Speaks, Timer, is_upload};

/// How a request ended that a client had asked.
pub(crate) type Ended = Option<(RequestId, Result<(), Cause>)>;

/// The clients' view.
pub(crate) struct Clients {
    by_node: Vec<Client>,
    /// Bytes of an object, a value or what is told.
    size: Bytes,
    /// Silence after which a server is taken for dead.
    timeout: SimDuration,
    /// Whether a broken download goes on where it stopped.
    resume: bool,
    /// Nodes before this one are machines: they keep nothing by themselves.
    first_user: NodeId,
    /// Whether what is asked for is kept: objects are, values are not.
    downloads: bool,
}

#[derive(Clone, Debug, Default)]
struct Client {
    /// What it asks for.
    open: Vec<Open>,
    /// Bytes of objects on its disk, by object.
    disk: Vec<(ObjectId, u64)>,
    /// Rises with every wait, so that an older timer is told apart.
    wait: u32,
    /// Which of the places where it can ask answered last.
    place: usize,
    /// Attempts that were given up, and until when answers to them may still arrive: what comes on
    /// a closed connection reaches nobody, as in TCP's TIME-WAIT (RFC 9293 §3.3.2).
    closed: Vec<(RequestId, SimTime)>,
}

/// A request that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    ask: Ask,
    /// Whom it asks, and whom it hangs up on.
    to: NodeId,
    wait: u32,
    /// Whether anybody answered since it asked last.
    heard: bool,
    /// Whether anybody answered at all.
    connected: bool,
    /// Told that the bytes are coming.
    receiving: bool,
    /// At which of the places it asks.
    place: usize,
    /// Places where it was asked and nobody answered.
    silences: usize,
    /// What it sends to be stored or told.
    upload: Option<TransferId>,
}

impl Clients {
    pub(crate) fn new(cast: Cast<'_>, timeout: Seconds, resume: bool) -> Self {
        Self {
            by_node: vec![Client::default(); cast.node_count()],
            size: cast.object_size(),
            timeout: timeout.into(),
            resume,
            first_user: NodeId(cast.machine_count()),
            downloads: matches!(cast.wants(), Wants::Download { .. }),
        }
    }

    /// Asks at one of `places`: the one that answered last, at first the first.
    pub(crate) fn ask<A: Speaks>(
        &mut self,
        ask: Ask,
        places: &[NodeId],
        cx: &mut Context<'_, A>,
    ) -> Ended {
        let client = &mut self.by_node[cx.node().index()];
        if let Want::Download(object) = ask.want
            && client.has(object) == self.size.0
        {
            return Some((ask.request, Ok(())));
        }
        client.open.push(Open {
            ask,
            to: places[client.place],
            place: client.place,
            wait: 0,
            heard: true,
            connected: false,
            receiving: false,
            silences: 0,
            upload: None,
        });
        self.say(ask.request, cx);
        None
    }

    fn say<A: Speaks>(&mut self, request: RequestId, cx: &mut Context<'_, A>) {
        let client = &mut self.by_node[cx.node().index()];
        client.wait += 1;
        let wait = client.wait;
        let index = client.place_of(request).expect("who asks again is asking");
        let offset = match client.open[index].ask.want {
            Want::Download(object) => client.has(object),
            _ => client.open[index].ask.offset,
        };
        let open = &mut client.open[index];
        open.heard = false;
        open.wait = wait;
        let ask = Ask { offset, ..open.ask };
        cx.send(open.to, Message::Ask(ask).into(), MESSAGE);
        cx.after(self.timeout, Timer::Silence { request, wait }.into());
    }

    /// The user gave up.
    pub(crate) fn abandon<A: Speaks>(&mut self, request: RequestId, cx: &mut Context<'_, A>) {
        let client = &mut self.by_node[cx.node().index()];
        if let Some(open) = client.forget(request) {
            if let Some(upload) = open.upload {
                cx.cancel(upload);
            }
            // The server answers until it hears of this.
            let until = cx.now() + cx.round_trip(open.to);
            client.closed.retain(|(_, until)| *until >= cx.now());
            client.closed.push((request, until));
            cx.send(open.to, Message::HangUp(request).into(), MESSAGE);
        }
    }

    /// A client's wait ran out: it asks whether the server is still there, tries another place, or
    /// gives up.
    pub(crate) fn on_silence<A: Speaks>(
        &mut self,
        request: RequestId,
        wait: u32,
        places: &[NodeId],
        cx: &mut Context<'_, A>,
    ) -> Ended {
        let client = &mut self.by_node[cx.node().index()];
        let index = client.place_of(request)?;
        let open = &mut client.open[index];
        if open.wait != wait || open.receiving {
            return None;
        }
        if open.heard {
            self.say(request, cx);
            return None;
        }
        if !open.connected {
            open.silences += 1;
            let silent = open.place;
            open.place = (silent + 1) % places.len();
            // Another request may have moved on already.
            if client.place == silent {
                client.place = open.place;
            }
            if open.silences < places.len() {
                open.to = places[open.place];
                self.say(request, cx);
                return None;
            }
        }
        client.forget(request);
        Some((request, Err(Cause::NoAnswer)))
    }

    /// A server said something.
    pub(crate) fn on_answer<A: Speaks>(
        &mut self,
        from: NodeId,
        answer: Message,
        cx: &mut Context<'_, A>,
    ) -> Ended {
        let (request, is_over) = match answer {
            Message::Continue(id) | Message::Coming(id) | Message::Queued(id) => (id, false),
            Message::Done(id) => (id, true),
            Message::Found { request, .. } | Message::Sorry { request, .. } => (request, true),
            Message::Ask(_) | Message::HangUp(_) => panic!("servers do not ask"),
        };
        let client = &mut self.by_node[cx.node().index()];
        let Some(index) = client.place_of(request) else {
            if !is_over {
                cx.send(from, Message::HangUp(request).into(), MESSAGE);
            }
            return None;
        };
        if client.is_closed(request, cx.now()) {
            return None;
        }
        let open = &mut client.open[index];
        match answer {
            // The answer to an attempt that the user has given up long ago.
            Message::Sorry { attempt, .. } if attempt != open.ask.attempt => return None,
            Message::Sorry { cause, .. } => {
                client.forget(request);
                return Some((request, Err(cause)));
            }
            Message::Done(_) | Message::Found { .. } => {
                client.forget(request);
                return Some((request, Ok(())));
            }
            _ => {
                open.heard = true;
                open.connected = true;
                open.to = from;
            }
        }
        match answer {
            Message::Coming(_) => open.receiving = true,
            // Asked again meanwhile, it may be told twice.
            Message::Continue(_) if is_upload(open.ask.want, self.size) && open.ask.offset == 0 => {
                open.ask.offset = self.size.0;
                let label = Label::Upload(request).encode();
                open.upload = Some(cx.transfer(from, self.size, label));
            }
            _ => {}
        }
        None
    }

    /// Content reached this node, or what it sent broke.
    pub(crate) fn on_transfer<A: Speaks>(
        &mut self,
        ended: &TransferEnded,
        cx: &mut Context<'_, A>,
    ) -> Ended {
        let node = cx.node();
        let client = &mut self.by_node[node.index()];
        match Label::decode(ended.label) {
            Label::Content(request, object) if ended.to == node => {
                let keeps = self.downloads && node >= self.first_user;
                let found = client.take(ended, object, self.size, keeps && self.resume, keeps);
                if client.is_closed(request, cx.now()) {
                    return None;
                }
                client.forget(request).map(|_| (request, found))
            }
            Label::Upload(request) if ended.from == node => {
                let index = client.place_of(request)?;
                if client.open[index].upload != Some(ended.id) {
                    return None;
                }
                client.open[index].upload = None;
                match ended.ending {
                    Ending::Whole { .. } => None,
                    Ending::Broken { .. } => {
                        client.forget(request);
                        Some((request, Err(Cause::ConnectionLost)))
                    }
                }
            }
            _ => None,
        }
    }

    /// This node stops: it forgets what it asked.
    pub(crate) fn on_down(&mut self, node: NodeId, down: Down) {
        let whole = self.size.0;
        let client = &mut self.by_node[node.index()];
        client.open.clear();
        client.closed.clear();
        if down == Down::Crashed(StateLoss::Lost) {
            client.disk.clear();
        } else if !self.resume {
            client.disk.retain(|(_, bytes)| *bytes == whole);
        }
    }

    pub(crate) fn state_bytes(&self) -> usize {
        let held = |client: &Client| {
            client.open.capacity() * size_of::<Open>()
                + client.closed.capacity() * size_of::<(RequestId, SimTime)>()
                + client.disk.capacity() * size_of::<(ObjectId, u64)>()
        };
        size_of_val(&*self.by_node) + self.by_node.iter().map(held).sum::<usize>()
    }
}

impl Client {
    /// Whether what arrives may belong to an attempt that was given up.
    fn is_closed(&self, request: RequestId, now: SimTime) -> bool {
        let mut closed = self.closed.iter();
        closed.any(|(known, until)| *known == request && now <= *until)
    }

    fn place_of(&self, request: RequestId) -> Option<usize> {
        self.open
            .iter()
            .position(|open| open.ask.request == request)
    }

    fn forget(&mut self, request: RequestId) -> Option<Open> {
        let index = self.place_of(request)?;
        Some(self.open.swap_remove(index))
    }

    /// Bytes of an object on the disk.
    fn has(&self, object: ObjectId) -> u64 {
        let known = self
            .disk
            .binary_search_by_key(&object, |(object, _)| *object);
        known.map_or(0, |index| self.disk[index].1)
    }

    fn keep(&mut self, object: ObjectId, bytes: u64) {
        match self
            .disk
            .binary_search_by_key(&object, |(object, _)| *object)
        {
            Ok(index) => self.disk[index].1 = bytes,
            Err(index) => self.disk.insert(index, (object, bytes)),
        }
    }

    /// Puts what arrived on the disk. Says whether that is what was wanted.
    fn take(
        &mut self,
        ended: &TransferEnded,
        object: ObjectId,
        size: Bytes,
        keeps_parts: bool,
        keeps: bool,
    ) -> Result<(), Cause> {
        // Whatever is sent goes to the end.
        let offset = size.0 - ended.size.0;
        // Of what an earlier life asked for, the part before may be lost with the disk.
        let continues = offset <= self.has(object);
        match ended.ending {
            Ending::Whole { intact: true } if continues => {
                if keeps {
                    self.keep(object, size.0);
                }
                Ok(())
            }
            Ending::Whole { intact: false } => {
                if keeps {
                    self.keep(object, 0);
                }
                Err(Cause::Damaged)
            }
            Ending::Whole { .. } => Err(Cause::ConnectionLost),
            Ending::Broken { delivered } => {
                if keeps_parts && continues {
                    self.keep(object, offset + delivered.0);
                }
                Err(Cause::ConnectionLost)
            }
        }
    }
}
