//! A stack as a picture: what it is made of, what needs what, and what differs from what is there. Pure.

mod layout;
mod mermaid;
mod svg;

pub(super) use svg::{STYLE, draw};

use super::{consequence, plain};
use crate::base::Id;
use crate::kinds::SECTIONS;
use crate::plan::{Plan, Step};
use crate::resource::{Action, Graph};
use std::collections::{BTreeMap, BTreeSet};

/// Resources that are drawn; of more nobody could see anything.
pub const NODES_MAX: usize = 400;

/// What a reader looks for, in the order in which a stack is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Templates,
    Network,
    Access,
    Storage,
    Database,
    Contents,
    MachineLearning,
    Notebook,
    Other,
}

impl Group {
    pub const ALL: [Group; 9] = [
        Group::Templates,
        Group::Network,
        Group::Access,
        Group::Storage,
        Group::Database,
        Group::Contents,
        Group::MachineLearning,
        Group::Notebook,
        Group::Other,
    ];

    pub fn of(kind: &str) -> Group {
        match super::section(kind) {
            "CloudFormation stacks" => Group::Templates,
            "Network" => Group::Network,
            "Roles" => Group::Access,
            "Bucket" => Group::Storage,
            "Database" => Group::Database,
            "Tables and data" | "SQL" => Group::Contents,
            "Models" | "SageMaker endpoints" => Group::MachineLearning,
            "Notebook" => Group::Notebook,
            _ => Group::Other,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Group::Templates => "CloudFormation stacks",
            Group::Network => "Network",
            Group::Access => "Roles",
            Group::Storage => "Storage",
            Group::Database => "Database",
            Group::Contents => "In the database",
            Group::MachineLearning => "Machine learning",
            Group::Notebook => "Notebook",
            Group::Other => "Other",
        }
    }

    /// A word for programs.
    fn word(self) -> &'static str {
        match self {
            Group::Templates => "templates",
            Group::Network => "network",
            Group::Access => "roles",
            Group::Storage => "storage",
            Group::Database => "database",
            Group::Contents => "contents",
            Group::MachineLearning => "machine-learning",
            Group::Notebook => "notebook",
            Group::Other => "other",
        }
    }
}

/// What becomes of a resource, as a reader of the picture must know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    Create,
    Run,
    Change,
    /// Members of the cluster restart, or the writer's role moves.
    Restart,
    Replace,
    Delete,
    Held,
    Blocked,
    Wait,
}

impl Mark {
    pub const ALL: [Mark; 9] = [
        Mark::Create,
        Mark::Run,
        Mark::Change,
        Mark::Restart,
        Mark::Replace,
        Mark::Delete,
        Mark::Held,
        Mark::Blocked,
        Mark::Wait,
    ];

    fn of(step: &Step) -> Option<Mark> {
        if step.held.is_some() {
            return Some(Mark::Held);
        }
        match step.action {
            Action::NoOp => None,
            Action::Create => Some(Mark::Create),
            Action::Run => Some(Mark::Run),
            Action::Recreate => Some(Mark::Replace),
            Action::Delete | Action::Vanish | Action::Stop => Some(Mark::Delete),
            Action::Update | Action::Recheck if !step.interruptions.is_empty() => Some(Mark::Restart),
            Action::Update => Some(Mark::Change),
            Action::Recheck => Some(Mark::Wait),
        }
    }

    pub fn sign(self) -> char {
        match self {
            Mark::Create => '+',
            Mark::Run => '>',
            Mark::Change => '~',
            Mark::Restart => '!',
            Mark::Replace => '±',
            Mark::Delete => '-',
            Mark::Held => '=',
            Mark::Blocked => '×',
            Mark::Wait => '?',
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Mark::Create => "create",
            Mark::Run => "run",
            Mark::Change => "change",
            Mark::Restart => "restart",
            Mark::Replace => "replace",
            Mark::Delete => "delete",
            Mark::Held => "held",
            Mark::Blocked => "blocked",
            Mark::Wait => "wait",
        }
    }

    /// What it means, for the legend.
    pub fn meaning(self) -> &'static str {
        match self {
            Mark::Create => "will be created",
            Mark::Run => "will run",
            Mark::Change => "will be changed",
            Mark::Restart => "interrupts members of the cluster",
            Mark::Replace => "will be deleted and created again",
            Mark::Delete => "will be deleted",
            Mark::Held => "differs, and is not done now",
            Mark::Blocked => "cannot be done: the plan is blocked",
            Mark::Wait => "is waited for",
        }
    }
}

/// One resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub id: Id,
    pub group: Group,
    /// Nothing where it is as the spec says, or where nobody looked.
    pub mark: Option<Mark>,
    /// What else should be known of that.
    pub why: Option<String>,
}

impl Node {
    /// `parameter sync` for `parameter_sync`.
    fn kind(&self) -> String {
        self.id.kind.replace('_', " ")
    }
}

/// A stack as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub stack: String,
    pub region: String,
    /// Whether somebody looked at what is there.
    pub compared: bool,
    /// By group, and within one in the order in which a person would build it.
    pub nodes: Vec<Node>,
    /// What is needed, and what needs it, by their places in `nodes`. What follows from others is left out.
    pub edges: Vec<(usize, usize)>,
}

