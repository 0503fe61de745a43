//! One machine serves everybody.
//!
//! A client asks for the object. While the server has a free connection it answers at once and
//! sends the bytes; all connections share its uplink max-min fairly. When none is free the client
//! waits in a bounded queue, and when that is full it is refused. A client that hears nothing for a
//! while takes the server for dead.

use std::{collections::VecDeque, ops::Range};

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, Request,
    RequestId, RequestKind, Seconds, SimDuration, StateLoss, Stream, TransferEnded, TransferId,
    WorldKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a single server.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Name of the machine under `[infrastructure]` that serves; the only one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Downloads served at once; at least 1. 10,000 is what one machine is asked to hold since
    /// D. Kegel, "The C10K problem", 1999.
    pub connections: u32,
    /// Clients that may wait for a connection. 511 is the listen backlog that the Apache and nginx
    /// web servers ask for.
    pub queue: u32,
    /// Silence after which a client takes the server for dead.
    pub response_timeout: Seconds,
    /// Whether a broken download goes on where it stopped (HTTP range requests, RFC 9110 §14)
    /// rather than from the start.
    pub resume: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            machine: None,
            connections: 10_000,
            queue: 511,
            // The time that common web clients wait for a connection.
            response_timeout: Seconds::new(30.0).expect("half a minute is in range"),
            resume: true,
        }
    }
}

/// Size of a request or an answer: a GET with its Host and Range lines (RFC 9110), some 80 bytes,
/// and 40 bytes of IP and TCP headers (RFC 791, RFC 9293). What a browser adds is left out.
const MESSAGE: Bytes = Bytes(120);

/// What client and server say to each other.
#[derive(Debug)]
pub enum Message {
    /// Client: send the object from this byte on. Asked again while waiting, to hear that the
    /// server is still there.
    Get {
        /// Bytes that the client has.
        offset: u64,
    },
    /// Client: no longer wanted.
    HangUp,
    /// Server: here it comes.
    Coming,
    /// Server: wait for a free connection.
    Queued,
    /// Server: no room.
    Refused,
}

/// Which wait of a client ran out.
#[derive(Debug)]
pub struct Patience {
    wait: u32,
}

/// One machine serves everybody.
pub struct SingleServer {
    config: Config,
    server: Server,
    object: Bytes,
    clients: Vec<Client>,
}

/// The server's view.
struct Server {
    node: NodeId,
    /// Whether the object is still on its disk.
    has_object: bool,
    connections: u32,
    queue: VecDeque<(NodeId, u64)>,
    /// What it does for each node.
    guests: Vec<Guest>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Guest {
    #[default]
    Nobody,
    Waiting,
    Served(TransferId),
}

/// A client's view.
#[derive(Clone, Debug, Default)]
struct Client {
    asking: Option<RequestId>,
    /// Bytes of the object on its disk.
    have: u64,
    /// Told by the server that the bytes are coming.
    receiving: bool,
    /// Whether the server answered since it was asked last.
    heard: bool,
    /// Rises with every wait, so that an older timer is told apart.
    wait: u32,
}

impl Architecture for SingleServer {
    const KIND: &'static str = "single-server";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str = "one machine serves everybody, with bounded connections and queue";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[WorldKey::Retries];
    type Config = Config;
    type Message = Message;
    type Timer = Patience;

    fn assemble(config: &Config, cast: &Cast<'_>, _rng: &mut Stream) -> Result<Self, ConfigError> {
        let machines = cast.machines("machine", config.machine.as_deref())?;
        if machines.len() != 1 {
            return Err(ConfigError {
                key: "machine",
                problem: format!("names {} machines; expected a group of 1", machines.len()),
            });
        }
        if config.connections == 0 {
            return Err(ConfigError {
                key: "connections",
                problem: "is 0; expected at least 1".into(),
            });
        }
        if config.response_timeout.get() == 0.0 {
            return Err(ConfigError {
                key: "response-timeout",
                problem: "is 0 s; expected a time above 0".into(),
            });
        }
        Ok(Self {
            config: config.clone(),
            server: Server {
                node: NodeId(machines.start),
                has_object: true,
                connections: 0,
                queue: VecDeque::new(),
                guests: vec![Guest::default(); cast.node_count()],
            },
            object: cast.object_size(),
            clients: vec![Client::default(); cast.node_count()],
        })
    }

    fn premises(config: &Config, _cast: &Cast<'_>) -> Vec<String> {
        let machine = config.machine.as_deref().unwrap_or("the only machine");
        vec![
            format!("every client knows from the start that {machine} has the object"),
            "users' uplinks carry requests only".into(),
        ]
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        let machines = cast.machines("machine", config.machine.as_deref())?;
        Ok(vec![machines])
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if node != self.server.node {
            visit(self.server.node);
        }
    }

    fn mentions(_: &Self::Message, _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.clients)
            + size_of_val(&*self.server.guests)
            + self.server.queue.capacity() * size_of::<(NodeId, u64)>()
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let client = &mut self.clients[cx.node().index()];
        if client.have == request.size.0 {
            cx.serve(request.id);
            return;
        }
        client.asking = Some(request.id);
        client.receiving = false;
        client.heard = true;
        self.ask(cx);
    }

    fn on_abandoned(&mut self, _request: &Request, cx: &mut Context<'_, Self>) {
        self.clients[cx.node().index()].forget();
        cx.send(self.server.node, Message::HangUp, MESSAGE);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Get { offset } => self.on_get(from, offset, cx),
            Message::HangUp => self.on_hang_up(from, cx),
            Message::Coming | Message::Queued | Message::Refused => {
                self.on_answer(&message, cx);
            }
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if cx.node() == ended.from {
            self.dismiss(ended.to, ended.id, cx);
        } else {
            self.on_bytes(ended, cx);
        }
    }

