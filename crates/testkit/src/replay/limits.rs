//! GitHub's primary rate limits: an hourly budget for each kind of API, and the headers that report it.
//!
//! <https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>,
//! <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::http::Reply;

/// The budget that a request draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// REST: one point per request.
    Core,
    /// GraphQL: points by the fields of the document.
    Graphql,
}

impl Resource {
    fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Graphql => "graphql",
        }
    }
}

/// An hourly budget, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Points per hour.
    pub limit: u64,
    /// Points used so far.
    pub used: u64,
    /// When `used` is reset to 0, by the real clock, since clients compare it with theirs.
    pub resets_at: Timestamp,
}

impl Budget {
    fn hourly(limit: u64, now: Timestamp) -> Self {
        Self { limit, used: 0, resets_at: in_an_hour(now) }
    }

    /// Returns the points left.
    pub fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }

    /// Returns the budget as REST's `/rate_limit` shows it.
    pub(crate) fn to_json(self, resource: Resource) -> Value {
        json!({
            "limit": self.limit, "remaining": self.remaining(), "reset": self.resets_at.as_second(),
            "used": self.used, "resource": resource.name(),
        })
    }

    /// Adds the headers that report this budget to a reply.
    pub(crate) fn onto(self, reply: Reply, resource: Resource) -> Reply {
        reply
            .with("x-ratelimit-limit", self.limit.to_string())
            .with("x-ratelimit-remaining", self.remaining().to_string())
            .with("x-ratelimit-used", self.used.to_string())
            .with("x-ratelimit-reset", self.resets_at.as_second().to_string())
            .with("x-ratelimit-resource", resource.name())
    }
}

/// The budgets of the replay server's only client.
#[derive(Debug)]
pub(crate) struct Limits {
    core: Budget,
    graphql: Budget,
}

impl Limits {
    /// Returns the budgets of a personal token: 5,000 points an hour each.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self { core: Budget::hourly(5000, now), graphql: Budget::hourly(5000, now) }
    }

    /// Replaces a budget.
    pub(crate) fn set(&mut self, resource: Resource, budget: Budget) {
        *self.budget(resource) = budget;
    }

    /// Returns the budget at `now`.
    pub(crate) fn peek(&mut self, resource: Resource, now: Timestamp) -> Budget {
        let budget = self.budget(resource);
        if budget.resets_at <= now {
            *budget = Budget::hourly(budget.limit, now);
        }
        *budget
    }

    /// Spends `cost` points, and returns the budget and whether any points were left before.
    pub(crate) fn spend(&mut self, resource: Resource, cost: u64, now: Timestamp) -> (Budget, bool) {
        let left = self.peek(resource, now).remaining() > 0;
        let budget = self.budget(resource);
        if left {
            budget.used = budget.used.saturating_add(cost).min(budget.limit);
        }
        (*budget, left)
    }

    fn budget(&mut self, resource: Resource) -> &mut Budget {
        match resource {
            Resource::Core => &mut self.core,
            Resource::Graphql => &mut self.graphql,
        }
    }
}

fn in_an_hour(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_to_nothing_and_comes_back_after_its_hour() {
        let now: Timestamp = "2020-07-26T12:00:00Z".parse().unwrap();
        let mut limits = Limits::new(now);
        limits.set(Resource::Graphql, Budget { limit: 10, used: 8, resets_at: in_an_hour(now) });
        assert!(limits.spend(Resource::Graphql, 3, now).1);
        let (budget, left) = limits.spend(Resource::Graphql, 3, now);
        assert_eq!((budget.remaining(), left), (0, false));
        assert_eq!(limits.peek(Resource::Core, now).remaining(), 5000);
        let (budget, left) = limits.spend(Resource::Graphql, 3, in_an_hour(now));
        assert_eq!((budget.remaining(), left), (7, true));
    }
}
