//! The desktop: a window that asks, a window that shows, a tray and notifications, around a desk that runs without them.
//!
//! The service runs on its own threads; the main thread belongs to the toolkit. Nothing here signs, and nothing here knows a key.

mod activity;
mod alone;
mod approver;
mod commands;
mod doubts;
mod environment;
mod guard;
mod lacking;
mod limits;
mod limits_commands;
mod native;
mod notify;
mod people;
mod people_commands;
#[cfg(test)]
mod person;
mod preferences;
mod press;
mod qr;
mod quiet;
mod secret;
mod secret_commands;
mod settings;
mod settings_commands;
mod shortcut;
mod spot;
mod stage;
#[cfg(test)]
mod table;
mod tray;
mod view;
mod window;
mod words;

pub use approver::{Inputs, WindowApprover};
pub use environment::{clean_environment, draw_without_graphics_card};
pub use native::open_display;
pub use settings::start_at_login;

use anyhow::Context as _;
use countersign_core::Millis;
use countersign_desk::{Desk, event::Event};
use countersign_vault::{Clock, Scope, VaultError, activity::Activity};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tauri::{AppHandle, Manager as _, RunEvent, WindowEvent};
use tokio::sync::{mpsc, oneshot};

use crate::{alipay::Alipay, app::Place, backup::staged::Outcome, config::Config, connect::Roots};
use approver::{Input, drive};
use preferences::Kept;
use stage::Stage;
use window::Windows;

/// What the desktop stands on.
pub struct GuiParts {
    /// The running desk.
    pub desk: Arc<Desk>,
    /// The merchant at Alipay.
    pub alipay: Arc<Alipay>,
    /// The approver it was built with.
    pub approver: Arc<WindowApprover>,
    /// What that approver has been asked so far, and will be.
    pub inputs: Inputs,
    /// The same clock as the vault's.
    pub clock: Arc<dyn Clock>,
    /// The open port, to be shown.
    pub address: Option<String>,
    /// Where our own files lie.
    pub place: Place,
    /// What it was started with.
    pub config: Config,
    /// A page of the main window to open at once.
    pub show: Option<String>,
    /// What came of a backup that this start restored, or did not.
    pub restored: Option<Outcome>,
    /// Fires when the app is to end.
    pub stop: oneshot::Receiver<()>,
}

/// How the desktop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was quit.
    Quit,
    /// It is to start again: something waits for that.
    Again,
}

/// What commands, tray and notifications share.
struct Shell {
    desk: Arc<Desk>,
    alipay: Arc<Alipay>,
    approver: Arc<WindowApprover>,
    inputs: mpsc::UnboundedSender<Input>,
    windows: Arc<Windows>,
    address: Option<String>,
    try_at: Option<String>,
    preferences: Arc<Kept>,
    words: words::Words,
    activity: Arc<Activity>,
    limits: limits::Room,
    people: people::Room,
    secret: secret::Room,
    settings: settings::Room,
    lacking: lacking::Lacking,
    alone: alone::Alone,
    /// Whether it starts again when it ends.
    again: Arc<AtomicBool>,
    raising: shortcut::Raising,
}

