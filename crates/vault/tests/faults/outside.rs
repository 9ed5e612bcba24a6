//! Faults that come from outside the program: a tiny file system, a limit on the size of files, a directory that cannot be written, a
//! library under the program that fails its writes, a page that was overwritten, a clock that is wrong. Each must surface as an error
//! or a refusal; none may lose what was handed out.
#![cfg(target_os = "linux")]

use countersign_vault::{Admitted, Clock as _, Confirm, Health, Note, Outcome, SystemClock, Vault};
use std::{
    env::current_exe,
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    child::{Said, Stand},
    support::{Home, Shop, open_when_free, wait},
};

const NOBODY: u32 = 65_534;

/// A directory, and an opened, paired and closed ledger in it.
fn stand() -> (tempfile::TempDir, Stand) {
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::at(dir.path(), false);
    drop(stand.shop());
    (dir, stand)
}

fn works(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn lives(command: &mut Command, lives: usize) -> &mut Command {
    command.env("COUNTERSIGN_CHILD_LIVES", lives.to_string())
}

/// A mounted file system; gone when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// None where this process may not mount.
    fn tmpfs(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_file_system_too_small_for_the_next_payment_surfaces_and_loses_nothing() {
    // The first holds not even an empty ledger, the others run full while payments are made.
    for (size, some_paid) in [("256k", false), ("704k", true), ("768k", true)] {
        let dir = tempfile::tempdir().unwrap();
        let Some(mounted) = Mounted::tmpfs(&dir.path().join("data"), size) else {
            println!("skipped: mounting a tmpfs needs root");
            return;
        };
        let stand = Stand::at(dir.path(), false);
        let said = stand.run(lives(&mut stand.command(&[], &current_exe().unwrap()), 8));
        assert!(said.count("error") > 0, "{size} was enough: {said:?}");
        assert_eq!((said.killed, said.count("end")), (None, 1), "{size}: {said:?}");
        assert_eq!(said.count("signed") > 0, some_paid, "{size}: {said:?}");
        // The disk is larger now.
        let larger = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&mounted.0).status().unwrap();
        assert!(larger.success());
        let handed = stand.audit(&said).unwrap_or_else(|why| panic!("{size}: {why}"));
        println!("{size}: {} errors, {handed} payments handed out", said.count("error"));
    }
}

#[test]
fn a_limit_on_the_size_of_files_surfaces_and_loses_nothing() {
    for ignored in [true, false] {
        let (_dir, stand) = stand();
        // In units of 512 bytes; the signal of the limit kills a program that does not ignore it.
        let script = format!("{} ulimit -f 640; exec \"$0\" \"$@\"", if ignored { "trap '' XFSZ;" } else { "" });
        let said = stand.run(lives(&mut stand.command(&["sh", "-c", &script], &current_exe().unwrap()), 12));
        if ignored {
            assert!(said.count("error") > 0, "the limit was never reached: {said:?}");
            assert_eq!((said.killed, said.count("end")), (None, 1), "{said:?}");
        } else {
            assert!(said.killed.is_some(), "{said:?}");
        }
        let handed = stand.audit(&said).unwrap();
        println!("ulimit -f: {} errors, {handed} payments handed out", said.count("error"));
        assert!(handed > 0);
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_view_only_and_stays_as_it_is() {
    let (dir, stand) = stand();
    // The test's program lies where only its owner may look.
    let program = dir.path().join("program");
    fs::copy(current_exe().unwrap(), &program).unwrap();
    let root = rustix::process::geteuid().is_root();
    if root && !works("setpriv") {
        println!("skipped: root can write everything, and setpriv, which makes a process nobody's, is not here");
        return;
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let data = dir.path().join("data");
    let mut before = Vec::new();
    for folder in [dir.path().join("keys"), data.clone()] {
        for entry in fs::read_dir(&folder).unwrap() {
            let file = entry.unwrap().path();
            if root {
                chown(&file, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            if folder == data {
                before.push((file.clone(), fs::read(&file).unwrap()));
                fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
            }
        }
        if root {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    fs::set_permissions(&data, fs::Permissions::from_mode(0o500)).unwrap();
    let nobody = NOBODY.to_string();
    let through = ["setpriv", "--reuid", &nobody, "--regid", &nobody, "--clear-groups", "--"];
    let mut command = stand.command(if root { &through } else { &[] }, &program);
    let said = stand.run(lives(&mut command, 1));
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(said.count("end"), 1, "{said:?}");
    assert!(said.lines.iter().any(|line| line[0] == "health" && line[1].starts_with("ViewOnly")), "{said:?}");
    assert_eq!((said.count("signed"), said.count("asked")), (0, 0), "{said:?}");
    assert!(said.count("error") >= 6, "every payment was told so: {said:?}");
    for (file, bytes) in &before {
        assert!(fs::read(file).unwrap() == *bytes, "{} was changed", file.display());
    }
    assert_eq!(fs::read_dir(&data).unwrap().count(), before.len(), "nothing new");
}

#[test]
fn writes_that_fail_below_the_program_surface_and_lose_nothing() {
    if !works("fiu-run") && !Path::new("/usr/bin/fiu-run").exists() {
        println!("skipped: fiu-run is not here");
        return;
    }
    let (_dir, stand) = stand();
    // One in twenty; SQLite writes by either of these.
    let five = |name: &str| format!("enable_random name=posix/io/rw/{name},probability=0.05");
    let (write, pwrite) = (five("write"), five("pwrite"));
    let through = ["fiu-run", "-x", "-c", &write, "-c", &pwrite, "-c", &five("pwrite64")];
    // The test harness writes too, and gives up when it cannot: such a child does not count.
    let (mut ended, mut errors, mut handed) = (0, 0, 0);
    for _ in 0..40 {
        let said = stand.run(lives(&mut stand.command(&through, &current_exe().unwrap()), 6));
        assert_eq!(said.killed, None, "{said:?}");
        errors += said.count("error");
        handed += stand.audit(&said).unwrap_or_else(|why| panic!("{why}\n{said:?}"));
        ended += said.count("end");
        if ended == 4 {
            break;
        }
    }
    println!("5 % of writes: {errors} errors, {handed} payments handed out, {ended} children");
    assert_eq!(ended, 4);
    assert!(errors > 5 && handed > 5, "{errors} errors, {handed} payments");
}

#[test]
fn an_overwritten_page_is_noticed_or_harmless() {
    let home = Home::new();
    let shop = home.open_for(&["a"]);
    let mut handed = Vec::new();
    for n in 0..8 {
        let signed = shop.vault.sign(shop.reserved("a", &format!("k{n}"), "30000")).unwrap();
        handed.push((format!("k{n}"), signed.forms()[0].1.clone()));
        let done = Note { outcome: Some(Outcome::Completed), ..Note::default() };
        wait(shop.vault.note(&signed.record().id, done)).unwrap();
    }
    wait(shop.vault.shutdown());
    let good = fs::read(home.file()).unwrap();
    let page = 4096;
    let (mut noticed, mut harmless) = (0, 0);
    for at in (0..good.len()).step_by(page) {
        let mut bad = good.clone();
        let noise: Vec<u8> = (0..page).map(|n| (n * 7 + at / page) as u8).collect();
        let other = (at + 3 * page) % good.len();
        let new: Vec<u8> = match at / page % 3 {
            0 => vec![0; page],
            1 => noise,
            _ => good[other..other + page].to_vec(),
        };
        bad[at..at + page].copy_from_slice(&new);
        fs::write(home.file(), &bad).unwrap();
        match sees(&home, &handed) {
            Ok(true) => harmless += 1,
            Ok(false) => noticed += 1,
            Err(why) => panic!("page {}: {why}", at / page),
        }
        for name in ["ledger.sqlite-wal", "ledger.sqlite-shm"] {
            fs::remove_file(home.path().join(name)).ok();
        }
    }
    println!("{noticed} pages noticed, {harmless} harmless");
    assert!(noticed > 20 && noticed > 3 * harmless);
}

/// Whether a ledger is sound after all, with everything that was handed out in it; an error is one that is neither that nor noticed.
fn sees(home: &Home, handed: &[(String, Vec<u8>)]) -> Result<bool, String> {
    let Ok(vault) = open_when_free(|| home.settings()) else { return Ok(false) };
    let noticed = |vault: &Vault| vault.health() != Health::Ok || vault.doubts().policy.is_some();
    match wait(vault.verify()) {
        _ if noticed(&vault) => return Ok(false),
        Ok(report) if report.faults.is_empty() => {}
        _ => return Ok(false),
    }
    let shop = home.shop(vault, &[]);
    for (key, signature) in handed {
        let Admitted::Same(record) = shop.admit("a", key, "30000") else { return Err(format!("{key} is gone")) };
        let again = wait(shop.vault.sign_again(&record.id)).map_err(|e| e.to_string())?;
        if again.is_none_or(|again| again.forms()[0].1 != *signature) {
            return Err(format!("{key} has another signature"));
        }
    }
    Ok(true)
}

#[test]
fn a_wrong_clock_pays_nothing_without_a_person() {
    if !Path::new("/usr/bin/faketime").exists() {
        println!("skipped: faketime is not here");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let stand = Stand::at(dir.path(), true);
    let silent = |stand: &Stand| {
        let shop = stand.shop();
        stand.home.clock.set_wall(SystemClock.wall());
        let key = format!("right-{:?}", SystemClock.wall());
        let admitted = wait(shop.vault.admit(shop.purchase("a", &key, "30000"))).unwrap();
        assert!(matches!(admitted, Admitted::Reserved(_)), "with the right clock payments are silent");
    };
    silent(&stand);
    for wrong in ["-1d", "+1h"] {
        let through = ["faketime", "-f", wrong];
        let said = stand.run(lives(&mut stand.command(&through, &current_exe().unwrap()), 1));
        assert_eq!(said.count("end"), 1, "{said:?}");
        assert!(asked_for(&said, "builtin:clock-suspect") >= 5, "{wrong}: {said:?}");
        assert_eq!(said.count("signed"), said.count("asked"), "{wrong}: nothing without a question: {said:?}");
        let shop: Shop = stand.shop();
        assert!(shop.vault.doubts().clock.is_some(), "{wrong}: it stays in doubt");
        wait(shop.vault.confirm(Confirm::Clock)).unwrap();
        assert_eq!(shop.faults(), Vec::<String>::new());
        drop(shop);
        silent(&stand);
    }
}

fn asked_for(said: &Said, rule: &str) -> usize {
    said.lines.iter().filter(|line| line[0] == "asked" && line[2] == rule).count()
}
