//! The tables of docs/spec.md.

use super::fields::{Field, Part};
use super::{
    Autopilot, Bucket, Cluster, Container, Endpoint, ExistingCluster, ExistingNetwork, Grant, Instance,
    MachineLearning, Model, Notebook, OwnNetwork, Restart, Roles, Secret, Serverless, ServerlessEndpoint,
    Spec, SqlFunction, SqlTable, TableLoad, TakenOver, Training, Tuning, Unload,
};
use std::fmt::Write;

/// What the fields of one part of the spec are, for people.
pub struct Table {
    /// `aurora.instances`
    pub name: &'static str,
    /// In Markdown, one row a line.
    pub text: String,
}

/// All tables, in the order of the spec. A mapping with a single key is explained in the row that it is in.
pub fn tables() -> Vec<Table> {
    vec![
        table::<Spec>(),
        table::<Roles>(),
        table::<OwnNetwork>(),
        table::<ExistingNetwork>(),
        table::<Bucket>(),
        table::<ExistingCluster>(),
        table::<Cluster>(),
        table::<Instance>(),
        table::<Serverless>(),
        table::<Secret>(),
        table::<Restart>(),
        table::<MachineLearning>(),
        table::<Notebook>(),
        table::<Endpoint>(),
        table::<Model>(),
        table::<Container>(),
        table::<Training>(),
        table::<Tuning>(),
        table::<Autopilot>(),
        table::<ServerlessEndpoint>(),
        table::<SqlTable>(),
        table::<TableLoad>(),
        table::<Unload>(),
        table::<SqlFunction>(),
        table::<Grant>(),
        table::<TakenOver>(),
    ]
}

fn table<P: Part>() -> Table {
    let fields = P::fields();
    // Where all is changed in the same way, the prose beside the table says it.
    let changed = fields.iter().any(|field| field.changed.is_some());
    let mut text = match changed {
        true => "| key | type | default | changed | meaning |\n|---|---|---|---|---|\n".to_owned(),
        false => "| key | type | default | meaning |\n|---|---|---|---|\n".to_owned(),
    };
    for Field { key, in_words, default_in_words, changed: how, meaning, .. } in &fields {
        let how = if changed { format!(" {} |", how.unwrap_or_default()) } else { String::new() };
        let meaning = if meaning.is_empty() { String::new() } else { format!(" {meaning}") };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{key}` | {in_words} | {default_in_words} |{how}{meaning} |");
    }
    Table { name: P::TABLE, text }
}
