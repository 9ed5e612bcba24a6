//! The three commands of the `secret` window, and the main window's that open it. What is typed there never reaches the main window.

use tauri::{Manager as _, WebviewWindow};

use super::{
    commands::Gets,
    secret::{SecretDone, SecretError, SecretStep, SecretTask, SecretView},
    window::{MAIN, SECRET},
};

type Told<T> = Result<T, SecretError>;

fn from(window: &WebviewWindow, label: &str) -> Told<()> {
    if window.label() == label { Ok(()) } else { Err(SecretError::WrongWindow) }
}

/// Opens the window where secrets are shown and typed, for one task; one that is open comes to the front with its own.
#[tauri::command]
pub fn secret_open(window: WebviewWindow, shell: Gets<'_>, task: SecretTask) -> Told<()> {
    from(&window, MAIN)?;
    shell.windows.secret(shell.secret.begin(task)?);
    Ok(())
}

/// What the window was opened for.
#[tauri::command]
pub async fn secret_view(window: WebviewWindow, shell: Gets<'_>) -> Told<SecretView> {
    from(&window, SECRET)?;
    shell.secret.view(shell.preferences.now().language).await
}

/// Carries out one step of it.
#[tauri::command]
pub async fn secret_step(window: WebviewWindow, shell: Gets<'_>, step: SecretStep) -> Told<SecretDone> {
    from(&window, SECRET)?;
    let paths = window.path();
    let failed = |error: tauri::Error| SecretError::Failed { text: error.to_string() };
    let downloads = paths.download_dir().or_else(|_| paths.home_dir()).map_err(failed)?;
    let done = shell.secret.step(step, &downloads).await;
    if matches!(done, Ok(SecretDone::Merchant { .. })) {
        shell.alipay.load().await.map_err(|error| SecretError::Failed { text: format!("{error:#}") })?;
    }
    if done.is_ok() {
        shell.alipay.knock().await;
    }
    shell.desk.look_again();
    done
}

/// Closes the window, its page's process and all that was shown. A sitting that already waits for its own window goes on.
#[tauri::command]
pub fn secret_end(window: WebviewWindow, shell: Gets<'_>) -> Told<()> {
    from(&window, SECRET)?;
    shell.secret.end(shell.windows.end_secret());
    Ok(())
}
