//! The pages' commands. Each checks the window's label again, whatever the capability files say, and none signs or edits anything.

use countersign_core::{Rfc3339, approval};
use countersign_desk::{
    approver::{Approver as _, Change},
    event::Event,
};
use countersign_vault::{Health, Scope, keys::Guarded};
use serde::Serialize;
use std::{sync::Arc, time::Instant};
use tauri::{Manager as _, State, WebviewWindow, ipc::Channel};
use tokio::sync::oneshot;

use super::{
    Shell,
    approver::Input,
    environment::UI_AUTOMATION,
    limits::LimitsError,
    pause as pause_all,
    preferences::{self, Preferences},
    shortcut::NoShortcut,
    view::{ApprovalFrame, DecideError, DecideErrorKind, Decision, MainState, MainStatus, Remember, Unkept},
    window::{APPROVAL, MAIN},
};

pub(super) type Said<T> = Result<T, DecideError>;
pub(super) type Gets<'a> = State<'a, Arc<Shell>>;

pub(super) fn from(window: &WebviewWindow, label: &str) -> Said<()> {
    if window.label() == label {
        return Ok(());
    }
    Err(DecideError { kind: DecideErrorKind::WrongWindow, message: "This window may not do that.".to_owned() })
}

pub(super) fn failed(message: impl ToString) -> DecideError {
    DecideError { kind: DecideErrorKind::Failed, message: message.to_string() }
}

/// Takes the page's ear; what is to be shown comes through it.
#[tauri::command]
pub fn next(window: WebviewWindow, shell: Gets<'_>, channel: Channel<ApprovalFrame>) -> Said<()> {
    from(&window, APPROVAL)?;
    shell.windows.listen(channel);
    Ok(())
}

/// Answers the question on screen.
#[tauri::command(rename_all = "snake_case")]
pub async fn decide(
    window: WebviewWindow,
    shell: Gets<'_>,
    payment_id: String,
    display_hash: String,
    decision: Decision,
    remember: Remember,
    until: Option<String>,
) -> Said<()> {
    from(&window, APPROVAL)?;
    let (reply, heard) = oneshot::channel();
    shell
        .inputs
        .send(Input::Decide(payment_id.clone(), display_hash, decision, reply))
        .map_err(|_| failed("Countersign is ending."))?;
    let said = heard.await.map_err(|_| failed("Countersign is ending."))?;
    match &said {
        Err(refused) => tracing::info!(kind = ?refused.kind, "window.answer_refused"),
        Ok(()) => keep(&shell, payment_id, decision, remember, until).await,
    }
    said
}

/// Makes the rule of an answer that was taken. The answer stands whatever becomes of the rule.
async fn keep(shell: &Shell, payment: String, decision: Decision, remember: Remember, until: Option<String>) {
    if remember == Remember::Once || decision == Decision::DenyAndPause {
        return;
    }
    let yes = decision == Decision::Approve;
    if yes && remember == Remember::Always {
        return shell.windows.main(Some(format!("limits/payment:{payment}")));
    }
    if yes && remember == Remember::Until {
        // Without an end it would be another answer.
        let Some(Rfc3339(end)) = until.and_then(|text| text.parse().ok()) else {
            return drop(shell.inputs.send(Input::Unkept(payment, Unkept::Failed)));
        };
        return shell.windows.main(Some(format!("limits/payment:{payment}@{}", end.rfc3339())));
    }
    match shell.limits.remember(&payment, yes, remember, until.as_deref()).await {
        Ok(()) => shell.desk.look_again(),
        Err(error) => {
            tracing::warn!(?error, "the answer stands, but no rule was made of it");
            let why = match error {
                LimitsError::Unconfirmed => Unkept::Unconfirmed,
                LimitsError::ByHand { .. } => Unkept::ByHand,
                _ => Unkept::Failed,
            };
            let _ = shell.inputs.send(Input::Unkept(payment, why));
        }
    }
}

/// What would be signed, row by row.
#[tauri::command(rename_all = "snake_case")]
pub async fn raw(window: WebviewWindow, shell: Gets<'_>, payment_id: String) -> Said<Vec<(approval::Said, String)>> {
    from(&window, APPROVAL)?;
    let (reply, heard) = oneshot::channel();
    shell.inputs.send(Input::Raw(payment_id, reply)).map_err(|_| failed("Countersign is ending."))?;
    heard.await.map_err(|_| failed("Countersign is ending."))
}

