//! How tables are made that are not there. Nothing here alters or drops one.

use super::kind::{Calls, Deletion, Seen, Update};
use super::sql::{connect, scope, tables};
use crate::aws::{Aws, Failure, Look};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::sql_table::{Props, SqlTable};
use auroraml_core::sql::statements::create_table;

impl Calls for SqlTable {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        if look.aws.scope.sql.is_none() || look.inside.leaves {
            return Ok(Vec::new());
        }
        let scope = scope(look.aws)?;
        let found = tables(look).await?;
        let seen = scope.tables.iter().filter_map(|name| {
            let (unseen, columns) = match &found {
                Ok(found) => (None, found.by_name.get(name)?.columns.clone()),
                Err(why) => (Some(why.clone()), Default::default()),
            };
            let props = Props { unseen, database: scope.database.clone(), columns, declared: None };
            Some(Seen {
                name: name.clone(),
                props,
                outputs: Outputs::new(),
                state: State::Ready,
                owned: true,
            })
        });
        Ok(seen.collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let columns = want.declared.as_deref().unwrap_or_default();
        connect(aws).await?.change(aws, &create_table(&want.database, name, columns)).await.map(|_| ())
    }

    async fn update(&self, _: &Aws, name: &str, _: Update<'_, Props>) -> Result<(), Failure> {
        Err(Failure::refused(
            "ALTER TABLE",
            format!("auroraml never alters a table, because of its rows: {name}"),
        ))
    }

    async fn delete(&self, _: &Aws, name: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        Err(Failure::refused(
            "DROP TABLE",
            format!("auroraml never drops a table, because of its rows: {name}"),
        ))
    }
}
