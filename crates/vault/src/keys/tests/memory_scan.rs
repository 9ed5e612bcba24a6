//! Looks for a key in memory: in our own after signing, and from another program of the same user.
#![expect(clippy::arithmetic_side_effects, reason = "offsets of our own memory do not overflow")]

use super::*;
use crate::keys::harden::{Hardening, harden_process};
use std::{
    collections::BTreeSet,
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
    if let Ok(store) = std::env::var("COUNTERSIGN_CHILD_SCANS") {
        return sign_lock_and_scan(&store);
    }
    let turn = os::tests::session("1");
    for store in ["memory", "file", "os"].into_iter().take(if turn.is_some() { 3 } else { 2 }) {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg("keys::tests::memory_scan::no_copy_of_a_key_is_left_in_memory_after_signing_and_locking")
            .env("COUNTERSIGN_CHILD_SCANS", store)
            .output()
            .unwrap();
        print!("{}", String::from_utf8_lossy(&child.stdout));
        assert!(child.status.success(), "{store}: {}", String::from_utf8_lossy(&child.stderr));
    }
}

fn sign_lock_and_scan(store: &str) {
    let dir = tempfile::tempdir().unwrap();
    let cheap = file::Cost { memory_kib: 8, passes: 1 };
    let (keys, in_store) = match store {
        "memory" => (started().1, 1),
        "file" => {
            (Keys::start(Box::new(file::FileStore::open_with_cost(dir.path(), &text("pass"), cheap).unwrap())), 0)
        }
        _ => (Keys::start(Box::new(os::OsStore::new(dir.path()).unwrap())), 0),
    };
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
    let careless: Vec<u8> = masked.iter().map(|b| b ^ MASK).collect();
    let left_lying = copies(&masked);
    println!("{store}: {loaded} copies loaded, {locked} locked, {left_lying} with one left lying about");
    assert_eq!((loaded, locked), (in_store + 1, 0), "loaded: what the store holds, and the signer's");
    assert_eq!((left_lying, careless.len()), (1, 32));
}

/// How often the key stands in our writable memory, in either byte order or as hex.
fn copies(masked: &[u8]) -> usize {
    let reversed: Vec<u8> = masked.iter().rev().copied().collect();
    let hex: Vec<u8> = masked.iter().flat_map(|b| format!("{:02x}", b ^ MASK).into_bytes()).map(|b| b ^ MASK).collect();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut chunk = vec![0u8; 1 << 20];
    let own = chunk.as_ptr() as u64..chunk.as_ptr() as u64 + chunk.len() as u64;
    let mut found = BTreeSet::new();
    for (from, to) in writable_ranges() {
        let mut at = from;
        while at < to {
            let want = usize::try_from((to - at).min(chunk.len() as u64)).unwrap();
            let Ok(got) = memory.read_at(&mut chunk[..want], at) else { break };
            // Second halves: the allocator writes over the beginning of what was freed.
            for needle in [&masked[16..], &reversed[16..], &hex[32..]] {
                let first = needle[0] ^ MASK;
                let hits = chunk[..got].windows(needle.len()).enumerate().filter(|(i, window)| {
                    window[0] == first
                        && !own.contains(&(at + *i as u64))
                        && window.iter().zip(needle).all(|(a, b)| a ^ MASK == *b)
                });
                found.extend(hits.map(|(i, _)| at + i as u64));
            }
            if got < 32 || at + got as u64 >= to {
                break;
            }
            at += got as u64 - 31;
        }
    }
    chunk.fill(0);
    found.len()
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
