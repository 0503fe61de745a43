//! How the server tells every user what one of them wants all to know.

use std::collections::{BTreeMap, VecDeque};

use netduel_world::{NodeId, RequestId, SimDuration, SimTime};

use crate::bits::Bits;

/// What there is to tell, and who has been told. It is on the server's disk but for what is under
/// way.
pub(super) struct Telling {
    first_user: NodeId,
    users: u32,
    news: Vec<News>,
    /// How long it is remembered who was told what everybody has been told, for those who complain.
    remember: SimDuration,
    /// What everybody was told longer ago, as runs of requests: first, and first not. Whoever asks
    /// for it after all hears that it is done.
    told_all: BTreeMap<u32, u32>,
    /// Who is to be told next, beside those whose turn comes in `news`; each once.
    again: VecDeque<Delivery>,
    /// Messages under way and not confirmed, with the instant of sending.
    sent: VecDeque<(SimTime, Delivery)>,
    deliveries: BTreeMap<Delivery, Standing>,
}

/// Something that is told to one user.
type Delivery = (RequestId, NodeId);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// It waits in `again`.
    Waiting,
    /// It is under way.
    UnderWay,
    /// It is under way to a user who has been away since, and may have missed it.
    InDoubt,
}

struct News {
    request: RequestId,
    told: Bits,
    untold: u32,
    asker: NodeId,
    /// Users before this one have had their turn.
    next: u32,
    /// When the last user was told.
    done: Option<SimTime>,
}

impl Telling {
    /// `remember`: a time after which nobody complains about what is done.
    pub(super) fn new(first_user: NodeId, users: u32, remember: SimDuration) -> Self {
        Self {
            first_user,
            users,
            news: Vec::new(),
            remember,
            told_all: BTreeMap::new(),
            again: VecDeque::new(),
            sent: VecDeque::new(),
            deliveries: BTreeMap::new(),
        }
    }

    pub(super) fn users(&self) -> impl Iterator<Item = NodeId> {
        let first = self.first_user.0;
        (first..first + self.users).map(NodeId)
    }

    /// How many are still to be told what it knows of.
    pub(super) fn untold(&self, request: RequestId) -> Option<u32> {
        let news = self.news.iter().find(|news| news.request == request);
        let before = self.told_all.range(..=request.0).next_back();
        let is_forgotten = before.is_some_and(|(_, end)| request.0 < *end);
        news.map(|news| news.untold).or(is_forgotten.then_some(0))
    }

    /// Everybody was told this long ago.
    fn forget(&mut self, request: RequestId) {
        let next = request.0 + 1;
        let end = self.told_all.remove(&next).unwrap_or(next);
        match self.told_all.range_mut(..request.0).next_back() {
            Some((_, before)) if *before == request.0 => *before = end,
            _ => {
                self.told_all.insert(request.0, end);
            }
        }
    }

    /// There is something more to tell. What is done for long is forgotten.
    pub(super) fn add(&mut self, request: RequestId, asker: NodeId, now: SimTime) {
        let remember = self.remember;
        let is_old = |news: &mut News| news.done.is_some_and(|at| at + remember <= now);
        let old: Vec<RequestId> = self
            .news
            .extract_if(.., is_old)
            .map(|news| news.request)
            .collect();
        for request in old {
            self.forget(request);
        }
        let mut news = News {
            request,
            told: Bits::empty(self.users),
            untold: self.users - 1,
            asker,
            next: 0,
            done: (self.users == 1).then_some(now),
        };
        news.told.set(asker.0 - self.first_user.0);
        self.news.push(news);
    }

    /// Who is to be told what, next. It counts as under way.
    pub(super) fn next(&mut self) -> Option<Delivery> {
        let next = self.next_again().or_else(|| self.next_in_turn())?;
        self.deliveries.insert(next, Standing::UnderWay);
        Some(next)
    }

    fn next_again(&mut self) -> Option<Delivery> {
        while let Some(delivery) = self.again.pop_front() {
            self.deliveries.remove(&delivery);
            if self.lacks(delivery) {
                return Some(delivery);
            }
        }
        None
    }

    fn next_in_turn(&mut self) -> Option<Delivery> {
        for news in &mut self.news {
            while news.next < self.users {
                let user = news.next;
                news.next += 1;
                if !news.told.has(user) {
                    return Some((news.request, NodeId(self.first_user.0 + user)));
                }
            }
        }
        None
    }

    /// Whether a user is still to be told.
    fn lacks(&self, (request, user): Delivery) -> bool {
        let index = user.0 - self.first_user.0;
        let mut news = self.news.iter();
        news.any(|news| news.request == request && !news.told.has(index))
    }

