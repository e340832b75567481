//! What a kind's and a task's file provide, and both with their property types erased.

use crate::aws::{Aws, Class, Failure, Look};
use auroraml_core::base::{Change, Id, Live, MADE_BY, MADE_BY_TAG, Outputs, State};
use auroraml_core::kinds::Kind;
use auroraml_core::resource::Rules;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::pin::Pin;

/// One observed object, its properties typed.
pub struct Seen<P> {
    /// Name within the stack.
    pub name: String,
    pub props: P,
    pub outputs: Outputs,
    pub state: State,
    pub owned: bool,
}

/// What an update is given.
pub struct Update<'a, P> {
    pub want: P,
    pub live: P,
    pub outputs: &'a Outputs,
    pub changes: &'a [Change],
}

impl<P> Update<'_, P> {
    /// Whether this property, or something in it, differs.
    pub fn changed(&self, path: &str) -> bool {
        self.changes.iter().any(|change| change.concerns(path))
    }
}

/// What a deletion is given.
pub struct Deletion<'a, P> {
    pub live: P,
    pub outputs: &'a Outputs,
    /// The plan's options, such as `final_snapshot`.
    pub options: &'a BTreeMap<String, String>,
}

#[diagnostic::on_unimplemented(
    message = "nothing says how AWS is asked for `{Self}`",
    note = "write its file in src/kinds with `impl Calls for {Self}`, and its `mod` line in src/kinds/mod.rs; a task has `impl Task`, and `[task]` before it in `every_kind!`"
)]
/// How AWS is asked for the objects of a kind. Every async function talks to AWS; nothing else does.
///
/// None of them asks whether it may interrupt somebody: the executor has, by the kind's
/// [`effect`](crate::resource::Rules::effect) and its judgement.
pub trait Calls: Kind {
    fn observe(&self, look: Look<'_>)
    -> impl Future<Output = Result<Vec<Seen<Self::Props>>, Failure>> + Send;
    fn create(
        &self,
        aws: &Aws,
        name: &str,
        want: &Self::Props,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Makes the first of the changes that can be made now, or all of them; the executor looks again. A request
    /// that interrupts the database comes last: what is refused after it would hide that it was made.
    fn update(
        &self,
        aws: &Aws,
        name: &str,
        update: Update<'_, Self::Props>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    fn delete(
        &self,
        aws: &Aws,
        name: &str,
        deletion: Deletion<'_, Self::Props>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// What AWS reported about it since then (milliseconds since the Unix epoch), for the words of a failure.
    fn reported(&self, _: &Aws, _since: u64) -> impl Future<Output = Vec<String>> + Send {
        std::future::ready(Vec::new())
    }
}

/// Output that says which attempt at a task was seen, as a number from 1; without it, the first.
pub const ATTEMPT: &str = "attempt";

/// How AWS is asked for tasks: work that runs once and ends. Its rules have [`Nature::Task`].
///
/// The inputs are the whole of what it is, and their hash is in its name. AWS keeps the names of jobs for ever, so
/// a task that has failed is run again under the name of the next attempt.
pub trait Task: Kind {
    /// The latest attempt at each of the stack's tasks. It is `Busy` while it runs, `Broken` when it has failed and
    /// `Ready` when its outputs are there; they are values in whatever shape others refer to.
    fn find(&self, look: Look<'_>) -> impl Future<Output = Result<Vec<Seen<Self::Props>>, Failure>> + Send;
    /// Starts an attempt, counted from 1.
    fn start(
        &self,
        aws: &Aws,
        name: &str,
        want: &Self::Props,
        attempt: u64,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Ends an attempt before its time.
    fn stop(&self, aws: &Aws, name: &str, attempt: u64) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A task among the kinds.
pub struct Work<T>(pub T);

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// A kind or a task with its property type erased.
pub trait AnyKind: Sync {
    fn name(&self) -> &'static str;
    fn rules(&self) -> Rules;
    fn observe<'a>(&'a self, look: Look<'a>) -> Answer<'a, Vec<Live>>;
    /// `failed` is the attempt before this one, of a task.
    fn create<'a>(
        &'a self,
        aws: &'a Aws,
        name: &'a str,
        want: Value,
        failed: Option<&'a Live>,
    ) -> Answer<'a, ()>;
    fn update<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        want: Value,
        changes: &'a [Change],
    ) -> Answer<'a, ()>;
    fn delete<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        options: &'a BTreeMap<String, String>,
    ) -> Answer<'a, ()>;
    fn reported<'a>(
        &'a self,
        aws: &'a Aws,
        since: u64,
    ) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>>;
}

fn typed<P: DeserializeOwned>(kind: &'static str, value: Value) -> Result<P, Failure> {
    serde_json::from_value(value).map_err(|e| {
        Failure::refused(
            "properties",
            format!("the properties of a {kind} do not have their shape: {e} (a bug)"),
        )
    })
}

fn erased<K: Kind>(seen: Vec<Seen<K::Props>>) -> Result<Vec<Live>, Failure> {
    let live = seen.into_iter().map(|seen| {
        let mut props = serde_json::to_value(seen.props)
            .map_err(|e| Failure::refused("properties", format!("{} properties: {e} (a bug)", K::NAME)))?;
        let mut outputs = seen.outputs;
        // Indexing would put the key where there is none.
        let tags = props.get_mut("tags").and_then(Value::as_object_mut);
        if let Some(stack) = tags.and_then(|tags| tags.remove(MADE_BY_TAG)) {
            outputs.insert(MADE_BY.into(), stack);
        }
        Ok(Live { id: Id::new(K::NAME, seen.name), props, outputs, state: seen.state, owned: seen.owned })
    });
    live.collect()
}

impl<K: Calls> AnyKind for K {
    fn name(&self) -> &'static str {
        K::NAME
    }
    fn rules(&self) -> Rules {
        K::RULES
    }
    fn observe<'a>(&'a self, look: Look<'a>) -> Answer<'a, Vec<Live>> {
        Box::pin(async move { erased::<K>(Calls::observe(self, look).await?) })
    }
    fn create<'a>(&'a self, aws: &'a Aws, name: &'a str, want: Value, _: Option<&'a Live>) -> Answer<'a, ()> {
        Box::pin(async move { Calls::create(self, aws, name, &typed(K::NAME, want)?).await })
    }
    fn update<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        want: Value,
        changes: &'a [Change],
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let update = Update {
                want: typed(K::NAME, want)?,
                live: typed(K::NAME, live.props.clone())?,
                outputs: &live.outputs,
                changes,
            };
            Calls::update(self, aws, &live.id.name, update).await
        })
    }
    fn delete<'a>(
        &'a self,
        aws: &'a Aws,
        live: &'a Live,
        options: &'a BTreeMap<String, String>,
    ) -> Answer<'a, ()> {
        Box::pin(async move {
            let live_props = typed(K::NAME, live.props.clone())?;
            let deletion = Deletion { live: live_props, outputs: &live.outputs, options };
            Calls::delete(self, aws, &live.id.name, deletion).await
        })
    }
    fn reported<'a>(
        &'a self,
        aws: &'a Aws,
        since: u64,
    ) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>> {
        Box::pin(Calls::reported(self, aws, since))
    }
}

