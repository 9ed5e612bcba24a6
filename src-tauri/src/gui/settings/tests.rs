//! The room over a real file, with a scripted person in the window that asks.

use super::{super::view::tests::check, *};
use countersign_core::Millis;
use countersign_vault::ManualClock;
use std::sync::atomic::Ordering;

use crate::gui::person::Person;

struct Home {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    person: Arc<Person>,
    room: Room,
}

fn home(text: &str) -> Home {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    let clock = Arc::new(ManualClock::new(Millis(1_795_000_000_000)));
    let person = Arc::new(Person::default());
    let running = Config::parse(text).unwrap();
    let room = Room::new(Place { dir: dir.path().to_owned(), config: file }, running, person.clone(), clock.clone());
    Home { dir, clock, person, room }
}

impl Home {
    fn text(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("config.toml")).unwrap()
    }

    fn save(&self, edit: SettingsEdit) -> Told<SettingsSaved> {
        self.room.save(&edit, &self.room.view().unwrap().base)
    }
}

const NODE: &str = "https://sepolia.base.org";

fn nodes() -> SettingsEdit {
    SettingsEdit::Nodes { network: "eip155:84532".into(), urls: vec![NODE.into()] }
}

#[test]
fn what_loosens_nothing_is_written_at_once_and_says_that_it_needs_a_restart() {
    let home = home("# mine\n[server]\nport = 7402\n");
    assert!(!home.room.view().unwrap().restart);
    assert_eq!(home.save(SettingsEdit::Port { port: 7402 }), Ok(SettingsSaved::Same));
    assert_eq!(home.save(SettingsEdit::Port { port: 7500 }), Ok(SettingsSaved::Saved));
    assert_eq!(home.text(), "# mine\n[server]\nport = 7500\n");
    let seen = home.room.view().unwrap();
    assert_eq!((seen.port, seen.restart, seen.timeout), (7500, true, 120));
}

#[test]
fn what_counts_at_once_needs_no_restart() {
    let home = home("[fetch]\nkeep_hours = 24\n");
    for edit in [SettingsEdit::KeepHours { hours: 2 }, SettingsEdit::LockAfter { minutes: 15 }] {
        assert_eq!(home.save(edit.clone()), Ok(SettingsSaved::Saved));
        home.room.is_in_force(&edit);
    }
    let seen = home.room.view().unwrap();
    assert_eq!((seen.keep_hours, seen.lock_after, seen.restart), (2, 15, false));
    assert_eq!(home.text(), "[fetch]\nkeep_hours = 2\n\n[keys]\nlock_after_minutes = 15\n");
}

#[test]
fn nothing_is_written_that_the_program_would_not_start_with() {
    let home = home("[server]\nport = 7402\n");
    for bad in [
        SettingsEdit::Timeout { seconds: 5 },
        SettingsEdit::Reference { currency: "dollars".into() },
        SettingsEdit::Rate { currency: "CNY".into(), rate: Some("-1".into()) },
        SettingsEdit::Nodes { network: "eip155:84532".into(), urls: vec!["ftp://x".into()] },
        SettingsEdit::TestSeller { url: Some("nonsense".into()) },
    ] {
        assert!(matches!(home.save(bad.clone()), Err(LimitsError::Failed { .. })), "{bad:?}");
    }
    assert_eq!(home.save(SettingsEdit::Port { port: 0 }), Err(LimitsError::Port), "what is no number comes as none");
    assert_eq!(home.text(), "[server]\nport = 7402\n");
    let stale = home.room.save(&SettingsEdit::Port { port: 1 }, "0x00");
    assert_eq!(stale, Err(LimitsError::Changed), "the page showed another text");
}

#[tokio::test]
async fn what_could_loosen_needs_the_words_the_wait_and_the_window_that_asks() {
    let home = home("# mine\n");
    let Ok(SettingsSaved::Owner { id, lines, words, .. }) = home.save(nodes()) else { panic!("saved at once") };
    let node = Said::NodeNew { network: "eip155:84532".into(), url: format!("{NODE}/") };
    assert_eq!(lines, [node]);
    assert_eq!((home.text().as_str(), words.as_str()), ("# mine\n", "eip155:84532"));
    assert!(matches!(home.room.confirm(&id, &words).await, Err(LimitsError::TooEarly { .. })));
    home.clock.advance_ms(WAIT_MS);
    assert_eq!(home.room.confirm(&id, "something").await, Err(LimitsError::NotTyped));
    assert_eq!(home.room.confirm(&id, &words).await, Err(LimitsError::Declined));
    assert_eq!(home.text(), "# mine\n");

    home.person.says.store(true, Ordering::SeqCst);
    let Ok(SettingsSaved::Owner { id, words, .. }) = home.save(nodes()) else { panic!("saved at once") };
    home.clock.advance_ms(WAIT_MS);
    home.room.confirm(&id, &words).await.unwrap();
    assert!(home.text().contains("# mine\n") && home.text().contains(NODE), "{}", home.text());
    let seen = home.room.view().unwrap();
    let base = seen.nodes.iter().find(|one| one.network == "eip155:84532").unwrap();
    assert_eq!((base.urls.as_slice(), base.offered.as_deref()), ([NODE.to_owned()].as_slice(), None));

    // A file that was changed by hand meanwhile is not written over.
    let rate = SettingsEdit::Rate { currency: "CNY".into(), rate: Some("0.14".into()) };
    let Ok(SettingsSaved::Owner { id, words, .. }) = home.save(rate) else { panic!("saved at once") };
    home.clock.advance_ms(WAIT_MS);
    std::fs::write(home.dir.path().join("config.toml"), "# by hand\n").unwrap();
    assert_eq!(home.room.confirm(&id, &words).await, Err(LimitsError::Changed));
    assert_eq!(home.text(), "# by hand\n");
}