    /// A client's wait ran out: it asks whether the server is still there, or gives up on it.
    fn on_timer(&mut self, timer: Patience, cx: &mut Context<'_, Self>) {
        let client = &mut self.clients[cx.node().index()];
        if client.wait != timer.wait || client.receiving {
            return;
        }
        if client.heard {
            self.ask(cx);
        } else if let Some(request) = client.forget() {
            cx.fail(request, Cause::NoAnswer);
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let lost = down == Down::Crashed(StateLoss::Lost);
        if node == self.server.node {
            self.server.has_object &= !lost;
            self.server.connections = 0;
            self.server.queue.clear();
            self.server.guests.fill(Guest::Nobody);
        }
        let client = &mut self.clients[node.index()];
        client.forget();
        if lost || !self.config.resume {
            client.have = 0;
        }
    }

    fn on_up(&mut self, _cx: &mut Context<'_, Self>) {}
}

impl Client {
    fn forget(&mut self) -> Option<RequestId> {
        self.wait += 1;
        self.receiving = false;
        self.asking.take()
    }
}

/// What a client does.
impl SingleServer {
    fn ask(&mut self, cx: &mut Context<'_, Self>) {
        let client = &mut self.clients[cx.node().index()];
        client.heard = false;
        client.wait += 1;
        let wait = client.wait;
        let offset = client.have;
        cx.send(self.server.node, Message::Get { offset }, MESSAGE);
        let timeout = SimDuration::from(self.config.response_timeout);
        cx.after(timeout, Patience { wait });
    }

    fn on_answer(&mut self, answer: &Message, cx: &mut Context<'_, Self>) {
        let client = &mut self.clients[cx.node().index()];
        let Some(request) = client.asking else {
            cx.send(self.server.node, Message::HangUp, MESSAGE);
            return;
        };
        client.heard = true;
        match answer {
            Message::Coming => client.receiving = true,
            Message::Refused => {
                client.forget();
                cx.fail(request, Cause::Refused);
            }
            _ => {}
        }
    }

    fn on_bytes(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        let client = &mut self.clients[cx.node().index()];
        // Of what an earlier life asked for, the part before may be lost with the disk.
        let continues = ended.label <= client.have;
        let cause = match ended.ending {
            Ending::Whole { intact: true } if continues => {
                client.have = self.object.0;
                if let Some(request) = client.forget() {
                    cx.serve(request);
                }
                return;
            }
            Ending::Whole { intact: false } => {
                client.have = 0;
                Cause::Damaged
            }
            Ending::Whole { .. } => Cause::ConnectionLost,
            Ending::Broken { delivered } => {
                if self.config.resume && continues {
                    client.have = ended.label + delivered.0;
                }
                Cause::ConnectionLost
            }
        };
        if let Some(request) = client.forget() {
            cx.fail(request, cause);
        }
    }
}

/// What the server does.
impl SingleServer {
    fn on_get(&mut self, guest: NodeId, offset: u64, cx: &mut Context<'_, Self>) {
        let server = &mut self.server;
        match server.guests[guest.index()] {
            Guest::Served(_) => {}
            Guest::Waiting => {
                // It may have lost its disk since it asked first.
                let waiting = server
                    .queue
                    .iter_mut()
                    .find(|(waiting, _)| *waiting == guest);
                waiting.expect("who waits is in the queue").1 = offset;
                cx.send(guest, Message::Queued, MESSAGE);
            }
            Guest::Nobody if !server.has_object => cx.send(guest, Message::Refused, MESSAGE),
            Guest::Nobody if server.connections < self.config.connections => {
                self.serve(guest, offset, cx);
            }
            Guest::Nobody if server.queue.len() < self.config.queue as usize => {
                server.queue.push_back((guest, offset));
                server.guests[guest.index()] = Guest::Waiting;
                cx.send(guest, Message::Queued, MESSAGE);
            }
            Guest::Nobody => cx.send(guest, Message::Refused, MESSAGE),
        }
    }

    fn serve(&mut self, guest: NodeId, offset: u64, cx: &mut Context<'_, Self>) {
        let rest = Bytes(self.object.0 - offset);
        cx.send(guest, Message::Coming, MESSAGE);
        let transfer = cx.transfer(guest, rest, offset);
        self.server.guests[guest.index()] = Guest::Served(transfer);
        self.server.connections += 1;
    }

    /// A connection is over: the next in the queue takes its place.
    fn dismiss(&mut self, guest: NodeId, transfer: TransferId, cx: &mut Context<'_, Self>) {
        if self.server.guests[guest.index()] != Guest::Served(transfer) {
            return;
        }
        self.server.guests[guest.index()] = Guest::Nobody;
        self.server.connections -= 1;
        if let Some((next, offset)) = self.server.queue.pop_front() {
            self.serve(next, offset, cx);
        }
    }

    fn on_hang_up(&mut self, guest: NodeId, cx: &mut Context<'_, Self>) {
        match self.server.guests[guest.index()] {
            Guest::Nobody => {}
            Guest::Waiting => {
                self.server.guests[guest.index()] = Guest::Nobody;
                self.server.queue.retain(|(waiting, _)| *waiting != guest);
            }
            Guest::Served(transfer) => {
                cx.cancel(transfer);
                self.dismiss(guest, transfer, cx);
            }
        }
    }
}
