//! What is left on a terminal by the whole program, and whether what it says of the time is so.
//!
//! A terminal is tmux, where it is installed, and otherwise what script(1) writes, read by the interpreter that also
//! holds the golden screens (crates/core/tests/it/screen.rs).

mod estimates;
#[path = "../../crates/core/tests/it/screen.rs"]
mod screen;
#[cfg(target_os = "linux")]
mod sessions;
mod tmux;
mod views;

use crate::cli::{Place, SPEC, in_sandbox, with_orders};
use screen::Screen;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a line is the first of the view: `12/14 done, …`.
fn is_numbers(line: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let numbers = line.split_once(" done").and_then(|(numbers, _)| numbers.split_once('/'));
    numbers.is_some_and(|(done, all)| is_number(done) && is_number(all))
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

/// What script(1) makes a terminal of: everything that a shell's command wrote to it.
#[cfg(target_os = "linux")]
fn on_a_terminal(
    place: &Place,
    (width, height): (usize, usize),
    command: &str,
    set: &[(&str, &str)],
) -> String {
    let command = format!("stty cols {width} rows {height}; {command}");
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(place.path("")).env_clear();
    let program = Path::new(env!("CARGO_BIN_EXE_auroraml")).parent().unwrap();
    script.env("PATH", format!("{}:/usr/bin:/bin", program.display())).env("HOME", place.path(""));
    script.env("SHELL", "/bin/sh").env("TERM", "xterm-256color");
    let output = script.envs(set.iter().copied()).stdin(Stdio::null()).output().expect("script(1)");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    text
}

/// A stack that comes and goes.
#[cfg(target_os = "linux")]
const LIFE: &str = "auroraml apply minimal.yaml --yes --sandbox --sandbox-speed max && \
                    auroraml destroy minimal.yaml --yes --sandbox --sandbox-speed max";

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
        let written = on_a_terminal(&place, (80, 24), LIFE, locale);
        assert_eq!(written.is_ascii(), !is_unicode, "{locale:?}: {written}");
        let mut screen = Screen::new(80, 24);
        screen.write(&written);
        println!("{locale:?}\n{}", screen.all());
        holds_plan_and_result_once(&screen.history());
    }
}

/// A terminal that cannot move its cursor gets lines, and nobody gets colours who wants none.
#[cfg(target_os = "linux")]
#[test]
fn terminals_that_can_less() {
    let written = |set: &[(&str, &str)]| {
        let place = Place::new();
        place.write("minimal.yaml", include_str!("../../specs/minimal.yaml"));
        on_a_terminal(&place, (80, 24), LIFE, set)
    };
    let dumb = written(&[("TERM", "dumb"), ("LC_ALL", "C.UTF-8")]);
    assert!(!dumb.contains('\x1b'), "{dumb:?}");
    assert!(dumb.contains("14 steps to do") && dumb.contains("+ instance.1: created after"), "{dumb}");
    let plain = written(&[("NO_COLOR", "1"), ("LC_ALL", "C.UTF-8")]);
    let mut rest = plain.as_str();
    while let Some(at) = rest.find("\x1b[") {
        rest = &rest[at + 2..];
        let last = rest.find(|c: char| c.is_ascii_alphabetic()).map(|end| &rest[end..=end]);
        assert!(last != Some("m"), "a colour: {plain:?}");
    }
    let mut screen = Screen::new(80, 24);
    screen.write(&plain);
    holds_plan_and_result_once(&screen.history());
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
