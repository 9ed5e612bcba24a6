//! The Settings page's commands. Each is the main window's alone; what could loosen a verdict ends in the window that asks.

use std::{path::PathBuf, sync::atomic::Ordering};
use tauri::{Manager as _, WebviewWindow};

use super::{
    limits::LimitsError,
    limits_commands::{Gets, Told, from},
    settings::{Confirmed, Finding, SettingsEdit, SettingsSaved, SettingsView},
};

/// The page as the file stands.
#[tauri::command]
pub async fn settings(window: WebviewWindow, shell: Gets<'_>) -> Told<SettingsView> {
    from(&window)?;
    shell.settings.view()
}

/// Writes a change, or lets one that could loosen wait for its owner.
#[tauri::command]
pub async fn settings_save(
    window: WebviewWindow,
    shell: Gets<'_>,
    edit: SettingsEdit,
    base: String,
) -> Told<SettingsSaved> {
    from(&window)?;
    let saved = shell.settings.save(&edit, &base)?;
    match edit {
        SettingsEdit::KeepHours { hours } => shell.desk.keep_answers_for(hours).await?,
        SettingsEdit::LockAfter { minutes } => shell.desk.lock_wallets_after(minutes),
        _ => {}
    }
    shell.settings.is_in_force(&edit);
    Ok(saved)
}

/// Carries out what waits for its owner. Where that is a restore, the program starts again.
#[tauri::command]
pub async fn settings_confirm(window: WebviewWindow, shell: Gets<'_>, id: String, typed: String) -> Told<()> {
    from(&window)?;
    if shell.settings.confirm(&id, &typed).await? == Confirmed::Again {
        shell.again.store(true, Ordering::SeqCst);
        window.app_handle().exit(0);
    }
    Ok(())
}

/// Drops what waits for its owner.
#[tauri::command]
pub fn settings_cancel(window: WebviewWindow, shell: Gets<'_>) -> Told<()> {
    from(&window)?;
    shell.settings.cancel();
    Ok(())
}

/// Starts with the session from now on, or no more.
#[tauri::command]
pub async fn settings_autostart(window: WebviewWindow, shell: Gets<'_>, on: bool) -> Told<()> {
    from(&window)?;
    shell.settings.autostart(on)
}

/// What the program found out about itself and the computer.
#[tauri::command]
pub async fn settings_findings(window: WebviewWindow, shell: Gets<'_>) -> Told<Vec<Finding>> {
    from(&window)?;
    Ok(shell.settings.findings(&shell.desk, shell.address.as_deref()))
}

/// Opens the folder of the logs.
#[tauri::command]
pub fn settings_logs(window: WebviewWindow, shell: Gets<'_>) -> Told<()> {
    from(&window)?;
    shell.settings.open_logs()
}

/// Writes ledger and settings into a new file among the person's downloads. No key of a wallet is in it.
#[tauri::command]
pub async fn settings_backup(window: WebviewWindow, shell: Gets<'_>) -> Told<String> {
    from(&window)?;
    let failed = |text: String| LimitsError::Failed { text };
    let downloads = downloads(&window)?;
    let now = shell.desk.now();
    let shell = shell.inner().clone();
    let made = tauri::async_runtime::spawn_blocking(move || shell.settings.backup(now, &downloads)).await;
    let made = made.map_err(|error| failed(error.to_string()))?;
    made.map_err(|error| failed(format!("{error:#}")))
}

/// The newest backups among the person's downloads.
#[tauri::command]
pub async fn settings_backups(window: WebviewWindow, shell: Gets<'_>) -> Told<Vec<String>> {
    from(&window)?;
    Ok(shell.settings.backups(&downloads(&window)?))
}

/// Proves a backup and lets its restoring wait for its owner; nothing is restored yet.
#[tauri::command]
pub async fn settings_restore(window: WebviewWindow, shell: Gets<'_>, file: String) -> Told<SettingsSaved> {
    from(&window)?;
    shell.settings.restore(shell.desk.vault(), &file).await
}

/// The person saw what came of the last restore.
#[tauri::command]
pub async fn settings_restore_seen(window: WebviewWindow, shell: Gets<'_>) -> Told<()> {
    from(&window)?;
    shell.settings.seen()
}

/// Writes that into a new file among the person's downloads, without anything of their own.
#[tauri::command]
pub async fn settings_report(window: WebviewWindow, shell: Gets<'_>) -> Told<String> {
    from(&window)?;
    let failed = |text: String| LimitsError::Failed { text };
    let downloads = downloads(&window)?;
    let report = shell.settings.report(&shell.desk, shell.address.as_deref(), &downloads);
    report.map_err(|error| failed(format!("{error:#}")))
}

fn downloads(window: &WebviewWindow) -> Told<PathBuf> {
    let paths = window.path();
    let found = paths.download_dir().or_else(|_| paths.home_dir());
    found.map_err(|error| LimitsError::Failed { text: error.to_string() })
}