    /// A user has been told. Says who is to hear it when that was the last one.
    pub(super) fn note(
        &mut self,
        request: RequestId,
        user: NodeId,
        now: SimTime,
    ) -> Option<NodeId> {
        let first = self.first_user.0;
        let news = self.news.iter_mut().find(|news| news.request == request)?;
        if !news.told.set(user.0 - first) {
            return None;
        }
        news.untold -= 1;
        news.done = (news.untold == 0).then_some(now);
        news.done.is_some().then_some(news.asker)
    }

    /// A user did not get it as it was sent.
    pub(super) fn repeat(&mut self, request: RequestId, user: NodeId) {
        let first = self.first_user.0;
        let news = self.news.iter_mut().find(|news| news.request == request);
        if let Some(news) = news
            && news.told.has(user.0 - first)
        {
            news.told.unset(user.0 - first);
            news.untold += 1;
            news.done = None;
            self.wait((request, user));
        }
    }

    /// Somebody is to be told again, if that is not so already.
    fn wait(&mut self, delivery: Delivery) {
        if self.deliveries.insert(delivery, Standing::Waiting) != Some(Standing::Waiting) {
            self.again.push_back(delivery);
        }
    }

    /// A user was away: it is told what it missed. What is under way to it may arrive; that is
    /// seen when it ends.
    pub(super) fn catch_up(&mut self, user: NodeId) {
        let index = user.0 - self.first_user.0;
        let missed = |news: &&News| index < news.next && !news.told.has(index);
        let missed: Vec<RequestId> = self
            .news
            .iter()
            .filter(missed)
            .map(|news| news.request)
            .collect();
        for request in missed {
            match self.deliveries.get_mut(&(request, user)) {
                Some(Standing::Waiting) => {}
                Some(standing) => *standing = Standing::InDoubt,
                None => self.wait((request, user)),
            }
        }
    }

    /// A message is under way that is to be confirmed. Says whether it is the only one.
    pub(super) fn await_word(&mut self, request: RequestId, user: NodeId, now: SimTime) -> bool {
        self.sent.push_back((now, (request, user)));
        self.sent.len() == 1
    }

    /// What was under way has ended, or was confirmed; says whether it was waited for.
    pub(super) fn arrived(&mut self, request: RequestId, user: NodeId) -> bool {
        let is_awaited = self.is_under_way((request, user));
        if is_awaited {
            self.deliveries.remove(&(request, user));
        }
        is_awaited
    }

    /// What was under way is lost. Who has been away since is told again; who is still away asks
    /// when it is back.
    pub(super) fn lost(&mut self, request: RequestId, user: NodeId) {
        if self.deliveries.remove(&(request, user)) == Some(Standing::InDoubt) {
            self.wait((request, user));
        }
    }

    fn is_under_way(&self, delivery: Delivery) -> bool {
        let standing = self.deliveries.get(&delivery);
        standing.is_some_and(|standing| *standing != Standing::Waiting)
    }

    /// Gives up on messages sent until `by`. Says for how many nobody waits any longer, and when
    /// the oldest that is left was sent.
    pub(super) fn give_up(&mut self, by: SimTime) -> (u32, Option<SimTime>) {
        let mut given_up = 0;
        while let Some((at, delivery)) = self.sent.front().copied() {
            let is_awaited = self.is_under_way(delivery);
            if at > by && is_awaited {
                return (given_up, Some(at));
            }
            if at <= by && is_awaited {
                given_up += 1;
                self.lost(delivery.0, delivery.1);
            }
            self.sent.pop_front();
        }
        (given_up, None)
    }

    /// The server stops; with its disk it forgets what there was to tell.
    pub(super) fn on_down(&mut self, lost: bool) {
        self.again.clear();
        self.sent.clear();
        self.deliveries.clear();
        if lost {
            self.news.clear();
            self.told_all.clear();
        }
        // Who was not told for certain gets another turn.
        for news in &mut self.news {
            news.next = 0;
        }
    }

    pub(super) fn state_bytes(&self) -> usize {
        let told = self.news.iter().map(|news| news.told.state_bytes());
        told.sum::<usize>()
            + self.news.capacity() * size_of::<News>()
            + self.told_all.len() * size_of::<(u32, u32)>()
            + self.again.capacity() * size_of::<Delivery>()
            + self.deliveries.len() * size_of::<(Delivery, Standing)>()
            + self.sent.capacity() * size_of::<(SimTime, Delivery)>()
    }
}
