//! The few styles there are.

use crate::resource::Action;
use anstyle::{AnsiColor, Style};
use std::fmt::Display;

pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GREEN: Style = AnsiColor::Green.on_default();
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
pub const RED: Style = AnsiColor::Red.on_default();
pub const CYAN: Style = AnsiColor::Cyan.on_default();

pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

pub fn of(action: Action) -> Style {
    match action {
        Action::NoOp => DIM,
        Action::Recheck => CYAN,
        Action::Update => YELLOW,
        Action::Create | Action::Run => GREEN,
        Action::Recreate | Action::Delete | Action::Vanish | Action::Stop => RED,
    }
}
