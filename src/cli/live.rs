//! Shows a run while it goes on: redrawn lines on a terminal, plain lines on a pipe, events in a file.
//!
//! A thread of its own does it, so that a slow terminal does not hold the run up, and so that it goes on
//! by our time when the run's clock is another.

use super::exit::Error;
use super::files;
use super::printer::Printer;
use super::terminal::{self, Drawn};
use auroraml_core::events::{Event, Listener};
use auroraml_core::render::canvas::room;
use auroraml_core::render::progress::Progress;
use auroraml_core::render::{ascii, plain};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two drawings.
const FRAME: Duration = Duration::from_millis(200);
/// Between two looks, on a pipe, for what has changed.
const CHANGES_EVERY: Duration = Duration::from_secs(10);
/// On a pipe nothing is said for no longer than this.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A run being shown.
pub struct Live {
    feed: Arc<Feed>,
    thread: JoinHandle<Shown>,
}

/// What is left when the run has been shown.
pub struct Shown {
    pub progress: Progress,
    /// Why the events file is not complete, if so.
    pub events_error: Option<String>,
}

enum Message {
    Event(u64, Event),
    End,
}

struct Feed(Sender<Message>);
impl Listener for Feed {
    fn tell(&self, at: u64, event: &Event) {
        // Only after the end does nobody listen.
        let _ = self.0.send(Message::Event(at, event.clone()));
    }
}

impl Live {
    /// Starts showing. `speed` is that of the run's clock, `None` if it jumps.
    ///
    /// # Errors
    /// When the events file cannot be made.
    pub fn start(printer: Printer, speed: Option<f64>, events: Option<&Path>) -> Result<Live, Error> {
        let events = match events {
            Some(path) => Some(EventsFile::create(path)?),
            None => None,
        };
        let (sender, receiver) = channel();
        // What is kept back cannot be drawn again.
        let style = match (printer.is_quiet(), terminal::can_draw() && !printer.is_held()) {
            (true, _) => Style::Nothing,
            (false, true) => Style::Drawing(Drawing::default()),
            (false, false) => Style::Lines { looked: wall_clock(), said: wall_clock() },
        };
        let view = View {
            printer,
            style,
            events,
            progress: Progress::default(),
            last: None,
            speed: speed.unwrap_or(0.0),
        };
        let thread = std::thread::spawn(move || view.show(&receiver));
        Ok(Live { feed: Arc::new(Feed(sender)), thread })
    }

    pub fn listener(&self) -> Arc<dyn Listener> {
        self.feed.clone()
    }

    /// Shows the last of it.
    ///
    /// # Errors
    /// When the thread panicked: a bug.
    pub fn end(self) -> Result<Shown, Error> {
        // If the thread is gone already, joining says why.
        let _ = self.feed.0.send(Message::End);
        self.thread.join().map_err(|_| Error::plain("the live view failed (a bug)"))
    }
}

enum Style {
    Nothing,
    Drawing(Drawing),
    /// When it was last looked for what has changed, and when something was last said.
    Lines {
        looked: Instant,
        said: Instant,
    },
}

struct Drawing {
    view: Drawn,
    drawn: Option<Instant>,
    colour: bool,
    unicode: bool,
}

impl Default for Drawing {
    fn default() -> Drawing {
        let choice = anstream::AutoStream::choice(&std::io::stderr());
        Drawing {
            view: Drawn::default(),
            drawn: None,
            unicode: terminal::is_unicode(),
            colour: choice != anstream::ColorChoice::Never,
        }
    }
}

struct View {
    printer: Printer,
    style: Style,
    events: Option<EventsFile>,
    progress: Progress,
    /// The run's time of the last event, and when we heard of it.
    last: Option<(u64, Instant)>,
    speed: f64,
}

impl View {
    fn show(mut self, receiver: &Receiver<Message>) -> Shown {
        loop {
            match receiver.recv_timeout(FRAME) {
                Ok(Message::Event(at, event)) => self.take(at, &event),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.refresh();
        }
        // What is left of it is said in sentences.
        if let Style::Drawing(drawing) = &mut self.style {
            drawing.view.clear();
        }
        Shown { progress: self.progress, events_error: self.events.and_then(|events| events.error) }
    }

    fn take(&mut self, at: u64, event: &Event) {
        self.last = Some((at, wall_clock()));
        self.progress.tell(at, event);
        if let Some(events) = &mut self.events {
            events.write(at, event);
        }
        if let Style::Lines { said, .. } = &mut self.style
            && let Some(line) = self.progress.said(at, event)
        {
            *said = wall_clock();
            self.printer.talk(&format!("{line}\n"));
        }
    }

    /// The run's time now.
    fn now(&self) -> u64 {
        self.last.map_or(0, |(at, heard)| at + (heard.elapsed().as_secs_f64() * self.speed * 1000.0) as u64)
    }

    fn refresh(&mut self) {
        let now = self.now();
        match &mut self.style {
            Style::Nothing => {}
            Style::Lines { looked, said } => {
                let mut lines = Vec::new();
                if looked.elapsed() >= CHANGES_EVERY {
                    *looked = wall_clock();
                    lines = self.progress.changes(now);
                }
                if lines.is_empty() && said.elapsed() >= SILENCE_MAX {
                    lines.extend(self.progress.sign_of_life(now));
                }
                if !lines.is_empty() {
                    *said = wall_clock();
                }
                for line in lines {
                    self.printer.talk(&format!("{line}\n"));
                }
            }
            Style::Drawing(drawing) => {
                if self.last.is_none() || drawing.drawn.is_some_and(|at| at.elapsed() < FRAME) {
                    return;
                }
                drawing.drawn = Some(wall_clock());
                let (width, height) = terminal::size();
                let plain = |line: &String| {
                    let line = if drawing.unicode { line.clone() } else { ascii(line) };
                    if drawing.colour { line } else { anstream::adapter::strip_str(&line).to_string() }
                };
                // What becomes longer in ASCII must still fit.
                let columns = if drawing.unicode { width } else { width.saturating_sub(6) };
                let lines: Vec<String> =
                    self.progress.lines(now, columns, room(height)).iter().map(plain).collect();
                drawing.view.draw(&lines, (width, height));
            }
        }
    }
}

/// One JSON object a line, each whole as soon as it is written.
struct EventsFile {
    path: PathBuf,
    file: File,
    error: Option<String>,
}

#[derive(Serialize)]
struct Line<'e> {
    /// RFC 3339, on the run's clock.
    at: String,
    #[serde(flatten)]
    event: &'e Event,
}

impl EventsFile {
    fn create(path: &Path) -> Result<EventsFile, Error> {
        let name = path.display().to_string();
        match files::private().create(true).truncate(true).open(path) {
            Ok(file) => Ok(EventsFile { path: path.to_path_buf(), file, error: None }),
            Err(error) => {
                Err(Error::new(name, format!("cannot be written: {error}"), "give --events another file"))
            }
        }
    }

    fn write(&mut self, at: u64, event: &Event) {
        if self.error.is_some() {
            return;
        }
        let at = super::time(at);
        let written = serde_json::to_string(&Line { at, event }).map_err(std::io::Error::other);
        let written =
            written.and_then(|line| self.file.write_all(format!("{}\n", plain::json(&line)).as_bytes()));
        // The run matters more than the record of it: it goes on, and this is said at the end.
        self.error = written.err().map(|error| format!("{}: {error}", self.path.display()));
    }
}

/// What is drawn for a person follows a person's clock, however fast the run's goes.
#[expect(clippy::disallowed_methods, reason = "nothing but drawing depends on it")]
fn wall_clock() -> Instant {
    Instant::now()
}
