//! The mistakes that people make, each with the answer that they get: tests/data/mistakes.txt is there to be read.
//!
//! No answer may name what is more dangerous than what was typed: nobody who meant to look is told how to delete, interrupt or
//! confirm.

use crate::cli::{Place, Ran, SPEC, with_orders};
use crate::support::golden_at;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpListener;
use std::path::Path;

/// Who types it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Newcomer,
    DatabaseAdministrator,
    DataScientist,
    PipelineAuthor,
}
use Who::{DataScientist, DatabaseAdministrator, Newcomer, PipelineAuthor};

/// Words that make a command do more.
const STRONG: [&str; 23] = [
    "destroy",
    "reap",
    "--destroy",
    "--yes",
    "--now",
    "--allow",
    "--delete",
    "--sweep",
    "--unprotect",
    "--accept-pending",
    "--force",
    "--leave",
    "--unowned",
    "--release",
    "--reset",
    "--again",
    "--overwrite",
    "--all-tagged",
    "--nat",
    "--lease",
    "--plain-http",
    "--wake",
    "force",
];

const HEAD: &str = "stack: shop\nregion: us-east-1\n";
const NETWORK: &str = "network: { cidr: 10.0.0.0/16, private_subnets: [10.0.1.0/24, 10.0.2.0/24] }\n";

/// A spec of a cluster with these lines in it.
fn cluster(lines: &str) -> String {
    format!(
        "{HEAD}{NETWORK}aurora:\n  instances: [{{ class: db.r6g.large }}]\n  allow_from: [10.0.0.0/16]\n{lines}"
    )
}

/// What is typed in a folder with this spec.
struct Mistake {
    /// Strong words that its answer may hold, because it must; the case says why.
    excepted: &'static [&'static str],
    who: Who,
    what: &'static str,
    spec: String,
    line: &'static str,
    environment: Vec<(&'static str, String)>,
    /// What was typed before.
    before: Option<&'static str>,
}

fn mistake(who: Who, what: &'static str, spec: impl Into<String>, line: &'static str) -> Mistake {
    Mistake { who, what, spec: spec.into(), line, environment: Vec::new(), excepted: &[], before: None }
}

impl Mistake {
    fn with(mut self, name: &'static str, value: impl Into<String>) -> Mistake {
        self.environment.push((name, value.into()));
        self
    }

    fn after(mut self, line: &'static str) -> Mistake {
        self.before = Some(line);
        self
    }

    fn except(mut self, words: &'static [&'static str]) -> Mistake {
        self.excepted = words;
        self
    }
}

const VALIDATE: &str = "auroraml validate shop.yaml";
const PLAN: &str = "auroraml plan shop.yaml --sandbox --sandbox-speed max";

