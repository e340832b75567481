//! `sandbox`: serve it to any AWS client, start it anew.

use super::args::{Global, SANDBOX_FILE, Sandbox, SandboxAt, Speed};
use super::exit::{Error, Exit};
use super::printer::Printer;
use super::session::{open_sandbox, sandbox_error};
use super::signals::Interrupts;
use auroraml_core::base::counted;
use auroraml_sandbox::file::{FileError, FileSandbox};
use auroraml_sandbox::server::Listener;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

pub async fn sandbox(args: &Sandbox, global: &Global, printer: &Printer) -> Result<Exit, Error> {
    let file = match &global.sandbox {
        None => Path::new(SANDBOX_FILE),
        Some(SandboxAt::File(file)) => file,
        Some(SandboxAt::Listener(address)) => {
            let why = format!("the sandbox at http://{address} is already being served");
            return Err(Error::new("usage", why, "stop it there, and give the file here: --sandbox=FILE"));
        }
    };
    if args.listen.is_some() && global.speed() == Speed::Max {
        let why = "a served sandbox needs a running clock";
        return Err(Error::new("--sandbox-speed max", why, "use a number from 0.1 to 100"));
    }
    if args.reset {
        reset(file, printer)?;
    }
    match args.listen {
        Some(address) => listen(address, file, args.bare, global, printer).await,
        None => Ok(Exit::Done),
    }
}

/// Forgets a sandbox that nobody uses, a damaged one too.
fn reset(file: &Path, printer: &Printer) -> Result<(), Error> {
    let name = file.display();
    match FileSandbox::reset(file) {
        Ok(true) => printer.talk(&format!("deleted the sandbox {name}\n")),
        Ok(false) => printer.talk(&format!("there is no sandbox {name}\n")),
        Err(FileError::Malformed { .. }) => {
            let why = "not a sandbox file: nothing was deleted";
            return Err(Error::new(name.to_string(), why, "use another file: --sandbox=FILE"));
        }
        Err(error) => return Err(sandbox_error(&error)),
    }
    Ok(())
}

/// Why nothing can be served at `address`.
fn not_served(address: SocketAddr, error: &io::Error) -> Error {
    let other = "use another port, or 0 for any free one";
    let (why, help) = match error.kind() {
        io::ErrorKind::InvalidInput => (error.to_string(), "use localhost, 127.0.0.1 or [::1]"),
        io::ErrorKind::AddrInUse => ("another process already uses this port".into(), other),
        io::ErrorKind::PermissionDenied => (
            format!("you are not allowed to listen on port {}", address.port()),
            "use a port from 1024 up, or 0 for any free one",
        ),
        io::ErrorKind::AddrNotAvailable => {
            (format!("this machine has no address {}", address.ip()), "use localhost")
        }
        _ => (format!("cannot be served: {error}"), other),
    };
    Error::new(address.to_string(), why, help)
}

async fn listen(
    address: SocketAddr,
    file: &Path,
    bare: bool,
    global: &Global,
    printer: &Printer,
) -> Result<Exit, Error> {
    // Before the file: who cannot listen has made no sandbox either.
    let listener = Listener::bind(address).await.map_err(|error| not_served(address, &error))?;
    let sandbox = open_sandbox(file, global, printer)?;
    if bare {
        // What a region was given with its first request it keeps.
        sandbox.change(|world| world.bare = true).map_err(|error| sandbox_error(&error))?;
    }
    let before = sandbox.sandbox().with(|world| world.unknown.clone());
    let mut interrupts = Interrupts::listen();
    let address = listener.address();
    printer.talk(&format!(
        "Listening on http://{address} until Ctrl-C. Paste this into another terminal for any AWS client:\n\n"
    ));
    printer.data(&format!(
        "export AWS_ENDPOINT_URL=http://{address}\n\
         export AWS_ACCESS_KEY_ID=AKIDSANDBOX\n\
         export AWS_SECRET_ACCESS_KEY=sandbox\n\
         export AWS_DEFAULT_REGION=us-east-1\n"
    ))?;
    // Seen with AWS CLI 1.45: its own table of host names wins over the variable.
    printer.talk(&format!(
        "\nAWS CLI version 1 ignores AWS_ENDPOINT_URL for rds in us-east-1: add --endpoint-url http://{address}.\n\n"
    ));
    let talk = printer.clone();
    let stopped = async move { interrupts.next().await };
    let served =
        listener.serve(sandbox.sandbox().clone(), stopped, move |line| talk.talk(&format!("{line}\n"))).await;
    let after = sandbox.sandbox().with(|world| world.unknown.clone());
    printer.say(&unknown(&before, &after));
    sandbox.close().map_err(|error| sandbox_error(&error))?;
    served.map_err(|error| not_served(address, &error))?;
    Ok(Exit::Done)
}

/// The operations that were asked for meanwhile and are not there.
fn unknown(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> String {
    let asked = after.iter().map(|(operation, count)| {
        (operation, count.saturating_sub(before.get(operation).copied().unwrap_or_default()))
    });
    let lines: Vec<String> = asked
        .filter(|(_, count)| *count > 0)
        .map(|(operation, count)| format!("  {operation} ({})\n", counted(count, "time")))
        .collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!("\nThe sandbox does not support these operations:\n{}", lines.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_meanwhile_and_is_not_there_is_told() {
        let counts = |counts: &[(&str, u64)]| -> BTreeMap<String, u64> {
            counts.iter().map(|(operation, count)| ((*operation).to_string(), *count)).collect()
        };
        let before = counts(&[("rds:Old", 2), ("rds:Both", 1)]);
        let after = counts(&[("rds:Old", 2), ("rds:Both", 4), ("sns:New", 1)]);
        let told = unknown(&before, &after);
        assert_eq!(
            told,
            "\nThe sandbox does not support these operations:\n  rds:Both (3 times)\n  sns:New (1 time)\n"
        );
        assert_eq!(unknown(&before, &before), "");
    }
}
