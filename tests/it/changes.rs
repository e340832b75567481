//! Every field of the spec, changed: what AWS can change in place is changed and the next plan is empty;
//! what it cannot is blocked with the reason, and nothing is called.

use crate::harness::{Account, spec};
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;

pub enum Expected {
    /// Changed in place.
    Applied,
    /// The plan is blocked, and says this.
    Blocked(&'static str),
    /// Nothing in AWS depends on it: the plan stays empty.
    Nothing,
}
use Expected::{Applied, Blocked, Nothing};

/// Field, text in `everything.yaml`, text in its place, what is to happen.
pub const CHANGES: &[(&str, &str, &str, Expected)] = &[
    ("tags", "project: churn", "project: other, team: data", Applied),
    ("tags removed", "tags: { project: churn }", "tags: {}", Applied),
    ("permissions_boundary", "policy/AdministratorAccess", "policy/AmazonS3FullAccess", Applied),
    (
        "permissions_boundary removed",
        "permissions_boundary: arn:aws:iam::aws:policy/AdministratorAccess\n",
        "",
        Nothing,
    ),
    ("expires_after", "expires_after: 8h", "expires_after: 2d", Applied),
    ("network.cidr", "cidr: 10.192.0.0/16", "cidr: 10.192.0.0/17", Blocked("vpc.main")),
    ("network.public_subnets", "10.192.11.0/24]", "10.192.12.0/24]", Blocked("subnet.public-2")),
    ("network.public_subnets added", "10.192.11.0/24]", "10.192.11.0/24, 10.192.12.0/24]", Applied),
    ("network.private_subnets", "10.192.21.0/24]", "10.192.22.0/24]", Blocked("subnet.private-2")),
    ("network.private_subnets added", "10.192.21.0/24]", "10.192.21.0/24, 10.192.22.0/24]", Applied),
    ("network.nat per zone", "nat: single", "nat: per_zone", Applied),
    ("network.nat none", "nat: single", "nat: none", Blocked("")),
    ("network.endpoints added", "[s3, comprehend]", "[s3, comprehend, sts]", Applied),
    ("network.endpoints removed", "[s3, comprehend]", "[s3]", Applied),
    (
        "network.egress",
        "endpoints: [s3, comprehend]",
        "endpoints: [s3, comprehend]\n  egress: [0.0.0.0/0]",
        Applied,
    ),
    ("bucket.versioning", "versioning: false", "versioning: true", Applied),
    ("bucket.name", "{ versioning: false,", "{ name: another-bucket-of-ours, versioning: false,", Applied),
    (
        "bucket.on_destroy",
        "{ versioning: false, on_destroy: empty }",
        "{ versioning: false, on_destroy: keep }",
        Applied,
    ),
    ("aurora.engine_version newer", "engine_version: \"3.10\"", "engine_version: \"3.12\"", Applied),
    ("aurora.engine_version same line", "engine_version: \"3.10\"", "engine_version: \"8.0\"", Nothing),
    (
        "aurora.engine_version major",
        "engine_version: \"3.10\"",
        "engine_version: \"8.4\"",
        Blocked("cluster.main"),
    ),
    (
        "aurora.engine_version older",
        "engine_version: \"3.10\"",
        "engine_version: \"3.08\"",
        Blocked("cluster.main"),
    ),
    ("aurora.instances class", "class: db.r6g.large", "class: db.r6g.xlarge", Applied),
    ("aurora.instances tier", "promotion_tier: 1 }", "promotion_tier: 0 }", Applied),
    (
        "aurora.instances added",
        "{ class: db.serverless, promotion_tier: 2 }]",
        "{ class: db.serverless, promotion_tier: 2 }, { class: db.r6g.large }]",
        Applied,
    ),
    (
        "aurora.serverless",
        "{ min: 0, max: 4, seconds_until_auto_pause: 600 }",
        "{ min: 0.5, max: 8 }",
        Applied,
    ),
    ("aurora.serverless pause", "seconds_until_auto_pause: 600", "seconds_until_auto_pause: 900", Applied),
    ("aurora.database", "database: telecom", "database: other", Blocked("cluster.main")),
    ("aurora.username", "username: admin", "username: chief", Blocked("cluster.main")),
    (
        "aurora.secret.managed_by",
        "{ managed_by: stack, recovery_window_days: 7 }",
        "{ managed_by: rds }",
        Blocked("cluster.main"),
    ),
    ("aurora.secret.recovery_window_days", "recovery_window_days: 7", "recovery_window_days: 0", Nothing),
    ("aurora.data_api", "data_api: true", "data_api: false", Applied),
    (
        "aurora.allow_from",
        "allow_from: [10.192.0.0/16]",
        "allow_from: [10.192.20.0/24, 10.9.0.0/16]",
        Applied,
    ),
    (
        "aurora.parameters",
        "{ character_set_database: utf8mb4 }",
        "{ character_set_database: latin1, binlog_format: ROW }",
        Applied,
    ),
    ("aurora.parameters removed", "{ character_set_database: utf8mb4 }", "{}", Applied),
    ("aurora.restart", "restart: rolling", "restart: never", Nothing),
    // How a thing goes is in a tag of it, for whoever has no spec.
    ("aurora.on_destroy", "on_destroy: delete", "on_destroy: snapshot", Applied),
    ("aurora.deletion_protection", "deletion_protection: false", "deletion_protection: true", Applied),
    ("aurora.backup_retention_days", "backup_retention_days: 1", "backup_retention_days: 14", Applied),
    (
        "aurora.auto_minor_version_upgrade",
        "auto_minor_version_upgrade: true",
        "auto_minor_version_upgrade: false",
        Applied,
    ),
    ("aurora.port", "port: 3306", "port: 3307", Applied),
    ("aurora.storage", "storage: standard", "storage: io_optimized", Applied),
    (
        "machine_learning.sagemaker",
        "sagemaker: { endpoints: [churn] }",
        "sagemaker: { endpoints: [churn, small] }",
        Applied,
    ),
    ("machine_learning.comprehend off", "comprehend: true", "comprehend: false", Applied),
    ("machine_learning.s3 off", "s3: true", "s3: false", Applied),
    ("machine_learning.s3 buckets", "s3: true", "s3: { buckets: [my-other-bucket] }", Applied),
    ("machine_learning.bedrock off", "  bedrock: { models: [amazon.titan-text-lite-v1] }\n", "", Applied),
    ("machine_learning.bedrock", "[amazon.titan-text-lite-v1]", "[amazon.titan-text-express-v1]", Applied),
    ("notebook.instance", "instance: ml.t3.medium", "instance: ml.t3.large", Applied),
    ("notebook.volume grown", "volume: 10", "volume: 20", Applied),
    ("notebook.volume shrunk", "volume: 10", "volume: 5", Blocked("notebook.main")),
    (
        "notebook.files added",
        "[notebooks/part_1.ipynb]",
        "[notebooks/part_1.ipynb, notebooks/part_2.ipynb]",
        Applied,
    ),
    ("notebook.files removed", "[notebooks/part_1.ipynb]", "[]", Applied),
    ("notebook.subnet", "subnet: private", "subnet: public", Blocked("notebook.main")),
    (
        "notebook.statements",
        "subnet: private",
        "subnet: private\n  statements: [{ Effect: Allow, Action: s3:ListAllMyBuckets, Resource: \"*\" }]",
        Applied,
    ),
    ("notebook.on_create", "subnet: private", "subnet: private\n  on_create: echo made", Applied),
    ("notebook.on_start", "subnet: private", "subnet: private\n  on_start: echo started", Applied),
    ("endpoints.model.environment", "LEVEL: info", "LEVEL: debug", Applied),
    (
        "endpoints.model.image",
        "{ image: \"xgboost:1.7-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\", environment",
        "{ image: \"xgboost:1.5-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\", environment",
        Applied,
    ),
    ("endpoints.instance", "instance: ml.m5.large", "instance: ml.m5.xlarge", Applied),
    ("endpoints.count", "count: 1", "count: 2", Applied),
    ("endpoints.serverless", "memory: 2048", "memory: 4096", Applied),
    ("endpoints.serverless concurrency", "max_concurrency: 5", "max_concurrency: 10", Applied),
    (
        "endpoints.serverless to real-time",
        "    serverless: { memory: 2048, max_concurrency: 5 }",
        "    instance: ml.m5.large",
        Applied,
    ),
    (
        "endpoints.real-time to serverless",
        "    instance: ml.m5.large\n    count: 1",
        "    serverless: {}",
        Blocked("endpoint.churn"),
    ),
    (
        "endpoints.managed_by",
        "  small:\n    model: { image: \"xgboost:1.7-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\" }\n    serverless: { memory: 2048, max_concurrency: 5 }\n",
        "  small: { managed_by: notebook }\n",
        Applied,
    ),
    (
        "endpoints removed",
        "  small:\n    model: { image: \"xgboost:1.7-1\", artifact: \"s3://sagemaker-sample-files/models/churn/model.tar.gz\" }\n    serverless: { memory: 2048, max_concurrency: 5 }\n",
        "",
        Applied,
    ),
];

/// Fields that are not in the table, each with where it is changed instead.
const ELSEWHERE: &[(&str, &str)] = &[
    ("lease", "of the run: lease.rs"),
    ("audit", "of the run: audit.rs"),
    ("stack", "another stack, of which nothing is there: stacks.rs"),
    ("region", "the same"),
    ("variables", "as the fields that use them: crates/core/tests/it/variables.rs"),
    ("roles", "names.rs: a_role_of_others_is_used_and_stays_theirs"),
    ("roles.sagemaker", "the same"),
    ("roles.comprehend", "the same"),
    ("roles.s3", "the same"),
    ("roles.bedrock", "the same"),
    ("roles.notebook", "names.rs: roles_of_others_for_sagemaker"),
    ("roles.model", "the same"),
    ("roles.training", "the same"),
    ("kms_key", "names.rs: a_key_is_for_life"),
    ("network.existing.existing", "names.rs: a_network_of_others"),
    ("network.existing.private_subnets", "the same"),
    ("network.existing.public_subnets", "the same"),
    ("network.existing.egress", "the same"),
    ("aurora.identifier", "names.rs: another_name_is_no_other_object"),
    ("aurora.subnet_group", "the same"),
    ("aurora.parameter_group", "the same"),
    ("aurora.secret.name", "the same"),
    ("notebook.name", "the same"),
    ("notebook.lifecycle_configuration", "the same"),
    ("aurora.existing.existing", "interruptions.rs: another_existing_cluster_is_blocked"),
    ("aurora.existing.restart", "of the run, as `aurora.restart`"),
    (
        "aurora.secret.password_environment_variable",
        "kinds_storage.rs: a_given_password_comes_from_the_environment",
    ),
    ("aurora.restart.strategy", "of the run: interruptions.rs"),
    ("aurora.restart.allow", "of the run: cli.rs"),
    ("aurora.restart.window", "of the run: interruptions/windows.rs"),
    ("aurora.restart.writer", "interruptions/failovers.rs: a_writer_is_brought_back_for_good"),
    (
        "aurora.existing.database",
        "another one, of which nothing is there: sql.rs: on_a_cluster_of_others_data_stays",
    ),
    ("aurora.existing.secret", "by whom SQL is sent: sql/grants.rs: a_user_of_another_secret"),
    ("endpoints.model.containers", "it is a property of the model as the image is"),
    ("endpoints.model.training", "swap.rs, training.rs: the_plan_comes_before_the_job"),
    ("endpoints.model.autopilot", "training.rs: autopilot_at_its_limit"),
    ("endpoints.model.artifact", "its path is a property of the model as the image is"),
    ("aurora.existing.database", "sql_existing.rs"),
    ("aurora.existing.secret", "sql_existing.rs"),
];

/// docs/spec.md says of each field what a change of it does; each is tried, or it is said where.
#[test]
fn every_field_has_a_change() {
    for table in auroraml_core::spec::tables() {
        for row in table.text.lines().skip(2) {
            let key = row.split('`').nth(1).unwrap();
            let field = if table.name == "stack" { key.to_string() } else { format!("{}.{key}", table.name) };
            // What jobs are given stands in their names, or is for the next one: swap.rs and training.rs.
            if ["endpoints.model.containers", "endpoints.model.training", "endpoints.model.autopilot"]
                .iter()
                .any(|part| table.name.starts_with(part))
            {
                continue;
            }
            // What is in the database: sql_tables.rs, sql_functions.rs, sql_grants.rs and sql_data.rs. Templates:
            // stacks_of_templates.rs, and plans of them in the core. What is taken over: adopted.rs.
            if ["tables", "unloads", "functions", "grants", "stacks", "taken_over"]
                .iter()
                .any(|part| field.split('.').next() == Some(part))
            {
                continue;
            }
            // Members of a cluster, and what an endpoint runs on, are changed as a whole.
            let parent = ["aurora.instances", "aurora.serverless", "endpoints.serverless"]
                .into_iter()
                .find(|parent| *parent == table.name);
            let mut all = CHANGES.iter().chain(crate::sql::changes::CHANGES);
            let tried = all.any(|(what, ..)| what.starts_with(parent.unwrap_or(&field)));
            let excused = ELSEWHERE.iter().any(|(name, _)| *name == field);
            assert!(tried != excused, "{field}: tried {tried}, elsewhere {excused}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_field_is_changed_in_place_or_blocked() {
    let base = std::fs::read_to_string("tests/data/everything.yaml").unwrap();
    let account = Account::new(1, Mood::Calm);
    account.apply(&spec(&base)).await;
    try_all(&base, account.sandbox.world(), CHANGES).await;
}

/// Each change of what is there as `base` says, by itself.
pub async fn try_all(base: &str, world: World, changes: &[(&str, &str, &str, Expected)]) {
    let mut wrong = Vec::new();
    for (what, old, new, expected) in changes {
        assert!(base.contains(old), "{what}: the spec does not contain {old}");
        let text = base.replacen(old, new, 1);
        let changed = match auroraml_core::spec::parse(text.as_bytes()) {
            Ok(changed) => changed,
            // The spec itself refuses what could not work: that is as good as blocked.
            Err(_) if matches!(expected, Blocked("")) => continue,
            Err(problems) => panic!("{what}: {}", problems.render("spec", &text)),
        };
        let account = Account::over(world.clone());
        let before = account.mutations();
        let plan = account.plan(&changed).await;
        match expected {
            Blocked(object) => {
                let hit = plan.blocked.iter().find(|b| b.id.to_string().starts_with(object));
                match hit {
                    Some(blocked) => println!("{what}: blocked: {}: {}", blocked.id, blocked.why),
                    None => wrong.push(format!("{what}: not blocked; {:?}", plan.blocked)),
                }
                assert_eq!(account.mutations(), before, "{what}: planning changed something");
            }
            Nothing => {
                if !plan.is_empty() {
                    wrong.push(format!("{what}: {:?} {:?}", plan.work().collect::<Vec<_>>(), plan.blocked));
                }
            }
            Applied => {
                if plan.is_empty() || !plan.blocked.is_empty() {
                    wrong.push(format!("{what}: nothing to do, or blocked: {:?}", plan.blocked));
                    continue;
                }
                account.apply(&changed).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tags show at once, and what is asked for together with them later (fact book, section 1.6): the tags say nothing
/// about the rest, which is not asked for again while the first request may still show.
#[tokio::test(start_paused = true)]
async fn what_shows_in_part_is_not_asked_for_again() {
    let text = |tag: &str, version: &str, class: &str| {
        spec(&format!(
            "
stack: shop
region: us-east-1
tags: {{ team: {tag} }}
network: {{ cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24], endpoints: [comprehend] }}
aurora:
  engine_version: \"{version}\"
  instances: [{{ class: {class} }}, {{ class: {class} }}]
  on_destroy: delete
machine_learning: {{ comprehend: true }}
"
        ))
    };
    let base = text("sales", "3.10", "db.r6g.large");
    for (changed, operation, members) in [
        (text("data", "3.12", "db.r6g.large"), "ModifyDBCluster", 1),
        (text("data", "3.10", "db.r6g.xlarge"), "ModifyDBInstance", 2),
        (text("data", "3.12", "db.r6g.xlarge"), "ModifyDBInstance", 2),
    ] {
        for seed in 1..=6 {
            let account = Account::new(seed, Mood::Calm);
            account.apply(&base).await;
            let asked = || {
                account.sandbox.with(|world| {
                    world
                        .mutations()
                        .filter(|entry| entry.operation == operation && entry.code.is_none())
                        .count()
                })
            };
            let before = asked();
            let recorder = account.apply(&changed).await;
            assert_eq!(asked() - before, members, "seed {seed}: {operation}\n{}", recorder.text());
        }
    }
}
