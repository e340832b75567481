//! Moves of data that a person asks for: `LOAD DATA FROM S3` and `SELECT … INTO OUTFILE S3`, each one statement, awaited,
//! and counted on both sides.
//!
//! **Invariant.** Nothing is written over and nothing loaded twice unless a person says so, and no statement is sent a
//! second time.

use crate::aws::{Failure, Sql};
use crate::kinds::sql::{self, moves};
use crate::stack::Stack;
use auroraml_core::base::counted;
use auroraml_core::kinds::data_load;
use auroraml_core::sql::quote;
use auroraml_core::sql::statements::{self, address};
use std::time::Duration;

pub use crate::kinds::sql::moves::Moved;

/// How long a move may take.
const LIMIT: Duration = Duration::from_secs(12 * 3600);
const POLL: Duration = Duration::from_secs(5);

/// What is told of a move while it goes on.
pub type Told<'t> = &'t (dyn Fn(String) + Send + Sync);

/// Loads a file. `again`: although Aurora has loaded it before.
///
/// # Errors
/// When it has and it is not to be loaded again, and what the Data API or the database says.
pub async fn load(
    stack: &Stack,
    props: &data_load::Props,
    again: bool,
    tell: Told<'_>,
) -> Result<Moved, Failure> {
    let aws = &stack.aws;
    let sql = sql::open(aws, &stack.spec).await?.within(Some(&props.database));
    let history = format!(
        "SELECT MAX(load_timestamp) FROM mysql.aurora_s3_load_history WHERE load_prefix = {}",
        quote::text(&props.from)
    );
    let before = sql.ask(aws, &history).await?.value().map(String::from);
    if let (Some(at), false) = (&before, again) {
        let why = format!(
            "Aurora already loaded {} at {at}; loading it again would duplicate its rows",
            props.from
        );
        return Err(Failure::refused("LOAD DATA", why));
    }
    if is_running(stack, &sql, |statement| moves::is_load_of(statement, &props.from)).await? {
        return Err(Failure::refused("LOAD DATA", format!("a load of {} is already running", props.from)));
    }
    tell(format!("loading {} into {}.{}", props.from, props.database, props.table));
    let mut moved = moves::load(aws, &sql, props).await?;
    if moved.is_running {
        ended(stack, &sql, tell, |statement| moves::is_load_of(statement, &props.from)).await?;
        let after = sql.ask(aws, &history).await?.value().map(String::from);
        if after == before {
            let why = format!(
                "the load of {} failed: Aurora's history does not list it, and it left no rows",
                props.from
            );
            return Err(Failure::refused("LOAD DATA", why));
        }
        moved.is_running = false;
        moved.uncounted = Some("it took longer than the Data API waits, so the count is unknown".into());
    }
    Ok(moved)
}

/// Writes rows.
///
/// # Errors
/// When files are there and are not to be written over, when an unload to the same place runs, and what the Data API or the
/// database says.
pub async fn unload(
    stack: &Stack,
    query: &str,
    to: &str,
    header: bool,
    overwrite: bool,
    tell: Told<'_>,
) -> Result<Moved, Failure> {
    let aws = &stack.aws;
    let Some((bucket, key)) = address(to) else {
        return Err(Failure::refused(
            "SELECT INTO OUTFILE S3",
            format!("{to} is not an address in S3: write s3://BUCKET/PREFIX"),
        ));
    };
    let sql = sql::open(aws, &stack.spec).await?.within(stack.spec.database());
    // Until a statement has written its first file, S3 shows nothing of it.
    if is_running(stack, &sql, |statement| moves::is_unload_to(statement, key)).await? {
        let why = format!("an unload to {to} is already running");
        return Err(Failure::refused("SELECT INTO OUTFILE S3", why));
    }
    let there = moves::files(aws, bucket, key).await?;
    if !overwrite && (there.is_whole || !there.parts.is_empty()) {
        let why =
            format!("the prefix already has {}: choose another one", counted(there.parts.len(), "file"));
        return Err(Failure::refused("SELECT INTO OUTFILE S3", why));
    }
    tell(format!("writing to {}…", statements::part_prefix(to)));
    let mut moved = moves::unload(aws, &sql, query, to, header, overwrite).await?;
    if moved.is_running {
        ended(stack, &sql, tell, |statement| moves::is_unload_to(statement, key)).await?;
        if !moves::files(aws, bucket, key).await?.is_whole {
            let why = "the statement failed: it wrote no manifest, but there may be some files";
            return Err(Failure::refused("SELECT INTO OUTFILE S3", why));
        }
        moves::count_unloaded(aws, to, header, None, &mut moved).await?;
    }
    Ok(moved)
}

async fn is_running(stack: &Stack, sql: &Sql, is_it: impl Fn(&str) -> bool) -> Result<bool, Failure> {
    let processes = sql.ask(&stack.aws, sql::PROCESSES).await?;
    Ok(sql::statements(&processes).iter().any(|statement| is_it(statement)))
}

/// Waits until a statement has ended that outlived the Data API's limit.
async fn ended(
    stack: &Stack,
    sql: &Sql,
    tell: Told<'_>,
    is_it: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let clock = &stack.aws.clock;
    let began = clock.now_ms();
    loop {
        clock.sleep(POLL).await;
        if !is_running(stack, sql, &is_it).await? {
            return Ok(());
        }
        let waited = Duration::from_millis(clock.now_ms().saturating_sub(began));
        if waited > LIMIT {
            let why = format!(
                "it is still running after {} hours; it continues, but this command stops waiting",
                LIMIT.as_secs() / 3600
            );
            return Err(Failure::refused("ExecuteStatement", why));
        }
        tell(format!("still running after {} s", waited.as_secs() + 45));
    }
}
