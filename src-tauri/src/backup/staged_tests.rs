//! The note over real files: what is asked for, what came of it, and when it is given up.

use super::*;
use crate::app::open_vault;
use countersign_vault::{Clock as _, SystemClock};
use std::{os::unix::fs::PermissionsExt as _, sync::Arc};

/// A data directory with a ledger and its keys in an encrypted file.
pub struct Home {
    _dir: tempfile::TempDir,
    /// Where.
    pub place: Place,
}

/// One that was opened once.
pub fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("data");
    app::make_private(&at).unwrap();
    let passphrase = at.join("passphrase");
    fs::write(&passphrase, "only for tests").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let config = at.join("config.toml");
    fs::write(&config, format!("[keys]\nstore = \"file\"\npassphrase_file = {passphrase:?}\n")).unwrap();
    let cheapest = countersign_vault::keys::file::Cost { memory_kib: 8, passes: 1 };
    let secret = countersign_vault::keys::Secret::copy_of(b"only for tests");
    let store = countersign_vault::keys::file::FileStore::open_with_cost(&at, &secret, cheapest).unwrap();
    // A store makes its file when it first keeps something.
    countersign_vault::keys::KeyStore::set(&store, "cheap", &secret).unwrap();
    drop(store);
    let place = Place { dir: at, config };
    opened(&place);
    Home { _dir: dir, place }
}

/// Opens the ledger and closes it again.
fn opened(place: &Place) {
    let config = Config::load(&place.config).unwrap();
    let vault = open_vault(place, &config, Arc::new(SystemClock), false).unwrap();
    assert_eq!(vault.health(), countersign_vault::Health::Ok);
    closed(vault);
}

/// On a thread of its own: the test may be one that waits.
fn closed(vault: countersign_vault::Vault) {
    let close = || tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(vault.shutdown());
    std::thread::spawn(close).join().unwrap();
}

impl Home {
    /// A backup that waits to be restored, with a line of the configuration that is not in it.
    fn asked(&self) {
        let file = self.place.dir.parent().unwrap().join("copy.sqlite");
        crate::backup::make(&self.place, &file, SystemClock.wall()).unwrap();
        let copy = take_in(&self.place, &file).unwrap();
        ask(&self.place, &copy).unwrap();
        let text = fs::read_to_string(&self.place.config).unwrap();
        fs::write(&self.place.config, format!("# later\n{text}")).unwrap();
    }

    fn carried_out(&self) -> Option<Outcome> {
        carry_out(&self.place, SystemClock.wall()).unwrap()
    }

    fn copied(&self) -> bool {
        self.copy().is_some()
    }

    fn copy(&self) -> Option<PathBuf> {
        let files = fs::read_dir(&self.place.dir).unwrap().map(|file| file.unwrap().path());
        files.into_iter().find(|file| file.file_name().unwrap().to_str().unwrap().starts_with(COPY.0))
    }
}

#[test]
fn what_was_asked_for_is_restored_once_and_told_until_it_was_seen() {
    let home = home();
    assert_eq!(home.carried_out(), None);
    home.asked();
    forget(&home.place);
    seen(&home.place).unwrap();
    assert!(home.copied() && waits(&home.place), "nothing but a start takes it away");
    let told = home.carried_out().unwrap();
    assert!(told.whole && told.restored, "{told:?}");
    assert!(
        matches!(
            told.lines[..],
            [Said::RestoreDone { .. }, Said::RestoreAside { .. }, Said::RestoreFileAside { .. }, Said::RestoreNext {}]
        ),
        "{told:?}"
    );
    assert!(!fs::read_to_string(&home.place.config).unwrap().contains("# later"));
    assert!(!home.copied());
    assert_eq!((home.carried_out(), outcome(&home.place)), (None, Some(told)));
    seen(&home.place).unwrap();
    assert_eq!(outcome(&home.place), None);
    opened(&home.place);
}

