//! Which program a process is, as the kernel tells it at this moment.

#[cfg(target_os = "linux")]
use countersign_core::payment::ProcessId;
use countersign_core::payment::Program;
#[cfg(target_os = "linux")]
use countersign_vault::process;

/// The program behind a process. Behind our own bridge it is the one that started the bridge. `life` tells this run of ours.
///
/// None where the system does not say: another system than Linux, a process that has gone or hides itself.
#[cfg(target_os = "linux")]
pub fn behind(pid: i32, life: [u8; 8]) -> Option<Program> {
    let bridge = is_ours(pid);
    let asks = if bridge { linux::parent(pid)? } else { pid };
    let process = run(asks, life).filter(|_| !bridge || linux::parent(pid) == Some(asks));
    Some(Program { path: linux::executable(asks)?, parent: linux::parent(asks).and_then(linux::executable), process })
}

#[cfg(not(target_os = "linux"))]
pub fn behind(_pid: i32, _life: [u8; 8]) -> Option<Program> {
    None
}

/// Its run. The first process takes over whatever is left behind, so it is no program's run.
#[cfg(target_os = "linux")]
fn run(pid: i32, life: [u8; 8]) -> Option<ProcessId> {
    let pid = u32::try_from(pid).ok().filter(|pid| *pid > 1)?;
    Some(ProcessId::seen(life, pid, process::began(pid)?))
}

/// Whether it runs the very file that this process runs.
#[cfg(target_os = "linux")]
fn is_ours(pid: i32) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let file = |exe: String| std::fs::metadata(exe).ok().map(|meta| (meta.dev(), meta.ino()));
    let ours = file("/proc/self/exe".to_owned());
    ours.is_some() && ours == file(format!("/proc/{pid}/exe"))
}

#[cfg(target_os = "linux")]
mod linux {
    pub fn executable(pid: i32) -> Option<String> {
        let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let path = path.to_string_lossy();
        // A program that runs on while an update takes its file away is the same program.
        Some(path.strip_suffix(" (deleted)").unwrap_or(&path).to_owned())
    }

    /// The process that started it; none if that was the kernel, or is outside of what we may see.
    pub fn parent(pid: i32) -> Option<i32> {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
        after_name(&String::from_utf8_lossy(&stat)).filter(|pid| *pid > 0)
    }

    /// The second field behind the name, which stands in brackets and may hold anything, brackets too.
    pub fn after_name(stat: &str) -> Option<i32> {
        let (_, rest) = stat.rsplit_once(')')?;
        rest.split_whitespace().nth(1)?.parse().ok()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_its_file_and_the_file_of_its_parent() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let seen = behind(i32::try_from(child.id()).unwrap(), [1; 8]);
        let began = process::began(child.id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let us = std::env::current_exe().unwrap().to_string_lossy().into_owned();
        let Some(Program { path, parent: Some(parent), process }) = seen else { panic!("{seen:?}") };
        assert!(path.starts_with('/') && path != us, "{path}");
        assert_eq!(parent, us);
        assert_eq!(process, Some(ProcessId::seen([1; 8], child.id(), began)));
        assert_eq!(behind(i32::MAX, [1; 8]), None);
    }

    #[test]
    fn behind_our_own_program_stands_the_one_that_started_it() {
        let us = i32::try_from(std::process::id()).unwrap();
        let parent = linux::parent(us).unwrap();
        let seen = behind(us, [1; 8]).unwrap();
        assert_eq!(Some(seen.path), linux::executable(parent));
        assert_eq!(seen.process.and_then(|run| run.run()).map(|(pid, _)| i32::try_from(pid).unwrap()), Some(parent));
        assert_eq!(run(1, [1; 8]), None, "it takes over what others leave behind");
    }

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_parent() {
        assert_eq!(linux::after_name("7 (a) R 3 (b) c) S 42 7 7 0"), Some(42));
        assert_eq!(linux::after_name("7 (a"), None);
    }
}
