//! The whole spec.

use super::fields::{Part, fields};
use super::node::{Node, Value};
use super::reader::Reader;
use super::{
    Aurora, Bucket, ENGINE, Endpoint, Grant, MachineLearning, Network, Notebook, Problems, Restart, Roles,
    SqlFunction, SqlTable, TakenOver, TemplateStack, Unload, Variable, check,
};
use crate::engine::Engine;
use std::collections::{BTreeMap, BTreeSet};

fields! {
    /// One stack in one region of one account.
    pub struct Spec in "stack" (
        hint: "a spec begins with `stack: NAME` and `region: REGION`; `auroraml init` writes one"
    ) {
        /// Name of the stack: part of the name or tags of everything it owns.
        stack: String {
            required: "write `stack: NAME`, such as `stack: churn`",
            changed: "names another stack; the old one keeps its resources",
            meaning: "1–24 lower-case letters, digits and single hyphens; part of every name",
        }
        /// AWS region, such as `us-east-1`.
        region: String {
            required: "write `region: us-east-1` or another AWS region",
            changed: "the same",
            meaning: "AWS region; it must offer Aurora machine learning",
        }
        /// Variables that this file uses as `${name}`, with their defaults; those without a default must be given.
        variables: BTreeMap<String, Variable> {
            type: "mapping of values",
            changed: "as the fields that use them",
            meaning: "names and default values: use them as `${name}`, override them with `--set name=VALUE`; `${env:NAME}` reads an environment variable ([variables](fleet.md#variables))",
        }
        /// Tags put on everything that the stack owns.
        tags: BTreeMap<String, String> {
            changed: "in place",
            meaning: "at most 40; not `aws:…` or `auroraml:…`",
        }
        /// ARN of the IAM policy to set as permissions boundary on the stack's roles.
        permissions_boundary: Option<String> {
            default_is: "unchanged",
            changed: "in place",
            meaning: "ARN of the IAM policy to set as permissions boundary on every role of the stack; if you remove it from the spec, it stays on the roles",
        }
        /// Existing roles to use instead of the stack's own.
        roles: Roles {
            default_is: "the stack's own",
            changed: "in place",
            meaning: "existing IAM roles to use instead of the stack's own",
        }
        /// ARN of the customer-managed KMS key for bucket, storage, secret and volume.
        kms_key: Option<String> {
            default_is: "AWS's keys",
            changed: "added to a bucket: in place; otherwise blocked",
            meaning: "ARN of the KMS key that encrypts the bucket, the cluster's storage, the secret and the notebook's volume",
        }
        /// Age at which `reap` destroys the stack, such as `8h`; stored in a tag.
        expires_after: Option<String> {
            default_is: "never",
            changed: "in place",
            meaning: "age at which `reap` destroys the stack: `30m`, `8h`, `2d`; counted from its oldest object, stored in the tag `auroraml:expires-after`",
        }
        /// Where the lease is kept that keeps out other runs: `s3://BUCKET/PREFIX`.
        lease: Option<String> {
            default_is: "a file on this machine",
            changed: "from the next run on",
            meaning: "`s3://bucket/prefix` in a bucket that outlives the stack: an object there keeps out runs from other machines ([runs](runs.md#the-lease))",
        }
        /// Where each change is recorded: `s3://BUCKET/PREFIX`.
        audit: Option<String> {
            default_is: "nowhere",
            changed: "from the next run on",
            meaning: "`s3://bucket/prefix` in a bucket that outlives the stack: each run writes an object there, with one line for each request that changes something ([runs](runs.md#the-audit))",
        }
        /// The VPC; the stack's own cluster and a notebook need one.
        network: Option<Network> {
            changed: "see below",
            meaning: "the VPC; the stack's own cluster and a notebook need one",
        }
        /// The stack's own S3 bucket.
        bucket: Option<Bucket> {
            changed: "see below",
            meaning: "the stack's own S3 bucket; `bucket: {}` for all defaults",
        }
        /// The Aurora MySQL cluster.
        aurora: Option<Aurora> {
            changed: "see below",
            meaning: "the cluster: an existing one or the stack's own",
        }
        /// What SQL in the cluster can call.
        machine_learning: MachineLearning {
            default_is: "nothing",
            changed: "in place",
            meaning: "what SQL may call",
        }
        /// A SageMaker notebook instance beside the cluster.
        notebook: Option<Notebook> {
            changed: "see below",
            meaning: "a SageMaker notebook instance",
        }
        /// SageMaker endpoints by name; the name is the endpoint's own name, as SQL functions use it.
        endpoints: BTreeMap<String, Endpoint> {
            type: "mapping of endpoints",
            default_is: "none",
            changed: "see below",
            meaning: "SageMaker endpoints by name",
        }
        /// Tables in the stack's database, created if they do not exist.
        tables: BTreeMap<String, SqlTable> {
            type: "mapping of tables",
            default_is: "none",
            changed: "see below",
            meaning: "tables by name, created if they do not exist",
        }
        /// Rows to write to S3 once, as CSV.
        unloads: BTreeMap<String, Unload> {
            type: "mapping of unloads",
            default_is: "none",
            changed: "see below",
            meaning: "rows to write to S3, by name",
        }
        /// Stored functions in the stack's database.
        functions: BTreeMap<String, SqlFunction> {
            type: "mapping of functions",
            default_is: "none",
            changed: "see below",
            meaning: "SQL functions by name",
        }
        /// What database users may call, by user name.
        grants: BTreeMap<String, Grant> {
            type: "mapping of grants",
            default_is: "none",
            changed: "see below",
            meaning: "what each database user may call",
        }
        /// CloudFormation templates to deploy as part of the stack, by name.
        stacks: Option<BTreeMap<String, TemplateStack>> {
            type: "mapping of stacks",
            default_is: "none",
            changed: "see below",
            meaning: "CloudFormation templates to deploy as part of the stack, by name ([how](cloudformation.md#run-a-template)); write `stacks: {}` after removing the last one, so that auroraml still looks for it",
        }
        /// What the stack takes over from a CloudFormation stack.
        taken_over: Option<TakenOver> {
            changed: "see below",
            meaning: "what the stack takes over from a CloudFormation stack; `auroraml adopt` writes it ([take over a stack](cloudformation.md#take-over-a-stack))",
        }
    }
}

