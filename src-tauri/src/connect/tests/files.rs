//! Modes, links, other programs, and what is kept.

use super::*;

#[cfg(unix)]
use std::os::unix::fs::{PermissionsExt as _, symlink};

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[cfg(unix)]
#[test]
fn the_mode_stays_and_what_is_new_is_private() {
    for wanted in [0o600, 0o640, 0o644] {
        let desk = Desk::with("cursor", Some("{}"));
        std::fs::set_permissions(&desk.found.file, std::fs::Permissions::from_mode(wanted)).unwrap();
        desk.connect();
        let kept = desk.folder.path().join("config.before-countersign");
        assert_eq!((mode(&desk.found.file), mode(&kept)), (wanted, wanted));
        desk.undo();
        assert_eq!(mode(&desk.found.file), wanted);
    }
    let desk = Desk::with("cursor", None);
    desk.connect();
    assert_eq!(mode(&desk.found.file), 0o600);
}

#[cfg(unix)]
#[test]
fn the_group_stays_so_that_its_rights_are_nobody_elses() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let desk = Desk::with("cursor", Some("{}"));
    let group = || std::fs::metadata(&desk.found.file).unwrap().gid();
    let mine: Vec<u32> = rustix::process::getgroups().unwrap().iter().map(|group| group.as_raw()).collect();
    // A user of one group cannot give a file to another.
    let Some(other) = mine.into_iter().chain([4242]).find(|other| *other != group()) else { return };
    if chown(&desk.found.file, None, Some(other)).is_err() {
        return;
    }
    std::fs::set_permissions(&desk.found.file, std::fs::Permissions::from_mode(0o660)).unwrap();
    desk.connect();
    assert_eq!((group(), mode(&desk.found.file)), (other, 0o660));
    desk.undo();
    assert_eq!((group(), mode(&desk.found.file)), (other, 0o660));
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_its_file_is_written() {
    let desk = Desk::with("cursor", None);
    let real = tempfile::tempdir().unwrap();
    let file = real.path().join("dotfiles.json");
    std::fs::write(&file, "{}").unwrap();
    symlink(&file, &desk.found.file).unwrap();
    desk.connect();
    assert!(std::fs::symlink_metadata(&desk.found.file).unwrap().is_symlink());
    assert!(std::fs::read_to_string(&file).unwrap().contains("countersign"));
    desk.undo();
    assert!(std::fs::symlink_metadata(&desk.found.file).unwrap().is_symlink());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{}");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_left_alone() {
    let desk = Desk::with("cursor", None);
    symlink(desk.folder.path().join("gone"), &desk.found.file).unwrap();
    let said = desk.found.connect(&desk.launch()).unwrap_err().to_string();
    assert!(said.contains("a link that leads nowhere"), "{said}");
    assert_eq!(desk.names(), ["config"]);
}

#[test]
fn a_file_that_another_program_wrote_since_it_was_shown_is_not_overwritten() {
    let desk = Desk::with("cursor", Some("{}"));
    let plan = desk.found.connect(&desk.launch()).unwrap().unwrap();
    desk.write("{\"mine\": 1}");
    let said = plan.carry_out().unwrap_err().to_string();
    assert!(said.contains("changed in the meantime"), "{said}");
    assert_eq!(desk.text().as_deref(), Some("{\"mine\": 1}"));
    assert_eq!(desk.names(), ["config"], "no copy is left of what was not changed");
    std::fs::remove_file(&desk.found.file).unwrap();
    assert!(plan.carry_out().is_err());
    assert_eq!(desk.names(), [""; 0], "a file that was removed is not made again");
}

#[test]
fn a_file_that_changes_while_its_successor_is_written_is_not_overwritten() {
    let desk = Desk::with("cursor", Some("{}"));
    let plan = desk.found.connect(&desk.launch()).unwrap().unwrap();
    let ready = plan.file.ready(plan.after.as_deref(), true).unwrap();
    assert_eq!(desk.names().len(), 3, "the copy and the successor are on the disk");
    desk.write("{\"mine\": 1}");
    assert!(ready.put().is_err());
    assert_eq!((desk.text().as_deref(), desk.names()), (Some("{\"mine\": 1}"), vec!["config".to_owned()]));
}

#[test]
fn a_change_that_is_given_up_leaves_the_older_copy() {
    let desk = Desk::with("cursor", Some("{}"));
    desk.connect();
    std::fs::remove_file(&desk.found.file).unwrap();
    let plan = desk.found.connect(&desk.launch()).unwrap().unwrap();
    desk.write("{\"mine\": 1}");
    assert!(plan.carry_out().is_err());
    assert_eq!(std::fs::read_to_string(desk.folder.path().join("config.before-countersign")).unwrap(), "{}");
}

#[test]
fn when_the_entry_was_removed_by_hand_undoing_removes_the_copy_and_says_so() {
    for by_hand in [Some("{\"token\": \"s3cret\", \"mine\": 1}"), None] {
        let desk = Desk::with("cursor", Some("{\"token\": \"s3cret\"}"));
        desk.connect();
        match by_hand {
            Some(text) => desk.write(text),
            None => std::fs::remove_file(&desk.found.file).unwrap(),
        }
        let plan = desk.found.undo().unwrap().unwrap();
        let copy = desk.folder.path().join("config.before-countersign").display().to_string();
        assert_eq!((plan.diff(), plan.file()), (format!("--- {copy}\n+++ /dev/null\n"), copy.as_str()));
        plan.carry_out().unwrap();
        assert_eq!(desk.text().as_deref(), by_hand);
        assert_eq!(desk.names().len(), usize::from(by_hand.is_some()));
        assert!(desk.found.undo().unwrap().is_none());
    }
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let desk = Desk::with("cursor", None);
    let found = Found { client: desk.found.client, file: desk.folder.path().join("gone").join("mcp.json") };
    let plan = found.connect(&desk.launch()).unwrap().unwrap();
    assert!(plan.carry_out().is_err());
    assert_eq!(desk.names(), [""; 0]);
}

#[test]
fn a_kept_copy_that_somebody_changed_is_not_brought_back() {
    let desk = Desk::with("cursor", Some("{\"a\": 1}"));
    desk.connect();
    std::fs::write(desk.folder.path().join("config.before-countersign"), "{\"a\": 2}").unwrap();
    desk.undo();
    assert_eq!(desk.text().as_deref(), Some("{\"a\": 1, \"mcpServers\": {}}"));
}

#[cfg(unix)]
#[test]
fn an_entry_that_leads_to_this_program_through_a_link_is_connected() {
    let desk = Desk::with("cursor", Some("{}"));
    let (program, link) = (desk.folder.path().join("program"), desk.folder.path().join("link"));
    std::fs::write(&program, "").unwrap();
    symlink(&program, &link).unwrap();
    let at = |path: &Path| launch_at(path.to_str().unwrap(), "cursor");
    desk.found.connect(&at(&link)).unwrap().unwrap().carry_out().unwrap();
    assert_eq!(desk.found.state(&at(&program)), State::Connected);
    std::fs::remove_file(&link).unwrap();
    assert!(matches!(desk.found.state(&at(&program)), State::Stale(_)));
}
