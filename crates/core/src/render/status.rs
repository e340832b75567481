//! What is there of a stack, as a table and as JSON.

use super::access::{Access, Database};
use super::paint::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint};
use super::plain;
use super::section::{rank, section};
use super::wrap::{Form, cut_front, visible};
use crate::base::{Id, Live, Observed, Outputs, State};
use crate::members::restart::{Strategy, Topology, left_pending};
use crate::model::is_paused;
use crate::plan::Plan;
use crate::resource::Action;
use serde::Serialize;

/// Everything that exists of a stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stack {
    pub stack: String,
    pub account: String,
    pub region: String,
    pub resources: Vec<Resource>,
    /// Members of the cluster, with whether they run the current parameters.
    pub members: Vec<Member>,
    /// Members that wait for a restart which the spec's `restart` does not give them.
    pub left_pending: Vec<String>,
    /// What a program needs to use the stack.
    pub values: Vec<Value>,
    /// What a person needs to use the stack.
    pub access: Access,
    /// Commands that make sense next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<Next>,
    /// What has to be known of all this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the stack is paused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resource {
    pub id: String,
    /// `ready`, `missing`, `differs`, `pending-reboot`, or what AWS says instead.
    pub state: String,
    /// Properties that are not as the spec says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
    /// Whether it is this stack's.
    pub owned: bool,
    /// Whether the spec has it no longer, so that the next apply deletes it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub goes: bool,
    pub outputs: Outputs,
    #[serde(skip)]
    kind: &'static str,
    #[serde(skip)]
    trouble: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    pub name: String,
    /// `writer` or `reader`.
    pub role: &'static str,
    pub status: String,
    /// `in-sync`, `pending-reboot`, …
    pub parameter_status: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Value {
    pub name: String,
    pub value: String,
}

/// A command to type next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Next {
    pub command: String,
    /// What it does.
    pub what: String,
}

/// Outputs that say most about a resource, best first.
const TELLING: &[&str] = &["metrics", "endpoint", "arn", "name", "id"];

impl Stack {
    pub fn new(
        subject: &super::Subject,
        observed: &Observed,
        topology: Option<&Topology>,
        strategy: Strategy,
    ) -> Stack {
        let mut live: Vec<&Live> = observed.values().collect();
        live.sort_by_key(|live| (rank(live.id.kind), live.id.clone()));
        let members = topology.iter().flat_map(|topology| &topology.members).map(|member| Member {
            name: plain::line(&member.name),
            role: if member.writer { "writer" } else { "reader" },
            status: plain::line(&member.status),
            parameter_status: plain::line(member.reports()),
        });
        let members: Vec<Member> = members.collect();
        let left_pending = topology.map(|topology| left_pending(topology, strategy)).unwrap_or_default();
        Stack {
            stack: subject.stack.clone(),
            account: subject.account.clone(),
            region: subject.region.clone(),
            left_pending,
            values: values(&live),
            access: Access::default(),
            next: Vec::new(),
            note: None,
            resources: live.into_iter().map(|live| resource(live, &members)).collect(),
            members,
            paused: is_paused(observed),
        }
    }

    /// Says of each resource what the next plan would change, and names those that are missing.
    pub fn compare(&mut self, plan: &Plan) {
        // Of a stack that is not there everything is missing, and one sentence says it.
        if !self.resources.iter().any(|resource| resource.owned) {
            return;
        }
        for step in &plan.steps {
            let id = plain::line(&step.id.to_string());
            let comes_back = matches!(step.id.kind, "endpoint" | "nat_gateway" | "elastic_ip");
            let Some(resource) = self.resources.iter_mut().find(|resource| resource.id == id) else {
                let gone = missing(&step.id);
                self.resources.push(match self.paused && comes_back {
                    true => Resource { state: PAUSED.into(), trouble: false, ..gone },
                    false => gone,
                });
                continue;
            };
            match step.action {
                Action::Update if resource.state == READY => {
                    resource.state = "differs".into();
                    resource.differs = step.changes.iter().map(|change| plain::line(&change.path)).collect();
                }
                Action::Delete | Action::Vanish | Action::Stop => resource.goes = true,
                _ => {}
            }
        }
        self.resources.sort_by_key(|resource| (rank(resource.kind), resource.id.clone()));
    }

    pub fn to_json(&self) -> String {
        // Plain data: writing it cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        plain::json(&text)
    }

    pub fn to_yaml(&self) -> String {
        super::yaml(self)
    }

    /// The table, styled, for a file or a pipe.
    pub fn to_text(&self) -> String {
        self.to_text_in(Form::default())
    }

