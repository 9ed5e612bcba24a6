//! Which program a process is, as the kernel tells it at this moment.

use countersign_core::payment::Program;

/// The program behind a process. Behind our own bridge it is the one that started the bridge.
///
/// None where the system does not say: another system than Linux, a process that has gone or hides itself.
#[cfg(target_os = "linux")]
pub fn behind(pid: i32) -> Option<Program> {
    let asks = if is_ours(pid) { linux::parent(pid)? } else { pid };
    Some(Program { path: linux::executable(asks)?, parent: linux::parent(asks).and_then(linux::executable) })
}

#[cfg(not(target_os = "linux"))]
pub fn behind(_pid: i32) -> Option<Program> {
    None
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
        let seen = behind(i32::try_from(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        let us = std::env::current_exe().unwrap().to_string_lossy().into_owned();
        let Some(Program { path, parent: Some(parent) }) = seen else { panic!("{seen:?}") };
        assert!(path.starts_with('/') && path != us, "{path}");
        assert_eq!(parent, us);
        assert_eq!(behind(i32::MAX), None);
    }

    #[test]
    fn behind_our_own_program_stands_the_one_that_started_it() {
        let us = i32::try_from(std::process::id()).unwrap();
        let parent = linux::parent(us).unwrap();
        assert_eq!(behind(us).map(|seen| seen.path), linux::executable(parent));
    }

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_parent() {
        assert_eq!(linux::after_name("7 (a) R 3 (b) c) S 42 7 7 0"), Some(42));
        assert_eq!(linux::after_name("7 (a"), None);
    }
}
