//! Which version of the engine a template says.

use super::Given;
use crate::engine::{Engine, Offered};
use crate::spec::{Aurora, Spec};

/// Versions that are known to be on offer for long, where AWS is not asked: of 8.0 the one with long-term support, and of
/// 8.4 the first of its calendar (release calendars of Aurora MySQL; fact book, section 1.1).
const KNOWN: &[&str] = &["8.0.mysql_aurora.3.10.2", "8.4.mysql_aurora.8.4.7"];

/// The version of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub offered: Offered,
    /// Whether it is no more than one of the right family: then whoever creates the stack says which.
    pub is_open: bool,
}

/// That of the spec's cluster; none without a cluster.
pub fn of(spec: &Spec, given: &Given) -> Option<Version> {
    let Some(Aurora::Owned(cluster)) = &spec.aurora else { return None };
    let (engine, asked) = (spec.engine(), cluster.engine_version.as_str());
    let offered = |version: &str| Offered { version: version.into(), family: (engine.family)(version) };
    if let Some(found) = engine.resolve(asked, &given.versions, &given.today) {
        return Some(Version { offered: found.clone(), is_open: false });
    }
    let known: Vec<Offered> = KNOWN.iter().map(|version| offered(version)).collect();
    if given.versions.is_empty()
        && let Some(found) = engine.resolve(asked, &known, &given.today)
    {
        return Some(Version { offered: found.clone(), is_open: false });
    }
    let (version, is_whole) = whole(engine, asked);
    Some(Version { offered: offered(&version), is_open: !is_whole })
}

/// A version that begins as asked, and whether it is all that was asked.
fn whole(engine: &Engine, asked: &str) -> (String, bool) {
    let (head, own) = match asked.split_once(engine.version_infix) {
        Some((head, own)) => (head.to_owned(), own),
        None if asked.starts_with("8.4") => ("8.4".to_owned(), asked),
        None if asked.starts_with("8.0") => ("8.0".to_owned(), ""),
        None => ("8.0".to_owned(), asked),
    };
    let is_whole = own.split('.').count() == 3;
    let own = if own.is_empty() { "3" } else { own.trim_end_matches('.') };
    (format!("{head}{}{own}", engine.version_infix), is_whole)
}
