//! A spec as a CloudFormation template, for those who go on without auroraml.
//!
//! The input is the graph that an apply would make, built for any account and region: `base::names::unknown` has what
//! stands for those, and `text` says it as pseudo parameters. One writer for each kind, in `write`; what CloudFormation
//! has no resource for is named in `lost`, never left out in silence.

mod context;
mod document;
mod graph;
mod lost;
mod node;
mod references;
mod text;
mod version;
mod write;
mod yaml;

pub use lost::Lost;

use crate::base::Id;
use crate::engine::Offered;
use crate::model::Preflight;
use crate::resource::Graph;
use crate::spec::{Aurora, Spec};
use crate::template::Capability;
use context::{Context, pascal};
use serde_json::Value;
use std::collections::BTreeMap;

/// The parameter that holds the version of the engine.
const VERSION: &str = "EngineVersion";
/// That of the master user's password, where the spec takes it from the environment.
const PASSWORD: &str = "MasterUserPassword";
/// That of the range of a VPC of others.
const VPC_RANGE: &str = "VpcRange";
/// Whether the notebook's files are in the bucket.
const FILES: &str = "NotebookFiles";
const HAS_FILES: &str = "HasNotebookFiles";

/// The parameter that holds the address of a trained model.
fn model_data(endpoint: &str) -> String {
    format!("{}ModelData", pascal(endpoint))
}

/// The parameter that holds the address of the template of a stack within the stack.
fn template_parameter(logical: &str) -> String {
    format!("{logical}Template")
}

/// The parameter that holds a value which the spec takes from the environment.
fn secret_parameter(logical: &str, name: &str) -> String {
    format!("{logical}{name}")
}

/// What is known beside the spec.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Versions that AWS offers, if it was asked.
    pub versions: Vec<Offered>,
    /// The zones of the subnets, one for each private and public pair, if AWS was asked.
    pub zones: Vec<String>,
    /// `YYYY-MM-DD`, which says what is still supported.
    pub today: String,
    /// SHA-256 of each local file that the spec names, or why it cannot be read.
    pub files: BTreeMap<String, Result<String, String>>,
    /// The text of each template that the spec names, or why it cannot be read.
    pub templates: BTreeMap<String, Result<String, String>>,
}

impl Given {
    /// What a graph that was made with AWS's answers knows.
    pub fn of(spec: &Spec, graph: &Graph) -> Given {
        let text =
            |id: &Id, property: &str| Some(graph.resources.get(id)?.props[property].as_str()?.to_owned());
        let version = text(&Id::new("cluster", "main"), "engine_version");
        let offered = |version: String| Offered { family: (spec.engine().family)(&version), version };
        let zone = |n: usize| {
            let of = |side: &str| text(&Id::new("subnet", format!("{side}-{n}")), "zone");
            of("private").or_else(|| of("public"))
        };
        Given {
            versions: version.map(offered).into_iter().collect(),
            zones: (1..).map_while(zone).collect(),
            ..Given::default()
        }
    }
}

/// Why a spec has no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub what: String,
    pub why: String,
    pub hint: String,
}

impl From<Preflight> for Refused {
    fn from(problem: Preflight) -> Refused {
        Refused { what: problem.what, why: problem.why, hint: problem.hint }
    }
}

/// A template, and what there is to say of it.
#[derive(Clone, Debug)]
pub struct Exported {
    pub yaml: String,
    pub json: String,
    /// What it does not have, and what CloudFormation does otherwise.
    pub lost: Vec<Lost>,
    /// What a person does beside creating the stack, in this order.
    pub steps: Vec<String>,
    pub capabilities: Vec<Capability>,
    /// How many resources it has.
    pub resources: usize,
    /// The logical id of what each resource of the graph is. Hashes in names are those of no region.
    pub ids: BTreeMap<Id, String>,
}

/// The template of a spec.
///
/// # Errors
/// Why there is none.
pub fn export(spec: &Spec, given: &Given) -> Result<Exported, Vec<Refused>> {
    if let Some(Aurora::Existing(existing)) = &spec.aurora {
        return Err(vec![Refused {
            what: "aurora.existing".into(),
            why: format!(
                "the cluster {} belongs to others: CloudFormation cannot attach roles and parameters to a cluster that it did not create",
                existing.existing
            ),
            hint: "keep this part in auroraml, or export a spec that creates its cluster".into(),
        }]);
    }
    let version = version::of(spec, given);
    let graph = graph::build(spec, given, version.as_ref())?;
    let written = graph::written(&graph);
    if written.ids.is_empty() {
        return Err(vec![Refused {
            what: "the spec".into(),
            why: "it has nothing that CloudFormation could create".into(),
            hint: "add a network, a cluster, a bucket or an endpoint".into(),
        }]);
    }
    let mut context = Context::new(spec, &graph, &written.ids);
    context.conditions = graph::conditions(spec, &graph, &written.ids);
    context.groups = graph::groups(spec, given);
    let mut lost = lost::lost(spec, &graph, &written);
    lost.extend(lost::zones(&context, given));
    let steps = lost::steps(spec, &context, version.as_ref());
    let document = document::Document::new(&context, version.as_ref(), &given.zones, &lost, &steps);
    let value: Value = document.value();
    let capabilities = context.capabilities();
    Ok(Exported {
        yaml: document.yaml(),
        // Keys are text: writing cannot fail.
        json: serde_json::to_string_pretty(&value).unwrap_or_default() + "\n",
        resources: value["Resources"].as_object().map_or(0, serde_json::Map::len),
        lost,
        steps,
        capabilities,
        ids: context.ids,
    })
}
