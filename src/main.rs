//! The program: `shelflife`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shelflife::cli::main()
}
