//! How a server receives its guests: bounded connections, a bounded queue, then the processor.
//!
//! A guest is a request of a client. It is asked to wait while no connection is free, sends what
//! it has to send, and waits for the processor; then [`Serves::act`] says what is done for it.

use std::collections::{BTreeMap, VecDeque};

use netduel_world::{
    Bytes, Cause, ConfigError, Context, Ending, NodeId, ObjectId, Seconds, SimDuration,
    TransferEnded, TransferId, Want,
};

use crate::message::{Ask, Guest, Label, MESSAGE, Message, Speaks, Timer, is_upload};

/// One server's view of its guests.
pub(crate) struct Reception {
    limits: Limits,
    /// Bytes of an object, a value or what is told.
    size: Bytes,
    /// Connections in use.
    busy: u32,
    queue: VecDeque<Guest>,
    guests: BTreeMap<Guest, Stay>,
    /// How many guests there were.
    stays: u32,
}

/// How much a server takes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Guests served at once.
    pub(crate) connections: u32,
    /// Guests that may wait for a connection.
    pub(crate) queue: u32,
    /// Silence after which a client takes a server for dead.
    pub(crate) timeout: SimDuration,
}

impl Limits {
    /// Settings that make sense.
    pub(crate) fn check(
        connections: u32,
        queue: u32,
        response_timeout: Seconds,
    ) -> Result<Self, ConfigError> {
        if connections == 0 {
            return Err(ConfigError {
                key: "connections",
                problem: "is 0; expected at least 1".into(),
            });
        }
        if response_timeout.get() == 0.0 {
            return Err(ConfigError {
                key: "response-timeout",
                problem: "is 0 s; expected a time above 0".into(),
            });
        }
        Ok(Self {
            connections,
            queue,
            timeout: response_timeout.into(),
        })
    }
}

/// A guest's stay.
#[derive(Clone, Copy, Debug)]
struct Stay {
    ask: Ask,
    number: u32,
    standing: Standing,
    /// Whether it was heard of since it was looked for last.
    heard: bool,
    /// Who brought it: the client itself, or who sent it on.
    by: NodeId,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// For a connection.
    Waiting,
    /// It is to send what is to be stored or told.
    Uploading,
    /// For the processor.
    Working,
    /// The architecture is at it.
    Acting,
    /// Content is on its way to it.
    Served(TransferId),
}

impl Reception {
    pub(crate) fn new(limits: Limits, size: Bytes) -> Self {
        Self {
            limits,
            size,
            busy: 0,
            queue: VecDeque::new(),
            guests: BTreeMap::new(),
            stays: 0,
        }
    }

    /// The server stops: guests and connections are gone.
    pub(crate) fn clear(&mut self) {
        self.busy = 0;
        self.queue.clear();
        self.guests.clear();
    }

    pub(crate) fn has(&self, guest: Guest) -> bool {
        self.guests.contains_key(&guest)
    }

    /// Takes a connection for something that no guest asked for, if one is free.
    pub(crate) fn connect(&mut self) -> bool {
        let free = self.busy < self.limits.connections;
        self.busy += u32::from(free);
        free
    }

    /// Such a connection is over; the caller calls [`Serves::fill`].
    pub(crate) fn disconnect(&mut self) {
        self.busy -= 1;
    }

    pub(crate) fn state_bytes(&self) -> usize {
        self.queue.capacity() * size_of::<Guest>() + self.guests.len() * size_of::<(Guest, Stay)>()
    }

    fn stay(&mut self, guest: Guest) -> &mut Stay {
        let stay = self.guests.get_mut(&guest);
        stay.expect("who is served is a guest")
    }

    /// A guest goes; says who had brought it.
    fn dismiss(&mut self, guest: Guest) -> Option<NodeId> {
        let stay = self.guests.remove(&guest)?;
        if stay.standing == Standing::Waiting {
            self.queue.retain(|waiting| *waiting != guest);
        } else {
            self.busy -= 1;
        }
        Some(stay.by)
    }
}

/// An architecture some of whose nodes are servers. The node whose turn it is acts as one.
pub(crate) trait Serves: Speaks {
    /// The reception of a server.
    fn reception(&mut self, server: NodeId) -> &mut Reception;

