//! The handle on a simulated account: its world, its clock, and the faults that tests inject.

use crate::answer::respond;
use crate::call::{Call, is_mutating};
use crate::decode::decode;
use crate::faults::{Break, Faults, Injected};
use crate::random::Mood;
use crate::wire::{Fault, Request, Response};
use crate::world::World;
use auroraml_clock::Clock;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The world at one mutating request, for tests that start again from there.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub operation: String,
    pub before: World,
    pub after: World,
}

/// A handle on one simulated account; clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Mutex<Shared>>,
    clock: Clock,
    crashed: Arc<tokio::sync::Notify>,
}

/// How long a request to an emulator on the same machine takes.
const INSTANT_ANSWER_MS: u64 = 20;

/// Writes down a request before it is carried out, as long as the world stands as it did before it. Where it cannot be
/// written down it is not carried out, and this fault is the answer.
pub(crate) type Keeper = Box<dyn FnMut(&Call, &World) -> Result<(), Fault> + Send>;
type Witness = Box<dyn Fn(&Exchange<'_>) + Send>;

/// One request and its answer, as they went over the wire. Secrets are in it.
pub struct Exchange<'a> {
    pub call: &'a Call,
    pub response: &'a Response,
    /// The actions of IAM that it came to, where somebody had to allow them.
    pub allowed: &'a [String],
}

struct Shared {
    world: World,
    faults: Faults,
    /// Requests that came in, and those of them that were throttled; the world's log has only what reached a service.
    requests: usize,
    throttled: usize,
    recording: Option<Vec<Snapshot>>,
    keeper: Option<Keeper>,
    /// Told of every answer that leaves.
    witness: Option<Witness>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sandbox")
    }
}

impl Sandbox {
    /// A sandbox over `world`, whose clock starts where the world left off and runs at `speed` times
    /// tokio's clock.
    pub fn new(world: World, speed: f64) -> Sandbox {
        // The SDK draws the jitter between its retries from this thread's generator: seeded with the world,
        // the same world gives the same requests.
        fastrand::seed(world.global.random.clone().draw());
        Sandbox {
            clock: Clock::starting_at(world.now, speed),
            shared: Arc::new(Mutex::new(Shared {
                world,
                faults: Faults::default(),
                requests: 0,
                throttled: 0,
                recording: None,
                keeper: None,
                witness: None,
            })),
            crashed: Arc::default(),
        }
    }

    /// The clock that the SDK, the executor and the sandbox must share.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// How many requests came in, whatever became of them.
    pub fn requests(&self) -> usize {
        self.lock().requests
    }

    /// How many of them were throttled.
    pub fn throttled(&self) -> usize {
        self.lock().throttled
    }

    /// Sets who writes down what is asked for, or nobody. Faults that are injected are not written down: they are for
    /// sandboxes in memory.
    pub(crate) fn set_keeper(&self, keeper: Option<Keeper>) {
        self.lock().keeper = keeper;
    }

    /// From now on, `witness` is shown every request that is answered, with its answer.
    pub fn set_witness(&self, witness: impl Fn(&Exchange<'_>) + Send + 'static) {
        self.lock().witness = Some(Box::new(witness));
    }

    /// Completes when [`Faults::crash`] has struck.
    pub async fn crashed(&self) {
        self.crashed.notified().await;
    }

    /// Reads or changes the world directly: for tests, and for `sandbox` commands.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.lock().world)
    }

    /// A copy of the world, at the present time.
    pub fn world(&self) -> World {
        let mut world = self.lock().world.clone();
        world.now = self.clock.now_ms();
        world
    }

    /// From now on, keep the world before and after every mutating request.
    pub fn record(&self) {
        self.lock().recording = Some(Vec::new());
    }

