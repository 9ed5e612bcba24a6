//! The Settings page's commands. Each is the main window's alone; what could loosen a verdict ends in the window that asks.

use tauri::{Manager as _, WebviewWindow};

use super::{
    limits::LimitsError,
    limits_commands::{Gets, Told, from},
    settings::{Finding, SettingsEdit, SettingsSaved, SettingsView},
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

/// Carries out what waits for its owner.
#[tauri::command]
pub async fn settings_confirm(window: WebviewWindow, shell: Gets<'_>, id: String, typed: String) -> Told<()> {
    from(&window)?;
    shell.settings.confirm(&id, &typed).await
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
    let paths = window.path();
    let downloads = paths.download_dir().or_else(|_| paths.home_dir()).map_err(|error| failed(error.to_string()))?;
    let now = shell.desk.now();
    let shell = shell.inner().clone();
    let made = tauri::async_runtime::spawn_blocking(move || shell.settings.backup(now, &downloads)).await;
    let made = made.map_err(|error| failed(error.to_string()))?;
    made.map_err(|error| failed(format!("{error:#}")))
}

/// Writes that into a new file among the person's downloads, without anything of their own.
#[tauri::command]
pub async fn settings_report(window: WebviewWindow, shell: Gets<'_>) -> Told<String> {
    from(&window)?;
    let failed = |text: String| LimitsError::Failed { text };
    let paths = window.path();
    let downloads = paths.download_dir().or_else(|_| paths.home_dir()).map_err(|error| failed(error.to_string()))?;
    let report = shell.settings.report(&shell.desk, shell.address.as_deref(), &downloads);
    report.map_err(|error| failed(format!("{error:#}")))
}