fn on_the_command_line() -> Vec<Mistake> {
    let good = || format!("{HEAD}bucket: {{}}\n");
    let typed = |what, line| mistake(Newcomer, what, good(), line);
    vec![
        typed("a typo in a command", "auroraml aply shop.yaml"),
        typed("a typo in a flag", "auroraml plan shop.yaml --formt json"),
        typed("a value that there is not", "auroraml plan shop.yaml --format xml"),
        typed("the file before the command", "auroraml shop.yaml plan"),
        typed("the file without a command", "auroraml shop.yaml"),
        typed("a flag before its command", "auroraml --detailed-exitcode plan shop.yaml"),
        typed("no file at all", "auroraml plan"),
        typed("a typo in the file", "auroraml plan shpo.yaml"),
        typed("a folder without specs", "auroraml plan empty"),
        typed("a folder where a file is wanted", "auroraml status empty"),
        typed("specs of which none is like it", "auroraml plan elsewhere/no-such-spec.yaml"),
        typed(
            "a sandbox in a file of another name",
            "auroraml plan shop.yaml --sandbox sb.db --sandbox-speed max",
        ),
        typed(
            "a sandbox in a file of another name, of one spec",
            "auroraml status shop.yaml --sandbox sb.db",
        ),
        typed("help for a command that there is not", "auroraml help aply"),
        typed("Terraform's --auto-approve", "auroraml apply shop.yaml --auto-approve"),
        typed("Terraform's -out", "auroraml plan shop.yaml -out=plan.json"),
        typed("Terraform's -target", "auroraml apply shop.yaml -target=bucket.main"),
        typed("Terraform's -var", "auroraml plan shop.yaml -var stage=prod"),
        typed("Terraform's -auto-approve", "auroraml apply shop.yaml -auto-approve"),
        typed("Terraform's init, in a folder that has its spec", "auroraml init shop.yaml"),
        typed("Terraform's fmt", "auroraml fmt shop.yaml"),
        typed("Terraform's show", "auroraml show shop.yaml"),
        typed("Terraform's output", "auroraml output shop.yaml"),
        typed("Terraform's import", "auroraml import shop"),
        typed("Pulumi's up", "auroraml up shop.yaml"),
        typed("Compose's down", "auroraml down shop.yaml"),
        typed("the CDK's diff", "auroraml diff shop.yaml"),
        typed("kubectl's -f of a plan", "auroraml plan -f shop.yaml"),
        typed("kubectl's -f", "auroraml apply -f shop.yaml"),
        typed("kubectl's --dry-run", "auroraml apply shop.yaml --dry-run"),
        typed("kubectl's delete", "auroraml delete shop.yaml"),
        typed("kubectl's get", "auroraml get shop.yaml"),
        typed("the AWS CLI's --region", "auroraml plan shop.yaml --region us-east-1"),
        typed("the AWS CLI's deploy", "auroraml deploy shop.yaml"),
        typed("--stack-name", "auroraml status shop.yaml --stack-name shop"),
        typed("a speed without a sandbox", "auroraml plan shop.yaml --sandbox-speed 50"),
        typed("a sandbox that nobody serves", "auroraml plan shop.yaml --sandbox=http://localhost:1"),
        typed("an address that is not this machine's", "auroraml sandbox --listen 203.0.113.1:4599"),
        typed("a port without an end", "auroraml sandbox --listen localhost:99999"),
        typed("a code that there is not", "auroraml explain vpc-quotas"),
        typed("a sandbox file that is another file", "auroraml plan shop.yaml --sandbox=shop.yaml"),
    ]
}

fn in_the_layout_of_a_spec() -> Vec<Mistake> {
    let spec = |what, text: String| mistake(Newcomer, what, text, VALIDATE);
    let network = "  cidr: 10.0.0.0/16\n  private_subnets: [10.0.1.0/24, 10.0.2.0/24]\n";
    vec![
        spec("an empty file", String::new()),
        spec("a line that is indented too far", format!("{HEAD}network:\n  cidr: 10.0.0.0/16\n   nat: none\n")),
        spec("a line that is not indented enough", format!("{HEAD}network:\n    cidr: 10.0.0.0/16\n  nat: none\n")),
        spec("lines that are not indented at all", format!("{HEAD}network:\n{}", network.replace("  ", ""))),
        spec(
            "a key of the cluster below its instance",
            format!("{HEAD}{NETWORK}aurora:\n  instances:\n    - class: db.r6g.large\n      database: shop\n"),
        ),
        spec("tabs", format!("{HEAD}network:\n\tcidr: 10.0.0.0/16\n")),
        spec("a key without a colon", "stack shop\nregion: us-east-1\n".into()),
        spec("a key without a space", "stack:shop\nregion: us-east-1\n".into()),
        spec("a key without a colon, further down", format!("{HEAD}bucket {{}}\n")),
        spec("a key without a space, before a comment", "region: us-east-1\nstack:shop  # ours\n".into()),
        spec("a quote that is not closed", "stack: \"shop\nregion: us-east-1\n".into()),
        spec("Windows line ends, and a typo", format!("{HEAD}buckets: {{}}\n").replace('\n', "\r\n")),
        spec("a byte order mark, and a typo", format!("\u{feff}{HEAD}buckets: {{}}\n")),
        spec("JSON without a comma", "{\n  \"stack\": \"shop\"\n  \"region\": \"us-east-1\"\n}\n".into()),
        spec("a key twice", format!("{HEAD}bucket: {{}}\nregion: eu-west-1\n")),
        spec("a key without a value", format!("{HEAD}bucket:\n")),
        spec("two documents", format!("{HEAD}---\n{HEAD}")),
        spec(
            "a CloudFormation template",
            "AWSTemplateFormatVersion: \"2010-09-09\"\nResources:\n  Cluster: { Type: AWS::RDS::DBCluster }\n".into(),
        ),
        spec("a Terraform file", "resource \"aws_rds_cluster\" \"main\" {\n  engine = \"aurora-mysql\"\n}\n".into()),
        spec("a Kubernetes manifest", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: shop }\n".into()),
        spec("a version of the format", format!("version: 2\n{HEAD}")),
        spec("a boolean in quotes", cluster("  data_api: \"yes\"\n")),
    ]
}

