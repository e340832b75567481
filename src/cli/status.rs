//! `status`: what is there.

use super::args::{Global, SandboxAt, Status, StatusFormat, Terms};
use super::exit::{Error, Exit};
use super::page::PageFile;
use super::printer::Printer;
use super::session::{Session, no_plan};
use super::{hint, terminal};
use auroraml::run::reconcile::survey;
use auroraml_core::base::Observed;
use auroraml_core::kinds::Kind;
use auroraml_core::kinds::parameter_sync::ParameterSync;
use auroraml_core::members::Topology;
use auroraml_core::model::facts::Reached;
use auroraml_core::model::{Intent, Order};
use auroraml_core::render;
use auroraml_core::render::access::{Access, Known};
use auroraml_core::render::status::{Next, Stack};
use auroraml_core::resource::Action;
use auroraml_core::spec::Aurora;
use std::path::Path;

pub async fn status(args: &Status, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let session = Session::open(&args.spec, global, printer).await?;
    let result = show(&session, args, global, printer).await;
    session.close(result)
}

async fn show(session: &Session, args: &Status, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let survey =
        survey(&session.stack, Order { wake: false, ..Intent::Apply.into() }).await.map_err(no_plan)?;
    let reached = survey.facts.existing.as_ref().map(|existing| &existing.reached);
    let mut stack = stack(session, &survey.observed, reached, &args.spec, global);
    let mut cost = None;
    let sheet = PageFile::of(Some(&args.page), "Status", session)?;
    match &survey.planned {
        Ok((_, plan, _)) => {
            stack.compare(plan);
            // First of all: without it there is nothing to look at or to take away.
            if plan.count(Action::Create) > 0 && plan.blocked.is_empty() && !stack.paused {
                let apply = next("apply", "create what is missing", &args.spec, global);
                stack.next.splice(..0, apply);
            }
            sheet.status(session, &survey);
            cost = plan.cost.as_ref().and_then(render::cost::now);
        }
        Err(problems) => {
            for problem in problems {
                let text = format!(
                    "warning: cannot tell what is missing or differs: {}: {}",
                    problem.what, problem.why
                );
                printer.say(&format!("{text}\n"));
            }
        }
    }
    sheet.fill(|page| page.tell_status(stack.clone()));
    sheet.write()?;
    match args.format {
        StatusFormat::Text => {
            let text = stack.to_text_in(terminal::form(global.verbose));
            let cost = cost.map(|cost| format!("\n{cost}")).unwrap_or_default();
            printer.text(&format!("{text}{cost}"))?;
        }
        StatusFormat::Json => printer.data(&stack.to_json())?,
        StatusFormat::Yaml => printer.data(&stack.to_yaml())?,
    }
    Ok(Exit::Done)
}

/// What is there, for showing it. `reached`: how clients reach the cluster of others that the spec names.
pub fn stack(
    session: &Session,
    observed: &Observed,
    reached: Option<&Reached>,
    spec: &Path,
    global: &Global,
) -> Stack {
    let strategy = session.stack.spec.restart().map(|restart| restart.strategy).unwrap_or_default();
    let topology = observed.values().find_map(Topology::told_by);
    let subject = session.subject(false, &Terms::default());
    let mut stack = Stack::new(&subject, observed, topology.as_ref(), strategy);
    let profile = global.profile.iter().flat_map(|name| ["--profile".to_string(), name.clone()]);
    let flags: Vec<String> = profile.collect();
    let secret = match &session.stack.spec.aurora {
        Some(Aurora::Existing(existing)) => existing.secret.clone(),
        _ => None,
    };
    let known =
        Known { subject: &subject, observed, existing: reached, secret: secret.as_deref(), flags: &flags };
    stack.access = Access::of(known);
    // The state of its members is no thing that was made, and of the cluster of others it is all that there is at first.
    if observed.values().any(|live| live.owned && live.id.kind != ParameterSync::NAME) {
        // Without a cluster there is nothing to look into and no host to mention.
        let cluster = topology.is_some() || matches!(session.stack.spec.aurora, Some(Aurora::Existing(_)));
        let what = "check that SQL can call the models";
        stack.next.extend(cluster.then(|| next("verify", what, spec, global)).flatten());
        let what = match session.stack.spec.aurora {
            Some(Aurora::Existing(_)) => "remove what auroraml added; the cluster stays",
            _ => "delete the stack; lists what still costs money",
        };
        stack.next.extend(next("destroy", what, spec, global));
        stack.note = match &global.sandbox {
            Some(SandboxAt::File(_)) => cluster.then(|| SIMULATED.into()),
            Some(SandboxAt::Listener(address)) => {
                Some(format!("simulated: AWS commands need AWS_ENDPOINT_URL=http://{address}"))
            }
            None => None,
        };
    }
    stack
}

/// A command to type next, unless it would have no spec to read because this one's came from stdin.
fn next(command: &str, what: &str, spec: &Path, global: &Global) -> Option<Next> {
    (spec != Path::new(hint::STDIN)).then(|| Next {
        command: hint::command([command.to_string(), spec.display().to_string()], global),
        what: what.into(),
    })
}

/// Said of a sandbox in a file.
const SIMULATED: &str = "simulated: no database listens at this host, and AWS commands need a sandbox that listens \
                         (`auroraml sandbox --listen 127.0.0.1:4599`)";