#[test]
fn what_cannot_be_restored_leaves_everything_and_says_why_and_is_not_tried_again() {
    let home = home();
    home.asked();
    fs::write(home.copy().unwrap(), "no backup").unwrap();
    let before = fs::read_to_string(&home.place.config).unwrap();
    let told = home.carried_out().unwrap();
    assert!(!told.whole && !told.restored, "{told:?}");
    assert!(matches!(&told.lines[..], [Said::RestoreFailed {}, Said::BackupNot { .. }]), "{told:?}");
    assert_eq!((home.carried_out(), home.copied()), (None, false));
    assert_eq!(fs::read_to_string(&home.place.config).unwrap(), before);
    opened(&home.place);
}

#[test]
fn a_start_that_never_ends_is_given_up_and_one_beside_another_leaves_it_to_that() {
    let home = home();
    home.asked();
    let config = Config::load(&home.place.config).unwrap();
    let vault = open_vault(&home.place, &config, Arc::new(SystemClock), false).unwrap();
    let refused = carry_out(&home.place, SystemClock.wall()).unwrap_err();
    assert!(matches!(refused.downcast_ref(), Some(BackupError::Open(OpenError::InUse(_)))), "{refused:?}");
    closed(vault);
    let note = read(&home.place).unwrap().unwrap();
    assert_eq!((note.state, note.begun, home.copied()), (State::Waiting, 0, true));
    write(&home.place, &Note { begun: MOST, ..note }).unwrap();
    let told = home.carried_out().unwrap();
    assert!(matches!(&told.lines[..], [Said::RestoreFailed {}, Said::RestoreGivenUp {}]), "{told:?}");
    assert!(!home.copied());
    opened(&home.place);
}

#[test]
fn what_an_earlier_start_put_in_place_is_told_also_where_the_rest_is_given_up() {
    for begun in [1, MOST] {
        let home = home();
        home.asked();
        let asked = read(&home.place).unwrap().unwrap();
        let config = Config::load(&home.place.config).unwrap();
        let held = Held::take(&home.place.dir, app::keys(&home.place, &config).unwrap()).unwrap();
        let copied = home.copy().unwrap();
        let before = held.restore(&copied, Some(&asked.id), SystemClock.wall()).unwrap().before.unwrap();
        drop(held);
        fs::write(&copied, "no backup any more").unwrap();
        write(&home.place, &Note { begun, ..asked }).unwrap();
        let told = home.carried_out().unwrap();
        assert_eq!((told.whole, told.restored, home.copied()), (false, true, false), "{told:?}");
        let [Said::RestorePartly {}, why, Said::RestoreAside { path }, Said::RestoreNext {}] = &told.lines[..] else {
            panic!("{told:?}")
        };
        assert_eq!((*why == Said::RestoreGivenUp {}, path), (begun == MOST, &before.display().to_string()), "{why}");
    }
}

#[test]
fn a_key_store_that_does_not_open_leaves_it_waiting() {
    let home = home();
    home.asked();
    let passphrase = home.place.dir.join("passphrase");
    fs::write(&passphrase, "another").unwrap();
    assert_eq!(home.carried_out(), None);
    assert!(waits(&home.place) && home.copied());
    fs::write(&passphrase, "only for tests").unwrap();
    assert!(home.carried_out().unwrap().whole);
}

#[test]
fn a_copy_that_was_replaced_while_its_owner_was_asked_is_not_restored() {
    let home = home();
    let file = home.place.dir.parent().unwrap().join("copy.sqlite");
    crate::backup::make(&home.place, &file, SystemClock.wall()).unwrap();
    let first = take_in(&home.place, &file).unwrap();
    let second = take_in(&home.place, &file).unwrap();
    assert!(ask(&home.place, &first).is_err(), "what was shown is what is restored");
    assert_eq!((waits(&home.place), home.copy()), (false, Some(second.path)));
    forget(&home.place);
    assert!(!home.copied());
}
