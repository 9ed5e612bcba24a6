//! The commands of the pages Agents and Wallets. Each is the main window's alone. One pairs, after the approval window said so;
//! none sees a key.

use tauri::WebviewWindow;

use super::{
    activity,
    commands::{Gets, Said, failed, from},
    people::{AgentsView, ClientChange, ClientView, Today, WalletsView, merchant::CheckedView, money::MoneyView},
    window::MAIN,
};

/// The Agents page as it stands.
#[tauri::command]
pub async fn agents(window: WebviewWindow, shell: Gets<'_>) -> Said<AgentsView> {
    from(&window, MAIN)?;
    let (real, behind) = activity::today(&shell, false).await?;
    let (play, _) = activity::today(&shell, true).await?;
    let reference = shell.desk.registry().reference().to_owned();
    let today = Today { now: shell.desk.now(), real, play, behind, reference };
    shell.people.agents(&today, shell.address.as_deref()).await.map_err(failed)
}

/// Stops one agent's payments until they are resumed.
#[tauri::command]
pub async fn agent_pause(window: WebviewWindow, shell: Gets<'_>, name: String) -> Said<()> {
    from(&window, MAIN)?;
    shell.people.pause(&name).await.map_err(failed)?;
    shell.desk.look_again();
    Ok(())
}

/// Lets them go on, once the person has confirmed it in the approval window.
#[tauri::command]
pub async fn agent_resume(window: WebviewWindow, shell: Gets<'_>, name: String) -> Said<()> {
    from(&window, MAIN)?;
    shell.people.resume(&name).await.map_err(failed)?;
    shell.desk.look_again();
    Ok(())
}

/// Ends an agent's tokens for good.
#[tauri::command]
pub async fn agent_revoke(window: WebviewWindow, shell: Gets<'_>, name: String) -> Said<()> {
    from(&window, MAIN)?;
    let revoked = shell.people.revoke(&name).await;
    shell.desk.look_again();
    revoked.map_err(failed)
}

/// The MCP clients that are installed.
#[tauri::command]
pub async fn clients(window: WebviewWindow, shell: Gets<'_>) -> Said<Vec<ClientView>> {
    from(&window, MAIN)?;
    shell.people.clients().map_err(failed)
}

/// What connecting a client, or taking our entry out of it, would change.
#[tauri::command]
pub async fn client_change(window: WebviewWindow, shell: Gets<'_>, id: String, undo: bool) -> Said<ClientChange> {
    from(&window, MAIN)?;
    shell.people.client_change(&id, undo).await.map_err(failed)
}

/// Does what was shown; where an agent is made, once the person has confirmed it in the approval window.
#[tauri::command]
pub async fn client_go(window: WebviewWindow, shell: Gets<'_>, id: String) -> Said<()> {
    from(&window, MAIN)?;
    shell.people.client_go(&id).await.map_err(failed)
}

/// The Wallets page as it stands.
#[tauri::command]
pub async fn wallets(window: WebviewWindow, shell: Gets<'_>) -> Said<WalletsView> {
    from(&window, MAIN)?;
    shell.alipay.knock_briefly().await;
    let merchant = shell.alipay.merchant();
    let (registry, lock_after) = (shell.desk.registry(), shell.desk.locks_wallets_after());
    shell.people.wallets(registry, lock_after, &merchant).await.map_err(failed)
}

/// Checks the merchant's keys and asks the gateway about an order nobody has.
#[tauri::command]
pub async fn merchant_check(window: WebviewWindow, shell: Gets<'_>) -> Said<CheckedView> {
    from(&window, MAIN)?;
    Ok(CheckedView::of(shell.alipay.check().await))
}

/// Forgets the merchant and its key, once the person has confirmed it in the approval window.
#[tauri::command]
pub async fn merchant_remove(window: WebviewWindow, shell: Gets<'_>) -> Said<()> {
    from(&window, MAIN)?;
    shell.people.merchant_remove(&shell.alipay).await.map_err(failed)?;
    shell.desk.look_again();
    Ok(())
}

/// Where a wallet gets its money, and what it holds; `afresh` when somebody begins to look.
#[tauri::command]
pub async fn wallet_money(window: WebviewWindow, shell: Gets<'_>, address: String, afresh: bool) -> Said<MoneyView> {
    from(&window, MAIN)?;
    shell.people.money(&shell.desk, &address, afresh).await.map_err(failed)
}

/// Lets a wallet pay by default, once the person has confirmed it in the approval window.
#[tauri::command]
pub async fn wallet_pays(window: WebviewWindow, shell: Gets<'_>, address: String, network: Option<String>) -> Said<()> {
    from(&window, MAIN)?;
    shell.people.pays(shell.desk.registry(), &address, network.as_deref()).await.map_err(failed)
}

/// Wipes every key from memory; where a passphrase is set, payments need it again.
#[tauri::command]
pub fn wallet_lock(window: WebviewWindow, shell: Gets<'_>) -> Said<()> {
    from(&window, MAIN)?;
    shell.desk.vault().lock_wallets();
    Ok(())
}
