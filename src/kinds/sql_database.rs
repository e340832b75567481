//! How the stack's database is made, if it is not there.

use super::kind::{Calls, Deletion, Seen, Update};
use super::sql::{connect, scope, tables};
use crate::aws::{Aws, Failure, Look};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::sql_database::{Props, SqlDatabase};
use auroraml_core::sql::statements::create_database;

impl Calls for SqlDatabase {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        if look.aws.scope.sql.is_none() || look.inside.leaves {
            return Ok(Vec::new());
        }
        let unseen = match tables(look).await? {
            Ok(found) if !found.database => return Ok(Vec::new()),
            Ok(_) => None,
            Err(why) => Some(why),
        };
        let name = scope(look.aws)?.database.clone();
        let props = Props { unseen, name: name.clone() };
        Ok(vec![Seen { name, props, outputs: Outputs::new(), state: State::Ready, owned: true }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        connect(aws).await?.change(aws, &create_database(&want.name)).await.map(|_| ())
    }

    async fn update(&self, _: &Aws, _: &str, _: Update<'_, Props>) -> Result<(), Failure> {
        Err(Failure::refused("CREATE DATABASE", "a database has nothing that could change (a bug)"))
    }

    async fn delete(&self, _: &Aws, name: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        Err(Failure::refused("DROP DATABASE", format!("auroraml never drops a database: {name} stays")))
    }
}
