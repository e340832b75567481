//! `export`: a spec as a template for those who go on without auroraml.

use super::args::Global;
use super::exit::{Error, Exit, Trouble};
use super::files::{self, Source};
use super::printer::Printer;
use super::session::{Session, block_on, no_plan, parse};
use auroraml::run::reconcile::prepare;
use auroraml_clock::Clock;
use auroraml_core::base::counted;
use auroraml_core::export::{Exported, Given, Refused, export as exported};
use auroraml_core::model::Intent;
use auroraml_core::render::plain;
use auroraml_core::spec::Spec;
use auroraml_core::template::LARGEST_INLINE;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Write a CloudFormation template for a spec.
///
/// The template works in any account and region. AWS is asked only with --resolve. What CloudFormation cannot do is listed
/// in the template and on the terminal.
#[derive(Debug, Args)]
pub struct Export {
    /// The spec; `-` reads stdin.
    pub spec: PathBuf,
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Write the template to FILE instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ask AWS for the exact engine version and for suitable availability zones.
    #[arg(long)]
    pub resolve: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// YAML, with comments.
    #[default]
    Cloudformation,
    /// JSON.
    CloudformationJson,
}

pub fn export(args: &Export, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    if args.resolve {
        return block_on(global, asked(args, global, printer));
    }
    let source = files::read_spec(&args.spec)?;
    let spec = parse(&source, global, printer)?;
    write(args, &source, &spec, Given::default(), printer)
}

/// With what a plan would decide of which AWS knows: the version, and the zones of the subnets.
async fn asked(args: &Export, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    // Read once more by the session: stdin gives a spec once only.
    if args.spec == Path::new("-") {
        return Err(Error::new("--resolve", "needs a file", "save the spec to a file first"));
    }
    let session = Session::open(&args.spec, global, printer).await?;
    let result = match prepare(&session.stack, Intent::Apply).await.map_err(no_plan) {
        Ok(prepared) => {
            let source = files::read_spec(&args.spec)?;
            let known = Given::of(&session.stack.spec, &prepared.graph);
            write(args, &source, &session.stack.spec, known, printer)
        }
        Err(error) => Err(error),
    };
    session.close(result)
}

fn write(
    args: &Export,
    source: &Source,
    spec: &Spec,
    known: Given,
    printer: &Printer,
) -> Result<Exit, Error> {
    let content = files::beside(&source.folder);
    let hash =
        |path: &str| content(path).map(|bytes| files::sha256(&bytes)).map_err(|error| error.to_string());
    let text = |path: &str| {
        let bytes = content(path).map_err(|error| error.to_string())?;
        String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_string())
    };
    let given = Given {
        today: super::time(Clock::real().now_ms()).chars().take("YYYY-MM-DD".len()).collect(),
        files: spec.files().into_iter().map(|path| (path.to_string(), hash(path))).collect(),
        templates: spec.templates().into_iter().map(|path| (path.to_string(), text(path))).collect(),
        ..known
    };
    let exported = exported(spec, &given).map_err(refused)?;
    let text = match args.format {
        Format::Cloudformation => &exported.yaml,
        Format::CloudformationJson => &exported.json,
    };
    match &args.out {
        Some(path) => {
            files::write(path, text)?;
            printer.talk(&format!("wrote {}: {}\n", path.display(), counted(exported.resources, "resource")));
        }
        None => printer.data(text)?,
    }
    tell(args, &exported, text.len(), printer);
    Ok(Exit::Done)
}

fn refused(refused: Vec<Refused>) -> Error {
    let troubles =
        refused.into_iter().map(|one| Trouble { object: Some(one.what), why: one.why, help: Some(one.hint) });
    Error { exit: Exit::Refused, troubles: troubles.collect() }
}

/// What the template says in its comments, for whoever does not read them.
fn tell(args: &Export, exported: &Exported, size: usize, printer: &Printer) {
    for lost in &exported.lost {
        printer.say(&format!("note: {}\n", plain::line(&lost.to_string())));
    }
    if size > LARGEST_INLINE {
        printer.say(&format!(
            "note: the template has {size} bytes, too many for one request: `aws cloudformation deploy` needs --s3-bucket\n"
        ));
    }
    let file = args.out.as_ref().map_or("FILE".to_string(), |path| path.display().to_string());
    for (n, step) in exported.steps.iter().enumerate() {
        printer.talk(&format!(
            "{}. {}\n",
            n + 1,
            plain::line(&step.replace("--template-file FILE", &format!("--template-file {file}")))
        ));
    }
}
