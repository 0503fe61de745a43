//! How look-ups travel, and what becomes of them.

use netduel_world::{Cause, Context, NodeId, SimDuration, SimTime, TransferId};

use super::{
    Chord, Purpose, Routing, Sought, Stage, Wait,
    message::{Aim, Answer, Find, Message, Silent},
    say,
    table::Step,
};

/// How far an iterative look-up has come.
#[derive(Debug)]
pub(super) struct Way {
    /// Those who told of a contact, the last one last.
    advisers: Vec<NodeId>,
    /// Whoever is asked now.
    contact: NodeId,
    /// What the running question is known by.
    asked: u32,
    /// Contacts that did not answer.
    silent: Silent,
}

impl Chord {
    pub(super) fn place(&self, aim: Aim) -> u64 {
        match aim {
            Aim::Place(place) => place,
            Aim::Read(key, _) | Aim::Write(key, _) => self.table.ids.of_key(key),
        }
    }

    /// Starts a look-up of this node's own. One that comes while it joins waits until it has.
    pub(super) fn seek(&mut self, purpose: Purpose, aim: Aim, cx: &mut Context<'_, Self>) {
        let ready = self.is_on_ring(cx.node());
        let stage = if ready { Stage::Sent } else { Stage::Held };
        let ticket = self.note_sought(purpose, aim, stage, cx);
        if ready {
            self.launch(ticket, aim, cx);
        }
    }

    fn note_sought(
        &mut self,
        purpose: Purpose,
        aim: Aim,
        stage: Stage,
        cx: &mut Context<'_, Self>,
    ) -> u32 {
        let sought = Sought {
            purpose,
            aim,
            stage,
        };
        let patience = SimDuration::from(self.config.answer_timeout);
        self.wait(Wait::Sought(sought), patience, cx)
    }

    /// Sends off a look-up that was held until its node was on the ring.
    pub(super) fn release(&mut self, ticket: u32, aim: Aim, cx: &mut Context<'_, Self>) {
        self.note_stage(ticket, Stage::Sent, cx);
        self.launch(ticket, aim, cx);
    }

    /// Sends a look-up on its way from here.
    fn launch(&mut self, ticket: u32, aim: Aim, cx: &mut Context<'_, Self>) {
        match self.config.routing {
            Routing::Recursive => {
                self.pass(Find::new(aim, cx.node(), ticket), cx);
            }
            Routing::Iterative => {
                self.note_way(ticket, vec![cx.node()], cx);
                self.follow_advice(ticket, cx);
            }
        }
    }

    /// Asks `entry`, which is on the ring, for the owner of `place`.
    pub(super) fn seek_through(&mut self, entry: NodeId, place: u64, cx: &mut Context<'_, Self>) {
        let aim = Aim::Place(place);
        let ticket = self.note_sought(Purpose::Join, aim, Stage::Sent, cx);
        match self.config.routing {
            Routing::Recursive => {
                self.expect_sign(Wait::Asked { sought: ticket }, cx);
                let find = Find::new(aim, cx.node(), ticket);
                say(entry, Message::Find(find), cx);
            }
            Routing::Iterative => {
                self.note_way(ticket, Vec::new(), cx);
                self.ask(ticket, entry, cx);
            }
        }
    }

    /// Waits for the sign that a message arrived, when there is to be one.
    fn expect_sign(&mut self, wait: Wait, cx: &mut Context<'_, Self>) {
        if self.acknowledges() {
            self.wait(wait, SimDuration::from(self.config.contact_timeout), cx);
        }
    }

    fn acknowledges(&self) -> bool {
        self.config.acknowledge || self.config.routing == Routing::Iterative
    }

    /// Passes a look-up on to the best contact.
    pub(super) fn pass(&mut self, mut find: Find, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let aim = find.aim();
        let (asker, ticket) = (find.asker, find.ticket);
        match self.table.step(node, self.place(aim), find.silent.nodes()) {
            None => self.answer(asker, ticket, Answer::DeadEnd, cx),
            Some(step) if step.owner && matches!(aim, Aim::Place(_)) => {
                self.tell_owner(step.node, self.place(aim), (asker, ticket), cx);
            }
            Some(step) if step.node == node => self.arrive(&find, cx),
            Some(Step { node: to, owner }) => {
                find.owner = owner;
                if self.acknowledges() {
                    let find = find.clone();
                    self.expect_sign(Wait::Passed { find, to }, cx);
                }
                say(to, Message::Find(find), cx);
            }
        }
    }

