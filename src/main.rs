//! The program: `shelflife`.

use std::process::ExitCode;

/// Builds allocate many small values on all cores, for which most system allocators are slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shelflife::cli::main()
}
