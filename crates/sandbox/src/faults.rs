//! What can go wrong on the way to AWS: a layer in front of the services that knows nothing of them.

use crate::call::{Call, protocol};
use crate::random::{Mood, Random};
use crate::wire::{Fault, Protocol};

/// What goes wrong, and how often.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The caller dies at a mutating request.
    pub crash: Option<Crash>,
    /// Probability that a request is answered with the service's throttling error.
    pub throttle: f64,
    /// Probability that a request is answered with a 5xx without effect.
    pub server_error: f64,
    /// Probability that the connection breaks before the request has an effect.
    pub reset_before: f64,
    /// Probability that a mutating request takes effect and its answer is lost.
    pub reset_after: f64,
    /// In which of these ways a connection breaks.
    pub breaks: Vec<Break>,
    /// How requests to EC2 are metered; the first that concerns a request counts.
    pub rates: Vec<Rate>,
    random: Random,
    mutations: usize,
}

/// Where the caller dies: at the `at`th mutating request (from 0), before or after its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    pub at: usize,
    pub after_effect: bool,
}

/// How a connection breaks: each way that hyper tells apart, and what the SDK's connector makes of it
/// (aws-smithy-http-client, `downcast_error` and `to_connector_error`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The operating system reports it (`io`).
    Reset,
    /// Closed before the answer's headers were complete: hyper's `IncompleteMessage`, which the connector passes on
    /// as an *other* error that is transient.
    Incomplete,
    /// What came was no HTTP: hyper's `Parse`, which the connector passes on as an *other* error of no kind.
    Garbled,
    /// The connector's own time is up.
    TimedOut,
    /// Nothing comes, and nobody says so.
    Silent,
    /// The headers came, and the body breaks off half way.
    Cut,
    /// The body is half as long as it should be, and ends as if that were all of it.
    Half,
    /// Something on the way answers in AWS's place, with a page for people.
    Page,
}

impl Break {
    pub const ALL: [Break; 8] = [
        Break::Reset,
        Break::Incomplete,
        Break::Garbled,
        Break::TimedOut,
        Break::Silent,
        Break::Cut,
        Break::Half,
        Break::Page,
    ];
}

/// A token bucket in front of operations of EC2.
#[derive(Clone, Debug)]
pub struct Rate {
    /// Which they are; `*` is every change, and nothing is everything.
    operations: &'static [&'static str],
    size: f64,
    per_second: f64,
    tokens: f64,
    /// When `tokens` was counted, in milliseconds since the Unix epoch.
    at: u64,
}

impl Rate {
    fn new(operations: &'static [&'static str], size: f64, per_second: f64) -> Rate {
        Rate { operations, size, per_second, tokens: size, at: 0 }
    }

    /// As EC2 publishes them (fact book, section 7.1). That each operation of a class has a bucket of its own is not
    /// said there; one for all of them is the harder case.
    pub fn of_ec2() -> Vec<Rate> {
        vec![
            Rate::new(&["CreateVpcEndpoint"], 4.0, 0.3),
            Rate::new(&["DeleteVpcEndpoints"], 4.0, 0.3),
            Rate::new(&["CreateNatGateway", "DeleteNatGateway"], 10.0, 1.0),
            Rate::new(&["CreateTags", "DeleteTags"], 100.0, 10.0),
            Rate::new(&["*"], 50.0, 5.0),
            Rate::new(&[], 100.0, 20.0),
        ]
    }

    /// Every change is throttled, and no look.
    pub fn no_changes() -> Rate {
        Rate::new(&["*"], 0.0, 0.0)
    }

    fn concerns(&self, operation: &str, mutating: bool) -> bool {
        match self.operations {
            [] => true,
            ["*"] => mutating,
            operations => operations.contains(&operation),
        }
    }

    /// Takes a token at `now`, if there is one.
    fn take(&mut self, now: u64) -> bool {
        let seconds = now.saturating_sub(self.at) as f64 / 1000.0;
        self.tokens = (self.tokens + seconds * self.per_second).min(self.size);
        self.at = now;
        let is_one = self.tokens >= 1.0;
        if is_one {
            self.tokens -= 1.0;
        }
        is_one
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Injected {
    CrashBefore,
    CrashAfter,
    BreakBefore(Break),
    BreakAfter(Break),
    Throttle(Fault),
    Refuse(Fault),
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::seeded(0)
    }
}

impl Faults {
    /// No faults, but a seed for those that are switched on.
    pub fn seeded(seed: u64) -> Faults {
        Faults {
            crash: None,
            throttle: 0.0,
            server_error: 0.0,
            reset_before: 0.0,
            reset_after: 0.0,
            breaks: vec![Break::Reset],
            rates: Vec::new(),
            random: Random::new(seed, Mood::Real),
            mutations: 0,
        }
    }

    pub fn crashing(at: usize, after_effect: bool) -> Faults {
        Faults { crash: Some(Crash { at, after_effect }), ..Faults::default() }
    }

    pub(super) fn draw(&mut self, call: &Call, mutating: bool) -> Option<Injected> {
        if mutating {
            let nth = self.mutations;
            self.mutations += 1;
            match self.crash {
                Some(crash) if crash.at == nth && crash.after_effect => return Some(Injected::CrashAfter),
                Some(crash) if crash.at == nth => return Some(Injected::CrashBefore),
                _ => {}
            }
        }
        if self.random.chance(self.throttle) || self.is_metered(call, mutating) {
            // Code and status by service: fact book, section 7.1.
            let fault = match protocol(call) {
                Protocol::Json | Protocol::RestJson => Fault::bad("ThrottlingException", "Rate exceeded"),
                Protocol::Ec2 => Fault::new(503, "RequestLimitExceeded", "Request limit exceeded."),
                Protocol::RestXml => Fault::new(503, "SlowDown", "Please reduce your request rate."),
                Protocol::Query => Fault::bad("Throttling", "Rate exceeded"),
            };
            return Some(Injected::Throttle(fault));
        }
        if self.random.chance(self.server_error) {
            return Some(Injected::Refuse(Fault::new(
                500,
                "InternalFailure",
                "An internal error has occurred.",
            )));
        }
        if self.random.chance(self.reset_before) {
            return self.one_break().map(Injected::BreakBefore);
        }
        if mutating && self.random.chance(self.reset_after) {
            return self.one_break().map(Injected::BreakAfter);
        }
        None
    }

    fn is_metered(&mut self, call: &Call, mutating: bool) -> bool {
        let mut rates = self.rates.iter_mut().filter(|_| call.service == "ec2");
        let rate = rates.find(|rate| rate.concerns(&call.operation, mutating));
        rate.is_some_and(|rate| !rate.take(call.now))
    }

    fn one_break(&mut self) -> Option<Break> {
        match self.breaks.as_slice() {
            [] => None,
            [only] => Some(*only),
            several => several.get((self.random.unit() * several.len() as f64) as usize).copied(),
        }
    }
}
