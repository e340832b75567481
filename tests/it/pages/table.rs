//! What the pages presume, and which of their commands are not run as they stand.

/// A page with commands.
pub struct Page {
    pub name: &'static str,
    /// Done before its first command: the files that a reader of this page has, and what is in the account.
    pub before: &'static str,
    pub marks: &'static [Mark],
}

/// A word on the commands of a page that are `start`, or begin so if it ends with `…`.
pub enum Mark {
    /// Not run.
    Skipped { start: &'static str, why: &'static str },
    /// Ends with another exit code than 0.
    Ends { start: &'static str, with: u8, why: &'static str },
    /// Something has happened since the command before.
    After { start: &'static str, setup: &'static str, why: &'static str },
    /// Runs until the page ends, in a terminal of its own.
    Beside { start: &'static str },
}

impl Mark {
    pub fn start(&self) -> &'static str {
        match self {
            Mark::Skipped { start, .. }
            | Mark::Ends { start, .. }
            | Mark::After { start, .. }
            | Mark::Beside { start } => start,
        }
    }

    pub fn is_on(&self, command: &str) -> bool {
        match self.start().strip_suffix('…') {
            Some(start) => command.starts_with(start),
            None => command == self.start(),
        }
    }
}

/// `stack.yaml` is the article's, with its files beside it.
const STACK: &str = "cp -r specs/. . && cp churn.yaml stack.yaml";

/// The same, and it is there.
const APPLIED: &str =
    "cp -r specs/. . && cp churn.yaml stack.yaml && auroraml apply stack.yaml > .said/before 2>&1";

/// A writer and a reader, applied.
const ORDERS: &str = "cat > orders.yaml <<'END'
stack: orders
region: us-east-1
network: { cidr: 10.0.0.0/24, private_subnets: [10.0.0.0/26, 10.0.0.64/26], endpoints: [s3] }
aurora:
  instances: [{ class: db.r6g.large }, { class: db.r6g.large }]
  data_api: true
  on_destroy: snapshot
machine_learning: { s3: { buckets: [orders-archive] } }
END
auroraml apply orders.yaml > .said/before 2>&1";

/// A stack that CloudFormation made, and a while in which it does so.
const INSIGHTS: &str = "cat > theirs.yaml <<'END'
stack: insights
region: us-east-1
network: { cidr: 10.0.0.0/24, private_subnets: [10.0.0.0/26, 10.0.0.64/26] }
aurora: { instances: [{ class: db.r6g.large }], on_destroy: snapshot }
END
auroraml export theirs.yaml --format cloudformation --out theirs.template.yaml
aws cloudformation create-stack --stack-name Insights --template-body file://theirs.template.yaml
auroraml apply specs/churn.yaml
aws cloudformation describe-stacks --stack-name Insights --query 'Stacks[0].StackStatus' | grep CREATE_COMPLETE";

const COMPILES: &str = "it compiles the AWS SDK, as every build of these tests has done";

pub const PAGES: &[Page] = &[
    Page {
        name: "README.md",
        before: "",
        marks: &[
            Mark::Skipped { start: "cargo install…", why: COMPILES },
            Mark::Beside { start: "cargo run -- sandbox --listen…" },
            Mark::After {
                start: "auroraml init…",
                setup: "unset AWS_ENDPOINT_URL AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
kill -INT $beside; wait $beside || true",
                why: "the listener has ended, and with it the second terminal",
            },
            Mark::Ends {
                start: "auroraml verify stack.yaml",
                with: 1,
                why: "the page says so: somebody else makes the starter's endpoint",
            },
            Mark::After {
                start: "auroraml adopt --from-stack…",
                setup: INSIGHTS,
                why: "there is a stack of CloudFormation's",
            },
        ],
    },
    Page {
        name: "docs/cloudformation.md",
        before: "cp $REPOSITORY/tests/data/stacked/network.yaml .
cat > alarms.yaml <<'END'
Parameters: { Cluster: { Type: String }, Token: { Type: String, NoEcho: true } }
Resources:
  Group: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: !Sub '/alarms/${Cluster}' } }
END
export PAGER_TOKEN=correct-horse
yaml 1 > shop.yaml",
        marks: &[Mark::After {
            start: "auroraml adopt --from-stack…",
            setup: INSIGHTS,
            why: "there is a stack of CloudFormation's",
        }],
    },
    Page { name: "docs/costs.md", before: "cp -r specs/. . && yaml 2 > guesses.yaml", marks: &[] },
    Page {
        name: "docs/drift.md",
        before: CHANGED,
        marks: &[
            Mark::Ends { start: "auroraml drift churn.yaml", with: 2, why: "the page says so" },
            Mark::Ends {
                start: "auroraml drift stacks/…",
                with: 2,
                why: "nothing of these stacks is there yet",
            },
        ],
    },
    Page { name: "docs/fleet.md", before: FLEET, marks: &[] },
    Page { name: "docs/gitops.md", before: STACK, marks: &[] },
    Page { name: "docs/pages.md", before: "", marks: &[] },
    Page { name: "docs/policy.md", before: STACK, marks: &[] },
    Page {
        name: "docs/restarts.md",
        before: ORDERS,
        marks: &[Mark::After {
            start: "auroraml plan orders.yaml",
            setup: "sed -i.bak 's/on_destroy: snapshot/parameters: { performance_schema: 1 }/' orders.yaml",
            why: "a static parameter has changed",
        }],
    },
    Page {
        name: "docs/runs.md",
        before: STACK,
        marks: &[
            Mark::After {
                start: "auroraml apply stack.yaml --plan plan.json",
                setup: "auroraml plan stack.yaml --out plan.json
sed -i.bak 's/db.r6g.large/db.r6g.xlarge/' stack.yaml",
                why: "the spec has changed after another plan was saved",
            },
            Mark::Ends {
                start: "auroraml apply stack.yaml --plan plan.json",
                with: 3,
                why: "the page says so",
            },
        ],
    },
    Page {
        name: "docs/sql.md",
        before: "cp -r specs/. . && cp data/churn.csv more.csv && auroraml apply churn.yaml > .said/before 2>&1",
        marks: &[],
    },
    Page {
        name: "docs/stop-paying.md",
        before: "cp -r specs/. . && cp churn.yaml stack.yaml && mkdir stacks && cp lean.yaml stacks
auroraml apply stack.yaml > .said/before 2>&1",
        marks: &[Mark::After {
            start: "auroraml destroy orders.yaml --yes",
            setup: ORDERS,
            why: "another stack is there",
        }],
    },
    Page { name: "docs/troubleshooting.md", before: APPLIED, marks: &[] },
    Page {
        name: "docs/tutorial.md",
        before: "",
        marks: &[Mark::Skipped {
            start: "mysql …",
            why: "the simulated database is asked by the Data API, and does not speak MySQL's protocol",
        }],
    },
    Page {
        name: "docs/verify.md",
        before: ORDERS,
        marks: &[
            Mark::After {
                start: "auroraml verify orders.yaml",
                setup: "aws rds reset-db-cluster-parameter-group --db-cluster-parameter-group-name orders --parameters ParameterName=aws_default_s3_role,ApplyMethod=immediate",
                why: "somebody has taken the role out of the parameters",
            },
            Mark::Ends { start: "auroraml verify orders.yaml", with: 1, why: "the page says so" },
        ],
    },
];

/// A stack that somebody has changed, and half an hour after that: CloudTrail is late.
const CHANGED: &str = "cp -r specs/. . && auroraml apply churn.yaml > .said/before 2>&1
group=$(aws ec2 describe-security-groups --filters Name=tag:auroraml:resource,Values=security_group.aurora --query 'SecurityGroups[0].GroupId' --output text)
aws ec2 authorize-security-group-ingress --group-id $group --protocol tcp --port 3306 --cidr 0.0.0.0/0
sed 's/^stack: .*/stack: other/' minimal.yaml > other.yaml
auroraml apply other.yaml > .said/before 2>&1
auroraml destroy other.yaml > .said/before 2>&1
mkdir stacks && sed 's/^stack: .*/stack: dev/' specs/lean.yaml > stacks/dev.yaml";

/// Two specs in a folder, and the page's own.
const FLEET: &str = "mkdir stacks
sed 's/^stack: .*/stack: dev/' specs/lean.yaml > stacks/dev.yaml
sed 's/^stack: .*/stack: prod/' specs/lean.yaml > stacks/prod.yaml
export GIT_COMMIT=4ded5ac
yaml 1 > shop.yaml";
