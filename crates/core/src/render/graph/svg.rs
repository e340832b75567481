//! A picture as SVG: no scripts, nothing to load, and the same within a page and as a file.

use super::layout::{BOX, Band, Layout, Line, layout};
use super::{Mark, NODES_MAX, Node, Picture};
use crate::render::markup::Markup;
use std::collections::BTreeSet;

/// Colours, on light and on dark ground.
pub(in crate::render) const STYLE: &str = include_str!("graph.css");

/// Columns of a box's second line, and of its first beside a mark: letters of the size that the style says are 7 units
/// wide.
const NAME_MAX: usize = 26;
const KIND_MAX: usize = 18;
/// Below the picture: a line of the legend.
const LEGEND: usize = 22;
const LEGEND_WIDE: usize = 330;

/// As a file of its own.
pub(super) fn file(picture: &Picture) -> String {
    let mut out = Markup::default();
    write(picture, true, &mut out);
    out.line_break();
    out.finish()
}

/// As a part of a page that has the style.
pub(in crate::render) fn draw(picture: &Picture, out: &mut Markup) {
    write(picture, false, out);
}

fn write(picture: &Picture, alone: bool, out: &mut Markup) {
    let large = picture.is_too_large();
    let layout = match large {
        true => Layout { width: 700, height: 40, bands: vec![], boxes: vec![], lines: vec![] },
        false => layout(picture),
    };
    let marks = picture.marks();
    let across = (layout.width / LEGEND_WIDE).max(1);
    let legend = if large { 0 } else { (marks.len() + 1).div_ceil(across) * LEGEND + 8 };
    let top = if alone { 34 } else { 0 };
    let (width, height) = (layout.width, top + layout.height + legend);
    let view = format!("0 0 {width} {height}");
    let (label, class) = (picture.sentence(), "g");
    let namespace = "http://www.w3.org/2000/svg";
    let attributes: [(&'static str, &dyn std::fmt::Display); 7] = [
        ("xmlns", &namespace),
        ("viewBox", &view),
        ("width", &width),
        ("height", &height),
        ("class", &class),
        ("role", &"img"),
        ("aria-label", &label),
    ];
    out.with("svg", &attributes, |svg| {
        if alone {
            svg.with("style", &[], |style| style.literal(STYLE));
            svg.empty("rect", &[("class", &"ground"), ("width", &width), ("height", &height)]);
            svg.leaf("text", &[("class", &"head"), ("x", &14), ("y", &24)], &label);
        }
        let shift = format!("translate(0 {top})");
        svg.with("g", &[("transform", &shift)], |svg| {
            if large {
                let text =
                    format!("{} resources are too many to draw: {NODES_MAX} at most", picture.nodes.len());
                return svg.leaf("text", &[("class", &"text"), ("x", &14), ("y", &24)], text);
            }
            layout.bands.iter().for_each(|band| ground(band, width, svg));
            lines(picture, &layout.lines, svg);
            for (at, (node, place)) in picture.nodes.iter().zip(&layout.boxes).enumerate() {
                resource(picture, at, node, *place, svg);
            }
            key(&marks, across, layout.height, svg);
        });
    });
}

fn ground(band: &Band, width: usize, out: &mut Markup) {
    let (x, wide, baseline) = (6, width - 12, band.top + 18);
    out.empty(
        "rect",
        &[
            ("class", &"band"),
            ("x", &x),
            ("y", &band.top),
            ("width", &wide),
            ("height", &band.height),
            ("rx", &8),
        ],
    );
    out.leaf("text", &[("class", &"head"), ("x", &18), ("y", &baseline)], band.group.title());
}

/// All lines of a box as one path, in the colour of its group, and the tips where they end.
fn lines(picture: &Picture, lines: &[Line], out: &mut Markup) {
    let mut path = String::new();
    let mut ends = BTreeSet::new();
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by_key(|line| (line.from, line.to));
    for (n, line) in lines.iter().enumerate() {
        for (corner, (x, y)) in line.corners.iter().enumerate() {
            path.push_str(&format!("{}{x} {y}", if corner == 0 { 'M' } else { 'L' }));
        }
        ends.extend(line.corners.last());
        if lines.get(n + 1).is_none_or(|next| next.from != line.from) {
            let class = format!("line {}", picture.nodes[line.from].group.word());
            out.empty("path", &[("class", &class), ("d", &std::mem::take(&mut path))]);
        }
    }
    let tips: String = ends.iter().map(|(x, y)| format!("M{x} {y}l-7 -4v8z")).collect();
    if !tips.is_empty() {
        out.empty("path", &[("class", &"tip"), ("d", &tips)]);
    }
}

fn resource(picture: &Picture, at: usize, node: &Node, (x, y): (usize, usize), out: &mut Markup) {
    out.with("g", &[("class", &"node")], |out| {
        out.leaf("title", &[], told(picture, at, node));
        let class = format!("box {}", node.mark.map_or("", Mark::word));
        out.empty(
            "rect",
            &[
                ("class", &class.trim_end()),
                ("x", &x),
                ("y", &y),
                ("width", &BOX.0),
                ("height", &BOX.1),
                ("rx", &5),
            ],
        );
        let (left, first, second) = (x + 10, y + 17, y + 33);
        out.leaf("text", &[("class", &"name"), ("x", &left), ("y", &first)], cut(&node.kind(), KIND_MAX));
        out.leaf("text", &[("class", &"kind"), ("x", &left), ("y", &second)], cut(&node.id.name, NAME_MAX));
        if let Some(mark) = node.mark {
            let (right, class) = (x + BOX.0 - 9, format!("mark {}", mark.word()));
            let text = format!("{} {}", mark.sign(), mark.word());
            out.leaf("text", &[("class", &class), ("x", &right), ("y", &first)], text);
        }
    });
}

/// What a pointer on the box shows, and what a screen reader says.
fn told(picture: &Picture, at: usize, node: &Node) -> String {
    let mut text = node.id.to_string();
    if let Some(mark) = node.mark {
        text.push_str(&format!(": {}", mark.meaning()));
    }
    if let Some(why) = &node.why {
        text.push_str(&format!(" ({why})"));
    }
    let name = |at: &usize| picture.nodes[*at].id.to_string();
    let needs: Vec<String> =
        picture.edges.iter().filter(|(_, needs)| *needs == at).map(|(needed, _)| name(needed)).collect();
    let needed: Vec<String> =
        picture.edges.iter().filter(|(needed, _)| *needed == at).map(|(_, needs)| name(needs)).collect();
    for (what, names) in [("needs", needs), ("is needed by", needed)] {
        if !names.is_empty() {
            text.push_str(&format!("; {what} {}", names.join(", ")));
        }
    }
    text
}

fn key(marks: &[Mark], across: usize, top: usize, out: &mut Markup) {
    let place = |n: usize| (14 + (n % across) * LEGEND_WIDE, top + (n / across) * LEGEND);
    for (n, mark) in marks.iter().enumerate() {
        let (x, y) = place(n);
        let (class, text_x, baseline) = (format!("box {}", mark.word()), x + 38, y + 14);
        out.empty(
            "rect",
            &[("class", &class), ("x", &x), ("y", &(y + 3)), ("width", &28), ("height", &14), ("rx", &3)],
        );
        let text = format!("{} {}: {}", mark.sign(), mark.word(), mark.meaning());
        out.leaf("text", &[("class", &"text"), ("x", &text_x), ("y", &baseline)], text);
    }
    let (x, y) = place(marks.len());
    let (line, tip) = (format!("M{x} {0}H{1}", y + 10, x + 26), format!("M{} {}l-7 -4v8z", x + 28, y + 10));
    out.empty("path", &[("class", &"line"), ("d", &line)]);
    out.empty("path", &[("class", &"tip"), ("d", &tip)]);
    let (text_x, baseline) = (x + 38, y + 14);
    out.leaf(
        "text",
        &[("class", &"text"), ("x", &text_x), ("y", &baseline)],
        "from what is made first to what needs it",
    );
}

/// At most so many columns; letters of other scripts may be as wide as two of ours.
fn cut(text: &str, columns: usize) -> String {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    if text.chars().map(wide).sum::<usize>() <= columns {
        return text.to_string();
    }
    let mut left = columns - 1;
    let mut out = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(wide(c)) else { break };
        left = rest;
        out.push(c);
    }
    out.push('…');
    out
}
