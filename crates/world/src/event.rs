//! What is ahead in a run.

use netduel_engine::{EventId, EventQueue, SimTime};
use netduel_network::{NodeId, TransferId};
use netduel_units::Bytes;

use crate::{architecture::TransferEnded, ledger::RequestId};

/// Something that will have happened: a fact, subject first.
#[derive(Debug)]
pub(crate) enum Event<M, T> {
    /// A user asks, for the first time or again.
    UserAsked(RequestId),
    /// A request's deadline passed.
    DeadlinePassed(RequestId),
    /// The user no longer waits for an attempt.
    AttemptTimedOut { request: RequestId, asked: u32 },
    /// A message reached the node it was sent to.
    MessageDelivered {
        to: NodeId,
        from: NodeId,
        size: Bytes,
        message: M,
    },
    /// The links that a message waited for carry something again, or it is time to send one again
    /// that was lost. In a box, because it is rare.
    MessageHeld(Box<Held<M>>),
    /// The first bytes of a transfer reach the network's far side.
    TransferBegan { id: TransferId, sender_epoch: u32 },
    /// A node learns that the other end of a transfer is gone, unless it crashed itself meanwhile.
    ///
    /// In a box, because it is rare and twice as large as all others.
    BreakSeen {
        by: NodeId,
        epoch: u32,
        ended: Box<TransferEnded>,
    },
    /// A timer ran out.
    TimerExpired { node: NodeId, epoch: u32, timer: T },
    /// A processor that shares its cores is done with a piece of work.
    WorkDone { node: NodeId, epoch: u32, timer: T },
    /// A user's device leaves for good.
    UserLeft(NodeId),
    /// A failure of the scenario begins.
    FailureBegan(usize),
    /// A failure of the scenario ends.
    FailureEnded(usize),
    /// A churning node changes sides for the n-th time.
    ChurnTurned {
        failure: usize,
        node: NodeId,
        turn: u32,
    },
}

/// A message that waits in the buffers of its sender's transport: for a link that is cut, or to be
/// sent again.
#[derive(Debug)]
pub(crate) struct Held<M> {
    pub(crate) to: NodeId,
    pub(crate) from: NodeId,
    /// Rises with every crash of the sender, which empties its buffers.
    pub(crate) epoch: u32,
    pub(crate) size: Bytes,
    pub(crate) message: M,
    pub(crate) kind: Kind,
    /// Whether this is about to be sent once more, after a loss.
    pub(crate) again: bool,
}

/// How a message is carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Over a connection, which has lost it so many times so far and sends it again.
    Connected { losses: u32 },
    /// By itself: the network may lose it for good.
    Datagram,
    /// As an announcement, charged by whoever hears it.
    Announcement,
}

impl<M, T> Event<M, T> {
    /// The same fact in the words of a host.
    fn told<HostM, HostT>(
        self,
        message_of: fn(M) -> HostM,
        timer_of: fn(T) -> HostT,
    ) -> Event<HostM, HostT> {
        match self {
            Self::UserAsked(id) => Event::UserAsked(id),
            Self::DeadlinePassed(id) => Event::DeadlinePassed(id),
            Self::AttemptTimedOut { request, asked } => Event::AttemptTimedOut { request, asked },
            Self::MessageDelivered {
                to,
                from,
                size,
                message,
            } => Event::MessageDelivered {
                to,
                from,
                size,
                message: message_of(message),
            },
            Self::MessageHeld(held) => Event::MessageHeld(Box::new(Held {
                to: held.to,
                from: held.from,
                epoch: held.epoch,
                size: held.size,
                message: message_of(held.message),
                kind: held.kind,
                again: held.again,
            })),
            Self::TransferBegan { id, sender_epoch } => Event::TransferBegan { id, sender_epoch },
            Self::BreakSeen { by, epoch, ended } => Event::BreakSeen { by, epoch, ended },
            Self::TimerExpired { node, epoch, timer } => Event::TimerExpired {
                node,
                epoch,
                timer: timer_of(timer),
            },
            Self::WorkDone { node, epoch, timer } => Event::WorkDone {
                node,
                epoch,
                timer: timer_of(timer),
            },
            Self::UserLeft(node) => Event::UserLeft(node),
            Self::FailureBegan(index) => Event::FailureBegan(index),
            Self::FailureEnded(index) => Event::FailureEnded(index),
            Self::ChurnTurned {
                failure,
                node,
                turn,
            } => Event::ChurnTurned {
                failure,
                node,
                turn,
            },
        }
    }
}

/// Where an architecture's events go: to the queue, or through the host that contains it.
///
/// A run's own architecture goes to the queue without a detour; only components of another one
/// pay for a call through a table of functions.
pub(crate) enum Agenda<'a, M, T> {
    Queue(&'a mut EventQueue<Event<M, T>>),
    Host(&'a mut (dyn Schedule<M, T> + 'a)),
}

/// Something that takes events.
pub(crate) trait Schedule<M, T> {
    fn schedule(&mut self, at: SimTime, event: Event<M, T>) -> EventId;
    fn reschedule(&mut self, id: EventId, at: SimTime);
    fn cancel(&mut self, id: EventId);
}

impl<M, T> Schedule<M, T> for Agenda<'_, M, T> {
    #[inline]
    fn schedule(&mut self, at: SimTime, event: Event<M, T>) -> EventId {
        match self {
            Self::Queue(queue) => queue.schedule(at, event),
            Self::Host(host) => host.schedule(at, event),
        }
    }

    fn reschedule(&mut self, id: EventId, at: SimTime) {
        match self {
            Self::Queue(queue) => {
                let there = queue.reschedule(id, at);
                assert!(there, "only what is ahead is put off");
            }
            Self::Host(host) => host.reschedule(id, at),
        }
    }

    fn cancel(&mut self, id: EventId) {
        match self {
            Self::Queue(queue) => {
                queue.cancel(id);
            }
            Self::Host(host) => host.cancel(id),
        }
    }
}

/// The agenda of a host, as a component sees it.
pub(crate) struct Narrowed<'a, 'b, M, T, HostM, HostT> {
    pub(crate) host: &'b mut Agenda<'a, HostM, HostT>,
    pub(crate) message_of: fn(M) -> HostM,
    pub(crate) timer_of: fn(T) -> HostT,
}

impl<M, T, HostM, HostT> Schedule<M, T> for Narrowed<'_, '_, M, T, HostM, HostT> {
    fn schedule(&mut self, at: SimTime, event: Event<M, T>) -> EventId {
        let event = event.told(self.message_of, self.timer_of);
        self.host.schedule(at, event)
    }

    fn reschedule(&mut self, id: EventId, at: SimTime) {
        self.host.reschedule(id, at);
    }

    fn cancel(&mut self, id: EventId) {
        self.host.cancel(id);
    }
}
