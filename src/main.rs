//! The program: `shelflife`.

use std::process::ExitCode;

/// Builds make and drop many small values on all cores, which the allocators of most systems are slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages, each of which the kernel clears whole. A build that reuses nearly everything
    // uses little of them, and spent more than a third of its time on that.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    shelflife::cli::main()
}
