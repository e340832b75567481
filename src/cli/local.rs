//! Commands that need neither AWS nor a runtime.

use super::args::{Global, Init, Schema, SchemaOf, Validate};
use super::exit::{Error, Exit};
use super::printer::Printer;
use super::session::variables;
use super::{files, fleet, hint};
use auroraml_core::{render, spec};
use clap::Args;
use std::fs::OpenOptions;
use std::io::{self, Write};

pub fn init(args: &Init, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let name = args.file.display().to_string();
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .and_then(|mut file| file.write_all(spec::STARTER.as_bytes()));
    match written {
        Ok(()) => {
            // Whoever said where keeps to it; nobody else is sent to a real account.
            let mut words = args.plan();
            if global.sandbox.is_none() && global.profile.is_none() {
                words.push("--sandbox".into());
            }
            printer.talk(&format!("wrote {name}\nnext: {}\n", hint::command(words, global)));
            Ok(Exit::Done)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Others prepare a folder with this word; here there is nothing to prepare.
            let help = format!(
                "plan it: {}; for a new spec: auroraml init NAME",
                hint::command(args.plan(), global)
            );
            Err(Error::new(name, "already exists", help))
        }
        Err(error) => Err(Error::new(name, format!("cannot be written: {error}"), "choose another folder")),
    }
}

pub fn validate(args: &Validate, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let mut exit = Exit::Done;
    let paths = args.files.iter().flat_map(|path| match path.is_dir() {
        true => fleet::folder(path)
            .map_or_else(|error| vec![Err(error)], |paths| paths.into_iter().map(Ok).collect()),
        false => vec![Ok(path.clone())],
    });
    for path in paths {
        match path.and_then(|path| files::read_spec(&path)) {
            Ok(source) => match variables(global, |given| spec::read(&source.bytes, given))? {
                Ok((spec, warnings)) => {
                    printer.say(&warnings.render(&source.name, &String::from_utf8_lossy(&source.bytes)));
                    printer.talk(&format!("{}: valid (stack {})\n", source.name, spec.stack));
                }
                Err(problems) => {
                    exit = Exit::Error;
                    printer.data(&problems.render(&source.name, &String::from_utf8_lossy(&source.bytes)))?;
                }
            },
            Err(error) => {
                exit = Exit::Error;
                printer.error(&error);
            }
        }
    }
    Ok(exit)
}

pub fn schema(args: &Schema, printer: &Printer) -> Result<Exit, Error> {
    printer.data(&match args.of {
        SchemaOf::Spec => spec::json_schema(),
        SchemaOf::Plan => render::json::schema(),
        SchemaOf::Drift => render::drift::schema(),
    })?;
    Ok(Exit::Done)
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

pub fn completions(args: &Completions, printer: &Printer) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "auroraml", &mut script);
    printer.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
