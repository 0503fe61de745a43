//! Calls, and what comes of them.

use netduel_world::{
    Cause, Context, Law, NodeId, RequestId, SimDuration, SimTime, Stream, uniform,
};

use super::{
    Gossip, Spread, Stop, StopBy, Timer, Timing,
    config::Rules,
    message::{Entries, Entry, Mark, Message, Rumour},
    node::{Asked, Hot, Known, Node},
};

/// When something is told and learnt.
impl Gossip {
    pub(super) fn node(&mut self, cx: &Context<'_, Self>) -> &mut Node {
        let user = self.partners.user(cx.node());
        &mut self.nodes[user]
    }

    /// Forgets what is old.
    pub(super) fn forget(&mut self, cx: &Context<'_, Self>) {
        let remember = self.remember;
        self.node(cx).forget(cx.now(), remember);
    }

    /// This user tells something. Where it is told only once, somebody has to be there to hear.
    pub(super) fn tell(&mut self, request: RequestId, cx: &mut Context<'_, Self>) {
        if self.rules.spread == Spread::Once && self.partners.count(cx.node()) == 0 {
            cx.fail(request, Cause::NoAnswer);
            return;
        }
        let rumour = Rumour::new(request, cx.now());
        self.pass_on(rumour, cx);
    }

    /// This device has come to have something; says whether it is new to it.
    fn learn(&mut self, rumour: Rumour, cx: &mut Context<'_, Self>) -> bool {
        let stale = Rumour::expiry(rumour.created, self.remember) <= cx.now();
        if stale || self.node(cx).knows(rumour) {
            return false;
        }
        cx.reached(rumour.id);
        self.pass_on(rumour, cx);
        true
    }

    /// Takes in what it was told; the line that says whether it was news, where that is heard.
    ///
    /// In rounds everybody acts on what was known when the round began, so that of several who
    /// tell the same in one round none does so in vain.
    fn take(&mut self, rumour: Rumour, cx: &mut Context<'_, Self>) -> Option<Entry> {
        let (rules, now) = (self.rules, cx.now());
        let known = &self.node(cx).known;
        let in_vain = known_since(known, rumour).is_some_and(|at| rules.may_pass_on(at, now));
        self.learn(rumour, cx);
        let mark = if in_vain { Mark::Known } else { Mark::New };
        rules.hears(mark).then_some(Entry { rumour, mark })
    }

    /// Keeps something and lets it spread.
    fn pass_on(&mut self, rumour: Rumour, cx: &mut Context<'_, Self>) {
        let spread = self.rules.spread;
        let now = cx.now();
        let node = self.node(cx);
        node.note(rumour, now);
        match spread {
            Spread::Rumour => node.heat(rumour),
            Spread::Once => self.forward(rumour, cx),
            Spread::AntiEntropy => {}
        }
        self.wake(cx);
    }

    fn forward(&mut self, rumour: Rumour, cx: &mut Context<'_, Self>) {
        let mark = self.gift();
        let node = cx.node();
        let partners = self.partners.several(node, self.rules.fanout, cx.rng());
        for to in partners {
            let entries = Entries::One(Entry { rumour, mark });
            let asks = false;
            self.say(to, Message::Rumours { asks, entries }, cx);
        }
    }

    /// How something is given to somebody who did not ask.
    fn gift(&self) -> Mark {
        if self.rules.offer && self.size.0 > 0 {
            Mark::Offered
        } else {
            Mark::Told
        }
    }

    /// Sends a message and the content that it announces.
    fn say(&self, to: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        if self.size.0 > 0 {
            for entry in message.entries().as_slice() {
                if entry.mark == Mark::Told {
                    cx.transfer(to, self.size, entry.rumour.label());
                }
            }
        }
        let size = message.entries().size();
        cx.send_datagram(to, message, size);
    }

    fn answer(&mut self, to: NodeId, mut lines: Vec<Entry>, cx: &mut Context<'_, Self>) {
        let entries = Entries::of(&mut lines);
        self.lines = lines;
        if !entries.as_slice().is_empty() {
            self.say(to, Message::Answer(entries), cx);
        }
    }
}