    pub(super) fn on_find(&mut self, from: NodeId, find: Find, cx: &mut Context<'_, Self>) {
        if self.acknowledges() {
            let (asker, ticket) = (find.asker, find.ticket);
            say(from, Message::Ack { asker, ticket }, cx);
        }
        if find.owner {
            self.arrive(&find, cx);
        } else {
            self.pass(find, cx);
        }
    }

    pub(super) fn on_ack(&mut self, asker: NodeId, ticket: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        self.waits.take_if(node, |wait| match wait {
            Wait::Passed { find, .. } => (find.asker, find.ticket) == (asker, ticket),
            Wait::Asked { sought } => (asker, *sought) == (node, ticket),
            _ => false,
        });
    }

    /// Tells who owns a place.
    fn tell_owner(
        &mut self,
        owner: NodeId,
        place: u64,
        (asker, ticket): (NodeId, u32),
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let owner = self.table.owner_for(node, asker, owner, place);
        if asker == node {
            self.on_found(ticket, owner, cx);
        } else {
            say(asker, Message::Found { ticket, owner }, cx);
        }
    }

    pub(super) fn on_found(&mut self, ticket: u32, owner: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(Wait::Sought(sought)) = self.waits.take(node, ticket) else {
            return;
        };
        match sought.purpose {
            Purpose::Join => self.on_joined(owner, cx),
            Purpose::Finger(level) => self.on_finger(level, Some(owner), cx),
            Purpose::Home(key) => self.on_home(key, owner, cx),
            Purpose::Request(_) => unreachable!("requests do not ask for places"),
        }
    }

    /// Tells an asker what became of its look-up.
    pub(super) fn answer(
        &mut self,
        asker: NodeId,
        ticket: u32,
        answer: Answer,
        cx: &mut Context<'_, Self>,
    ) {
        if asker == cx.node() {
            self.on_answer(ticket, answer, asker, cx);
        } else {
            say(asker, Message::Answer { ticket, answer }, cx);
        }
    }

    pub(super) fn on_answer(
        &mut self,
        ticket: u32,
        answer: Answer,
        from: NodeId,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let Some(Wait::Sought(sought)) = self.waits.get(node, ticket) else {
            if let Answer::Coming(transfer) = answer {
                cx.cancel(transfer);
            }
            return;
        };
        let cause = match answer {
            Answer::Coming(transfer) => return self.on_moving(ticket, transfer, cx),
            // The value moves already, from or to somebody else: the first counts.
            Answer::Send(_) | Answer::NotFound | Answer::DeadEnd
                if matches!(sought.stage, Stage::Moving(_)) =>
            {
                return;
            }
            Answer::Send(place) => {
                let transfer = self.send_value(from, ticket, place, cx);
                return self.on_moving(ticket, transfer, cx);
            }
            // Whoever was taken for silent, and another asked instead, has no say.
            Answer::DeadEnd if asks_another(&sought.stage, from) => return,
            Answer::Done => {
                if let Purpose::Request(request) = sought.purpose {
                    self.waits.take(node, ticket);
                    cx.serve(request);
                }
                return;
            }
            Answer::NotFound => Cause::NotFound,
            Answer::Refused => Cause::Refused,
            Answer::Damaged => Cause::Damaged,
            Answer::DeadEnd => Cause::NoAnswer,
        };
        self.give_up(ticket, cause, cx);
    }

    /// The value of a look-up of this node's own moves. Of two that fork the first counts.
    fn on_moving(&mut self, ticket: u32, transfer: TransferId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(Wait::Sought(sought)) = self.waits.get(node, ticket) else {
            return;
        };
        if let Stage::Moving(_) = sought.stage {
            return cx.cancel(transfer);
        }
        sought.stage = Stage::Moving(transfer);
        // How long the bytes take is not known; if the connection breaks, that is seen.
        self.waits.put_off(node, ticket, SimTime::NEVER);
    }

    /// A look-up of this node's own came to nothing.
    pub(super) fn give_up(&mut self, ticket: u32, cause: Cause, cx: &mut Context<'_, Self>) {
        if let Some(Wait::Sought(sought)) = self.waits.take(cx.node(), ticket) {
            self.fail(sought.purpose, cause, cx);
        }
    }

    pub(super) fn on_lost(&mut self, sought: &Sought, cx: &mut Context<'_, Self>) {
        self.fail(sought.purpose, Cause::NoAnswer, cx);
    }

    fn fail(&mut self, purpose: Purpose, cause: Cause, cx: &mut Context<'_, Self>) {
        match purpose {
            Purpose::Request(request) => cx.fail(request, cause),
            Purpose::Join => self.on_entry_silent(cx),
            Purpose::Finger(level) => self.on_finger(level, None, cx),
            Purpose::Home(_) => {}
        }
    }
}