impl Picture {
    /// What a spec comes to, where nobody looked at what is there.
    pub fn of_wanted(stack: &str, region: &str, graph: &Graph) -> Picture {
        let nodes = graph.resources.keys().map(|id| (id.clone(), (None, None))).collect();
        Picture::new(stack, region, graph, nodes, false)
    }

    /// What a plan does. `whole` is what the spec wants when it is applied: of a plan to destroy it says what needs what.
    pub fn of_plan(stack: &str, region: &str, whole: &Graph, plan: &Plan, destroys: bool) -> Picture {
        let mut nodes: BTreeMap<Id, (Option<Mark>, Option<String>)> = BTreeMap::new();
        if !destroys {
            nodes.extend(whole.resources.keys().map(|id| (id.clone(), (None, None))));
        }
        for step in plan.steps.iter().filter(|step| !destroys || step.action != Action::NoOp) {
            let why = step.held.clone().or_else(|| step.interruptions.first().map(|one| one.what.clone()));
            let why = why.or_else(|| consequence(step.impact).map(String::from));
            nodes.insert(step.id.clone(), (Mark::of(step), why.or_else(|| step.reason.clone())));
        }
        for blocked in &plan.blocked {
            nodes.insert(blocked.id.clone(), (Some(Mark::Blocked), Some(blocked.why.clone())));
        }
        Picture::new(stack, region, whole, nodes, true)
    }

    fn new(
        stack: &str,
        region: &str,
        relations: &Graph,
        nodes: BTreeMap<Id, (Option<Mark>, Option<String>)>,
        compared: bool,
    ) -> Picture {
        let rank = |kind: &str| SECTIONS.iter().position(|(name, _)| *name == kind);
        let nodes = nodes.into_iter().map(|(id, (mark, why))| {
            let group = Group::of(id.kind);
            Node { id, group, mark, why }
        });
        let mut nodes: Vec<Node> = nodes.collect();
        nodes.sort_by_key(|node| (node.group, rank(node.id.kind), node.id.clone()));
        let edges = reduced(&nodes, relations);
        let line = plain::line;
        for node in &mut nodes {
            node.id.name = line(&node.id.name);
            node.why = node.why.as_deref().map(line);
        }
        Picture { stack: line(stack), region: line(region), compared, nodes, edges }
    }

    /// Whether there are too many resources for a picture.
    pub fn is_too_large(&self) -> bool {
        self.nodes.len() > NODES_MAX
    }

    /// The marks that are in it, for the legend.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let has = |mark: &Mark| self.nodes.iter().any(|node| node.mark == Some(*mark));
        Mark::ALL.into_iter().filter(has).collect()
    }

    /// What the picture shows, in a sentence for whoever cannot see it.
    pub(super) fn sentence(&self) -> String {
        let count = |mark: Mark| self.nodes.iter().filter(|node| node.mark == Some(mark)).count();
        let marks: Vec<String> =
            self.marks().into_iter().map(|mark| format!("{} {}", count(mark), mark.word())).collect();
        let differs = match (self.compared, marks.is_empty()) {
            (false, _) => "; AWS was not asked".to_string(),
            (true, true) => ", all as the spec says".to_string(),
            (true, false) => format!(": {}", marks.join(", ")),
        };
        let noun = if self.nodes.len() == 1 { "resource" } else { "resources" };
        format!("Stack {} in {}: {} {noun}{differs}", self.stack, self.region, self.nodes.len())
    }

    /// As Mermaid's text, which GitHub draws.
    pub fn to_mermaid(&self) -> String {
        mermaid::write(self)
    }

    /// As a drawing of its own.
    pub fn to_svg(&self) -> String {
        svg::file(self)
    }
}

/// What needs what, without what follows from others: also by way of what is not shown.
fn reduced(nodes: &[Node], relations: &Graph) -> Vec<(usize, usize)> {
    let places: BTreeMap<&Id, usize> = nodes.iter().enumerate().map(|(at, node)| (&node.id, at)).collect();
    // Everything that a resource stands on, by their places; what is not shown passes on what it stands on.
    let mut below: BTreeMap<Id, BTreeSet<usize>> = BTreeMap::new();
    for id in relations.order() {
        let mut all = BTreeSet::new();
        for needed in relations.needs(&id) {
            all.extend(places.get(&needed));
            all.extend(below.get(&needed).into_iter().flatten());
        }
        below.insert(id, all);
    }
    let mut edges = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let Some(all) = below.get(&node.id) else { continue };
        let through = |other: usize| {
            let mut between = all.iter().filter(|between| **between != other);
            between.any(|between| below.get(&nodes[*between].id).is_some_and(|more| more.contains(&other)))
        };
        edges.extend(all.iter().filter(|other| !through(**other)).map(|other| (*other, at)));
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_group() {
        for (kind, title) in SECTIONS {
            assert_ne!(Group::of(kind), Group::Other, "{kind}: no group has {title}");
        }
    }

    #[test]
    fn no_two_marks_are_alike() {
        let signs: BTreeSet<char> = Mark::ALL.into_iter().map(Mark::sign).collect();
        let words: BTreeSet<&str> = Mark::ALL.into_iter().map(Mark::word).collect();
        assert_eq!((signs.len(), words.len()), (Mark::ALL.len(), Mark::ALL.len()));
    }
}
