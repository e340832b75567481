//! The state of everything, in one value that can be cloned, saved and restored at any request.

use crate::account::BIRTH_MS;
use crate::enforced::Enforced;
use crate::random::{Mood, Random};
use crate::{
    cloudformation, cloudtrail, cloudwatch, ec2, iam, kms, logs, rds, s3, sagemaker, secretsmanager,
    servicequotas, tagging,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that exists in the simulated account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    /// The time of the last request, milliseconds since the Unix epoch.
    pub now: u64,
    /// The account lacks what AWS puts into every account, such as the default VPC of each region. So did all
    /// worlds of files that do not say.
    #[serde(default = "yes")]
    pub bare: bool,
    pub global: Global,
    pub regions: BTreeMap<String, Region>,
    /// What was asked, without any payload: no secret can be in it.
    pub log: Vec<Entry>,
    /// How long the last request took beyond what any takes, milliseconds: a statement, for instance.
    #[serde(skip)]
    pub(crate) took_ms: u64,
    /// The actions that the last request came to, where somebody had to allow them.
    #[serde(skip)]
    pub(crate) allowed: Vec<String>,
    /// What callers are held to who are no role's session.
    #[serde(default, skip_serializing_if = "Enforced::is_empty")]
    pub enforced: Enforced,
    /// Operations that were asked for and do not exist here, with how often.
    pub unknown: BTreeMap<String, u64>,
}

/// What is not regional, and what all services share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Global {
    pub random: Random,
    pub iam: iam::Iam,
    pub s3: s3::S3,
    /// Aurora global databases, which span regions.
    #[serde(default)]
    pub global_databases: rds::GlobalDatabases,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Region {
    pub cloudformation: cloudformation::CloudFormation,
    #[serde(default)]
    pub cloudtrail: cloudtrail::CloudTrail,
    #[serde(default)]
    pub cloudwatch: cloudwatch::CloudWatch,
    pub ec2: ec2::Ec2,
    pub rds: rds::Rds,
    pub sagemaker: sagemaker::SageMaker,
    pub secretsmanager: secretsmanager::SecretsManager,
    pub kms: kms::Kms,
    pub servicequotas: servicequotas::ServiceQuotas,
    #[serde(default)]
    pub logs: logs::Logs,
    #[serde(default)]
    pub tagging: tagging::Tagging,
}

/// One line of the request log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: u64,
    pub region: String,
    pub service: String,
    pub operation: String,
    pub mutating: bool,
    /// The error code, if it was refused.
    pub code: Option<String>,
    /// Access key id of the signature; empty without one.
    #[serde(default)]
    pub caller: String,
}

fn yes() -> bool {
    true
}

impl World {
    /// A fresh account, as AWS opens it.
    pub fn new(seed: u64, mood: Mood) -> World {
        World {
            now: BIRTH_MS,
            bare: false,
            global: Global {
                random: Random::new(seed, mood),
                iam: iam::Iam::default(),
                s3: s3::S3::default(),
                global_databases: rds::GlobalDatabases::default(),
            },
            regions: BTreeMap::new(),
            log: Vec::new(),
            took_ms: 0,
            allowed: Vec::new(),
            enforced: Enforced::default(),
            unknown: BTreeMap::new(),
        }
    }

    /// The same without anything that AWS puts in: no default VPC in any region, from the next request on.
    pub fn bare(self) -> World {
        World { bare: true, ..self }
    }

    /// Everything large: the objects of S3, and the rows of databases.
    pub(crate) fn contents_mut(&mut self) -> impl Iterator<Item = &mut s3::Content> {
        let rows = self.regions.values_mut().flat_map(|region| region.rds.contents_mut());
        self.global.s3.contents_mut().chain(rows)
    }

    /// The world with hashes in the place of what is in objects and databases: for those who look at names, tags and
    /// states alone.
    pub fn without_contents(mut self) -> World {
        for content in self.contents_mut() {
            content.set_aside();
        }
        self
    }

    /// The access key that programs on a notebook instance find: one of a session of its role, whose policies are
    /// enforced. `None` without such an instance.
    pub fn notebook_session(&mut self, region: &str, notebook: &str) -> Option<String> {
        let role = self.regions.get(region)?.sagemaker.notebooks.get(notebook)?.role.clone();
        self.global.iam.open_session(&role, "SageMaker", &mut self.global.random)
    }

    /// The requests that changed or tried to change something.
    pub fn mutations(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(|entry| entry.mutating)
    }
}
