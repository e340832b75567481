//! What is left on a terminal by the whole program, and whether what it says of the time is so.
//!
//! A terminal is tmux, where it is installed, and otherwise what script(1) writes, read by the interpreter that also
//! holds the golden screens (crates/core/tests/it/screen.rs).

#[path = "../../crates/core/tests/it/screen.rs"]
mod screen;

use crate::cli::{Place, SPEC, in_sandbox, with_orders};
use crate::harness::{Account, spec, spec_file};
use crate::support::{skipped, stopwatch};
use auroraml_core::model::Intent;
use auroraml_core::plan::estimate;
use auroraml_sandbox::random::Mood;
use screen::Screen;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// For a stack to come and go in tmux.
const PATIENCE: Duration = Duration::from_secs(240);

/// A tmux server of its own, which ends with it.
struct Tmux<'p> {
    place: &'p Place,
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = self.run(&["kill-server"]);
    }
}

impl Tmux<'_> {
    fn run(&self, args: &[&str]) -> std::io::Result<Output> {
        let mut command = Command::new("tmux");
        // A socket in the test's own folder: nobody else's server is touched.
        command.arg("-u").arg("-f").arg("/dev/null").arg("-S").arg(self.place.path("tmux.sock")).args(args);
        command.current_dir(self.place.path("")).env_remove("TMUX").env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null()).output()
    }

    /// What has scrolled off and what is shown, lines that were wrapped put together again.
    fn history(&self) -> String {
        let output = self.run(&["capture-pane", "-p", "-J", "-S", "-", "-t", "auroraml"]).unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn shown(&self) -> String {
        String::from_utf8(self.run(&["capture-pane", "-p", "-t", "auroraml"]).unwrap().stdout).unwrap()
    }
}

fn is_numbers(line: &str) -> bool {
    line.contains(" done, ") && line.contains(" running, ")
}

/// Lines that the view takes of what is shown now: from its numbers to the last that has something in it.
fn view(shown: &str) -> usize {
    let lines: Vec<&str> = shown.trim_end().lines().collect();
    lines.iter().position(|line| is_numbers(line)).map_or(0, |first| lines.len() - first)
}