    /// It is this guest's turn: what it has to send is there, and its work is done. Sooner or later
    /// one of [`Self::send_content`], [`Self::reply`] and [`Self::refuse`] follows.
    fn act(&mut self, guest: Guest, ask: &Ask, cx: &mut Context<'_, Self>);

    /// Why nobody is to wait for this in vain.
    fn turn_away(&self, _server: NodeId, _ask: &Ask) -> Option<Cause> {
        None
    }

    /// What there is to say of something that is done without the guest's connection.
    fn apart(&self, _guest: Guest) -> Option<Message> {
        None
    }

    /// Connections are free and nobody waits for them.
    fn idle(&mut self, _cx: &mut Context<'_, Self>) {}

    /// A guest whom `by` had brought is no longer there.
    fn gone(&mut self, _guest: Guest, _by: NodeId, _cx: &mut Context<'_, Self>) {}

    /// A client asks, for the first time or to hear that the server is still there; `by` brought
    /// it. Says whether it became a guest.
    fn on_ask(&mut self, client: NodeId, by: NodeId, ask: Ask, cx: &mut Context<'_, Self>) -> bool {
        let server = cx.node();
        let guest = (client, ask.request);
        let reception = self.reception(server);
        if let Some(stay) = reception.guests.get_mut(&guest) {
            // It may have lost its disk since it asked first.
            stay.ask = ask;
            stay.heard = true;
            let answer = match stay.standing {
                Standing::Uploading if ask.offset == 0 => Message::Continue(ask.request),
                Standing::Waiting | Standing::Uploading | Standing::Acting => {
                    Message::Queued(ask.request)
                }
                Standing::Working | Standing::Served(_) => return false,
            };
            cx.send(client, answer.into(), MESSAGE);
            return false;
        }
        let upload = is_upload(ask.want, reception.size);
        if let Some(answer) = self.apart(guest) {
            cx.send(client, answer.into(), MESSAGE);
            return false;
        }
        let cause = match self.turn_away(server, &ask) {
            // It was sent to a server that has crashed since.
            None if upload && ask.offset > 0 => Some(Cause::ConnectionLost),
            cause => cause,
        };
        let reception = self.reception(server);
        let free = reception.busy < reception.limits.connections;
        let room = free || reception.queue.len() < reception.limits.queue as usize;
        if let Some(cause) = cause.or((!room).then_some(Cause::Refused)) {
            sorry(client, &ask, cause, cx);
            return false;
        }
        reception.stays += 1;
        let stay = Stay {
            ask,
            number: reception.stays,
            standing: Standing::Waiting,
            heard: true,
            by,
        };
        reception.guests.insert(guest, stay);
        if free {
            self.admit(guest, cx);
        } else {
            reception.queue.push_back(guest);
            cx.send(client, Message::Queued(ask.request).into(), MESSAGE);
        }
        true
    }

    /// A guest goes.
    fn part(&mut self, guest: Guest, cx: &mut Context<'_, Self>) {
        if let Some(by) = self.reception(cx.node()).dismiss(guest) {
            self.gone(guest, by, cx);
        }
    }

    /// A guest gets a connection.
    fn admit(&mut self, guest: Guest, cx: &mut Context<'_, Self>) {
        let reception = self.reception(cx.node());
        reception.busy += 1;
        let (size, timeout) = (reception.size, reception.limits.timeout);
        let stay = reception.stay(guest);
        if !is_upload(stay.ask.want, size) {
            self.work(guest, cx);
            return;
        }
        stay.standing = Standing::Uploading;
        let number = stay.number;
        cx.send(guest.0, Message::Continue(guest.1).into(), MESSAGE);
        let expected = Timer::Expected {
            guest,
            stay: number,
        };
        // Clients say every `timeout` that they are there.
        cx.after(SimDuration(2 * timeout.0), expected.into());
    }

    /// A guest's request goes to the processor.
    fn work(&mut self, guest: Guest, cx: &mut Context<'_, Self>) {
        let stay = self.reception(cx.node()).stay(guest);
        if stay.ask.work == SimDuration::ZERO {
            self.begin(guest, cx);
            return;
        }
        stay.standing = Standing::Working;
        let worked = Timer::Worked {
            guest,
            stay: stay.number,
        };
        let ask = stay.ask;
        if cx.work(ask.work, worked.into()).is_err() {
            self.refuse(guest, Cause::Refused, cx);
        }
    }

    /// The work for a guest is done.
    fn on_worked(&mut self, guest: Guest, stay: u32, cx: &mut Context<'_, Self>) {
        let there = self.reception(cx.node()).guests.get(&guest);
        if there.is_some_and(|there| there.number == stay) {
            self.begin(guest, cx);
            self.fill(cx);
        }
    }

    /// The architecture acts.
    fn begin(&mut self, guest: Guest, cx: &mut Context<'_, Self>) {
        let stay = self.reception(cx.node()).stay(guest);
        stay.standing = Standing::Acting;
        let ask = stay.ask;
        self.act(guest, &ask, cx);
    }

    /// A guest that was to send something may never do so.
    fn on_expected(&mut self, guest: Guest, number: u32, cx: &mut Context<'_, Self>) {
        let reception = self.reception(cx.node());
        let timeout = reception.limits.timeout;
        let Some(stay) = reception.guests.get_mut(&guest) else {
            return;
        };
        if stay.number != number || stay.standing != Standing::Uploading {
            return;
        }
        if std::mem::take(&mut stay.heard) {
            let expected = Timer::Expected {
                guest,
                stay: number,
            };
            cx.after(SimDuration(2 * timeout.0), expected.into());
        } else {
            self.part(guest, cx);
            self.fill(cx);
        }
    }

    /// Sends a guest the object or value that it asked for.
    fn send_content(&mut self, guest: Guest, cx: &mut Context<'_, Self>) {
        let reception = self.reception(cx.node());
        let size = reception.size;
        let stay = reception.stay(guest);
        let object = match stay.ask.want {
            Want::Download(object) => object,
            _ => ObjectId::default(),
        };
        let rest = Bytes(size.0 - stay.ask.offset);
        if rest == Bytes(0) {
            self.reply(guest, Message::Done(guest.1), cx);
            return;
        }
        cx.send(guest.0, Message::Coming(guest.1).into(), MESSAGE);
        let label = Label::Content(guest.1, object).encode();
        let transfer = cx.transfer(guest.0, rest, label);
        let stay = self.reception(cx.node()).stay(guest);
        stay.standing = Standing::Served(transfer);
    }

    /// Answers a guest with a message, and is done with it.
    fn reply(&mut self, guest: Guest, answer: Message, cx: &mut Context<'_, Self>) {
        self.part(guest, cx);
        cx.send(guest.0, answer.into(), MESSAGE);
    }

    /// Tells a guest that it cannot be, and is done with it.
    fn refuse(&mut self, guest: Guest, cause: Cause, cx: &mut Context<'_, Self>) {
        let ask = self.reception(cx.node()).stay(guest).ask;
        self.part(guest, cx);
        sorry(guest.0, &ask, cause, cx);
    }

    /// Free connections go to those who wait.
    fn fill(&mut self, cx: &mut Context<'_, Self>) {
        loop {
            let reception = self.reception(cx.node());
            if reception.busy >= reception.limits.connections {
                return;
            }
            let Some(next) = reception.queue.pop_front() else {
                break;
            };
            self.admit(next, cx);
        }
        self.idle(cx);
    }

    /// A client no longer wants it.
    fn on_hang_up(&mut self, guest: Guest, cx: &mut Context<'_, Self>) {
        let reception = self.reception(cx.node());
        let Some(stay) = reception.guests.get(&guest) else {
            return;
        };
        if let Standing::Served(transfer) = stay.standing {
            cx.cancel(transfer);
        }
        self.part(guest, cx);
        self.fill(cx);
    }

    /// Content that this server sent arrived or broke, or a guest's upload did.
    fn on_served(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let server = cx.node();
        let reception = self.reception(server);
        match Label::decode(ended.label) {
            Label::Content(request, _) if ended.from == server => {
                let guest = (ended.to, request);
                let there = reception.guests.get(&guest);
                if there.is_some_and(|there| there.standing == Standing::Served(ended.id)) {
                    self.part(guest, cx);
                    self.fill(cx);
                }
            }
            Label::Upload(request) if ended.to == server => {
                let guest = (ended.from, request);
                let there = reception.guests.get(&guest);
                if there.is_none_or(|there| there.standing != Standing::Uploading) {
                    return;
                }
                match ended.ending {
                    Ending::Whole { intact: true } => self.work(guest, cx),
                    Ending::Whole { intact: false } => self.refuse(guest, Cause::Damaged, cx),
                    Ending::Broken { .. } => self.part(guest, cx),
                }
                self.fill(cx);
            }
            _ => {}
        }
    }
}

/// Tells a client that it cannot be.
pub(crate) fn sorry<A: Speaks>(client: NodeId, ask: &Ask, cause: Cause, cx: &mut Context<'_, A>) {
    let answer = Message::Sorry {
        request: ask.request,
        attempt: ask.attempt,
        cause,
    };
    cx.send(client, answer.into(), MESSAGE);
}
