//! One machine serves everybody.
//!
//! A client asks. While the server has a free connection it works for the client and answers; all
//! answers with content share its uplink max-min fairly. When no connection is free the client
//! waits in a bounded queue, and when that is full it is refused. A client that hears nothing for a
//! while takes the server for dead.

mod telling;

use std::ops::Range;

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, Request,
    RequestId, RequestKind, Seconds, SimDuration, SimTime, StateLoss, Stream, TransferEnded, Want,
    Wants, WorldKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    clients::{Clients, Ended},
    content::{Answer, Content},
    message::{self, Ask, Guest, Label, MESSAGE},
    reception::{Limits, Reception, Serves},
};
use telling::Telling;

/// Settings of a single server.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Name of the machine under `[infrastructure]` that serves; the only one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Requests served at once; at least 1. 10,000 is what one machine is asked to hold since
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

/// What client and server say to each other.
#[derive(Debug)]
pub enum Message {
    /// About requests.
    Service(message::Message),
    /// Server: this is what a broadcast tells.
    News(RequestId),
    /// Client: I have it.
    Heard(RequestId),
    /// Client: what arrived was damaged.
    Damaged(RequestId),
    /// Client: I was away. What did I miss?
    Back,
    /// Server: you will be told.
    Welcome,
}

impl From<message::Message> for Message {
    fn from(message: message::Message) -> Self {
        Self::Service(message)
    }
}

/// What client and server remind themselves of.
#[derive(Debug)]
pub enum Timer {
    /// Something about a request.
    Service(message::Timer),
    /// Server: messages that tell something should have been confirmed.
    Unheard,
    /// Client: the server should have said that it knows of its return.
    Back,
}

impl From<message::Timer> for Timer {
    fn from(timer: message::Timer) -> Self {
        Self::Service(timer)
    }
}

/// One machine serves everybody.
pub struct SingleServer {
    server: NodeId,
    timeout: SimDuration,
    /// Bytes of an object, a value or what is told.
    size: Bytes,
    /// The server's view.
    reception: Reception,
    content: Content,
    telling: Telling,
    /// The clients' view.
    clients: Clients,
    /// Whether users tell each other something.
    broadcasts: bool,
    /// Clients that were away and have not heard from the server since; empty unless users tell
    /// each other something.
    away: Vec<bool>,
}