/// When this device calls.
impl Gossip {
    /// Sees to it that this device calls while it has a reason to.
    pub(super) fn wake(&mut self, cx: &mut Context<'_, Self>) {
        let rules = self.rules;
        let node = self.node(cx);
        let calls = !node.calls && rules.has_reason(node);
        let repairs = rules
            .repair
            .filter(|_| !node.repairs && !node.known.is_empty());
        node.calls |= calls;
        node.repairs |= repairs.is_some();
        if calls {
            let wait = rules.first_wait(cx);
            cx.after(wait, Timer::Call);
        }
        if let Some(repair) = repairs {
            let phase = uniform(cx.rng());
            cx.after(SimDuration::from(repair * phase), Timer::Repair);
        }
    }

    pub(super) fn on_call_due(&mut self, cx: &mut Context<'_, Self>) {
        let rules = self.rules;
        let node = self.node(cx);
        node.weigh(&rules, cx.rng());
        if rules.has_reason(node) {
            self.call(cx);
        }
        let node = self.node(cx);
        node.calls = rules.has_reason(node);
        if node.calls {
            let wait = rules.wait(cx);
            cx.after(wait, Timer::Call);
        }
    }

    fn call(&mut self, cx: &mut Context<'_, Self>) {
        let Some(to) = self.partners.one(cx.node(), cx.rng()) else {
            return;
        };
        let asks = self.rules.exchange.pulls();
        let mut lines = std::mem::take(&mut self.lines);
        if self.rules.spread == Spread::AntiEntropy {
            let mark = if self.rules.exchange.pushes() {
                Mark::Offered
            } else {
                Mark::Known
            };
            self.list(mark, &mut lines, cx);
            let entries = Entries::of(&mut lines);
            self.lines = lines;
            self.say(to, Message::Digest { asks, entries }, cx);
            return;
        }
        if self.rules.exchange.pushes() {
            self.list_hot(&mut lines, cx);
        }
        if asks {
            self.list(Mark::Known, &mut lines, cx);
        }
        let entries = Entries::of(&mut lines);
        self.lines = lines;
        if asks || !entries.as_slice().is_empty() {
            self.say(to, Message::Rumours { asks, entries }, cx);
        }
    }

    /// Lists the rumours that are told, each of which may lose interest by it.
    fn list_hot(&mut self, lines: &mut Vec<Entry>, cx: &mut Context<'_, Self>) {
        let (rules, mark, now) = (self.rules, self.gift(), cx.now());
        let node = self.node(cx);
        let known = &node.known;
        node.hot.retain_mut(|hot| {
            if !known_since(known, hot.rumour).is_some_and(|at| rules.may_pass_on(at, now)) {
                return true;
            }
            lines.push(Entry {
                rumour: hot.rumour,
                mark,
            });
            rules.stop == Stop::Feedback || !rules.tires(hot, cx.rng())
        });
    }

    /// Lists all that this device has, and what it waits for.
    fn list(&mut self, mark: Mark, lines: &mut Vec<Entry>, cx: &Context<'_, Self>) {
        let (now, patience) = (cx.now(), self.answer_timeout);
        let node = self.node(cx);
        lines.extend(node.known.iter().map(|known| Entry {
            rumour: known.rumour,
            mark,
        }));
        let waiting = node.fetching.iter();
        let waiting = waiting.filter(|fetch| fetch.is_live(now, patience));
        lines.extend(waiting.map(|fetch| Entry {
            rumour: fetch.rumour,
            mark: Mark::Known,
        }));
    }

    pub(super) fn on_repair_due(&mut self, cx: &mut Context<'_, Self>) {
        let repair = self.rules.repair;
        let node = self.node(cx);
        node.repairs = !node.known.is_empty();
        if !node.repairs {
            return;
        }
        if let Some(to) = self.partners.one(cx.node(), cx.rng()) {
            let mut lines = std::mem::take(&mut self.lines);
            self.list(Mark::Offered, &mut lines, cx);
            let entries = Entries::of(&mut lines);
            self.lines = lines;
            let asks = true;
            self.say(to, Message::Digest { asks, entries }, cx);
        }
        let repair = repair.expect("only who is to repair has the timer");
        cx.after(SimDuration::from(repair), Timer::Repair);
    }
}