/// Which attempt was seen.
fn attempt(live: &Live) -> u64 {
    live.outputs.get(ATTEMPT).and_then(Value::as_u64).unwrap_or(1)
}

impl<T: Task> AnyKind for Work<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }
    fn rules(&self) -> Rules {
        T::RULES
    }
    fn observe<'a>(&'a self, look: Look<'a>) -> Answer<'a, Vec<Live>> {
        Box::pin(async move { erased::<T>(self.0.find(look).await?) })
    }
    fn create<'a>(
        &'a self,
        aws: &'a Aws,
        name: &'a str,
        want: Value,
        failed: Option<&'a Live>,
    ) -> Answer<'a, ()> {
        let attempt = failed.map_or(1, |live| attempt(live) + 1);
        Box::pin(async move { self.0.start(aws, name, &typed(T::NAME, want)?, attempt).await })
    }
    fn update<'a>(&'a self, _: &'a Aws, live: &'a Live, _: Value, _: &'a [Change]) -> Answer<'a, ()> {
        let why = format!("{} cannot change: it is what its inputs are (a bug)", live.id);
        Box::pin(std::future::ready(Err(Failure::refused("update", why))))
    }
    fn delete<'a>(&'a self, aws: &'a Aws, live: &'a Live, _: &'a BTreeMap<String, String>) -> Answer<'a, ()> {
        Box::pin(self.0.stop(aws, &live.id.name, attempt(live)))
    }
    fn reported<'a>(&'a self, _: &'a Aws, _: u64) -> Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// `Ok(None)` instead of "not found".
///
/// # Errors
/// Every other failure.
pub fn absent_ok<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.is(Class::NotFound) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Success where the object is there or gone already, as wanted.
///
/// # Errors
/// Every failure of another class.
pub fn already_ok<T>(result: Result<T, Failure>, class: Class) -> Result<(), Failure> {
    match result {
        Ok(_) => Ok(()),
        Err(failure) if failure.is(class) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// The answer to a request about objects that were seen or made a moment ago: one of them is "not found" only because
/// it is new, and that passes (fact book, traps 40 and 52).
///
/// # Errors
/// Every failure.
pub fn just_made<T>(result: Result<T, Failure>) -> Result<T, Failure> {
    result.map_err(|failure| match failure.class {
        Class::NotFound => Failure { class: Class::Propagating, ..failure },
        _ => failure,
    })
}