#[tokio::test]
async fn a_backup_waits_for_the_words_the_wait_and_the_window_that_asks_and_for_the_next_start() {
    let home = staged::tests::home();
    let place = home.place.clone();
    let config = Config::load(&place.config).unwrap();
    let vault = crate::app::open_vault(&place, &config, Arc::new(countersign_vault::SystemClock), false).unwrap();
    let downloads = tempfile::tempdir().unwrap();
    let file = downloads.path().join("countersign-backup-2026-11-25.sqlite");
    let made = Millis(1_795_000_000_000);
    crate::backup::make(&place, &file, made).unwrap();
    std::fs::write(downloads.path().join("other.sqlite"), "").unwrap();
    let (clock, person) = (Arc::new(ManualClock::new(made)), Arc::new(Person::default()));
    let room = Room::new(place.clone(), config, person.clone(), clock.clone());
    let file = file.display().to_string();
    assert_eq!(room.backups(downloads.path()), [file.as_str()]);
    assert_eq!(room.restore(&vault, "copy.sqlite").await, Err(LimitsError::WholePath));
    let other = room.restore(&vault, &place.config.display().to_string()).await;
    let named = Said::BackupNot { file: place.config.display().to_string() };
    assert_eq!(other, Err(LimitsError::Backup { says: vec![named] }));

    let copied = || {
        let names = std::fs::read_dir(&place.dir).unwrap().map(|file| file.unwrap().file_name());
        names.into_iter().any(|name| name.to_str().unwrap().starts_with("restore-"))
    };
    assert!(!copied(), "what was refused is not kept");
    let begin = async || match room.restore(&vault, &file).await {
        Ok(SettingsSaved::Restore { id, lines, words, .. }) => (id, lines, words),
        other => panic!("{other:?}"),
    };
    let (id, lines, words) = begin().await;
    assert_eq!(words, made.rfc3339().chars().take(10).collect::<String>());
    assert!(lines.contains(&Said::RestoreNoneLost {}) && lines.contains(&Said::RestoreAsks {}), "{lines:?}");
    assert!(matches!(room.confirm(&id, &words).await, Err(LimitsError::TooEarly { .. })));
    clock.advance_ms(WAIT_MS);
    assert_eq!(room.confirm(&id, "yes").await, Err(LimitsError::NotTyped));
    assert!(person.asked.lock().unwrap().is_empty());
    assert_eq!(room.confirm(&id, &words).await, Err(LimitsError::Declined));
    assert!(!copied(), "what was declined is not kept");
    begin().await;
    room.cancel();
    assert!(!copied(), "what was dropped is not kept");

    person.says.store(true, Ordering::SeqCst);
    let (id, lines, words) = begin().await;
    clock.advance_ms(WAIT_MS);
    assert_eq!(room.confirm(&id, &words).await, Ok(Confirmed::Again));
    let asked = person.asked.lock().unwrap().pop().unwrap();
    assert_eq!((asked.title, asked.lines), (Said::AskRestore {}, lines), "what is confirmed is shown");
    assert_eq!(room.view().unwrap().restored, None);
    assert!(vault.doubts().history.is_none(), "nothing happens before the next start");
    vault.shutdown().await;
    let told = staged::carry_out(&place, made).unwrap().unwrap();
    assert!(told.whole);
    assert_eq!(room.view().unwrap().restored, Some(RestoredView { whole: true, lines: told.lines }));
    room.seen().unwrap();
    assert_eq!(room.view().unwrap().restored, None);
}

#[test]
fn offered_nodes_are_of_networks_we_know_and_none_is_used_unasked() {
    let home = home("");
    let seen = home.room.view().unwrap();
    let offered = seen.nodes.iter().filter(|one| one.offered.is_some()).count();
    let known = if cfg!(feature = "ui-automation") { 2 } else { OFFERED.len() };
    assert_eq!(offered, known);
    assert!(seen.nodes.iter().all(|one| one.urls.is_empty()));
}

#[test]
fn the_bindings_are_current() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/ipc/bindings");
    let mut stale = Vec::new();
    check::<SettingsEdit>(&dir, &mut stale);
    check::<SettingsView>(&dir, &mut stale);
    check::<RateView>(&dir, &mut stale);
    check::<NodesView>(&dir, &mut stale);
    check::<RestoredView>(&dir, &mut stale);
    check::<SettingsSaved>(&dir, &mut stale);
    check::<Finding>(&dir, &mut stale);
    check::<view::FindingId>(&dir, &mut stale);
    check::<view::FindingState>(&dir, &mut stale);
    assert!(stale.is_empty(), "run the test once with UPDATE_BINDINGS=1 for: {stale:#?}");
}
