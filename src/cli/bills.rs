//! The last look of a destroy: what still bills, and what deletes it.

use super::exit::Error;
use super::printer::Printer;
use super::session::Session;
use auroraml::run::bills::{Left, left};
use auroraml_core::render::plain;

/// Names what still bills. Whoever may not ask is told so: the stack is gone all the same.
pub async fn tell(session: &Session, printer: &Printer) -> Result<(), Error> {
    match left(&session.stack.aws).await {
        Ok(all) => printer.data(&text(&all)),
        Err(failure) => {
            printer.say(&format!("warning: whether anything still bills could not be asked: {failure}\n"));
            Ok(())
        }
    }
}

fn text(all: &[Left]) -> String {
    if all.is_empty() {
        return "Nothing that bills is left.\n".into();
    }
    let mut text = String::from("Still billing:\n");
    for Left { what, command, .. } in all {
        text.push_str(&format!("  {}\n    {}\n", plain::line(what), plain::line(command)));
    }
    text
}
