//! What a person has on the screen who types one command after the other: plan, refusal, the end of a run, status and the
//! end of a destroy, on terminals of three sizes, in a pipe and in ASCII.

use super::on_a_terminal;
use super::screen::Screen;
use super::tmux::{self, Size, Tmux};
use crate::cli::{Place, with_orders};
use crate::support::golden;
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use std::process::Command;

const SIZES: [Size; 3] = [(80, 24), (100, 30), (160, 50)];

/// A stack of its own, from nothing to nothing.
const OWN: [&str; 4] =
    ["plan minimal.yaml", "apply minimal.yaml --yes", "status minimal.yaml", "destroy minimal.yaml --yes"];

/// What is added to a cluster of others.
const OTHERS: [&str; 6] = [
    "plan shop.yaml",
    "apply shop.yaml --yes",
    "apply shop.yaml --yes --allow failover",
    "plan shop.yaml",
    "status shop.yaml",
    "destroy shop.yaml --yes --allow failover",
];

/// A shell's script that types these, and goes on whatever they come to.
fn typed(commands: &[&str]) -> String {
    let one = |command: &&str| {
        let command = format!("auroraml {command} --sandbox=world.json --sandbox-speed max");
        format!("printf '$ {command}\\n'; {command}; ")
    };
    commands.iter().map(one).collect::<String>() + "true"
}

/// Names that AWS draws, and so does the sandbox: how many of them there were by then is not the question here.
fn settled(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>().trim_end().to_string()
        + "\n"
}

/// A sandbox in which nothing is by chance.
fn calm() -> Place {
    let place = Place::new();
    place.write("minimal.yaml", include_str!("../../../specs/minimal.yaml"));
    FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap().close().unwrap();
    place
}

/// Holds a session to its golden files; `name` is theirs.
fn held(name: &str, commands: &[&str], place: impl Fn() -> Place) {
    let script = typed(commands);
    for size in SIZES {
        let mut screen = Screen::new(size.0, size.1);
        screen.write(&on_a_terminal(&place(), size, &script, &[("LC_ALL", "C.UTF-8")]));
        let text = settled(&screen.history());
        golden(&format!("sessions/{name}-{}x{}.txt", size.0, size.1), &text);
        if tmux::is_there() {
            let place = place();
            let tmux = Tmux::start(&place, size, &[("LC_ALL", "C.UTF-8")], &script);
            tmux.wait(|_| {});
            assert_eq!(settled(&tmux.lines()), text, "tmux shows something else");
        }
    }
    let mut screen = Screen::new(80, 24);
    screen.write(&on_a_terminal(&place(), (80, 24), &script, &[("LC_ALL", "C")]));
    let text = settled(&screen.history());
    assert!(text.is_ascii(), "{text}");
    golden(&format!("sessions/{name}-ascii.txt"), &text);
    let place = place();
    let mut shell = Command::new("sh");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_auroraml")).parent().unwrap();
    shell.env_clear().env("PATH", format!("{}:/usr/bin:/bin", program.display())).env("HOME", place.path(""));
    shell.env("LC_ALL", "C.UTF-8").args(["-c", &format!("( {script} ) 2>&1")]).current_dir(place.path(""));
    let output = shell.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\x1b'), "{text:?}");
    golden(&format!("sessions/{name}-pipe.txt"), &settled(&text));
}

#[test]
fn a_stack_of_its_own_comes_and_goes() {
    held("own", &OWN, calm);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_of_others_is_wired_and_left() {
    let made = with_orders(2).await;
    let world = made.read("world.json");
    let spec = made.read("shop.yaml");
    held("others", &OTHERS, || {
        let place = Place::new();
        place.write("world.json", &world);
        place.write("shop.yaml", &spec);
        place
    });
}
