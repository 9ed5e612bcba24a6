//! Looks for a key in memory: in our own after signing, and from another program of the same user.
#![expect(clippy::arithmetic_side_effects, reason = "offsets of our own memory do not overflow")]

use super::*;
use crate::keys::harden::{Hardening, harden_process};
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::FileExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

const MASK: u8 = 0xA5;

/// Run in a process of its own, where nothing else makes and drops buffers meanwhile.
#[test]
fn no_copy_of_a_key_is_left_in_memory_after_signing_and_locking() {
    if std::env::var_os("COUNTERSIGN_CHILD_SCANS").is_none() {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("keys::tests::memory_scan::no_copy_of_a_key_is_left_in_memory_after_signing_and_locking")
            .env("COUNTERSIGN_CHILD_SCANS", "1")
            .output()
            .unwrap();
        print!("{}", String::from_utf8_lossy(&child.stdout));
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        return;
    }
    let (_store, keys) = started();
    let address = keys.create().unwrap();
    let entry = format!("wallet:{address}");
    // The needle is kept masked, or the search would find itself.
    let masked: Vec<u8> = keys.secret(&entry).unwrap().unwrap().expose().iter().map(|b| b ^ MASK).collect();
    let form = sign::tests::transfer_from(&address);
    for _ in 0..20 {
        sign::sign(&keys.signer(&address).unwrap(), &form).unwrap();
    }
    keys.forget_cached();
    sign::sign(&keys.signer(&address).unwrap(), &form).unwrap();
    let loaded = copies(&masked);
    keys.delete(&entry).unwrap();
    keys.forget_cached();
    let locked = copies(&masked);
    // What the same scan says of a key treated carelessly.
    let careless: Vec<Vec<u8>> = vec![masked.iter().map(|b| b ^ MASK).collect()];
    let left_lying = copies(&masked);
    println!("copies: {loaded} loaded, {locked} locked, {left_lying} with one left lying about");
    assert_eq!((loaded, locked), (2, 0), "loaded: one in the store, one in the signer");
    assert_eq!((left_lying, careless.len()), (1, 1));
}

/// How often the key stands in our writable memory, in either byte order or as hex.
fn copies(masked: &[u8]) -> usize {
    let reversed: Vec<u8> = masked.iter().rev().copied().collect();
    let hex: Vec<u8> = masked.iter().flat_map(|b| format!("{:02x}", b ^ MASK).into_bytes()).map(|b| b ^ MASK).collect();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut chunk = vec![0u8; 1 << 20];
    let own = chunk.as_ptr() as u64..chunk.as_ptr() as u64 + chunk.len() as u64;
    let mut found = 0;
    for (from, to) in writable_ranges() {
        let mut at = from;
        while at < to {
            let want = usize::try_from((to - at).min(chunk.len() as u64)).unwrap();
            let Ok(got) = memory.read_at(&mut chunk[..want], at) else { break };
            for needle in [masked, &reversed, &hex] {
                let first = needle[0] ^ MASK;
                let hits = chunk[..got].windows(needle.len()).enumerate().filter(|(i, window)| {
                    window[0] == first
                        && !own.contains(&(at + *i as u64))
                        && window.iter().zip(needle).all(|(a, b)| a ^ MASK == *b)
                });
                found += hits.count();
            }
            if got < 64 || at + got as u64 >= to {
                break;
            }
            at += got as u64 - 63;
        }
    }
    chunk.fill(0);
    found
}

fn writable_ranges() -> Vec<(u64, u64)> {
    let number = |t: &str| u64::from_str_radix(t, 16).unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let writable = maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw")));
    writable
        .map(|line| line.split(' ').next().unwrap().split_once('-').unwrap())
        .map(|(a, b)| (number(a), number(b)))
        .collect()
}

#[test]
fn another_program_of_the_same_user_cannot_read_the_memory_of_a_hardened_process() {
    if let Ok(what) = std::env::var("COUNTERSIGN_CHILD_WAITS") {
        if what == "hardened" {
            assert_eq!(harden_process(), Hardening { memory_private: true, no_core_file: true });
            let limits = fs::read_to_string("/proc/self/limits").unwrap();
            let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap();
            assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
        }
        println!("\nwaiting");
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    // A place where the other user may read the program: an unreadable one is never dumpable, and the test would prove nothing.
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    open_to_all(dir.path());
    let plain = Waiting::start(&program, "plain");
    assert!(plain.readable("maps"), "without hardening it can be read");
    let hardened = Waiting::start(&program, "hardened");
    for file in ["mem", "maps", "environ"] {
        assert!(!hardened.readable(file), "{file}");
    }
}

fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Root may read everything: run as root, the test plays an ordinary user.
fn as_plain_user(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

struct Waiting(Child);

impl Waiting {
    fn start(program: &Path, what: &str) -> Self {
        let mut child = as_plain_user(program)
            .args(["--exact", "--nocapture"])
            .arg("keys::tests::memory_scan::another_program_of_the_same_user_cannot_read_the_memory_of_a_hardened_process")
            .env("COUNTERSIGN_CHILD_WAITS", what)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "waiting"), "{what}");
        Self(child)
    }

    fn readable(&self, file: &str) -> bool {
        let file = format!("if=/proc/{}/{file}", self.0.id());
        let read = as_plain_user(Path::new("dd")).args([&file, "of=/dev/null", "bs=1", "count=1"]).output().unwrap();
        let said = String::from_utf8_lossy(&read.stderr).into_owned();
        assert!(read.status.success() || said.contains("Permission denied"), "{said}");
        read.status.success()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
