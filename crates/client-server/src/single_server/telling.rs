//! How the server tells every user what one of them wants all to know.

use std::collections::{BTreeSet, VecDeque};

use netduel_world::{NodeId, RequestId, SimTime};

use crate::bits::Bits;

/// What there is to tell, and who has been told. It is on the server's disk but for what is under
/// way.
pub(super) struct Telling {
    first_user: NodeId,
    users: u32,
    news: Vec<News>,
    /// Who is to be told next, beside those whose turn comes in `news`.
    again: VecDeque<(RequestId, NodeId)>,
    /// Messages under way and not confirmed, with the instant of sending.
    sent: VecDeque<(SimTime, RequestId, NodeId)>,
    unheard: BTreeSet<(RequestId, NodeId)>,
}

struct News {
    request: RequestId,
    told: Bits,
    untold: u32,
    asker: NodeId,
    /// Users before this one have had their turn.
    next: u32,
}

impl Telling {
    pub(super) fn new(first_user: NodeId, users: u32) -> Self {
        Self {
            first_user,
            users,
            news: Vec::new(),
            again: VecDeque::new(),
            sent: VecDeque::new(),
            unheard: BTreeSet::new(),
        }
    }

    pub(super) fn users(&self) -> impl Iterator<Item = NodeId> {
        let first = self.first_user.0;
        (first..first + self.users).map(NodeId)
    }

    /// How many are still to be told what it knows of.
    pub(super) fn untold(&self, request: RequestId) -> Option<u32> {
        let news = self.news.iter().find(|news| news.request == request);
        news.map(|news| news.untold)
    }

    pub(super) fn add(&mut self, request: RequestId, asker: NodeId) {
        let mut news = News {
            request,
            told: Bits::empty(self.users),
            untold: self.users - 1,
            asker,
            next: 0,
        };
        news.told.set(asker.0 - self.first_user.0);
        self.news.push(news);
    }

    /// Who is to be told what, next.
    pub(super) fn next(&mut self) -> Option<(RequestId, NodeId)> {
        if let Some(next) = self.again.pop_front() {
            return Some(next);
        }
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

    /// A user has been told. Says who is to hear it when that was the last one.
    pub(super) fn note(&mut self, request: RequestId, user: NodeId) -> Option<NodeId> {
        let first = self.first_user.0;
        let news = self.news.iter_mut().find(|news| news.request == request)?;
        if !news.told.set(user.0 - first) {
            return None;
        }
        news.untold -= 1;
        (news.untold == 0).then_some(news.asker)
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
            self.again.push_back((request, user));
        }
    }

    /// A user was away: it is told what it missed.
    pub(super) fn catch_up(&mut self, user: NodeId) {
        let index = user.0 - self.first_user.0;
        for news in &self.news {
            let had_turn = index < news.next;
            let under_way = self.unheard.contains(&(news.request, user));
            if had_turn && !under_way && !news.told.has(index) {
                self.again.push_back((news.request, user));
            }
        }
    }

    /// A message is under way that is to be confirmed. Says whether it is the only one.
    pub(super) fn await_word(&mut self, request: RequestId, user: NodeId, now: SimTime) -> bool {
        self.unheard.insert((request, user));
        self.sent.push_back((now, request, user));
        self.sent.len() == 1
    }

    /// A message was confirmed; says whether it was waited for.
    pub(super) fn heard(&mut self, request: RequestId, user: NodeId) -> bool {
        self.unheard.remove(&(request, user))
    }

    /// Gives up on messages sent until `by`. Says for how many nobody waits any longer, and when
    /// the oldest that is left was sent.
    pub(super) fn give_up(&mut self, by: SimTime) -> (u32, Option<SimTime>) {
        let mut given_up = 0;
        while let Some((at, request, user)) = self.sent.front().copied() {
            if at > by && self.unheard.contains(&(request, user)) {
                return (given_up, Some(at));
            }
            given_up += u32::from(at <= by && self.unheard.remove(&(request, user)));
            self.sent.pop_front();
        }
        (given_up, None)
    }

    /// The server stops; with its disk it forgets what there was to tell.
    pub(super) fn on_down(&mut self, lost: bool) {
        self.again.clear();
        self.sent.clear();
        self.unheard.clear();
        if lost {
            self.news.clear();
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
            + (self.again.capacity() + self.unheard.len()) * size_of::<(RequestId, NodeId)>()
            + self.sent.capacity() * size_of::<(SimTime, RequestId, NodeId)>()
    }
}
