//! How stored functions are made, replaced and dropped.

use super::kind::{Calls, Deletion, Seen, Update};
use super::sql::{Shown, connect, scope, shown};
use crate::aws::sql::error_number;
use crate::aws::{Aws, Failure, Look, Sql};
use auroraml_core::base::{ONLY_TAGGED, Outputs, State};
use auroraml_core::kinds::sql_function::{Props, SqlFunction};
use auroraml_core::sql::function::{self, Calls as Does};

/// `FUNCTION … already exists` (MySQL 8.0 Error Reference, 1304).
const EXISTS: u32 = 1304;

impl Calls for SqlFunction {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        if look.aws.scope.sql.is_none() {
            return Ok(Vec::new());
        }
        let scope = scope(look.aws)?;
        let (all, unseen) = shown(look).await?;
        if let Some(why) = unseen {
            // What nobody looked at is not known to be there, and is not deleted.
            let names = scope.functions.iter().filter(|_| !look.inside.leaves);
            let seen = names.map(|name| {
                let props =
                    Props { unseen: Some(why.clone()), database: scope.database.clone(), ..Props::default() };
                Seen { name: name.clone(), props, outputs: Outputs::new(), state: State::Ready, owned: true }
            });
            return Ok(seen.collect());
        }
        Ok(all.into_iter().filter_map(|one| seen(look, &scope.database, one)).collect())
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        make(&connect(aws).await?, aws, want).await
    }

    /// Dropped, then made: MySQL changes nothing of a function but its characteristics. Of a run that is killed in between
    /// the next one sees that there is none, and makes it.
    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let sql = connect(aws).await?;
        sql.change(aws, &function::drop(&update.want.database, name)).await?;
        make(&sql, aws, &update.want).await
    }

    async fn delete(&self, aws: &Aws, name: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        connect(aws).await?.change(aws, &function::drop(&deletion.live.database, name)).await.map(|_| ())
    }
}

async fn make(sql: &Sql, aws: &Aws, want: &Props) -> Result<(), Failure> {
    let Some(statement) = &want.statement else {
        return Err(Failure::refused("CREATE FUNCTION", "there is no statement (a bug)"));
    };
    // What an expression names without its database is looked for in that of the stack.
    match sql.within(Some(&want.database)).change(aws, statement).await {
        // Somebody else was faster; the next look compares.
        Err(failure) if error_number(&failure) == Some(EXISTS) => Ok(()),
        made => made.map(|_| ()),
    }
}

fn seen(look: Look<'_>, database: &str, one: Shown) -> Option<Seen<Props>> {
    let on_our_cluster = look.aws.scope.existing_cluster.is_none();
    let marked = matches!(&one.function, Ok(function) if matches!(function.calls, Does::Expression { .. }));
    let mut outputs = Outputs::new();
    let owned = match (one.named, one.ours) {
        // Somebody's, of that name: on a cluster of others it stays theirs.
        (true, false) => on_our_cluster,
        (_, ours) => ours,
    };
    if look.inside.leaves && !owned {
        return None;
    }
    if !one.named && !marked && !look.inside.leaves {
        let why = "it calls an endpoint of this stack, but the spec does not have it";
        outputs.insert(ONLY_TAGGED.into(), why.into());
    }
    let props = match &one.function {
        Ok(function) => Props::of(function, database),
        Err(why) => Props {
            database: database.into(),
            calls: "other".into(),
            sql: Some(why.clone()),
            ..Props::default()
        },
    };
    // In the spec's letters, where it has the name.
    let own = look.aws.scope.sql.iter().flat_map(|scope| &scope.functions);
    let name = own.into_iter().find(|own| own.eq_ignore_ascii_case(&one.name)).unwrap_or(&one.name).clone();
    Some(Seen { name, props, outputs, state: State::Ready, owned })
}