/// Runs the desktop on this thread, the main one, until it is quit. What waits then is refused.
pub fn run(parts: GuiParts, runtime: &tokio::runtime::Handle) -> anyhow::Result<Ended> {
    tauri::async_runtime::set(runtime.clone());
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            commands::next,
            commands::decide,
            commands::raw,
            commands::open_rule,
            commands::status,
            commands::pause,
            commands::resume,
            activity::activity_overview,
            activity::activity_list,
            activity::activity_payment,
            activity::activity_export,
            activity::page_code,
            activity::page_watch,
            commands::preferences,
            commands::set_preferences,
            limits_commands::limits,
            limits_commands::limits_preview,
            limits_commands::limits_save,
            limits_commands::limits_confirm,
            limits_commands::limits_cancel,
            limits_commands::limits_versions,
            limits_commands::payee_forget,
            limits_commands::payee_label,
            people_commands::agents,
            people_commands::agent_pause,
            people_commands::agent_resume,
            people_commands::agent_revoke,
            people_commands::clients,
            people_commands::client_change,
            people_commands::client_go,
            people_commands::wallets,
            people_commands::wallet_money,
            people_commands::wallet_pays,
            people_commands::wallet_lock,
            people_commands::merchant_check,
            people_commands::merchant_remove,
            secret_commands::secret_open,
            secret_commands::secret_view,
            secret_commands::secret_step,
            secret_commands::secret_end,
            settings_commands::settings,
            settings_commands::settings_save,
            settings_commands::settings_confirm,
            settings_commands::settings_cancel,
            settings_commands::settings_autostart,
            settings_commands::settings_findings,
            settings_commands::settings_report,
            settings_commands::settings_backup,
            settings_commands::settings_backups,
            settings_commands::settings_restore,
            settings_commands::settings_restore_seen,
            settings_commands::settings_logs,
        ])
        .build(tauri::generate_context!())
        .context("starting the window")?;
    let ending = parts.approver.inputs();
    let again = furnish(app.handle(), parts)?;
    app.run_return(move |app, event| match event {
        // Without a window the app lives on in the tray.
        RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        RunEvent::WindowEvent { event: WindowEvent::Destroyed, .. } => quiet::soon(app),
        RunEvent::Exit => drop(ending.send(Input::Quit)),
        _ => {}
    });
    Ok(if again.load(Ordering::SeqCst) { Ended::Again } else { Ended::Quit })
}

/// Builds what the windows need; whether the program starts again is known from what comes back.
fn furnish(app: &AppHandle, parts: GuiParts) -> anyhow::Result<Arc<AtomicBool>> {
    let GuiParts { desk, alipay, approver, inputs, clock, address, place, config, show, restored, stop } = parts;
    let again = Arc::new(AtomicBool::new(false));
    let dir = place.dir.clone();
    let preferences = Arc::new(Kept::read(&dir));
    preferences::dress(app, preferences.now().theme);
    let windows = Windows::new(app.clone(), approver.inputs(), desk.clone(), preferences.clone(), &dir);
    let activity = Arc::new(activity::read_model(&desk));
    let registry = Arc::new(desk.registry().clone());
    let limits = limits::Room::new(desk.vault().clone(), registry, approver.clone(), clock.clone());
    let people = people::Room::new(desk.vault().clone(), approver.clone(), place.clone(), Roots::of_this_user());
    let try_at = config.test.seller.clone();
    let settings = settings::Room::new(place, config, approver.clone(), clock.clone());
    let secret = secret::Room::new(desk.vault().clone());
    let shell = Arc::new(Shell {
        desk,
        alipay,
        inputs: approver.inputs(),
        approver,
        windows: windows.clone(),
        address,
        try_at,
        words: words::Words::new(preferences.clone()),
        preferences,
        activity,
        limits,
        people,
        secret,
        settings,
        lacking: lacking::Lacking::default(),
        alone: alone::Alone::new(&dir),
        again: again.clone(),
        raising: shortcut::Raising::new(app.clone(), windows.clone(), settings::hears_keys()),
    });
    app.manage(windows.clone());
    app.manage(shell.clone());
    tauri::async_runtime::spawn(drive(inputs, Stage::new(native::arm_time()), clock, windows.clone()));
    tray::start(app, shell.clone(), &dir).context("putting up the tray icon")?;
    tauri::async_runtime::spawn(doubts::ask(shell.desk.clone(), shell.approver.clone()));
    tauri::async_runtime::spawn(alone::begin(shell.clone()));
    if let Some(told) = restored {
        notify::restored(shell.clone(), &told);
    }
    let raises = shell.clone();
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(why) = raises.raising.take(&raises.preferences.now().shortcut) {
            tracing::warn!(?why, "the shortcut that was chosen raises no question in this run");
        }
    });
    tauri::async_runtime::spawn(notify::follow(shell));
    if let Some(page) = show {
        windows.main(Some(page));
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if stop.await.is_ok() {
            app.exit(0);
        }
    });
    Ok(again)
}

/// Stops all payments, for some minutes or until resumed; the ledger keeps the longer of two pauses.
async fn pause(desk: &Desk, minutes: Option<u32>) -> Result<(), VaultError> {
    let until = minutes.map(|minutes| Millis(desk.now().0.saturating_add(i64::from(minutes).saturating_mul(60_000))));
    desk.vault().pause(Scope::All, until).await?;
    desk.announce(Event::Paused(true));
    desk.look_again();
    Ok(())
}
