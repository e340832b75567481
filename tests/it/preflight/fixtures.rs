//! A failing and a passing situation for each code, and the page that explains it.

use crate::harness::{Account, spec};
use auroraml::aws::{Connection, SecretText, simulated_config, simulated_config_as};
use auroraml::run::reconcile::{PrepareError, prepare};
use auroraml::stack::Stack;
use auroraml_core::model::{Code, Intent, Preflight};
use auroraml_core::spec::Spec;
use auroraml_sandbox::Region;
use auroraml_sandbox::World;
use auroraml_sandbox::random::Mood;
use aws_config::SdkConfig;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const DESTROY: Intent = Intent::Destroy { unprotect: false };
const PAGE: &str = "docs/preflight.md";
/// The page is written by several tests.
static WRITING: Mutex<()> = Mutex::new(());

/// An account as somebody has left it, and what is to be planned in it.
pub struct Situation {
    pub account: Account,
    pub spec: Spec,
    pub intent: Intent,
    /// Name of the final snapshot in the plan that was reviewed.
    pub snapshot: Option<String>,
    /// Whatever local file the spec names has this content.
    pub files: Option<Vec<u8>>,
}

impl Situation {
    /// An account with what AWS puts into it.
    pub fn new(text: &str) -> Situation {
        Situation {
            account: Account::new(1, Mood::Calm),
            spec: spec(text),
            intent: Intent::Apply,
            snapshot: None,
            files: None,
        }
    }

    /// One in which the stack stands.
    pub async fn applied(text: &str) -> Situation {
        let situation = Situation::new(text);
        situation.account.apply(&situation.spec).await;
        situation
    }

    pub fn planning(self, text: &str) -> Situation {
        Situation { spec: spec(text), ..self }
    }

    pub fn destroying(self) -> Situation {
        Situation { intent: DESTROY, ..self }
    }

    /// The same with another account's state.
    pub fn world(self, change: impl FnOnce(&mut World)) -> Situation {
        self.account.sandbox.with(change);
        self
    }

    pub fn region(self, change: impl FnOnce(&mut Region)) -> Situation {
        let name = self.spec.region.clone();
        self.world(|world| change(world.regions.entry(name).or_default()))
    }

    /// What somebody else in the account works with.
    pub fn config(&self) -> SdkConfig {
        let sandbox = &self.account.sandbox;
        simulated_config(&self.spec.region, sandbox.http_client(), &sandbox.clock())
    }

    pub async fn wait(&self, seconds: u64) {
        self.account.sandbox.clock().sleep(Duration::from_secs(seconds)).await;
    }

    pub async fn problems(&self) -> Result<(), Vec<Preflight>> {
        let sandbox = &self.account.sandbox;
        let (clock, files) = (sandbox.clock(), self.files.clone());
        let connection = Connection {
            config: simulated_config_as(
                &self.account.caller,
                &self.spec.region,
                sandbox.http_client(),
                &clock,
            ),
            plain_http: None,
            clock,
            files: Arc::new(move |path| match &files {
                Some(content) => Ok(content.clone()),
                None => std::fs::read(Path::new("specs").join(path)),
            }),
            passwords: Arc::new(|_| Some(SecretText::new(crate::harness::CANARY.into()))),
        };
        let mut stack = Stack::connect(self.spec.clone(), connection).await.unwrap();
        stack.final_snapshot.clone_from(&self.snapshot);
        let before = self.account.mutations();
        let prepared = prepare(&stack, self.intent).await;
        assert_eq!(self.account.mutations(), before, "a check changed something");
        match prepared {
            Ok(prepared) => {
                assert!(prepared.plan.blocked.is_empty(), "{:?}", prepared.plan.blocked);
                // For whoever wonders why nothing was found.
                println!("{:?}", prepared.plan.notes);
                Ok(())
            }
            Err(PrepareError::Preflight(problems)) => Err(problems),
            Err(PrepareError::Aws(failure)) => panic!("{failure}"),
            Err(PrepareError::Bug(why)) => panic!("{why}"),
        }
    }
}

/// Exactly this problem is found in the one situation and none in the other, and nothing is called in either. What is said
/// of it stands in the page.
pub async fn pair(code: Code, failing: Situation, passing: Situation) {
    judged(code, failing.problems().await, passing.problems().await);
}

/// The same of what was found in two situations.
pub fn judged(code: Code, failing: Result<(), Vec<Preflight>>, passing: Result<(), Vec<Preflight>>) {
    let problems = failing.expect_err(&format!("{code}: no problem is found"));
    let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [code], "{problems:?}");
    if let Err(problems) = passing {
        panic!("{code}: a problem where there is none: {problems:?}");
    }
    let Preflight { what, why, hint, .. } = &problems[0];
    shown(code, &format!("error: {what} [{code}]: {why}\n  help: {hint}\n"));
}

/// Whether the page shows the problem as it is told.
fn shown(code: Code, told: &str) {
    let _one = WRITING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let page = std::fs::read_to_string(PAGE).unwrap();
    let head = format!("\n### {code}\n");
    let at = page.find(&head).unwrap_or_else(|| panic!("{PAGE} has no section {code}")) + head.len();
    let end = page[at..].find("\n#").map_or(page.len(), |end| at + end + 1);
    let section = &page[at..end];
    let prose = section.split("```text\n").next().unwrap().trim_end();
    assert!(prose.trim().len() > 40, "{PAGE}: {code} is not explained");
    let wanted = format!("{prose}\n\n```text\n{told}```\n\n");
    let wanted = if end == page.len() { wanted.trim_end().to_string() + "\n" } else { wanted };
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PAGE, format!("{}{wanted}{}", &page[..at], &page[end..])).unwrap();
    } else {
        assert_eq!(section, wanted, "{PAGE}: {code} is not fresh: run with UPDATE=1");
    }
}

/// What a script relies on is what the page says.
#[test]
fn the_page_has_a_section_for_each_code_and_no_other() {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.text()).collect();
    assert_eq!(sections.len(), codes.len());
    assert_eq!(sections.into_iter().collect::<BTreeSet<_>>(), codes);
}

/// A check that nobody has seen fail, and pass, is none.
#[test]
fn every_code_has_its_pair() {
    let mut source = String::new();
    for (_, text) in crate::tidy::files("tests/it/preflight", "rs") {
        source.extend(text.chars().filter(|c| !c.is_whitespace()));
    }
    let missing: Vec<&Code> = Code::ALL
        .iter()
        .filter(|code| {
            !["pair(Code::", "judged(Code::"].iter().any(|call| source.contains(&format!("{call}{code:?},")))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