    /// The table, styled, laid out for this reader.
    pub fn to_text_in(&self, form: Form) -> String {
        let Stack { stack, account, region, .. } = self;
        let mut out = format!("Stack {} in account {account}, region {region}\n", paint(BOLD, stack));
        if self.paused {
            out.push_str("It is paused: `auroraml resume` brings it back.\n");
        }
        if self.resources.is_empty() {
            out.push_str("\nNothing of this stack exists.\n");
            out.push_str(&self.use_text(form));
            return out;
        }
        let wide = |length: fn(&Resource) -> usize| self.resources.iter().map(length).max().unwrap_or(0);
        let (name, state) = (wide(|r| r.id.chars().count()), wide(|r| r.state.chars().count()));
        let mut title = "";
        for resource in &self.resources {
            if section(resource.kind) != title {
                title = section(resource.kind);
                out.push_str(&format!("\n{}\n", paint(BOLD, title)));
            }
            let style = match (resource.trouble, resource.state.as_str()) {
                (true, _) => RED,
                (false, READY) => GREEN,
                _ => YELLOW,
            };
            let padding = " ".repeat(state - resource.state.chars().count());
            let remark = match (resource.owned, resource.goes, resource.differs.join(", ")) {
                (false, ..) => "  (not this stack's)".to_string(),
                (_, true, _) => "  (not in the spec)".into(),
                (.., differs) if !differs.is_empty() => format!("  ({differs})"),
                _ => String::new(),
            };
            let room = form
                .width
                .map_or(usize::MAX, |width| width.saturating_sub(name + state + 6 + visible(&remark)));
            let told = telling(&resource.outputs, room);
            let state = paint(style, &resource.state);
            let line = format!("  {:<name$}  {state}{padding}  {told}{remark}", resource.id);
            out.push_str(&format!("{}\n", line.trim_end()));
        }
        if !self.members.is_empty() {
            out.push_str(&format!("\n{}\n", paint(BOLD, "Members of the cluster")));
            let name = self.members.iter().map(|m| m.name.chars().count()).max().unwrap_or(0);
            for member in &self.members {
                let style = if member.parameter_status == "in-sync" { GREEN } else { YELLOW };
                let parameters = paint(style, &member.parameter_status);
                let Member { name: member, role, status, .. } = member;
                out.push_str(&format!("  {member:<name$}  {role}  {status}, parameters {parameters}\n"));
            }
        }
        if !self.left_pending.is_empty() {
            let left = self.left_pending.join(", ");
            let text = format!("left pending, as the spec's `restart` says: {left}");
            out.push_str(&format!("  {}\n", paint(YELLOW, text)));
        }
        out.push_str(&self.use_text(form));
        out
    }

    /// How the stack is used; nothing when there is nothing of it. Commands are laid out so that they can be copied.
    pub fn use_text(&self, form: Form) -> String {
        let Access { database, pages } = &self.access;
        let mut out = String::new();
        if let Some(database) = database {
            out.push_str(&format!("\n{}\n", paint(BOLD, "Connect")));
            out.push_str(&table(form, &database_rows(database)));
            for (what, command) in database_commands(database) {
                out.push_str(&format!("  {}\n{}\n", paint(DIM, what), form.command(command, 4)));
            }
        }
        // What the database's part has said is not said again.
        let said = ["database host", "reader host"];
        let others =
            self.values.iter().filter(|value| database.is_none() || !said.contains(&value.name.as_str()));
        let others = others
            .filter(|value| value.name != "notebook")
            .map(|value| (value.name.as_str(), value.value.clone()));
        let pages = pages.iter().map(|page| (page.what.as_str(), page.address.clone()));
        let rows: Vec<(&str, String)> = others.chain(pages).collect();
        if !rows.is_empty() {
            out.push_str(&format!("\n{}\n{}", paint(BOLD, "Use"), table(form, &rows)));
        }
        if let Some(note) = &self.note {
            out.push_str(&format!("\n{}\n", form.wrap(&format!("{} {note}", paint(CYAN, "note:")), 6)));
        }
        if !self.next.is_empty() {
            out.push_str(&format!("\n{}\n", paint(BOLD, "Next")));
            for Next { command, what } in &self.next {
                out.push_str(&format!("  {command}\n    {}\n", paint(DIM, what)));
            }
        }
        out
    }
}

/// What to type to get in.
pub(super) fn database_commands(database: &Database) -> impl Iterator<Item = (&'static str, &str)> {
    let commands = [
        ("show user and password (as JSON)", database.get_password.as_deref()),
        ("open a session (asks for the password)", Some(database.mysql.as_str())),
        ("send SQL over HTTPS, through the Data API", database.data_api.as_deref()),
    ];
    commands.into_iter().filter_map(|(what, command)| Some((what, command?)))
}

