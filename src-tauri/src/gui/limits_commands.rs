//! The Limits page's commands. Each is the main window's alone; what loosens ends in the window that asks.

use countersign_vault::PayeeKey;
use std::sync::Arc;
use tauri::{State, WebviewWindow};

use super::{
    Shell,
    limits::{LimitsEdit, LimitsError, LimitsView, PreviewView, SavedView, VersionView},
    window::MAIN,
};

pub(super) type Told<T> = Result<T, LimitsError>;
pub(super) type Gets<'a> = State<'a, Arc<Shell>>;

pub(super) fn from(window: &WebviewWindow) -> Told<()> {
    if window.label() == MAIN { Ok(()) } else { Err(LimitsError::WrongWindow) }
}

/// The page as it stands.
#[tauri::command]
pub async fn limits(window: WebviewWindow, shell: Gets<'_>) -> Told<LimitsView> {
    from(&window)?;
    shell.limits.view().await
}

/// What a change would do; changes nothing.
#[tauri::command]
pub async fn limits_preview(window: WebviewWindow, shell: Gets<'_>, edit: LimitsEdit) -> Told<PreviewView> {
    from(&window)?;
    shell.limits.preview(&edit).await
}

/// Makes a change that tightens, or lets one that loosens wait for its owner.
#[tauri::command]
pub async fn limits_save(window: WebviewWindow, shell: Gets<'_>, edit: LimitsEdit, base: String) -> Told<SavedView> {
    from(&window)?;
    let saved = shell.limits.save(&edit, &base).await?;
    shell.desk.look_again();
    Ok(saved)
}

/// Carries out what waits for its owner.
#[tauri::command]
pub async fn limits_confirm(window: WebviewWindow, shell: Gets<'_>, id: String, typed: String) -> Told<()> {
    from(&window)?;
    shell.limits.confirm(&id, &typed).await?;
    shell.desk.look_again();
    Ok(())
}

/// Drops what waits for its owner.
#[tauri::command]
pub fn limits_cancel(window: WebviewWindow, shell: Gets<'_>) -> Told<()> {
    from(&window)?;
    shell.limits.cancel();
    Ok(())
}

/// Every version of the policy.
#[tauri::command]
pub async fn limits_versions(window: WebviewWindow, shell: Gets<'_>) -> Told<Vec<VersionView>> {
    from(&window)?;
    shell.limits.versions().await
}

/// Lets the forgetting of a payee wait for its owner.
#[tauri::command]
pub async fn payee_forget(
    window: WebviewWindow,
    shell: Gets<'_>,
    agent: Option<String>,
    origin: String,
    account: String,
    asset: String,
) -> Told<SavedView> {
    from(&window)?;
    let bad = |text: &str| LimitsError::Name { text: countersign_core::text::clean(text) };
    let agent = agent.map(|name| name.parse().map_err(|_| bad(&name))).transpose()?;
    let payee = PayeeKey {
        agent,
        origin: origin.parse().map_err(|_| bad(&origin))?,
        asset: asset.parse().map_err(|_| bad(&asset))?,
        account,
    };
    shell.limits.forget(payee).await
}

/// Names a payee's origin in the person's words.
#[tauri::command]
pub async fn payee_label(window: WebviewWindow, shell: Gets<'_>, origin: String, label: Option<String>) -> Told<()> {
    from(&window)?;
    shell.limits.label(&origin, label).await
}
