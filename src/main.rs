//! The program: `shelflife`.

use std::process::ExitCode;

/// Builds make and drop many small values on all cores, which the allocators of most systems are slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shelflife::cli::main()
}