/// When this device is called.
impl Gossip {
    pub(super) fn on_rumours(
        &mut self,
        from: NodeId,
        asks: bool,
        entries: &Entries,
        cx: &mut Context<'_, Self>,
    ) {
        let mut lines = std::mem::take(&mut self.lines);
        if asks {
            // Before anything is learnt from the caller, who need not hear it again.
            self.give_hot(entries, &mut lines, cx);
        }
        for entry in entries.as_slice() {
            let rumour = entry.rumour;
            match entry.mark {
                Mark::Told if self.size.0 == 0 => {
                    let feedback = self.take(rumour, cx);
                    lines.extend(feedback);
                }
                Mark::Told => self.node(cx).announce(rumour, from, cx.now()),
                Mark::Offered => {
                    let feedback = Mark::Known;
                    if !self.accept(from, rumour, &mut lines, cx) && self.rules.hears(feedback) {
                        lines.push(Entry {
                            rumour,
                            mark: feedback,
                        });
                    }
                }
                Mark::Known | Mark::Wanted | Mark::New => {}
            }
        }
        self.answer(from, lines, cx);
    }

    pub(super) fn on_digest(
        &mut self,
        from: NodeId,
        asks: bool,
        entries: &Entries,
        cx: &mut Context<'_, Self>,
    ) {
        let mut lines = std::mem::take(&mut self.lines);
        if asks {
            let (rules, now) = (self.rules, cx.now());
            let known = self.node(cx).known.iter();
            let missing = known.filter(|known| {
                rules.may_pass_on(known.learnt, now) && !entries.cover(known.rumour)
            });
            lines.extend(missing.map(|known| Entry {
                rumour: known.rumour,
                mark: Mark::Told,
            }));
        }
        for entry in entries.as_slice() {
            if entry.mark == Mark::Offered {
                self.accept(from, entry.rumour, &mut lines, cx);
            }
        }
        self.answer(from, lines, cx);
    }

    pub(super) fn on_answer(
        &mut self,
        from: NodeId,
        entries: &Entries,
        cx: &mut Context<'_, Self>,
    ) {
        let mut lines = std::mem::take(&mut self.lines);
        for entry in entries.as_slice() {
            let rumour = entry.rumour;
            match entry.mark {
                Mark::Known => self.on_call_in_vain(rumour, cx),
                Mark::New => self.on_call_of_use(rumour, cx),
                Mark::Wanted => {
                    self.on_call_of_use(rumour, cx);
                    if self.node(cx).knows(rumour) {
                        let mark = Mark::Told;
                        lines.push(Entry { rumour, mark });
                    }
                }
                Mark::Told if self.size.0 == 0 => {
                    self.learn(rumour, cx);
                }
                Mark::Told => self.node(cx).announce(rumour, from, cx.now()),
                Mark::Offered => {}
            }
        }
        self.answer(from, lines, cx);
    }

    /// Content has come whole.
    pub(super) fn on_content(&mut self, from: NodeId, rumour: Rumour, cx: &mut Context<'_, Self>) {
        if let Some(feedback) = self.take(rumour, cx) {
            let entries = Entries::One(feedback);
            self.say(from, Message::Answer(entries), cx);
        }
    }

    /// Gives a caller who asks the rumours that it lacks.
    fn give_hot(&mut self, entries: &Entries, lines: &mut Vec<Entry>, cx: &mut Context<'_, Self>) {
        let (rules, now) = (self.rules, cx.now());
        let node = self.node(cx);
        let known = &node.known;
        node.hot.retain_mut(|hot| {
            if !known_since(known, hot.rumour).is_some_and(|at| rules.may_pass_on(at, now)) {
                return true;
            }
            let needed = !entries.cover(hot.rumour);
            if needed {
                lines.push(Entry {
                    rumour: hot.rumour,
                    mark: Mark::Told,
                });
            }
            match rules.stop {
                Stop::Blind => return !rules.tires(hot, cx.rng()),
                Stop::Feedback if needed => hot.asked = Asked::Needed,
                Stop::Feedback if hot.asked == Asked::No => hot.asked = Asked::InVain,
                Stop::Feedback => {}
            }
            true
        });
    }

