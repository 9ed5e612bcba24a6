//! Keeps the process's memory from other programs of the same user, as far as the system lets a process ask for it.

/// What could be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// Programs of the same user cannot read or trace this process.
    pub memory_private: bool,
    /// A crash writes no core file.
    pub no_core_file: bool,
}

/// Makes the process unreadable to its user's other programs and forbids core files. An exec undoes the first, so each
/// helper process calls it for itself.
///
/// macOS has no such switch for an unsigned program (the hardened runtime of a signed one does it); Windows has none that
/// a program of the same user could not undo. There the answer is `false`.
pub fn harden_process() -> Hardening {
    Hardening { memory_private: memory_private(), no_core_file: no_core_file() }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn memory_private() -> bool {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn memory_private() -> bool {
    false
}

#[cfg(unix)]
fn no_core_file() -> bool {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).is_ok()
}

#[cfg(not(unix))]
fn no_core_file() -> bool {
    false
}
