//! How files are loaded into tables, once.

use super::kind::{Seen, Task};
use super::sql::{connect, histories, moves, running, scope, tables};
use crate::aws::{Aws, Failure, Look};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::data_load::{DataLoad, Props};

impl Task for DataLoad {
    /// A load is made when Aurora's own history has the file since the table is there; and where the table has rows, it is
    /// not made at all unless `append` says so. A load is one transaction: a killed one leaves no rows.
    async fn find(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        if look.aws.scope.sql.is_none() || look.inside.leaves {
            return Ok(Vec::new());
        }
        let scope = scope(look.aws)?;
        if scope.loads.is_empty() {
            return Ok(Vec::new());
        }
        let seen = |name: &String, props: &Props, state| Seen {
            name: name.clone(),
            props: props.clone(),
            outputs: Outputs::new(),
            state,
            owned: true,
        };
        let (tables, histories) = tokio::join!(tables(look), histories(look));
        let (tables, histories) = match (tables?, histories?) {
            (Ok(tables), Ok(histories)) => (tables, histories),
            // Nobody looked: it is left as it is.
            _ => {
                return Ok(scope.loads.iter().map(|(name, props)| seen(name, props, State::Ready)).collect());
            }
        };
        let mut found = Vec::new();
        for (name, props) in scope.loads.iter().filter(|(name, _)| look.wants(name)) {
            let table = tables.by_name.get(&props.table);
            let is_done =
                histories.has(props, table) || table.is_some_and(|table| table.has_rows && !props.append);
            if is_done {
                found.push(seen(name, props, State::Ready));
            } else if table.is_some() && is_running(look, props).await? {
                found.push(seen(name, props, State::Busy("loading".into())));
            }
        }
        Ok(found)
    }

    async fn start(&self, aws: &Aws, _: &str, want: &Props, _: u64) -> Result<(), Failure> {
        let sql = connect(aws).await?.within(Some(&want.database));
        moves::load(aws, &sql, want).await?.checked()
    }

    async fn stop(&self, _: &Aws, name: &str, _: u64) -> Result<(), Failure> {
        Err(Failure::refused(
            "LOAD DATA",
            format!("the load {name} ends by itself, and leaves nothing if it fails"),
        ))
    }
}

/// Whether a load of this file is under way.
async fn is_running(look: Look<'_>, props: &Props) -> Result<bool, Failure> {
    // Of a file beside the spec, the name in the stack's bucket.
    let name = props.from.rsplit('/').next().unwrap_or_default();
    let from = if props.is_local() { format!("/{name}'") } else { props.from.clone() };
    let is_it = |statement: &String| moves::is_load_of(statement, &from);
    Ok(running(look).await?.is_ok_and(|statements| statements.iter().any(is_it)))
}
