//! Files of other tools that people give in place of a spec, known by their first lines.

use super::node::Place;
use super::problem::Problems;

/// A file of another kind.
struct Kind {
    /// What one of its lines begins with, each of them.
    lines: &'static [&'static str],
    what: &'static str,
    hint: &'static str,
}

const KINDS: [Kind; 9] = [
    Kind { lines: &["AWSTemplateFormatVersion"], what: TEMPLATE, hint: TEMPLATE_HINT },
    Kind { lines: &["Resources:", "Type: AWS::"], what: TEMPLATE, hint: TEMPLATE_HINT },
    Kind { lines: &["resource \"aws_"], what: TERRAFORM, hint: TERRAFORM_HINT },
    Kind { lines: &["provider \"aws\""], what: TERRAFORM, hint: TERRAFORM_HINT },
    Kind { lines: &["terraform {"], what: TERRAFORM, hint: TERRAFORM_HINT },
    Kind {
        lines: &["apiVersion:", "kind:"],
        what: "a Kubernetes manifest",
        hint: "a spec begins with `stack: NAME` and `region: REGION`; `auroraml init` writes one",
    },
    Kind {
        lines: &["nbformat", "cells"],
        what: "a notebook",
        hint: "name it under `notebook.files` in a spec; `auroraml init` writes a spec",
    },
    Kind {
        lines: &["format", "spec_sha256", "live_sha256"],
        what: "a saved plan",
        hint: "give the spec first, and the plan after it with `--plan FILE`",
    },
    Kind {
        lines: &["<!DOCTYPE html"],
        what: "a web page",
        hint: "download the file itself, not the page that shows it",
    },
];

const TEMPLATE: &str = "a CloudFormation template";
const TEMPLATE_HINT: &str =
    "write a spec that runs it under `stacks:`, or see `auroraml help adopt` to take over its stack";
const TERRAFORM: &str = "a Terraform file";
const TERRAFORM_HINT: &str =
    "a spec is YAML and begins with `stack: NAME` and `region: REGION`; `auroraml init` writes one";

/// Lines that are looked at.
const LINES_MAX: usize = 2_000;

/// Says so if the file is of another tool.
pub fn file(source: &str) -> Option<Problems> {
    let bare = |line: &str| line.trim_start_matches(['\u{feff}', ' ', '\t', '{', '"', '-']).to_owned();
    let lines: Vec<String> = source.lines().take(LINES_MAX).map(bare).collect();
    let begins =
        |line: &str, with: &str| line.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    // Whoever names a stack means a spec, and may describe any of these in it.
    if source.lines().any(|line| begins(line.trim_start_matches('\u{feff}'), "stack:")) {
        return None;
    }
    let kind = KINDS
        .iter()
        .find(|kind| kind.lines.iter().all(|wanted| lines.iter().any(|line| begins(line, wanted))))?;
    let first = kind.lines.first()?;
    let at = lines.iter().position(|line| begins(line, first))?;
    let line = source.lines().nth(at)?;
    let column = line.chars().count() - line.trim_start().chars().count() + 1;
    let place = Place { line: at + 1, column, width: line.trim().chars().count().max(1) };
    Some(Problems::at(place, format!("this is {}, not a spec", kind.what), kind.hint.to_owned()))
}
