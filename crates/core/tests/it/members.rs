//! What changes mean for the members of a cluster: whom a plan takes down, in which order, and what it holds back.

use crate::planning::{id, live, observed, said};
use auroraml_core::base::{Id, Live, Observed, Outputs};
use auroraml_core::kinds;
use auroraml_core::members::Policy;
use auroraml_core::members::restart::{Member, Strategy, Topology};
use auroraml_core::plan::plan;
use auroraml_core::resource::{Graph, Restarts};
use serde_json::{Value, json};

const SYNC: &str = "parameter_sync.main";

/// A cluster of a writer and two readers, the last of them serverless, as it is wanted; and what there is of it.
struct Scene {
    graph: Graph,
    observed: Observed,
    topology: Topology,
}

fn member(name: &str, class: &str) -> Member {
    Member {
        name: name.into(),
        writer: name == "shop-1",
        status: "available".into(),
        parameter_status: "in-sync".into(),
        own_parameter_status: "in-sync".into(),
        class: class.into(),
        ..Member::default()
    }
}

pub fn topology() -> Topology {
    let members = [("shop-1", "db.r6g.large"), ("shop-2", "db.r6g.large"), ("shop-3", "db.serverless")];
    Topology {
        status: "available".into(),
        engine: "aurora-mysql".into(),
        engine_version: "8.0.mysql_aurora.3.10.2".into(),
        members: members.map(|(name, class)| member(name, class)).into(),
        ..Topology::default()
    }
}

fn scene() -> Scene {
    let mut graph = Graph::default();
    let topology = topology();
    let mut lives = Vec::new();
    let mut made: Vec<Id> = Vec::new();
    let cluster = json!({"port": 3306, "parameter_group": "shop", "serverless": {"max": 4}});
    lives.push(live("cluster.main", cluster.clone()));
    made.push(graph.add(id("cluster.main"), cluster).id());
    for (name, member) in ["instance.1", "instance.2", "instance.3"].into_iter().zip(&topology.members) {
        let props = json!({"class": member.class});
        let outputs = Outputs::from([("id".into(), member.name.as_str().into())]);
        lives.push(Live { outputs, ..live(name, props.clone()) });
        // They are made one after the other.
        made.push(graph.add(id(name), props).predict("id", &*member.name).after(made.last()).id());
    }
    graph.add(id(SYNC), json!({"pending": [], "topology": null})).recheck_after(&made);
    graph.restarts = Some(Restarts { by: id(SYNC), policy: Policy::default() });
    lives.push(live(SYNC, json!({"pending": []})));
    Scene { graph, observed: observed(lives), topology }
}

