//! Where boxes and lines of a picture stand.
//!
//! Each group is a band of its own, from top to bottom in the order in which a stack is built; in a band what is needed
//! stands left of what needs it. All bands share their columns. Lines run in the gutters between columns and in the gaps
//! between rows, never through a box; lines that begin at the same box share a lane, so that they look like one that
//! branches.

use super::{Group, Picture};
use std::collections::{BTreeMap, BTreeSet};

/// Size of a box.
pub const BOX: (usize, usize) = (204, 42);
/// Columns into which the boxes of a band are spread, if they do not need more.
const COLUMNS: usize = 6;
/// Between two lanes.
const LANE: usize = 5;
/// Gutter and gap without lanes.
const GUTTER: usize = 22;
const GAP: usize = 12;
/// Above the first row of a band, for its title.
const TITLE: usize = 26;
/// Between two bands.
const BETWEEN: usize = 16;
/// Around everything.
const MARGIN: usize = 12;

/// A band: where its ground is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    pub group: Group,
    pub top: usize,
    pub height: usize,
}

/// A line from a box to another, from corner to corner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub from: usize,
    pub to: usize,
    pub corners: Vec<(usize, usize)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub width: usize,
    pub height: usize,
    pub bands: Vec<Band>,
    /// The upper left corner of each node's box.
    pub boxes: Vec<(usize, usize)>,
    pub lines: Vec<Line>,
}

/// The cell of a box: its column, and its row counted over all bands.
type Cell = (usize, usize);

pub fn layout(picture: &Picture) -> Layout {
    let (cells, rows) = cells(picture);
    let columns = cells.iter().map(|(column, _)| column + 1).max().unwrap_or(1);
    let lanes = Lanes::of(picture, &cells);
    // From left to right: a gutter before each column.
    let mut x = MARGIN;
    let (mut lefts, mut gutters) = (Vec::new(), Vec::new());
    for column in 0..=columns {
        gutters.push(x + GUTTER / 2);
        x += GUTTER + lanes.wide(Way::Gutter(column));
        lefts.push(x);
        x += BOX.0;
    }
    let width = x - BOX.0 + MARGIN;
    // From top to bottom: a gap before each row, and a title before the first of a band.
    let mut y = MARGIN;
    let (mut tops, mut gaps) = (Vec::new(), Vec::new());
    let mut bands: Vec<Band> = Vec::new();
    for (row, group) in rows.iter().enumerate() {
        if bands.last().is_none_or(|band| band.group != *group) {
            if let Some(last) = bands.last_mut() {
                last.height = y + GAP - last.top;
                y += GAP + BETWEEN;
            }
            bands.push(Band { group: *group, top: y, height: 0 });
            y += TITLE;
        }
        gaps.push(y + GAP / 2);
        y += GAP + lanes.wide(Way::Gap(row));
        tops.push(y);
        y += BOX.1;
    }
    if let Some(last) = bands.last_mut() {
        last.height = y + GAP - last.top;
    }
    let place = |way: Way, source: usize| {
        let start = match way {
            Way::Gutter(column) => gutters[column],
            Way::Gap(row) => gaps[row],
        };
        start + lanes.lane(way, source) * LANE
    };
    let boxes: Vec<(usize, usize)> = cells.iter().map(|(column, row)| (lefts[*column], tops[*row])).collect();
    let lines = picture.edges.iter().map(|(from, to)| {
        // It leaves in the lower half and comes in the upper one: lines that come and lines that go never lie on each other.
        let start = (boxes[*from].0 + BOX.0, boxes[*from].1 + BOX.1 * 2 / 3);
        let end = (boxes[*to].0, boxes[*to].1 + BOX.1 / 3);
        let out = place(Way::Gutter(cells[*from].0 + 1), *from);
        let mut corners = vec![start, (out, start.1)];
        match way(cells[*from], cells[*to]) {
            None => corners.push((out, end.1)),
            Some(_) => {
                let across = place(Way::Gap(cells[*to].1), *from);
                let back = place(Way::Gutter(cells[*to].0), *from);
                corners.extend([(out, across), (back, across), (back, end.1)]);
            }
        }
        corners.push(end);
        corners.dedup();
        Line { from: *from, to: *to, corners }
    });
    let lines = lines.collect();
    Layout { width, height: y + GAP + MARGIN, bands, boxes, lines }
}

/// The gap by which a line goes; none where its boxes stand in neighbouring columns.
fn way(from: Cell, to: Cell) -> Option<Way> {
    (to.0 != from.0 + 1).then_some(Way::Gap(to.1))
}