    /// Asks for something that is offered, unless this device has it or waits for it.
    fn accept(
        &mut self,
        from: NodeId,
        rumour: Rumour,
        lines: &mut Vec<Entry>,
        cx: &Context<'_, Self>,
    ) -> bool {
        let (now, patience) = (cx.now(), self.answer_timeout);
        let stale = Rumour::expiry(rumour.created, self.remember) <= now;
        let node = self.node(cx);
        if stale || node.knows(rumour) || node.fetches(rumour, now, patience) {
            return false;
        }
        node.ask(rumour, from, now);
        let mark = Mark::Wanted;
        lines.push(Entry { rumour, mark });
        true
    }

    /// Somebody did not know it: interest is fresh again.
    fn on_call_of_use(&mut self, rumour: Rumour, cx: &Context<'_, Self>) {
        let hot = &mut self.node(cx).hot;
        if let Some(hot) = hot.iter_mut().find(|hot| hot.rumour == rumour) {
            hot.count = 0;
        }
    }

    /// Somebody knew it already.
    fn on_call_in_vain(&mut self, rumour: Rumour, cx: &mut Context<'_, Self>) {
        let rules = self.rules;
        self.node(cx)
            .hot
            .retain_mut(|hot| hot.rumour != rumour || !rules.tires(hot, cx.rng()));
    }
}

/// Since when this is known, or a later one of its name.
fn known_since(known: &[Known], rumour: Rumour) -> Option<SimTime> {
    let place = known.binary_search_by_key(&rumour.id, |known| known.rumour.id);
    let known = &known[place.ok()?];
    (known.rumour.created >= rumour.created).then_some(known.learnt)
}

impl Node {
    /// What those who asked since the last own call made of the rumours: one that somebody needed
    /// is fresh again, one that all of them had counts as one call in vain.
    fn weigh(&mut self, rules: &Rules, rng: &mut Stream) {
        self.hot
            .retain_mut(|hot| match std::mem::take(&mut hot.asked) {
                Asked::No => true,
                Asked::Needed => {
                    hot.count = 0;
                    true
                }
                Asked::InVain => !rules.tires(hot, rng),
            });
    }
}

impl Rules {
    /// Whether callers hear what became of a rumour that they told.
    fn hears(&self, mark: Mark) -> bool {
        let feedback = self.spread == Spread::Rumour && self.stop == Stop::Feedback;
        match mark {
            Mark::Known => feedback,
            // A coin has no memory, and a counter to 1 has nothing to begin again.
            Mark::New => feedback && self.stop_by == StopBy::Counter && self.k > 1,
            Mark::Offered | Mark::Told | Mark::Wanted => false,
        }
    }

    /// Whether a call that counts against a rumour ends the interest in it.
    fn tires(&self, hot: &mut Hot, rng: &mut Stream) -> bool {
        match self.stop_by {
            StopBy::Counter => {
                hot.count += 1;
                hot.count >= self.k
            }
            StopBy::Coin => uniform(rng) < 1.0 / f64::from(self.k),
        }
    }

    /// Whether a device in this state calls others.
    fn has_reason(&self, node: &Node) -> bool {
        match self.spread {
            Spread::Once => false,
            _ if self.exchange.pulls() => true,
            Spread::Rumour => !node.hot.is_empty(),
            Spread::AntiEntropy => !node.known.is_empty(),
        }
    }

    /// Whether what was learnt at `learnt` may be passed on: in rounds not before the next one.
    fn may_pass_on(&self, learnt: SimTime, now: SimTime) -> bool {
        let period = SimDuration::from(self.period).0;
        self.timing != Timing::Rounds || learnt.0 / period < now.0 / period
    }

    /// The time until the first call.
    fn first_wait(&self, cx: &mut Context<'_, Gossip>) -> SimDuration {
        match self.timing {
            Timing::Staggered => SimDuration::from(self.period * uniform(cx.rng())),
            Timing::Rounds | Timing::Poisson => self.wait(cx),
        }
    }

    /// The time until the next call.
    fn wait(&self, cx: &mut Context<'_, Gossip>) -> SimDuration {
        let period = SimDuration::from(self.period);
        match self.timing {
            Timing::Rounds => SimDuration(period.0 - cx.now().0 % period.0),
            Timing::Staggered => period,
            Timing::Poisson => {
                let mean = self.period.get();
                SimDuration::from_seconds(Law::Exponential { mean }.sample(cx.rng()))
            }
        }
    }
}