impl Scene {
    fn live(&mut self, name: &'static str) -> &mut Live {
        self.observed.get_mut(&id(name)).unwrap()
    }
    /// What was found differs from what is wanted.
    fn differs(mut self, name: &'static str, property: &str, found: Value) -> Scene {
        self.live(name).props[property] = found;
        self
    }
    fn class(self, name: &'static str) -> Scene {
        self.differs(name, "class", "db.r5.large".into())
    }
    fn pending(mut self, member: usize) -> Scene {
        let member = &mut self.topology.members[member];
        member.parameter_status = "pending-reboot".into();
        let name = Value::from(member.name.as_str());
        self.live(SYNC).props["pending"].as_array_mut().unwrap().push(name);
        self.live(SYNC).props["writer"] = "shop-1".into();
        self
    }
    fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Scene {
        let restarts = self.graph.restarts.as_mut().unwrap();
        change(&mut restarts.policy);
        let strategy = json!(restarts.policy.strategy);
        self.graph.resources.get_mut(&id(SYNC)).unwrap().props["strategy"] = strategy;
        self
    }
    fn closed(self) -> Scene {
        self.policy(|policy| policy.hold = Some("closed".into()))
    }
    fn renamed(mut self, name: &'static str, id: &str) -> Scene {
        self.live(name).outputs.insert("id".into(), id.into());
        self.topology.members[2].name = id.into();
        self
    }
    /// Things that the spec does not have.
    fn goes<const N: usize>(mut self, names: [&'static str; N]) -> Scene {
        self.observed.extend(names.map(|name| (id(name), live(name, json!({})))));
        self
    }
    fn unwanted(mut self, name: &'static str) -> Scene {
        self.graph.resources.remove(&id(name));
        let sync = self.graph.resources.get_mut(&id(SYNC)).unwrap();
        sync.recheck_after.remove(&id(name));
        self
    }
    fn wanted(mut self, name: &'static str, after: &'static str, predicted: Option<&str>) -> Scene {
        let added = self.graph.add(id(name), json!({"class": "db.r6g.large"})).after([&id(after)]);
        if let Some(name) = predicted {
            added.predict("id", name);
        }
        self
    }
    fn topology(mut self, change: impl FnOnce(&mut Topology)) -> Scene {
        change(&mut self.topology);
        self
    }
    fn said(mut self) -> Vec<String> {
        self.live(SYNC).props["topology"] = json!(self.topology);
        said(&plan(&self.graph, &self.observed, &kinds::catalog()))
    }
}

/// A role that the cluster had.
const ROLE: [&str; 2] = ["cluster_role.ml", "role.ml"];

/// All cases at once: what is said of each, beside what was expected.
fn told(cases: Vec<(&str, Scene, &[&str])>) {
    for (case, scene, expected) in cases {
        assert_eq!(scene.said(), expected, "{case}");
    }
}

/// Readers before the writer, one at a time, and before all what restarts everyone.
#[test]
fn members_go_down_one_at_a_time() {
    told(vec![
        ("as wanted", scene(), &[]),
        (
            "a reader",
            scene().class("instance.2"),
            &[
                "Update instance.2 of class, Readers <Readers shop-2>",
                "Recheck parameter_sync.main after instance.2 (instance.2 changes; no member needs a restart)",
            ],
        ),
        (
            "all",
            scene().class("instance.1").class("instance.2").class("instance.3"),
            &[
                "Update instance.2 of class, Readers <Readers shop-2>",
                "Update instance.3 of class after instance.2, Readers <Readers shop-3>",
                "Update instance.1 of class after instance.3, Restart <Restart shop-1>",
                "Recheck parameter_sync.main after instance.1, instance.2, instance.3 (instance.1 changes; no member needs a restart)",
            ],
        ),
        (
            "everyone at once",
            scene().class("instance.2").differs("cluster.main", "port", 3307.into()),
            &[
                "Update cluster.main of port, Restart <Restart shop-1 shop-2 shop-3>",
                "Update instance.2 of class after cluster.main, Readers <Readers shop-2>",
                "Recheck parameter_sync.main after cluster.main, instance.2 (cluster.main changes; no member needs a restart)",
            ],
        ),
        (
            "one comes",
            scene().class("instance.2").wanted("instance.4", "cluster.main", Some("shop-4")),
            &[
                "Update instance.2 of class, Readers <Readers shop-2>",
                "Create instance.4 of class",
                "Recheck parameter_sync.main after instance.2 (instance.2 changes; no member needs a restart)",
            ],
        ),
        (
            "one goes",
            scene().class("instance.2").unwanted("instance.3"),
            &[
                "Update instance.2 of class, Readers <Readers shop-2>",
                "Delete instance.3 after instance.2, Readers <Readers shop-3>",
                "Recheck parameter_sync.main after instance.2, instance.3 (instance.2 changes; no member needs a restart)",
            ],
        ),
        (
            "one goes by its live name",
            scene().renamed("instance.3", "other-3").unwanted("instance.3"),
            &["Delete instance.3, Readers <Readers other-3>"],
        ),
        (
            "the cluster goes",
            scene().class("instance.2").topology(|topology| topology.status = "deleting".into()),
            &[
                "Update instance.2 of class",
                "Recheck parameter_sync.main after instance.2 (instance.2 changes)",
            ],
        ),
    ]);
}

/// What is brought to the current parameters, and who has to restart for that.
#[test]
fn parameters_restart_members() {
    let group = |scene: Scene| scene.differs("cluster.main", "parameter_group", "default".into());
    let serverless = |scene: Scene| scene.differs("cluster.main", "serverless", json!({"max": 2}));
    told(vec![
        (
            "of all",
            group(scene()),
            &[
                "Update cluster.main of parameter_group",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes; members then wait for a restart), Failover <Readers shop-2> <Readers shop-3> <Failover shop-1 shop-3>",
            ],
        ),
        (
            "after the writer's own change",
            group(scene()).class("instance.1"),
            &[
                "Update cluster.main of parameter_group",
                "Update instance.1 of class after cluster.main, Restart <Restart shop-1>",
                "Recheck parameter_sync.main after cluster.main, instance.1 (cluster.main changes; members then wait for a restart), Failover <Readers shop-2> <Readers shop-3> <Failover shop-1 shop-3>",
            ],
        ),
        (
            "of serverless members",
            serverless(scene()),
            &[
                "Update cluster.main of serverless.max",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes; members then wait for a restart), Readers <Readers shop-3>",
            ],
        ),
        (
            "of serverless members beside one that is pending",
            serverless(scene()).pending(1),
            &[
                "Update cluster.main of serverless.max",
                "Update parameter_sync.main of pending after cluster.main, Readers <Readers shop-2> <Readers shop-3>",
            ],
        ),
        (
            "of all, while one goes",
            group(scene()).unwanted("instance.3"),
            &[
                "Update cluster.main of parameter_group",
                "Delete instance.3, Readers <Readers shop-3>",
                "Recheck parameter_sync.main after cluster.main, instance.3 (cluster.main changes; members then wait for a restart), Failover <Readers shop-2> <Failover shop-1 shop-2>",
            ],
        ),
        (
            "of one that is pending",
            scene().pending(1),
            &["Update parameter_sync.main of pending, Readers <Readers shop-2>"],
        ),
        (
            "never",
            group(scene()).policy(|policy| policy.strategy = Strategy::Never),
            &[
                "Update cluster.main of parameter_group",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes; members then wait for a restart) [`restart: never` leaves shop-1, shop-2, shop-3 pending-reboot]",
            ],
        ),
        (
            "the writer only",
            group(scene()).policy(|policy| policy.strategy = Strategy::WriterOnly),
            &[
                "Update cluster.main of parameter_group",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes; members then wait for a restart), Restart <Restart shop-1>",
            ],
        ),
        (
            "the writer only, and a reader is pending",
            scene().pending(1).policy(|policy| policy.strategy = Strategy::WriterOnly),
            &["Recheck parameter_sync.main [`restart: writer_only` leaves shop-2 pending-reboot]"],
        ),
        (
            "the cluster goes",
            group(scene()).topology(|topology| topology.status = "deleting".into()),
            &[
                "Update cluster.main of parameter_group",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes)",
            ],
        ),
    ]);
}