/// Where lines run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// Before the column of this number.
    Gutter(usize),
    /// Above the row of this number.
    Gap(usize),
}

/// Who uses which lane of which way: a box has the same lane in a way for all its lines.
struct Lanes(BTreeMap<(Way, usize), usize>);

impl Lanes {
    fn of(picture: &Picture, cells: &[Cell]) -> Lanes {
        // From where to where each box's lines run in each way: in halves, for a gap is between two rows.
        let mut spans: BTreeMap<(Way, usize), (usize, usize)> = BTreeMap::new();
        let mut use_of = |way: Way, source: usize, from: usize, to: usize| {
            let span = spans.entry((way, source)).or_insert((from.min(to), from.max(to)));
            *span = (span.0.min(from).min(to), span.1.max(from).max(to));
        };
        for (from, to) in &picture.edges {
            let ((out, row), (into, below)) = (cells[*from], cells[*to]);
            let (start, end) = (2 * row + 1, 2 * below + 1);
            match way(cells[*from], cells[*to]) {
                None => use_of(Way::Gutter(out + 1), *from, start, end),
                Some(gap) => {
                    use_of(Way::Gutter(out + 1), *from, start, 2 * below);
                    use_of(gap, *from, out + 1, into);
                    use_of(Way::Gutter(into), *from, 2 * below, end);
                }
            }
        }
        // The longest first, each in the first lane that is free there.
        let mut order: Vec<_> = spans.into_iter().collect();
        order.sort_by_key(|((way, source), (from, to))| (*way, std::cmp::Reverse(to - from), *source));
        let mut taken: BTreeMap<(Way, usize), Vec<(usize, usize)>> = BTreeMap::new();
        let mut lanes = BTreeMap::new();
        for ((way, source), (from, to)) in order {
            let mut lane = 0;
            loop {
                let others = taken.entry((way, lane)).or_default();
                if others.iter().all(|(first, last)| to < *first || *last < from) {
                    others.push((from, to));
                    break;
                }
                lane += 1;
            }
            lanes.insert((way, source), lane);
        }
        Lanes(lanes)
    }

    fn lane(&self, way: Way, source: usize) -> usize {
        self.0.get(&(way, source)).copied().unwrap_or(0)
    }

    /// What the lanes of a way take.
    fn wide(&self, way: Way) -> usize {
        let lanes = self.0.iter().filter(|((other, _), _)| *other == way);
        lanes.map(|(_, lane)| (lane + 1) * LANE).max().unwrap_or(0)
    }
}

/// The cell of each box, and the group of each row.
fn cells(picture: &Picture) -> (Vec<Cell>, Vec<Group>) {
    let below = everything_below(picture);
    let mut cells = vec![(0, 0); picture.nodes.len()];
    let mut rows = Vec::new();
    for group in Group::ALL {
        let members: Vec<usize> =
            (0..picture.nodes.len()).filter(|at| picture.nodes[*at].group == group).collect();
        if members.is_empty() {
            continue;
        }
        let first = rows.len();
        let (placed, height) = band(&members, &below, picture);
        for (at, (column, row)) in placed {
            cells[at] = (column, first + row);
        }
        rows.extend(std::iter::repeat_n(group, height));
    }
    (cells, rows)
}

/// Everything that each node stands on, at whatever distance.
fn everything_below(picture: &Picture) -> Vec<BTreeSet<usize>> {
    let mut below = vec![BTreeSet::new(); picture.nodes.len()];
    // Each round goes one line further; the edges have no circle.
    loop {
        let mut grew = false;
        for (needed, needs) in &picture.edges {
            let mut more: BTreeSet<usize> = below[*needed].clone();
            more.insert(*needed);
            let size = below[*needs].len();
            below[*needs].append(&mut more);
            grew |= below[*needs].len() > size;
        }
        if !grew {
            return below;
        }
    }
}