/// Iterative look-ups.
impl Chord {
    fn note_way(&mut self, ticket: u32, advisers: Vec<NodeId>, cx: &mut Context<'_, Self>) {
        let way = Way {
            advisers,
            contact: cx.node(),
            asked: 0,
            silent: Silent::default(),
        };
        self.note_stage(ticket, Stage::Asking(Box::new(way)), cx);
    }

    fn note_stage(&mut self, ticket: u32, stage: Stage, cx: &mut Context<'_, Self>) {
        if let Some(Wait::Sought(sought)) = self.waits.get(cx.node(), ticket) {
            sought.stage = stage;
        }
    }

    fn way(&mut self, ticket: u32, node: NodeId) -> Option<(&mut Way, Aim)> {
        match self.waits.get(node, ticket)? {
            Wait::Sought(Sought {
                stage: Stage::Asking(way),
                aim,
                ..
            }) => Some((way, *aim)),
            _ => None,
        }
    }

    /// Turns to the best contact of the last adviser that is not silent.
    fn follow_advice(&mut self, ticket: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some((way, aim)) = self.way(ticket, node) else {
            return;
        };
        match way.advisers.last().copied() {
            None => self.give_up(ticket, Cause::NoAnswer, cx),
            Some(adviser) if adviser == node => {
                let silent = way.silent.clone();
                match self.table.step(node, self.place(aim), silent.nodes()) {
                    None => self.give_up(ticket, Cause::NoAnswer, cx),
                    Some(step) => self.go_on(ticket, step, cx),
                }
            }
            // Asked again, it is a contact once more and not yet an adviser.
            Some(adviser) => {
                way.advisers.pop();
                self.ask(ticket, adviser, cx);
            }
        }
    }

    /// Asks `contact` for its best contact.
    fn ask(&mut self, ticket: u32, contact: NodeId, cx: &mut Context<'_, Self>) {
        let timeout = SimDuration::from(self.config.contact_timeout);
        let asked = self.wait(Wait::Asked { sought: ticket }, timeout, cx);
        let Some((way, aim)) = self.way(ticket, cx.node()) else {
            return;
        };
        way.contact = contact;
        way.asked = asked;
        let silent = way.silent.clone();
        let place = self.place(aim);
        let message = Message::Ask {
            place,
            ticket,
            silent,
        };
        say(contact, message, cx);
    }

    pub(super) fn on_ask(
        &mut self,
        from: NodeId,
        place: u64,
        ticket: u32,
        silent: &Silent,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let Some(step) = self.table.step(node, place, silent.nodes()) else {
            return self.answer(from, ticket, Answer::DeadEnd, cx);
        };
        let found = if step.owner {
            self.table.owner_for(node, from, step.node, place)
        } else {
            step.node
        };
        let message = Message::Next {
            ticket,
            node: found,
            owner: step.owner,
        };
        say(from, message, cx);
    }

    pub(super) fn on_next(
        &mut self,
        from: NodeId,
        ticket: u32,
        step: Step,
        cx: &mut Context<'_, Self>,
    ) {
        let Some((way, _)) = self.way(ticket, cx.node()) else {
            return;
        };
        // Whoever answers late was taken for silent, and another was asked instead.
        if way.contact != from {
            return;
        }
        way.advisers.push(from);
        let asked = way.asked;
        self.waits.take(cx.node(), asked);
        self.go_on(ticket, step, cx);
    }

    /// Turns to the contact that the last adviser told of.
    fn go_on(&mut self, ticket: u32, step: Step, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some((way, aim)) = self.way(ticket, node) else {
            return;
        };
        if !step.owner {
            return self.ask(ticket, step.node, cx);
        }
        way.contact = step.node;
        let mut find = Find::new(aim, node, ticket);
        find.owner = true;
        match aim {
            Aim::Place(_) => self.on_found(ticket, step.node, cx),
            _ if step.node == node => self.arrive(&find, cx),
            _ => {
                self.expect_sign(Wait::Asked { sought: ticket }, cx);
                say(step.node, Message::Find(find), cx);
            }
        }
    }

    /// A contact did not answer: its adviser is asked for another.
    pub(super) fn on_silence(&mut self, ticket: u32, cx: &mut Context<'_, Self>) {
        match self.way(ticket, cx.node()) {
            Some((way, _)) if !way.advisers.is_empty() => {
                way.silent.add(way.contact);
                self.follow_advice(ticket, cx);
            }
            // An entry point.
            _ => self.give_up(ticket, Cause::NoAnswer, cx),
        }
    }
}

fn asks_another(stage: &Stage, than: NodeId) -> bool {
    match stage {
        Stage::Asking(way) => way.contact != than,
        _ => false,
    }
}
