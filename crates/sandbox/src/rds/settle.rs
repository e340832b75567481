//! What has become of everything since the last request.

use super::context::Context;
use super::state::{Deferred, Effect, Origin};
use super::windows::next_window;
use super::{credentials, modify, restarts, versions};

const DAY_MS: u64 = 24 * 3_600_000;

/// Carries out all effects whose time has come, in order of time.
pub(super) fn settle(c: &mut Context<'_>) {
    let asked = std::mem::take(&mut c.origin);
    while let Some(index) = c
        .rds
        .effects
        .iter()
        .enumerate()
        .filter(|(_, timed)| timed.at <= c.now)
        .min_by_key(|(index, timed)| (timed.at, *index))
        .map(|(index, _)| index)
    {
        let timed = c.rds.effects.remove(index);
        carry_out(c, timed.at, &timed.subject, timed.effect);
    }
    c.origin = asked;
    // RDS keeps events for 14 days.
    c.rds.events.retain(|event| event.at + 14 * DAY_MS > c.now);
    c.rds.forget_interruptions(c.now);
    for cluster in c.rds.clusters.values_mut() {
        cluster.roles.retain(|role| role.gone_at.is_none_or(|gone| c.now < gone));
    }
}

fn carry_out(c: &mut Context<'_>, at: u64, subject: &str, effect: Effect) {
    match effect {
        Effect::InstanceUp => instance_up(c, at, subject),
        Effect::InstanceGone => {
            let Some(instance) = c.rds.instance_of(subject) else { return };
            let (id, cluster) = (instance.id.clone(), instance.cluster.clone());
            c.rds.instances.remove(&id);
            let heir = c.rds.candidate(&cluster, at, false);
            let (cluster_id, mut promoted) = (cluster.clone(), None);
            if let Some(cluster) = c.rds.clusters.get_mut(&cluster)
                && cluster.writer.as_ref() == Some(&id)
            {
                cluster.writer = heir.clone();
                cluster.shown_writer = heir.clone();
                if let Some(heir) = heir {
                    c.rds.interrupt(&heir, at, at, &Origin::aws("promotion"));
                    promoted = Some(heir);
                }
            }
            if let Some(heir) = promoted {
                let text = format!("Completed failover to DB instance: {heir}");
                c.event(at, "db-cluster", &cluster_id, "failover", &text);
            }
            c.event(at, "db-instance", &id, "deletion", "DB instance deleted");
        }
        Effect::ClusterGone => {
            let Some(id) = c.rds.cluster_of(subject).map(|cluster| cluster.id.clone()) else { return };
            if let Some(secret) = c.rds.clusters.remove(&id).and_then(|cluster| cluster.secret) {
                c.secrets.remove_managed(&secret.name);
            }
            c.event(at, "db-cluster", &id, "deletion", "DB cluster deleted");
        }
        Effect::Writer(instance) => {
            if let Some(cluster) = c.rds.cluster_of(subject) {
                cluster.writer = Some(instance);
            }
        }
        Effect::ShownWriter => {
            if let Some(cluster) = c.rds.cluster_of(subject) {
                cluster.shown_writer = cluster.writer.clone();
            }
        }
        Effect::Restarted(loaded) => {
            if let Some(instance) = c.rds.instance_of(subject) {
                instance.cluster_sync.restarted(loaded);
                instance.instance_sync.restarted(loaded);
            }
        }
        Effect::Loaded => load(c, subject),
        Effect::Applied(values) => {
            let Some(instance) = c.rds.instance_of(subject) else { return };
            for (name, value) in values {
                match value {
                    Some(value) => instance.loaded.insert(name, value),
                    None => instance.loaded.remove(&name),
                };
            }
        }
        Effect::Class(class) => {
            if let Some(instance) = c.rds.instance_of(subject) {
                instance.class = class;
                instance.pending_class = None;
            }
        }
        Effect::Stopped => {
            let Some(cluster) = c.rds.cluster_of(subject) else { return };
            cluster.timeline.base = "stopped".into();
            let id = cluster.id.clone();
            for member in c.rds.members_mut(&id) {
                member.timeline.base = "stopped".into();
            }
        }
        Effect::AutoStart => {
            let due = c.rds.cluster_of(subject).filter(|cluster| cluster.restart_at == Some(at));
            if let Some(id) = due.map(|cluster| cluster.id.clone()) {
                let message = "DB cluster is being started due to it exceeding the maximum allowed time \
                               being stopped.";
                c.event(at, "db-cluster", &id, "notification", message);
                c.origin = Origin::aws("auto start");
                restarts::begin_start(c, at, &id);
            }
        }
        Effect::Window => window(c, at, subject),
        Effect::Upgraded(version) => {
            let Some(cluster) = c.rds.cluster_of(subject) else { return };
            cluster.settings.engine_version = version;
            cluster.previous = None;
            let id = cluster.id.clone();
            c.event(at, "db-cluster", &id, "maintenance", "Database cluster engine version upgrade finished");
        }
        Effect::WithPrimary { length, origin } => {
            let Some(id) = c.rds.cluster_of(subject).map(|cluster| cluster.id.clone()) else { return };
            c.origin = origin;
            restarts::restart_all(c, at, &id, &[], at, length, "rebooting");
        }
        Effect::RoleTried(arn) => {
            let able = c.rds.lenient || c.iam.assumable(&arn, "rds.amazonaws.com", at);
            let Some(cluster) = c.rds.cluster_of(subject) else { return };
            let id = cluster.id.clone();
            for role in cluster.roles.iter_mut().filter(|role| role.arn == arn) {
                role.invalid = !able;
            }
            if !able {
                let message =
                    format!("Amazon RDS isn't able to associate the IAM role {arn} with the DB cluster.");
                c.event(at, "db-cluster", &id, "failure", &message);
            }
        }
        Effect::Rotation(arn) => credentials::rotate_when_due(c, at, subject, &arn),
    }
}