/// The cells of one band, and how many rows it has.
fn band(members: &[usize], below: &[BTreeSet<usize>], picture: &Picture) -> (BTreeMap<usize, Cell>, usize) {
    // How many of the band stand before each, one behind the other.
    let mut depth: BTreeMap<usize, usize> = members.iter().map(|at| (*at, 0)).collect();
    for _ in members {
        for at in members {
            let before = members.iter().filter(|other| below[*at].contains(other));
            let least = before.map(|other| depth[other] + 1).max().unwrap_or(0);
            depth.insert(*at, least);
        }
    }
    let deepest = depth.values().copied().max().unwrap_or(0);
    let layers: Vec<Vec<usize>> = (0..=deepest)
        .map(|wanted| members.iter().copied().filter(|at| depth[at] == wanted).collect())
        .collect();
    // As low as it can be without more columns than there are.
    let columns = |height: usize| layers.iter().map(|layer| layer.len().div_ceil(height)).sum::<usize>();
    let mut height = 1;
    while columns(height) > COLUMNS.max(layers.len()) {
        height += 1;
    }
    let mut cells: BTreeMap<usize, Cell> = BTreeMap::new();
    let mut first = 0;
    for mut layer in layers {
        // Near to what they stand on.
        let near = |at: &usize| {
            let before = picture.edges.iter().filter(|(_, needs)| needs == at);
            let rows: Vec<usize> =
                before.filter_map(|(needed, _)| cells.get(needed).map(|cell| cell.1)).collect();
            match rows.len() {
                0 => usize::MAX,
                count => rows.iter().sum::<usize>() * 100 / count,
            }
        };
        layer.sort_by_key(|at| (near(at), *at));
        let wide = layer.len().div_ceil(height);
        let tall = layer.len().div_ceil(wide.max(1));
        for (n, at) in layer.iter().enumerate() {
            cells.insert(*at, (first + n / tall, n % tall));
        }
        first += wide;
    }
    (cells, height)
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;
    use crate::base::Id;
    use crate::kinds::SECTIONS;
    use proptest::prelude::*;

    fn picture(kinds: &[usize], edges: &[(usize, usize)]) -> Picture {
        let nodes = kinds.iter().enumerate().map(|(n, kind)| {
            let kind = SECTIONS[kind % SECTIONS.len()].0;
            Node { id: Id::new(kind, n.to_string()), group: Group::of(kind), mark: None, why: None }
        });
        let count = kinds.len();
        let edges: BTreeSet<(usize, usize)> = edges
            .iter()
            .map(|(a, b)| (a % count, b % count))
            .filter(|(a, b)| a != b)
            .map(|(a, b)| (a.min(b), a.max(b)))
            .collect();
        Picture {
            stack: "x".into(),
            region: "y".into(),
            compared: false,
            nodes: nodes.collect(),
            edges: edges.into_iter().collect(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_lies_on_anything(
            kinds in prop::collection::vec(0_usize..40, 1..40),
            edges in prop::collection::vec((0_usize..40, 0_usize..40), 0..60),
        ) {
            let picture = picture(&kinds, &edges);
            let layout = layout(&picture);
            let inside = |(x, y): (usize, usize)| x <= layout.width && y <= layout.height;
            for (n, (x, y)) in layout.boxes.iter().enumerate() {
                prop_assert!(inside((x + BOX.0, y + BOX.1)));
                for (other_x, other_y) in &layout.boxes[n + 1..] {
                    let apart = x.abs_diff(*other_x) >= BOX.0 || y.abs_diff(*other_y) >= BOX.1;
                    prop_assert!(apart, "two boxes at {:?}", ((x, y), (other_x, other_y)));
                }
                let band = layout.bands.iter().find(|band| band.group == picture.nodes[n].group).unwrap();
                prop_assert!(band.top + TITLE <= *y && y + BOX.1 <= band.top + band.height);
            }
            prop_assert_eq!(layout.lines.len(), picture.edges.len());
            for line in &layout.lines {
                let (end, top) = (layout.boxes[line.to], layout.boxes[line.to].1);
                prop_assert_eq!(*line.corners.last().unwrap(), (end.0, top + BOX.1 / 3));
                for pair in line.corners.windows(2) {
                    let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
                    prop_assert!(x1 == x2 || y1 == y2, "a slanted line: {:?}", line);
                    prop_assert!(inside(pair[1]));
                    let (left, right, top, bottom) = (x1.min(x2), x1.max(x2), y1.min(y2), y1.max(y2));
                    for (x, y) in &layout.boxes {
                        let through = left < x + BOX.0 && right > *x && top < y + BOX.1 && bottom > *y;
                        prop_assert!(!through, "{:?} goes through the box at {:?}", line, (x, y));
                    }
                }
            }
        }
    }

    /// What is needed stands before what needs it, within a group.
    #[test]
    fn a_band_goes_from_left_to_right() {
        let chain = picture(&[1, 3, 5, 6], &[(0, 1), (1, 2), (2, 3)]);
        let layout = layout(&chain);
        assert!(
            layout.boxes.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1),
            "{layout:?}"
        );
        assert_eq!(layout.bands.len(), 1);
    }
}