fn in_the_values_of_a_spec() -> Vec<Mistake> {
    let newcomer = |what, text: String| mistake(Newcomer, what, text, VALIDATE);
    let administrator = |what, text: String| mistake(DatabaseAdministrator, what, text, VALIDATE);
    let scientist = |what, text: String| mistake(DataScientist, what, text, VALIDATE);
    let endpoint =
        |lines: &str| format!("{HEAD}endpoints:\n  churn:\n    instance: ml.m5.large\n    model: {lines}\n");
    vec![
        newcomer("a region with a typo", "stack: shop\nregion: us-est-1\n".into()),
        newcomer("an availability zone as the region", "stack: shop\nregion: us-east-1a\n".into()),
        newcomer("a stack in upper case", "stack: Shop\nregion: us-east-1\n".into()),
        newcomer("no region", "stack: shop\n".into()),
        newcomer("one subnet", cluster("").replace(", 10.0.2.0/24", "")),
        newcomer("a cluster that nobody can reach", cluster("").replace("  allow_from: [10.0.0.0/16]\n", "")),
        newcomer("a misspelt instance class", cluster("").replace("db.r6g.large", "db.r6g.larg")),
        newcomer("a name of a bucket with s3://", format!("{HEAD}bucket: {{ name: \"s3://shop\" }}\n")),
        administrator(
            "an instance class of RDS for MySQL",
            cluster("").replace("db.r6g.large", "db.m5.large"),
        ),
        administrator("a password in the spec", cluster("  password: hunter2\n")),
        administrator(
            "a cluster open to all",
            cluster("").replace("allow_from: [10.0.0.0/16]", "allow_from: [0.0.0.0/0]"),
        ),
        administrator("MySQL's engine", cluster("  engine: mysql\n")),
        administrator("MySQL's version", cluster("  engine_version: 8.0.35\n")),
        administrator("a parameter with a typo", cluster("  parameters: { max_conections: 500 }\n")),
        administrator(
            "the parameter of a role, by hand",
            cluster("  parameters: { aws_default_sagemaker_role: arn }\n"),
        ),
        administrator(
            "the Data API on a T class",
            cluster("  data_api: true\n").replace("db.r6g.large", "db.t4g.medium"),
        ),
        administrator("a window in words", cluster("  restart: { window: sunday night }\n")),
        administrator(
            "the ARN of a cluster",
            format!("{HEAD}aurora: {{ existing: \"arn:aws:rds:us-east-1:111122223333:cluster:shop\" }}\n"),
        ),
        mistake(
            DatabaseAdministrator,
            "a cluster that there is not",
            format!("{HEAD}aurora: {{ existing: orders }}\nmachine_learning: {{ comprehend: true }}\n"),
            PLAN,
        ),
        mistake(
            DatabaseAdministrator,
            "a cluster with a typo",
            format!("{HEAD}aurora: {{ existing: ordres }}\nmachine_learning: {{ comprehend: true }}\n"),
            "auroraml plan shop.yaml --sandbox=world.json --sandbox-speed max",
        ),
        administrator(
            "a key of another region",
            format!(
                "{HEAD}bucket: {{}}\nkms_key: arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012\n"
            ),
        ),
        scientist(
            "a misspelt type of an endpoint's instance",
            endpoint("{ image: \"xgboost:1.7-1\", artifact: s3://models/a }")
                .replace("ml.m5.large", "ml.m5.larg"),
        ),
        scientist(
            "an artifact by https",
            endpoint("{ image: \"xgboost:1.7-1\", artifact: \"https://models/a\" }"),
        ),
        scientist("an image of Docker Hub", endpoint("{ image: \"python:3\", artifact: s3://models/a }")),
        scientist(
            "an endpoint with a typo",
            cluster(
                "machine_learning: { sagemaker: { endpoints: [chrun] } }\nendpoints: { churn: { managed_by: notebook } }\n",
            ),
        ),
        scientist(
            "no way from the cluster to its endpoint",
            cluster(
                "machine_learning: { sagemaker: { endpoints: [churn] } }\nendpoints: { churn: { managed_by: notebook } }\n",
            ),
        ),
        scientist(
            "files of a notebook without a bucket",
            format!(
                "{HEAD}{}notebook: {{ instance: ml.t3.medium, files: [churn.ipynb] }}\n",
                NETWORK.replace(" }", ", public_subnets: [10.0.101.0/24], nat: single }")
            ),
        ),
        scientist(
            "a type of pandas",
            cluster(
                "  database: shop\n  data_api: true\ntables: { churn: { columns: { state: string } } }\n",
            ),
        ),
        mistake(
            DataScientist,
            "a spec in place of a sandbox",
            format!("{HEAD}bucket: {{}}\n"),
            "auroraml cost shop.json",
        ),
    ]
}

