//! The binary: flags, then work.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
