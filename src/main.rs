//! The `auroraml` command. Everything is in the library, so that tests reach it.

fn main() -> std::process::ExitCode {
    auroraml::cli::main()
}
