//! What can go wrong on the way to AWS: a layer in front of the services that knows nothing of them.

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
    random: Random,
    mutations: usize,
}

/// Where the caller dies: at the `at`th mutating request (from 0), before or after its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    pub at: usize,
    pub after_effect: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Injected {
    CrashBefore,
    CrashAfter,
    ResetBefore,
    ResetAfter,
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
            random: Random::new(seed, Mood::Real),
            mutations: 0,
        }
    }

    pub fn crashing(at: usize, after_effect: bool) -> Faults {
        Faults { crash: Some(Crash { at, after_effect }), ..Faults::default() }
    }

    pub(super) fn draw(&mut self, mutating: bool, protocol: Protocol, service: &str) -> Option<Injected> {
        if mutating {
            let nth = self.mutations;
            self.mutations += 1;
            match self.crash {
                Some(crash) if crash.at == nth && crash.after_effect => return Some(Injected::CrashAfter),
                Some(crash) if crash.at == nth => return Some(Injected::CrashBefore),
                _ => {}
            }
        }
        if self.random.chance(self.throttle) {
            // Code and status by service: fact book, section 7.1.
            let fault = match (protocol, service) {
                (Protocol::Json | Protocol::RestJson, _) => {
                    Fault::bad("ThrottlingException", "Rate exceeded")
                }
                (Protocol::Ec2, _) => Fault::new(503, "RequestLimitExceeded", "Request limit exceeded."),
                (Protocol::RestXml, _) => Fault::new(503, "SlowDown", "Please reduce your request rate."),
                (Protocol::Query, _) => Fault::bad("Throttling", "Rate exceeded"),
            };
            return Some(Injected::Refuse(fault));
        }
        if self.random.chance(self.server_error) {
            return Some(Injected::Refuse(Fault::new(
                500,
                "InternalFailure",
                "An internal error has occurred.",
            )));
        }
        if self.random.chance(self.reset_before) {
            return Some(Injected::ResetBefore);
        }
        if mutating && self.random.chance(self.reset_after) {
            return Some(Injected::ResetAfter);
        }
        None
    }
}