/// Commands that would change something, and stop to ask where nobody can answer.
fn where_nobody_can_answer() -> Vec<Mistake> {
    let good = || format!("{HEAD}bucket: {{ on_destroy: empty }}\n");
    let notebook = format!(
        "{HEAD}{}notebook: {{ instance: ml.t3.medium }}\n",
        NETWORK.replace(" }", ", public_subnets: [10.0.101.0/24], nat: single }")
    );
    let asked = |what, line| mistake(PipelineAuthor, what, good(), line);
    let up = "apply shop.yaml --yes --sandbox --sandbox-speed max";
    vec![
        asked("apply without a terminal", "auroraml apply shop.yaml --sandbox --sandbox-speed max"),
        asked(
            "apply without a terminal, of a plan that was reviewed",
            "auroraml apply shop.yaml --plan saved.json --sandbox --sandbox-speed max",
        ),
        asked("apply of a folder without a terminal", "auroraml apply . --sandbox --sandbox-speed max"),
        asked("destroy without a terminal", "auroraml destroy shop.yaml --sandbox --sandbox-speed max")
            .after(up),
        asked(
            "destroy without a spec and without a terminal",
            "auroraml destroy --all-tagged shop --region us-east-1 --sandbox --sandbox-speed max",
        )
        .after(up),
        mistake(
            PipelineAuthor,
            "pause without a terminal",
            notebook,
            "auroraml pause shop.yaml --sandbox --sandbox-speed max",
        )
        .after(up),
        asked("resume without a terminal", "auroraml resume shop.yaml --sandbox --sandbox-speed max"),
        // What is typed cannot be done without more, and there are milder ways: the answer names them all, the command that
        // allows the interruption among them. The plan above it says what gives the cluster its own parameter group back.
        mistake(
            DatabaseAdministrator,
            "a restart that was not allowed",
            SPEC,
            "auroraml apply shop.yaml --sandbox=world.json --sandbox-speed max",
        )
        .except(&["--allow", "--accept-pending", "destroy"]),
    ]
}