impl Spec {
    /// The engine of the stack's cluster.
    pub fn engine(&self) -> &'static Engine {
        ENGINE
    }

    /// Whether it says anything of what is in the database: only then is SQL sent.
    pub fn has_sql(&self) -> bool {
        !(self.tables.is_empty()
            && self.unloads.is_empty()
            && self.functions.is_empty()
            && self.grants.is_empty())
    }

    /// The local files that it names, by their paths from the spec: each once.
    pub fn files(&self) -> BTreeSet<&str> {
        let notebook = self.notebook.iter().flat_map(|notebook| &notebook.files).map(String::as_str);
        let loads = self.tables.values().filter_map(|table| table.load.as_ref()?.local());
        notebook.chain(loads).collect()
    }

    /// Names of the templates' stacks whose outputs something else of the stack takes.
    pub fn outputs_used(&self) -> BTreeSet<String> {
        let taken = check::output_values(self).into_iter().flat_map(|(_, text)| super::references(text));
        let stacks = taken.filter_map(|reference| match reference {
            super::Reference::Output { stack, .. } => Some(stack),
            super::Reference::Own(_) => None,
        });
        stacks.collect()
    }

    /// The templates that it names, by their paths from the spec: each once.
    pub fn templates(&self) -> BTreeSet<&str> {
        self.stacks.iter().flatten().map(|(_, stack)| stack.template.as_str()).collect()
    }

    /// The database in which tables and functions are.
    pub fn database(&self) -> Option<&str> {
        match self.aurora.as_ref()? {
            Aurora::Owned(cluster) => cluster.database.as_deref(),
            Aurora::Existing(cluster) => cluster.database.as_deref(),
        }
    }

    /// How members of the cluster get their restart; `None` without a cluster.
    pub fn restart(&self) -> Option<&Restart> {
        match self.aurora.as_ref()? {
            Aurora::Owned(cluster) => Some(&cluster.restart),
            Aurora::Existing(cluster) => Some(&cluster.restart),
        }
    }

    /// Checks a spec that was made in code, or changed after it was read, as [`super::parse`] checks a file. A field
    /// counts as given if it is not just its default.
    ///
    /// Returns what may be a mistake although the spec is good.
    ///
    /// # Errors
    /// All problems at once, by path: without a file there are no lines and columns.
    pub fn check(&self) -> Result<Problems, Problems> {
        let mut given = Vec::new();
        self.given_fields("", &mut given);
        let mut reader = Reader::without_file(given);
        check::check(self, &mut reader);
        let problems = reader.finish();
        if problems.is_good() { Ok(problems) } else { Err(problems) }
    }
}

/// The spec of the tree; what could not be read is replaced by a stand-in and reported.
pub fn read(root: &Node, reader: &mut Reader) -> Option<Spec> {
    if matches!(root.value, Value::Null) {
        reader.refuse("", "the file is empty".to_owned(), Some(Spec::HINT.to_owned()));
        return None;
    }
    super::fields::read(root, "", reader)
}