/// Asserts that a terminal's history holds the plan once and the result once, for apply and for destroy, and nothing of
/// the view.
fn holds_plan_and_result_once(history: &str) {
    let count = |what: &str| history.lines().filter(|line| line.contains(what)).count();
    assert_eq!(history.lines().filter(|line| is_numbers(line)).count(), 0, "a frame is left:\n{history}");
    assert_eq!(history.matches(['▸', '✓']).count(), 0, "a frame is left:\n{history}");
    assert_eq!(count("Plan: "), 2, "{history}");
    for once in ["Done in ", "Destroyed in ", "+ create vpc.main", "- delete vpc.main", "+ create instance.1"]
    {
        assert_eq!(count(once), 1, "{once:?} in\n{history}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "another process takes real time")]
fn the_scrollback_of_tmux() {
    if Command::new("tmux").arg("-V").output().is_err() {
        skipped("there is no tmux");
        return;
    }
    for (width, height) in [(80, 24), (100, 30)] {
        let place = Place::new();
        place.write("minimal.yaml", include_str!("../../specs/minimal.yaml"));
        let tmux = Tmux { place: &place };
        let typed = |command: &str| {
            let program = env!("CARGO_BIN_EXE_auroraml");
            format!("{program} {command} minimal.yaml --yes --sandbox --sandbox-speed 60")
        };
        let script = format!("{}; {}; touch ended; sleep 300", typed("apply"), typed("destroy"));
        let (columns, lines) = (width.to_string(), height.to_string());
        let args = ["new-session", "-d", "-s", "auroraml", "-x", &columns, "-y", &lines, &script];
        let started = tmux.run(&args).unwrap();
        assert!(started.status.success(), "{started:?}");
        let (began, mut tallest) = (stopwatch(), 0);
        while !place.path("ended").exists() {
            assert!(began.elapsed() < PATIENCE, "{}", tmux.history());
            std::thread::sleep(Duration::from_millis(300));
            tallest = tallest.max(view(&tmux.shown()));
        }
        let history = tmux.history();
        holds_plan_and_result_once(&history);
        assert!((2..=height / 2).contains(&tallest), "a view of {tallest} lines on {height}");
    }
}

/// What script(1) makes a terminal of: everything that was written to it.
#[cfg(target_os = "linux")]
fn on_a_terminal(place: &Place, command: &str, locale: &[(&str, &str)]) -> String {
    let command = format!("stty cols 80 rows 24; {} {command}", env!("CARGO_BIN_EXE_auroraml"));
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(place.path("")).env_clear();
    script.env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh").env("TERM", "xterm-256color");
    let output = script.envs(locale.iter().copied()).stdin(Stdio::null()).output().expect("script(1)");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

/// The first of the three variables that is set decides (POSIX); what is drawn in ASCII is as wide as what is not.
#[cfg(target_os = "linux")]
#[test]
fn ascii_where_the_locale_is_no_utf_8() {
    let cases: [(&[(&str, &str)], bool); 5] = [
        (&[("LC_ALL", "C.UTF-8"), ("LANG", "C")], true),
        (&[("LC_ALL", "C"), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C.UTF-8")], false),
        (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
        (&[("LANG", "en_US.utf8")], true),
        (&[], false),
    ];
    for (locale, is_unicode) in cases {
        let place = Place::new();
        place.write("minimal.yaml", include_str!("../../specs/minimal.yaml"));
        let written = ["apply", "destroy"].map(|command| {
            on_a_terminal(
                &place,
                &format!("{command} minimal.yaml --yes --sandbox --sandbox-speed max"),
                locale,
            )
        });
        let written = written.concat();
        assert_eq!(written.is_ascii(), !is_unicode, "{locale:?}: {written}");
        let mut screen = Screen::new(80, 24);
        screen.write(&written);
        println!("{locale:?}\n{}", screen.all());
        holds_plan_and_result_once(&screen.history());
    }
}

/// The end of an apply and `status` say how a cluster of others is used, and JSON the same.
#[tokio::test(start_paused = true)]
async fn an_existing_cluster_can_be_used() {
    let place = with_orders(2).await;
    let apply = place.run(&in_sandbox(&["apply", "shop.yaml", "--yes", "--allow", "failover"]));
    assert_eq!(apply.code, 0, "{apply:?}");
    let status = place.run(&in_sandbox(&["status", "shop.yaml"]));
    let json = place.run(&in_sandbox(&["status", "shop.yaml", "--format", "json"]));
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let database = &json["access"]["database"];
    let host = database["host"].as_str().unwrap();
    assert!(host.starts_with("orders.cluster-"), "{json}");
    let mysql = format!("mysql -h {host} -P 3306 -u admin -p");
    assert_eq!(database["mysql"], mysql.as_str());
    for ran in [&apply, &status] {
        assert!(ran.out.contains(&mysql) && ran.out.contains("  port "), "{ran:?}");
        for next in ["auroraml verify shop.yaml --sandbox", "auroraml destroy shop.yaml --sandbox"] {
            assert!(ran.out.contains(next), "{next}: {ran:?}");
        }
    }
    // What is refused names the other ways, too.
    place.write("shop.yaml", &SPEC.replace("comprehend: true", "comprehend: true, s3: false"));
    let fresh = with_orders(2).await;
    let refused = fresh.run(&in_sandbox(&["apply", "shop.yaml", "--yes"]));
    assert_eq!(refused.code, 6, "{refused:?}");
    for way in ["--allow failover", "`window`", "`restart: never`", "--accept-pending"] {
        assert!(refused.err.contains(way), "{way}: {refused:?}");
    }
}

/// A password is told how to get, and never told.
#[test]
fn a_stack_of_its_own_can_be_used() {
    let place = Place::new();
    let spec = include_str!("../../specs/minimal.yaml");
    place.write("minimal.yaml", spec);
    let apply = place.run(&in_sandbox(&["apply", "minimal.yaml", "--yes"]));
    assert_eq!(apply.code, 0, "{apply:?}");
    for told in ["  host ", "  port ", "  user ", "get-secret-value --secret-id", "mysql -h minimal.cluster-"]
    {
        assert!(apply.out.contains(told), "{told}: {apply:?}");
    }
    assert!(apply.out.contains("public address  none: it is private to its VPC"), "{apply:?}");
    let world: String = place.read("world.json");
    for password in passwords(&world) {
        assert!(!apply.out.contains(&password) && !apply.err.contains(&password), "{apply:?}");
    }
    // Everything is there for those who ask.
    let short = place.run(&in_sandbox(&["plan", "minimal.yaml", "--destroy"]));
    let long = place.run(&in_sandbox(&["plan", "minimal.yaml", "--destroy", "--verbose"]));
    assert!(short.code == 0 && long.code == 0, "{short:?} {long:?}");
}

/// Secrets' values in a sandbox's world.
fn passwords(world: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in world.split("\\\"password\\\":\\\"").skip(1) {
        found.push(part.split("\\\"").next().unwrap().to_string());
    }
    assert!(!found.is_empty(), "there is a master user's password");
    found
}

/// What a plan says of the time is what runs take in the sandbox, whose durations are those of the fact book: half of
/// them are about as long as is usual, and one in ten longer than what is said of that.
#[tokio::test(start_paused = true)]
async fn the_time_of_a_plan_is_what_runs_take() {
    const SEEDS: u64 = 30;
    let spec = spec(&spec_file("minimal.yaml"));
    for intent in [Intent::Apply, Intent::Destroy { unprotect: false }] {
        let (mut shorter, mut longer, mut times) = (0, 0, Vec::new());
        let mut told = None;
        for seed in 1..=SEEDS {
            let account = Account::new(seed, Mood::Real);
            if intent != Intent::Apply {
                account.apply(&spec).await;
            }
            let plan = account.prepare(&spec, intent).await.unwrap().plan;
            let seconds = estimate(&plan).unwrap();
            told = Some(seconds);
            let clock = account.sandbox.clock();
            let began = clock.now_ms();
            let outcome =
                account.run(&spec, intent, std::sync::Arc::new(crate::harness::Recorder::default())).await;
            assert!(outcome.is_complete(), "{:#?}", outcome.reports);
            let took = (clock.now_ms() - began) / 1_000;
            times.push(took);
            shorter += usize::from(took < seconds.usually);
            longer += usize::from(took > seconds.at_worst);
        }
        times.sort_unstable();
        println!(
            "{intent:?}: told {told:?}, took {times:?}: {shorter} shorter than usual, {longer} longer than 1 in 10"
        );
        // Of 30 fair draws 15 are shorter and 3 longer; the table is rounder than the sandbox, and this wide of it.
        assert!(
            (6..=24).contains(&shorter),
            "{shorter} of {SEEDS} were shorter than usual: {told:?}, {times:?}"
        );
        assert!(longer <= 7, "{longer} of {SEEDS} took longer: {told:?}, {times:?}");
    }
}
