//! docs/tutorial.md, as a reader does it in the sandbox: every command, one after the other, as it stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The lines of the page's shell blocks.
fn commands(page: &str) -> String {
    page.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let to = to.join(entry.file_name().unwrap());
        match entry.is_dir() {
            true => copy(&entry, &to),
            false => drop(fs::copy(&entry, &to).unwrap()),
        }
    }
}

#[cfg(unix)]
#[test]
fn the_tutorial_works_as_it_stands() {
    let page = fs::read_to_string("docs/tutorial.md").unwrap();
    let script = commands(&page);
    assert!(script.matches("auroraml ").count() >= 9, "{script}");
    // The same without waiting.
    let quick = script.replace("WHERE=--sandbox ", "WHERE='--sandbox --sandbox-speed max' ");
    assert_ne!(quick, script, "the page begins with where to work");
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("specs"), &folder.path().join("specs"));
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_auroraml"), bin.join("auroraml")).unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))).unwrap();
    let mut command = Command::new("bash");
    command.args(["-euc", &quick]).current_dir(folder.path()).env("PATH", path).env("HOME", folder.path());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    println!("{out}\n{err}");
    assert!(output.status.success(), "{out}\n{err}");
    // The five customers at most risk, and the model that takes over.
    assert!(out.contains("risk"), "{out}");
    assert!(out.contains("training_job."), "{out}");
}
