//! How servers keep each other's content.

use std::sync::Arc;

use netduel_world::{Bytes, Context, Ending, Key, NodeId, RequestId, TransferEnded};

use super::{
    ReplicatedServer,
    config::Acknowledge,
    message::{Copied, Known, Message, Timer, View},
};
use crate::{
    message::{self, Guest, Label, MESSAGE},
    reception::Serves,
};

/// What servers do for each other.
impl ReplicatedServer {
    /// The primary stores a value and copies it to the backups.
    pub(super) fn store(&mut self, guest: Guest, key: Key, cx: &mut Context<'_, Self>) {
        let size = self.size;
        let at_once = self.config.acknowledge == Acknowledge::AtOnce;
        let replica = self.replica(cx.node());
        let backups = replica.store(key);
        for backup in &*backups {
            if size > Bytes(0) {
                cx.transfer(*backup, size, Label::Upload(guest.1).encode());
            } else {
                cx.send(*backup, Message::Store(guest.1), MESSAGE);
            }
        }
        if at_once || backups.is_empty() {
            self.reply(guest, message::Message::Done(guest.1), cx);
        } else {
            self.replica(cx.node()).wait_for(guest, &backups);
        }
    }

    /// A backup has what was stored, or never will.
    pub(super) fn on_stored(
        &mut self,
        backup: NodeId,
        request: RequestId,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some(guest) = self.replica(cx.node()).confirm(request, backup) {
            self.reply(guest, message::Message::Done(request), cx);
            self.fill(cx);
        }
    }

    pub(super) fn on_check(
        &mut self,
        balancer: NodeId,
        view: &Arc<View>,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let sent = cx.bytes_sent();
        let busy = cx.processor_busy();
        let now = cx.now();
        let by = self.balancer_at(balancer).expect("only balancers check");
        let replica = self.replica(node);
        let load = replica.load(now, busy, sent);
        let confirmed = replica.take_view(by, view);
        match view.primary {
            Some(primary) if primary != node => {
                if let Some(known) = replica.misses(primary) {
                    cx.send(primary, Message::Miss(known), MESSAGE);
                    cx.after(self.limits.timeout, Timer::CopyDue);
                }
            }
            // Nobody has anything newer.
            _ => replica.be_ready(),
        }
        let ready = self.replica(node).ready;
        for guest in confirmed {
            self.reply(guest, message::Message::Done(guest.1), cx);
        }
        self.fill(cx);
        if balancer == node {
            self.on_health(node, ready, load, cx);
        } else {
            cx.send(balancer, Message::Health { ready, load }, MESSAGE);
        }
    }

    pub(super) fn on_miss(&mut self, from: NodeId, known: Known, cx: &mut Context<'_, Self>) {
        let size = self.size;
        let replica = self.replica(cx.node());
        if !replica.ready {
            return;
        }
        let missed = replica.missed(known, size);
        let copied = Box::new(Copied {
            stores: replica.stores,
            content: replica.content.clone(),
        });
        cx.send(from, Message::Copy(copied), MESSAGE);
        if missed > Bytes(0) {
            cx.transfer(from, missed, Label::Copy(RequestId(0)).encode());
        }
    }

    pub(super) fn on_copy(&mut self, copied: Copied, cx: &mut Context<'_, Self>) {
        let size = self.size;
        self.replica(cx.node()).expect(copied, size);
    }

    /// A copy from server to server is over.
    pub(super) fn on_copied(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let whole = ended.ending == Ending::Whole { intact: true };
        let broken = matches!(ended.ending, Ending::Broken { .. });
        let receiver = cx.node() == ended.to;
        match Label::decode(ended.label) {
            Label::Upload(request) if receiver && whole => {
                self.replica(cx.node()).stores += 1;
                cx.send(ended.from, Message::Stored(request), MESSAGE);
            }
            Label::Upload(request) if receiver && !broken => {
                cx.send(ended.from, Message::Damaged(request), MESSAGE);
            }
            // A backup that broke off has crashed; the copy that it asks for later has it.
            Label::Upload(request) if !receiver && broken => {
                self.on_stored(ended.to, request, cx);
            }
            Label::Copy(_) if receiver => self.replica(cx.node()).finish_copy(whole),
            _ => {}
        }
    }

    pub(super) fn on_copy_due(&mut self, node: NodeId) {
        self.replica(node).copy_due();
    }
}
