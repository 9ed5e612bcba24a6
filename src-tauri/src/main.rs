//! The program: everything is in the library.

/// Many agents at once are the program without a window's; with one, the toolkit's process keeps the system's allocator.
#[cfg(not(feature = "gui"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    countersign::main()
}
