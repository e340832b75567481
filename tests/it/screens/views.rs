//! The live view of a run in tmux: what it takes of the screen, and what it leaves behind.

use super::tmux::{self, Size, Tmux};
use super::{holds_plan_and_result_once, is_numbers};
use crate::cli::Place;

/// A stack that comes and goes, slowly enough to be looked at.
const LIFE: &str = "auroraml apply minimal.yaml --yes --sandbox --sandbox-speed 100; \
                    auroraml destroy minimal.yaml --yes --sandbox --sandbox-speed 100";

/// Looks after a change of size until the view must have been drawn again.
const SETTLED: usize = 8;

/// Lines that the view takes of what is shown now: from its numbers to the last that has something in it.
fn view(shown: &str) -> Vec<&str> {
    let lines: Vec<&str> = shown.trim_end().lines().collect();
    match lines.iter().position(|line| is_numbers(line)) {
        Some(first) => lines[first..].to_vec(),
        None => Vec::new(),
    }
}

/// Lines of the view, which takes at most half of the screen and no line of which is wider than the screen.
fn look(tmux: &Tmux<'_>, (width, height): Size) -> usize {
    let shown = tmux.shown_whole();
    let view = view(&shown);
    assert!(view.len() <= height / 2, "a view of {} lines on {height}:\n{shown}", view.len());
    let widest = view.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= width, "a line of {widest} columns on {width}:\n{shown}");
    view.len()
}

fn place() -> Place {
    let place = Place::new();
    place.write("minimal.yaml", include_str!("../../../specs/minimal.yaml"));
    place
}

#[test]
fn the_scrollback_of_tmux() {
    if !tmux::is_there() {
        return;
    }
    let on = |size: Size| {
        let place = place();
        let tmux = Tmux::start(&place, size, &[("LC_ALL", "C.UTF-8")], LIFE);
        let mut tallest = 0;
        tmux.wait(|tmux| tallest = tallest.max(look(tmux, size)));
        holds_plan_and_result_once(&tmux.history());
        assert!(tallest >= 2, "nobody has seen a view on {size:?}");
    };
    std::thread::scope(|scope| {
        for size in [(40, 24), (80, 24), (100, 30), (160, 50)] {
            scope.spawn(move || on(size));
        }
    });
}

/// Whoever makes the terminal narrower, wider or higher in the middle of a run finds nothing of the view afterwards.
#[test]
fn a_terminal_that_changes_its_size() {
    if !tmux::is_there() {
        return;
    }
    let place = place();
    let tmux = Tmux::start(&place, (80, 24), &[("LC_ALL", "C.UTF-8")], LIFE);
    let sizes: [Size; 4] = [(40, 24), (100, 30), (60, 20), (80, 24)];
    let (mut looks, mut seen) = (0, 0);
    tmux.wait(|tmux| {
        // Nothing is changed before there is a view.
        if looks == 0 && view(&tmux.shown_whole()).is_empty() {
            return;
        }
        let (step, since) = (looks / (2 * SETTLED), looks % (2 * SETTLED));
        if let Some(size) = sizes.get(step) {
            match since {
                0 => tmux.resize(*size),
                since if since >= SETTLED => seen += usize::from(look(tmux, *size) > 0),
                _ => {}
            }
        }
        looks += 1;
    });
    holds_plan_and_result_once(&tmux.history());
    assert!(seen > SETTLED, "the view was seen {seen} times");
}