/// Where the database is, and who can reach it.
pub(super) fn database_rows(database: &Database) -> Vec<(&'static str, String)> {
    let Database { host, reader_host, port, user, private, reachable_from, .. } = database;
    let mut rows = vec![("host", host.clone())];
    if !reader_host.is_empty() {
        rows.push(("reader host", reader_host.clone()));
    }
    rows.extend([("port", port.to_string()), ("user", user.clone())]);
    rows.extend(database.database.iter().map(|name| ("database", name.clone())));
    let from = match reachable_from.as_slice() {
        [] if *private == Some(true) => {
            "nowhere yet: add `allow_from`, a notebook or `data_api: true` to the spec".to_string()
        }
        [] => "unknown: see its security groups".into(),
        from => from.join("; "),
    };
    if database.get_password.is_none() {
        rows.push(("password", "auroraml does not know it: ask whoever runs the cluster".into()));
    }
    rows.push(("reachable from", from));
    match private {
        Some(true) => rows.push(("public address", "none: it is private to its VPC".into())),
        Some(false) => rows.push(("public address", "yes: its security groups decide who gets in".into())),
        None => {}
    }
    rows
}

/// Names and values, one below the other.
fn table(form: Form, rows: &[(&str, String)]) -> String {
    let name = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(key, value): &(&str, String)| {
        let gap = " ".repeat(name - key.chars().count());
        let beside = form.narrower(name + 4);
        // An address that does not fit beside its name stands below it: it is whole on most terminals, and can be copied.
        if !value.contains(' ') && beside.width.is_some_and(|width| visible(value) > width) {
            return format!("  {}\n    {value}\n", paint(DIM, key));
        }
        // Only the value has spaces between which it may break.
        let value = beside.wrap(value, 0).replace('\n', &format!("\n{}", " ".repeat(name + 4)));
        format!("  {}{gap}  {value}\n", paint(DIM, key))
    };
    rows.iter().map(line).collect()
}

/// What a resource that is as AWS wants it, and the spec, is said to be.
const READY: &str = "ready";
/// What is stopped, or gone until the stack is resumed.
const PAUSED: &str = "paused";
/// What AWS says of a member that does not run the current parameters.
const PENDING: &str = "pending-reboot";

/// One that the spec has and AWS has not.
fn missing(id: &Id) -> Resource {
    Resource {
        id: plain::line(&id.to_string()),
        state: "missing".into(),
        differs: Vec::new(),
        owned: true,
        goes: false,
        outputs: Outputs::new(),
        kind: id.kind,
        trouble: true,
    }
}

fn resource(live: &Live, members: &[Member]) -> Resource {
    let is_pending = |member: &Member| member.parameter_status == PENDING;
    let sleeps = live.props["running"] == false;
    let pending = match live.id.kind {
        _ if sleeps => false,
        "cluster" | "parameter_sync" => members.iter().any(is_pending),
        "instance" => members.iter().any(|m| is_pending(m) && live.output("id") == Some(m.name.as_str())),
        _ => false,
    };
    let (state, trouble) = match &live.state {
        State::Ready if pending => (PENDING.to_string(), false),
        // Of the condition the status says what it waits for.
        State::Busy(_) if pending && live.id.kind == "parameter_sync" => (PENDING.to_string(), false),
        State::Ready if sleeps => (PAUSED.to_string(), false),
        State::Ready => (READY.to_string(), false),
        State::Busy(status) => (status.clone(), false),
        State::Failed(why) | State::Broken(why) => (why.clone(), true),
    };
    Resource {
        id: plain::line(&live.id.to_string()),
        state: plain::line(&state),
        differs: Vec::new(),
        owned: live.owned,
        goes: false,
        outputs: live.outputs.clone(),
        kind: live.id.kind,
        trouble,
    }
}

/// What says most about a resource in no more than `room` columns.
fn telling(outputs: &Outputs, room: usize) -> String {
    let told = TELLING.iter().filter_map(|key| text(outputs, key)).map(plain::line);
    let told: Vec<String> = told.collect();
    match told.iter().find(|text| text.chars().count() <= room) {
        Some(text) => text.clone(),
        None => told.first().map(|text| cut_front(text, room)).unwrap_or_default(),
    }
}

/// An output that is text and says something.
fn text<'o>(outputs: &'o Outputs, name: &str) -> Option<&'o str> {
    outputs.get(name).and_then(|value| value.as_str()).filter(|text| !text.is_empty())
}

fn values(live: &[&Live]) -> Vec<Value> {
    let wanted: &[(&str, &str, &[&str])] = &[
        ("cluster", "database host", &["endpoint"]),
        ("cluster", "reader host", &["reader_endpoint"]),
        ("secret", "secret", &["arn", "name"]),
        ("cluster", "secret", &["secret_arn"]),
        ("bucket", "bucket", &["name", "id", "arn"]),
        ("endpoint", "SageMaker endpoint", &["name"]),
        ("notebook", "notebook", &["url", "name"]),
        ("stack", "CloudFormation stack", &["name"]),
    ];
    let mut out = Vec::new();
    for (kind, label, keys) in wanted {
        for live in live.iter().filter(|live| live.id.kind == *kind) {
            // An endpoint's name within the stack is its name in SageMaker.
            let own = (*kind == "endpoint").then_some(live.id.name.as_str());
            if let Some(value) = keys.iter().find_map(|key| text(&live.outputs, key)).or(own) {
                out.push(Value { name: (*label).to_string(), value: plain::line(value) });
            }
        }
    }
    out
}