fn in_a_pipeline() -> Vec<Mistake> {
    let good = || format!("{HEAD}bucket: {{}}\n");
    let pipeline = |what, spec: String, line| mistake(PipelineAuthor, what, spec, line);
    let away = "http://127.0.0.1:1";
    vec![
        pipeline(
            "a variable that is not set",
            "stack: shop-${env:STAGE}\nregion: us-east-1\n".into(),
            VALIDATE,
        ),
        pipeline("a variable that may be a secret", cluster("  username: ${env:DB_PASSWORD}\n"), VALIDATE),
        pipeline(
            "a variable that the spec does not have",
            good(),
            "auroraml validate shop.yaml --set stage=prod",
        ),
        pipeline(
            "a role of another partition",
            format!(
                "{}roles: {{ comprehend: \"arn:aws-cn:iam::111122223333:role/ml\" }}\n",
                cluster("machine_learning: { comprehend: true }\n")
                    .replace(" }\naurora", ", endpoints: [comprehend] }\naurora")
            ),
            VALIDATE,
        ),
        pipeline(
            "a plan that was never saved",
            good(),
            "auroraml apply shop.yaml --plan plan.json --sandbox --sandbox-speed max",
        ),
        pipeline(
            "a plan in place of the spec",
            good(),
            "auroraml apply saved.json --sandbox --sandbox-speed max",
        ),
        pipeline(
            "a plan of another spec",
            good(),
            "auroraml apply shop.yaml --plan saved.json --sandbox --sandbox-speed max",
        ),
        pipeline(
            "a plan of another version",
            good(),
            "auroraml apply shop.yaml --plan old.json --sandbox --sandbox-speed max",
        ),
        pipeline("no credentials", good(), "auroraml plan shop.yaml"),
        pipeline("a profile that there is not", good(), "auroraml plan shop.yaml --profile prod"),
        pipeline("a profile with a typo", good(), "auroraml plan shop.yaml").with("AWS_PROFILE", "dve"),
        pipeline("a profile where there is none", good(), "auroraml plan shop.yaml")
            .with("AWS_PROFILE", "prod")
            .with("AWS_CONFIG_FILE", "no-such-file"),
        pipeline("a key without its secret", good(), "auroraml plan shop.yaml")
            .with("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        pipeline("a profile with half of a key", good(), "auroraml plan shop.yaml --profile half"),
        pipeline("a sign-in that has expired", good(), "auroraml plan shop.yaml --profile dev"),
        pipeline("an endpoint without encryption", good(), "auroraml plan shop.yaml")
            .with("AWS_ENDPOINT_URL", "http://emulator.example:4566")
            .with("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .with("AWS_SECRET_ACCESS_KEY", "example"),
        pipeline("an endpoint where nothing listens", good(), "auroraml plan shop.yaml")
            .with("AWS_ENDPOINT_URL", away)
            .with("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .with("AWS_SECRET_ACCESS_KEY", "example"),
        pipeline("credentials that AWS does not know", good(), "auroraml plan shop.yaml")
            .with("AWS_ENDPOINT_URL", "REFUSES")
            .with("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .with("AWS_SECRET_ACCESS_KEY", "example"),
        pipeline("an endpoint that is no URL", good(), "auroraml plan shop.yaml")
            .with("AWS_ENDPOINT_URL", "localhost:4566")
            .with("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .with("AWS_SECRET_ACCESS_KEY", "example"),
        pipeline(
            "a stack that there is not",
            good(),
            "auroraml destroy --all-tagged shpo --region us-east-1 --sandbox --sandbox-speed max",
        ),
        pipeline(
            "events into a folder that there is not",
            good(),
            "auroraml apply shop.yaml --yes --events logs/events.jsonl --sandbox --sandbox-speed max",
        ),
        pipeline(
            "a lease in a bucket that there is not",
            format!("{HEAD}lease: s3://acme-operations/leases\nbucket: {{}}\n"),
            "auroraml apply shop.yaml --yes --sandbox --sandbox-speed max",
        ),
    ]
}

/// What every folder has beside the spec. `world`: a sandbox with a cluster that others made.
fn folder(mistake: &Mistake, world: &Path) -> Place {
    let place = Place::new();
    place.write("shop.yaml", &mistake.spec);
    std::fs::create_dir(place.path("empty")).unwrap();
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    for name in ["one.yaml", "two.yaml", "three.yml", "four.yaml"] {
        std::fs::write(place.path("elsewhere").join(name), "").unwrap();
    }
    std::fs::create_dir(place.path(".aws")).unwrap();
    place.write(
        ".aws/config",
        "[profile dev]\nsso_session = acme\nsso_account_id = 111122223333\nsso_role_name = Dev\n\
         [sso-session acme]\nsso_region = us-east-1\nsso_start_url = https://acme.awsapps.com/start\n",
    );
    place.write(".aws/credentials", "[half]\naws_access_key_id = AKIAEXAMPLE\n");
    if let Some(line) = mistake.before {
        let ran = place.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    if mistake.line.contains("world.json") {
        std::fs::copy(world, place.path("world.json")).unwrap();
    }
    if mistake.line.contains("saved.json") || mistake.line.contains("old.json") {
        place.write("other.yaml", &format!("{HEAD}bucket: {{ on_destroy: empty }}\n"));
        let ran =
            place.run(&["plan", "other.yaml", "--out", "saved.json", "--sandbox", "--sandbox-speed", "max"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let saved = place.read("saved.json");
        assert!(saved.contains("\"format\": 2"), "{saved}");
        place.write("old.json", &saved.replacen("\"format\": 2", "\"format\": 1", 1));
    }
    place
}

/// Answers every request as AWS does to a key that it does not know, and says where.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 8192];
            let _ = stream.read(&mut request);
            // As STS answers (https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html).
            let body = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                        <Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.\
                        </Message></Error><RequestId>1</RequestId></ErrorResponse>";
            let _ = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}

fn run(mistake: &Mistake, world: &Path) -> Ran {
    let place = folder(mistake, world);
    let words: Vec<&str> = mistake.line.split(' ').skip(1).collect();
    let mut command = place.command(&words);
    for (name, value) in &mistake.environment {
        match value.as_str() {
            "REFUSES" => command.env(name, refusing()),
            value => command.env(name, value),
        };
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let mut ran =
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) };
    let home = place.path("").display().to_string();
    for told in [&mut ran.out, &mut ran.err] {
        *told = told.replace(home.trim_end_matches('/'), "HOME");
    }
    ran
}

#[tokio::test(start_paused = true)]
async fn every_mistake_has_an_answer_that_helps() {
    let orders = with_orders(2).await;
    let all = [
        on_the_command_line(),
        in_the_layout_of_a_spec(),
        in_the_values_of_a_spec(),
        in_a_pipeline(),
        where_nobody_can_answer(),
    ];
    let all: Vec<Mistake> = all.into_iter().flatten().collect();
    assert!(all.len() >= 40, "{}", all.len());
    for who in [Newcomer, DatabaseAdministrator, DataScientist, PipelineAuthor] {
        assert!(all.iter().any(|mistake| mistake.who == who), "{who:?}");
    }
    let mut text = String::new();
    for mistake in &all {
        let ran = run(mistake, &orders.path("world.json"));
        let _ = write!(text, "## {:?}: {}\n$ {}\n", mistake.who, mistake.what, mistake.line);
        for told in [&ran.out, &ran.err] {
            for line in told.lines().filter(|line| !line.starts_with("Using ")) {
                let _ = writeln!(text, "{line}");
            }
        }
        let _ = writeln!(text, "(exit code {})\n", ran.code);
        harmless(mistake, &ran);
    }
    golden_at("tests/data/mistakes.txt", &text);
}

/// No answer names what is stronger than what was typed, and none is silent.
fn harmless(mistake: &Mistake, ran: &Ran) {
    let told = format!("{}\n{}", ran.out, ran.err);
    assert!(!told.trim().is_empty(), "{}: nothing is said", mistake.what);
    // A run without a lease looks after itself.
    assert!(!told.contains("lease none") && !told.contains("lease: none"), "{}: {told}", mistake.what);
    assert!(!told.contains("panicked") && !told.contains("a bug"), "{}: {told}", mistake.what);
    // What stands in the spec may be shown again.
    let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let typed: Vec<&str> = mistake.line.split(' ').chain(mistake.spec.split(|c| !is_word(c))).collect();
    // Who would delete may be told how to look at that first.
    let is_look = |command: &&str| command.starts_with("auroraml plan ");
    let looks: Vec<&str> = told.split('`').filter(is_look).collect();
    let shown =
        looks.iter().fold(told.replace("plan SPEC --destroy", ""), |shown, look| shown.replace(look, ""));
    for word in shown.split(|c| !is_word(c)).filter(|word| STRONG.contains(word)) {
        assert!(
            typed.contains(&word) || mistake.excepted.contains(&word),
            "{}: `{}` is answered with {word}:\n{told}",
            mistake.what,
            mistake.line
        );
    }
}