/// Opens the main window where the rules are; answers nothing.
#[tauri::command]
pub fn open_rule(window: WebviewWindow, shell: Gets<'_>, rule: String) -> Said<()> {
    from(&window, APPROVAL)?;
    let rule: String = rule.chars().filter(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c)).take(100).collect();
    shell.windows.main(Some(format!("limits/{rule}")));
    Ok(())
}

/// The head of the main window.
#[tauri::command]
pub async fn status(window: WebviewWindow, shell: Gets<'_>) -> Said<MainStatus> {
    from(&window, MAIN)?;
    let state = match shell.desk.vault().health() {
        Health::Ok => MainState::Running,
        Health::Paused => MainState::Paused,
        Health::Locked => MainState::Locked,
        Health::ViewOnly(_) | Health::Storage(_) => MainState::ViewOnly,
    };
    let waiting = *shell.windows.waiting().borrow();
    let vault = shell.desk.vault();
    let agents = vault.list_agents().await.map_err(failed)?;
    Ok(MainStatus {
        state,
        waiting: u32::try_from(waiting).unwrap_or(u32::MAX),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        red_band: UI_AUTOMATION,
        passphrase: vault.guarded() == Guarded::Locked,
        wallet: !vault.wallets().is_empty(),
        agent: agents.iter().any(|agent| agent.revoked_at.is_none()),
        try_at: shell.try_at.clone(),
        short: shell.lacking.money(Instant::now()),
    })
}

/// Stops all payments, for some minutes or until resumed. Never shortens a pause.
#[tauri::command]
pub async fn pause(window: WebviewWindow, shell: Gets<'_>, minutes: Option<u32>) -> Said<()> {
    from(&window, MAIN)?;
    pause_all(&shell.desk, minutes).await.map_err(failed)
}

/// Lets payments go on, once the person has confirmed it in the approval window.
#[tauri::command]
pub async fn resume(window: WebviewWindow, shell: Gets<'_>) -> Said<()> {
    from(&window, MAIN)?;
    let change = Change {
        id: super::doubts::id().ok_or_else(|| failed("There is no randomness."))?,
        title: approval::Said::AskResume {},
        lines: vec![approval::Said::Resumes {}],
    };
    let asked = tokio::time::timeout(std::time::Duration::from_secs(120), shell.approver.confirm(change)).await;
    if !asked.unwrap_or(false) {
        return Err(failed("It was not confirmed; payments stay paused."));
    }
    shell.desk.vault().resume(Scope::All).await.map_err(failed)?;
    shell.desk.announce(Event::Paused(false));
    shell.desk.look_again();
    Ok(())
}

/// How the windows look and what language they speak.
#[tauri::command]
pub fn preferences(window: WebviewWindow, shell: Gets<'_>) -> Said<Preferences> {
    from(&window, MAIN)?;
    Ok(shell.preferences.now())
}

/// Changes that, at once and for the next start.
#[tauri::command]
pub async fn set_preferences(
    window: WebviewWindow,
    shell: Gets<'_>,
    preferences: Preferences,
) -> Result<(), NotChosen> {
    from(&window, MAIN)?;
    preferences.check().map_err(failed)?;
    let theme = preferences.theme;
    // Keys that cannot be had in this run stand in the way of no other choice.
    if preferences.shortcut != shell.preferences.now().shortcut {
        let (shortcut, listens) = (preferences.shortcut.clone(), shell.inner().clone());
        let taken = tauri::async_runtime::spawn_blocking(move || listens.raising.take(&shortcut));
        taken.await.map_err(failed)?.map_err(NotChosen::Shortcut)?;
    }
    shell.preferences.keep(preferences).map_err(failed)?;
    preferences::dress(window.app_handle(), theme);
    Ok(())
}

/// Why a choice is not kept.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum NotChosen {
    /// The combination of keys.
    Shortcut(NoShortcut),
    /// Anything else.
    Other(DecideError),
}

impl From<DecideError> for NotChosen {
    fn from(error: DecideError) -> Self {
        Self::Other(error)
    }
}
