//! `graph`: the stack as a picture.

use super::args::Global;
use super::exit::{Error, Exit};
use super::printer::Printer;
use super::session::{Session, block_on, no_plan};
use super::{cost, files};
use auroraml::run::reconcile::{PrepareError, survey};
use auroraml_core::model::{Intent, Order};
use auroraml_core::render::graph::Picture;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Characters of a Mermaid text that GitHub draws, and lines between its boxes (Mermaid's `maxTextSize` and `maxEdges`).
const TEXT_MAX: usize = 50_000;
const EDGES_MAX: usize = 500;

/// Draw a stack: its resources, what needs what, and what differs from what is there. Changes nothing.
///
/// GitHub draws the default, Mermaid: in a file NAME.mmd, or in a fenced block of the language mermaid in a comment.
#[derive(Debug, Args)]
pub struct Graph {
    /// The spec; `-` is stdin.
    pub spec: PathBuf,
    /// Form of the picture.
    #[arg(long, value_enum, default_value_t)]
    pub format: GraphFormat,
    /// Write the picture to FILE instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Ask AWS nothing: only what the spec comes to.
    #[arg(long)]
    pub offline: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// Text that GitHub, GitLab and many editors draw.
    #[default]
    Mermaid,
    /// A drawing of its own.
    Svg,
}

pub fn graph(args: &Graph, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    if args.offline {
        let imagined = cost::imagined(&args.spec, global, printer)?;
        let place = &imagined.place;
        return show(args, &Picture::of_wanted(&place.stack, &place.region, &imagined.graph), printer);
    }
    block_on(global, compared(args, global, printer))
}

async fn compared(args: &Graph, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let session = Session::open(&args.spec, global, printer).await?;
    // Nobody is woken for a picture.
    let order = Order { wake: false, ..Intent::Apply.into() };
    let survey = Box::pin(survey(&session.stack, order)).await;
    let shown = survey.map_err(no_plan).and_then(|survey| {
        let (graph, plan, _) =
            survey.planned.map_err(|problems| no_plan(PrepareError::Preflight(problems)))?;
        let place = &session.stack.aws.place;
        show(args, &Picture::of_plan(&place.stack, &place.region, &graph, &plan, false), printer)
    });
    session.close(shown)
}

fn show(args: &Graph, picture: &Picture, printer: &Printer) -> Result<Exit, Error> {
    let text = match args.format {
        GraphFormat::Mermaid => picture.to_mermaid(),
        GraphFormat::Svg => picture.to_svg(),
    };
    match &args.out {
        Some(path) => files::write(path, &text)?,
        None => printer.data(&text)?,
    }
    if args.format == GraphFormat::Mermaid && (text.len() > TEXT_MAX || picture.edges.len() > EDGES_MAX) {
        printer.talk("note: GitHub does not draw a picture of this size; use --format svg\n");
    }
    Ok(Exit::Done)
}