    pub fn recorded(&self) -> Vec<Snapshot> {
        self.lock().recording.take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic while the lock is held can only come from a service handler; the world is still the
        // best account there is of what happened.
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Answers one request, or says how its connection breaks.
    ///
    /// # Errors
    /// The connection breaks, in one of the ways of [`Faults::breaks`].
    pub async fn serve(&self, request: Request) -> Result<Response, Broken> {
        self.carry_out(&decode(request, self.clock.now_ms())).await
    }

    pub(crate) async fn carry_out(&self, call: &Call) -> Result<Response, Broken> {
        let (outcome, latency_ms, allowed) = {
            let mut shared = self.lock();
            let (outcome, latency_ms) = shared.outcome(call);
            (outcome, latency_ms, std::mem::take(&mut shared.world.allowed))
        };
        self.clock.sleep(Duration::from_millis(latency_ms)).await;
        match outcome {
            Outcome::Answer(response) => {
                if let Some(witness) = &self.lock().witness {
                    witness(&Exchange { call, response: &response, allowed: &allowed });
                }
                Ok(response)
            }
            Outcome::Broken(broken) => Err(broken),
            Outcome::Crash => {
                self.crashed.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// An answer that does not come, or not whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    pub how: Break,
    /// What was on its way, if the request was carried out.
    pub answer: Option<Response>,
}

enum Outcome {
    Answer(Response),
    Broken(Broken),
    Crash,
}

impl World {
    /// Draws the time that a request takes on the way, milliseconds.
    fn latency(&mut self, mutating: bool) -> u64 {
        // Fact book, section 8.2 ("each API").
        match mutating {
            _ if self.global.random.mood == Mood::Instant => INSTANT_ANSWER_MS,
            true => self.global.random.duration(0.3, 0.6, 1.5),
            false => self.global.random.duration(0.04, 0.08, 0.25),
        }
    }

    /// Carries a request out that was carried out before, at the same time and in the same world: both end alike.
    pub(crate) fn repeat(&mut self, call: &Call) {
        self.latency(is_mutating(call));
        self.answer(call);
    }
}

impl Shared {
    fn outcome(&mut self, call: &Call) -> (Outcome, u64) {
        let mutating = is_mutating(call);
        self.requests += 1;
        let injected = self.faults.draw(call, mutating);
        match injected {
            Some(Injected::CrashBefore) => return (Outcome::Crash, 0),
            Some(Injected::BreakBefore(how)) => {
                let latency = self.world.latency(mutating);
                return (Outcome::Broken(Broken { how, answer: None }), latency);
            }
            Some(Injected::Throttle(fault)) => {
                self.throttled += 1;
                let answer = respond(call, "injected", Err(fault));
                return (Outcome::Answer(answer), self.world.latency(mutating));
            }
            Some(Injected::Refuse(fault)) => {
                let answer = respond(call, "injected", Err(fault));
                return (Outcome::Answer(answer), self.world.latency(mutating));
            }
            Some(Injected::CrashAfter | Injected::BreakAfter(_)) | None => {}
        }
        if let Some(keeper) = &mut self.keeper
            && let Err(fault) = keeper(call, &self.world)
        {
            return (Outcome::Answer(respond(call, "not-kept", Err(fault))), 0);
        }
        let latency = self.world.latency(mutating);
        let before = (mutating && self.recording.is_some()).then(|| {
            let mut world = self.world.clone();
            world.now = call.now;
            world
        });
        let response = self.world.answer(call);
        let latency = latency + std::mem::take(&mut self.world.took_ms);
        if let (Some(before), Some(recording)) = (before, self.recording.as_mut()) {
            recording.push(Snapshot {
                operation: format!("{}:{}", call.service, call.operation),
                before,
                after: self.world.clone(),
            });
        }
        match injected {
            Some(Injected::CrashAfter) => (Outcome::Crash, 0),
            Some(Injected::BreakAfter(how)) => {
                (Outcome::Broken(Broken { how, answer: Some(response) }), latency)
            }
            _ => (Outcome::Answer(response), latency),
        }
    }
}
