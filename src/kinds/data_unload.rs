//! How rows are written to S3, once.

use super::kind::{Seen, Task};
use super::sql::{connect, moves, running, scope};
use crate::aws::{Aws, Failure, Look};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::data_unload::{DataUnload, Props, URI};

impl Task for DataUnload {
    /// What is whole has its manifest, which Aurora writes after all data files (User Guide, "Saving data …"); files
    /// without one are of a statement that still runs, or that has ended before its end. S3 tells it, so that a paused
    /// cluster is not needed for what is there.
    async fn find(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        if aws.scope.sql.is_none() || !look.inside.looks || look.inside.leaves {
            return Ok(Vec::new());
        }
        let own = aws.bucket();
        let mut found = Vec::new();
        for (name, props) in scope(aws)?.unloads.iter().filter(|(name, _)| look.wants(name)) {
            let bucket = props.bucket.clone().unwrap_or_else(|| own.clone());
            let files = moves::files(aws, &bucket, &props.key).await?;
            let state = if files.is_whole {
                State::Ready
            } else if is_running(look, &props.key).await? {
                State::Busy("writing".into())
            } else if files.parts.is_empty() {
                continue;
            } else {
                let why = "files without a manifest are there, of a statement that ended too early";
                State::Broken(why.into())
            };
            let mut outputs = Outputs::new();
            if files.is_whole {
                outputs.insert(URI.into(), props.uri(&own).into());
            }
            let props = Props { bucket: Some(bucket), ..props.clone() };
            found.push(Seen { name: name.clone(), props, outputs, state, owned: true });
        }
        Ok(found)
    }

    /// What an earlier attempt left is deleted first: it lies in the unload's own folder, and SageMaker would read it, too.
    async fn start(&self, aws: &Aws, _: &str, want: &Props, _: u64) -> Result<(), Failure> {
        let sql = connect(aws).await?.within(Some(&want.database));
        let own = aws.bucket();
        let bucket = want.bucket.as_deref().unwrap_or(&own);
        moves::clear(aws, bucket, &want.key).await?;
        moves::unload(aws, &sql, &want.query, &want.address(&own), want.header, false).await?.checked()
    }

    async fn stop(&self, _: &Aws, name: &str, _: u64) -> Result<(), Failure> {
        Err(Failure::refused("SELECT INTO OUTFILE S3", format!("the unload {name} ends by itself")))
    }
}

/// Whether an unload to this place is under way.
async fn is_running(look: Look<'_>, key: &str) -> Result<bool, Failure> {
    let is_it = |statement: &String| moves::is_unload_to(statement, key);
    Ok(running(look).await?.is_ok_and(|statements| statements.iter().any(is_it)))
}
