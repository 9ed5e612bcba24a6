//! Whether a run of a program goes on, as the kernel tells it at this moment.

use countersign_core::payment::ProcessId;

/// When the process of this number began, in the kernel's ticks since the start of the computer.
///
/// None where no such process runs, one that has ended and waits to be noticed included; and on a system that does not say.
#[cfg(target_os = "linux")]
pub fn began(pid: u32) -> Option<u64> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    read(&String::from_utf8_lossy(&stat))
}

#[cfg(not(target_os = "linux"))]
pub fn began(_pid: u32) -> Option<u64> {
    None
}

/// Whether this very run goes on.
pub fn runs(process: &ProcessId) -> bool {
    process.run().is_some_and(|(pid, at)| began(pid) == Some(at))
}

/// What the program of a run that goes on is called: the name of its file, which is foreign text.
#[cfg(target_os = "linux")]
pub fn program(process: &ProcessId) -> Option<String> {
    let (pid, _) = process.run().filter(|_| runs(process))?;
    let path = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let name = path.file_name()?.to_string_lossy();
    Some(name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned())
}

#[cfg(not(target_os = "linux"))]
pub fn program(_process: &ProcessId) -> Option<String> {
    None
}

/// The third and the twenty-second field; the second is a name in brackets and may hold anything, brackets too.
#[cfg(target_os = "linux")]
fn read(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_run_is_over_with_its_process_even_before_that_is_noticed_and_another_of_its_number_is_another() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let at = began(child.id()).unwrap();
        let run = |at| ProcessId::seen([1; 8], child.id(), at);
        assert!(runs(&run(at)));
        assert!(!runs(&run(at + 1)), "the number was given out again");
        let run = run(at);
        child.kill().unwrap();
        let ended = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            !runs(&run)
        });
        assert!(ended, "it has ended, and nobody has waited for it yet");
        child.wait().unwrap();
        assert!(!runs(&run));
    }

    #[test]
    fn a_name_with_brackets_does_not_confuse_the_beginning() {
        let fields = "1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
        assert_eq!(read(&format!("7 (a) R 3 (b) c) S {fields}")), Some(4242));
        assert_eq!(read(&format!("7 (a) Z {fields}")), None);
        assert_eq!(read("7 (a"), None);
    }
}