/// What waits for its window, and what waits for that.
#[test]
fn what_is_held_and_what_waits_with_it() {
    let group = |scene: Scene| scene.differs("cluster.main", "parameter_group", "default".into());
    let accepting = |scene: Scene| scene.policy(|policy| policy.accept_pending = true);
    told(vec![
        (
            "a reader",
            scene().closed().class("instance.2"),
            &["Update instance.2 of class [closed], Readers <Readers shop-2>"],
        ),
        (
            "restarts",
            group(scene()).closed().goes(ROLE),
            &[
                "Update cluster.main of parameter_group",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes; members then wait for a restart) [closed], Failover <Readers shop-2> <Readers shop-3> <Failover shop-1 shop-3>",
                "Delete cluster_role.ml [waits for parameter_sync.main]",
                "Delete role.ml [waits for cluster_role.ml]",
            ],
        ),
        (
            "restarts that may be left pending",
            accepting(group(scene()).closed()).goes(ROLE),
            &[
                "Update cluster.main of parameter_group",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes; members then wait for a restart) [closed], Failover <Readers shop-2> <Readers shop-3> <Failover shop-1 shop-3>",
                "Delete cluster_role.ml",
                "Delete role.ml after cluster_role.ml",
            ],
        ),
        (
            "what goes after a change that is not left pending",
            accepting(scene().closed())
                .differs("cluster.main", "port", 3307.into())
                .goes(["parameter_group.old"]),
            &[
                "Update cluster.main of port [closed], Restart <Restart shop-1 shop-2 shop-3>",
                "Delete parameter_group.old [waits for cluster.main]",
            ],
        ),
        (
            "a member that goes",
            accepting(scene().closed()).unwanted("instance.3"),
            &["Delete instance.3 [closed], Readers <Readers shop-3>"],
        ),
        (
            "one that comes after",
            scene().closed().class("instance.2").wanted("role.new", "instance.2", None),
            &["Update instance.2 of class [closed], Readers <Readers shop-2>", "Create role.new of class"],
        ),
        (
            "nobody uses it",
            group(scene()).closed().goes(ROLE).topology(|topology| topology.unfinished = true),
            &[
                "Update cluster.main of parameter_group",
                "Recheck parameter_sync.main after cluster.main (cluster.main changes; members then wait for a restart) <None shop-2> <None shop-3> <None shop-1 shop-3>",
                "Delete cluster_role.ml after parameter_sync.main",
                "Delete role.ml after cluster_role.ml",
            ],
        ),
    ]);
}

/// The writer that the spec names is a member, or becomes one.
#[test]
fn a_writer_that_is_no_member() {
    let writer = |name: &str| scene().policy(|policy| policy.writer = Some(name.into()));
    told(vec![
        ("a member", writer("shop-1"), &[]),
        (
            "a stranger",
            writer("shop-9"),
            &[
                "blocked parameter_sync.main: the spec names shop-9 as the writer, but the cluster has no such member; use one of shop-1, shop-2, shop-3 under `restart`, or remove `writer`",
            ],
        ),
        (
            "one that comes",
            writer("shop-4").wanted("instance.4", "cluster.main", Some("shop-4")),
            &["Create instance.4 of class"],
        ),
        (
            "one that goes",
            writer("shop-3").unwanted("instance.3"),
            &[
                "Delete instance.3, Readers <Readers shop-3>",
                "blocked parameter_sync.main: the spec names shop-3 as the writer, but the cluster has no such member; use one of shop-1, shop-2 under `restart`, or remove `writer`",
            ],
        ),
        ("there are none", writer("shop-9").topology(|topology| topology.members.clear()), &[]),
    ]);
}