fn instance_up(c: &mut Context<'_>, at: u64, subject: &str) {
    let late = c.random.chance(0.03) || c.rds.joins_pending;
    let backing_up = c.random.chance(0.15);
    let wait = c.random.duration(5.0, 60.0, 300.0);
    let length = c.random.duration(60.0, 100.0, 180.0);
    let Some(instance) = c.rds.instance_of(subject) else { return };
    instance.up = true;
    if late {
        // An instance that joins later can come up like that (fact book, section 1.4).
        instance.cluster_sync.wait_for_restart(at, 0);
    }
    let (id, cluster_id) = (instance.id.clone(), instance.cluster.clone());
    c.event(at, "db-instance", &id, "creation", "DB instance created");
    load(c, subject);
    let Some(cluster) = c.rds.clusters.get_mut(&cluster_id) else { return };
    if cluster.writer.is_none() {
        cluster.writer = Some(id.clone());
        cluster.shown_writer = Some(id);
    }
    if backing_up {
        // RDS does this by itself between a reader's look and its write (fact book, section 1.5), for 1 to 3
        // minutes (appendix E, item 11). How often is an estimate.
        cluster.timeline.impose(at + wait, at + wait + length, "backing-up");
    }
}

/// An instance reads its parameters.
fn load(c: &mut Context<'_>, subject: &str) {
    let Some(instance) = c.rds.instances.values().find(|instance| instance.resource == subject) else {
        return;
    };
    let values = c.rds.values_for(instance);
    if let Some(instance) = c.rds.instance_of(subject) {
        instance.loaded = values;
    }
}

/// The maintenance window opens: deferred changes are made, and sometimes AWS upgrades the minor version.
fn window(c: &mut Context<'_>, at: u64, subject: &str) {
    let upgrades = c.random.chance(0.1);
    c.origin = Origin::aws("maintenance");
    let Some(id) = c.rds.cluster_of(subject).map(|cluster| cluster.id.clone()) else { return };
    // One member is enough to refuse (Aurora User Guide, "Automatic minor version upgrades").
    let allowed = c.rds.members(&id).iter().all(|member| member.auto_minor_upgrade);
    let Some(cluster) = c.rds.clusters.get_mut(&id) else { return };
    let next = next_window(&cluster.settings.maintenance_window, at + 1);
    if cluster.timeline.is_available(at) {
        let deferred = std::mem::take(&mut cluster.deferred);
        let due = std::mem::take(&mut cluster.upgrade_due);
        let automatic = ((upgrades || due) && allowed && cluster.settings.auto_minor_upgrade)
            .then(|| versions::newest_patch(&cluster.settings.engine_version))
            .flatten();
        let version = deferred.engine_version.clone().or(automatic);
        if deferred != Deferred::default() || version.is_some() {
            modify::carry_out_deferred(c, at, &id, Deferred { engine_version: version, ..deferred });
        }
        for member in c.rds.members_mut(&id) {
            if let Some(certificate) = member.pending_certificate.take() {
                member.certificate = certificate;
            }
        }
        let pending: Vec<(String, String)> = c
            .rds
            .members_mut(&id)
            .filter_map(|member| Some((member.id.clone(), member.pending_class.clone()?)))
            .collect();
        for (member, class) in pending {
            modify::change_class(c, at, &member, &class);
        }
    }
    // Parameters stay pending: the window never applies them (fact book, section 1.4).
    c.at(next, subject, Effect::Window);
}