impl Architecture for SingleServer {
    const KIND: &'static str = "single-server";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str = "one machine serves everybody, with bounded connections and queue";
    const SERVES: &'static [RequestKind] = &[
        RequestKind::Download,
        RequestKind::Lookup,
        RequestKind::Store,
        RequestKind::Search,
        RequestKind::Broadcast,
    ];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, _rng: &mut Stream) -> Result<Self, ConfigError> {
        let machines = cast.machines("machine", config.machine.as_deref())?;
        if machines.len() != 1 {
            return Err(ConfigError {
                key: "machine",
                problem: format!("names {} machines; expected a group of 1", machines.len()),
            });
        }
        let limits = Limits::check(config.connections, config.queue, config.response_timeout)?;
        let broadcasts = matches!(cast.wants(), Wants::Broadcast { .. });
        let away = if broadcasts { cast.node_count() } else { 0 };
        Ok(Self {
            server: NodeId(machines.start),
            timeout: limits.timeout,
            size: cast.object_size(),
            reception: Reception::new(limits, cast.object_size()),
            content: Content::complete(*cast),
            // Clients complain one latency after the content came.
            telling: Telling::new(
                NodeId(cast.machine_count()),
                cast.user_count(),
                SimDuration(2 * limits.timeout.0),
            ),
            clients: Clients::new(*cast, config.response_timeout, config.resume),
            broadcasts,
            away: vec![false; away],
        })
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let machine = config.machine.as_deref().unwrap_or("the only machine");
        match cast.wants() {
            Wants::Download { objects: 1, .. } => vec![
                format!("every client knows from the start that {machine} has the object"),
                "users' uplinks carry requests only".into(),
            ],
            Wants::Download { .. } => vec![
                format!("every client knows from the start that {machine} has all objects"),
                "users' uplinks carry requests only".into(),
            ],
            Wants::Lookup { .. } => vec![format!(
                "{machine} has the value of every key from the start, and every client knows it"
            )],
            Wants::Search { .. } => vec![
                format!(
                    "who has what was registered at {machine} before the start, and every client \
                     knows {machine}"
                ),
                "whom the directory names is not asked whether it is there".into(),
            ],
            Wants::Broadcast { .. } => vec![format!(
                "{machine} knows all users from the start, and they know {machine}"
            )],
        }
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        let machines = cast.machines("machine", config.machine.as_deref())?;
        Ok(vec![machines])
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if node != self.server {
            visit(self.server);
        } else if self.broadcasts {
            self.telling.users().for_each(visit);
        }
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        if let Message::Service(message::Message::Found { holder, .. }) = message {
            visit(*holder);
        }
    }

    fn state_bytes(&self) -> usize {
        self.reception.state_bytes()
            + self.content.state_bytes()
            + self.telling.state_bytes()
            + self.clients.state_bytes()
            + self.away.capacity()
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let ended = self.clients.ask(Ask::new(request), &[self.server], cx);
        self.settle(ended, cx);
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.clients.abandon(request.id, cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Service(message::Message::Ask(ask)) => {
                self.on_ask(from, from, ask, cx);
            }
            Message::Service(message::Message::HangUp(request)) => {
                self.on_hang_up((from, request), cx);
            }
            Message::Service(answer) => {
                let ended = self.clients.on_answer(from, answer, cx);
                self.settle(ended, cx);
            }
            Message::News(request) => {
                cx.reached(request);
                cx.send(from, Message::Heard(request), MESSAGE);
            }
            Message::Heard(request) => {
                if self.telling.arrived(request, from) {
                    self.reception.disconnect();
                }
                self.told(request, from, cx);
            }
            Message::Damaged(request) => {
                self.telling.repeat(request, from);
                self.fill(cx);
            }
            Message::Back => {
                cx.send(from, Message::Welcome, MESSAGE);
                self.telling.catch_up(from);
                self.fill(cx);
            }
            Message::Welcome => self.away[cx.node().index()] = false,
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if let Label::News(request) = Label::decode(ended.label) {
            self.on_news(request, &ended, cx);
        } else if cx.node() == self.server {
            self.on_served(&ended, cx);
        } else {
            let ended = self.clients.on_transfer(&ended, cx);
            self.settle(ended, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Service(message::Timer::Silence { request, wait }) => {
                let places = [self.server];
                let ended = self.clients.on_silence(request, wait, &places, cx);
                self.settle(ended, cx);
            }
            Timer::Service(message::Timer::Worked { guest, stay }) => {
                self.on_worked(guest, stay, cx);
            }
            Timer::Service(message::Timer::Expected { guest, stay }) => {
                self.on_expected(guest, stay, cx);
            }
            Timer::Unheard => self.on_unheard(cx),
            Timer::Back => self.come_back(cx),
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if node == self.server {
            let lost = down == Down::Crashed(StateLoss::Lost);
            if lost {
                self.content.lose();
            }
            self.reception.clear();
            self.telling.on_down(lost);
        }
        self.clients.on_down(node, down);
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        if !self.broadcasts {
            return;
        }
        if cx.node() == self.server {
            self.fill(cx);
        } else {
            self.away[cx.node().index()] = true;
            self.come_back(cx);
        }
    }
}

/// What a client does.
impl SingleServer {
    fn settle(&mut self, ended: Ended, cx: &mut Context<'_, Self>) {
        match ended {
            // Whether everybody has been reached is for the world to see.
            Some((_, Ok(()))) if self.broadcasts => {}
            Some((request, Ok(()))) => cx.serve(request),
            Some((request, Err(cause))) => cx.fail(request, cause),
            None => {}
        }
    }

    /// Asks what it missed, until the server says that it knows.
    fn come_back(&mut self, cx: &mut Context<'_, Self>) {
        if self.away[cx.node().index()] {
            cx.send(self.server, Message::Back, MESSAGE);
            cx.after(self.timeout, Timer::Back);
        }
    }
}

/// What the server does.
impl Serves for SingleServer {
    fn reception(&mut self, _server: NodeId) -> &mut Reception {
        &mut self.reception
    }

    fn act(&mut self, guest: Guest, ask: &Ask, cx: &mut Context<'_, Self>) {
        match ask.want {
            Want::Broadcast => {
                self.telling.add(guest.1, guest.0, cx.now());
                self.part(guest, cx);
                self.fill(cx);
            }
            Want::Store(key) => {
                self.content.store(key);
                self.reply(guest, message::Message::Done(guest.1), cx);
            }
            want => match self.content.answer(guest, want, cx.rng()) {
                Answer::Content => self.send_content(guest, cx),
                Answer::Message(message) => self.reply(guest, message, cx),
                Answer::Sorry(cause) => self.refuse(guest, cause, cx),
            },
        }
    }

    /// Nobody waits for an object that is not there.
    fn turn_away(&self, _server: NodeId, ask: &Ask) -> Option<Cause> {
        match ask.want {
            Want::Download(object) if !self.content.has_object(object) => Some(Cause::NotFound),
            _ => None,
        }
    }

    fn apart(&self, guest: Guest) -> Option<message::Message> {
        let untold = self.telling.untold(guest.1)?;
        Some(match untold {
            0 => message::Message::Done(guest.1),
            _ => message::Message::Queued(guest.1),
        })
    }

    /// Whoever is still to be told gets a connection that nobody asks for.
    fn idle(&mut self, cx: &mut Context<'_, Self>) {
        while self.reception.connect() {
            let Some((request, user)) = self.telling.next() else {
                self.reception.disconnect();
                return;
            };
            if self.size > Bytes(0) {
                cx.transfer(user, self.size, Label::News(request).encode());
                continue;
            }
            cx.send(user, Message::News(request), MESSAGE);
            if self.telling.await_word(request, user, cx.now()) {
                cx.after(self.timeout, Timer::Unheard);
            }
        }
    }
}

/// What the server and its users do when one tells all.
impl SingleServer {
    fn on_news(&mut self, request: RequestId, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        if cx.node() == self.server {
            self.reception.disconnect();
            match ended.ending {
                Ending::Whole { .. } => {
                    self.telling.arrived(request, ended.to);
                    self.told(request, ended.to, cx);
                }
                Ending::Broken { .. } => {
                    self.telling.lost(request, ended.to);
                    self.fill(cx);
                }
            }
            return;
        }
        match ended.ending {
            Ending::Whole { intact: true } => cx.reached(request),
            Ending::Whole { intact: false } => {
                cx.send(self.server, Message::Damaged(request), MESSAGE);
            }
            // The server begins anew when it is back.
            Ending::Broken { .. } => {}
        }
    }

    /// A user has been told; the next one can be.
    fn told(&mut self, request: RequestId, user: NodeId, cx: &mut Context<'_, Self>) {
        if let Some(asker) = self.telling.note(request, user, cx.now()) {
            let done = message::Message::Done(request);
            cx.send(asker, done.into(), MESSAGE);
        }
        self.fill(cx);
    }

    /// Messages that were not confirmed hold no connection for ever.
    fn on_unheard(&mut self, cx: &mut Context<'_, Self>) {
        let by = SimTime(cx.now().0.saturating_sub(self.timeout.0));
        let (given_up, oldest) = self.telling.give_up(by);
        for _ in 0..given_up {
            self.reception.disconnect();
        }
        if let Some(oldest) = oldest {
            cx.after(oldest + self.timeout - cx.now(), Timer::Unheard);
        }
        self.fill(cx);
    }
}
