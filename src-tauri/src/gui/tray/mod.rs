//! The tray: its menu as data, its icon as a state. A click here can open, pause or quit; it can never approve, resume or shorten a pause.

mod host;
mod menu;

pub use host::shows;

use countersign_core::money::Micro;
use countersign_desk::event::Event;
use countersign_vault::Health;
use std::{path::Path, sync::Arc, time::Duration};
use tauri::{
    AppHandle, Wry,
    image::Image,
    menu::{Menu, MenuItem, PredefinedMenuItem},
    tray::{TrayIcon, TrayIconBuilder},
};
use tokio::sync::broadcast::error::RecvError;

use super::{Shell, activity, notify, pause};
use menu::{Act, Icon, Line, Look};

/// How long what was spent today may be out of date.
const STALE: Duration = Duration::from_secs(30);
/// How long several events are waited for before the menu is drawn once.
const TOGETHER: Duration = Duration::from_millis(150);

/// Puts the tray up and keeps it current. `dir` is ours alone: the icon is a file there on Linux.
pub fn start(app: &AppHandle, shell: Arc<Shell>, dir: &Path) -> tauri::Result<()> {
    let look = Look { paused: paused(&shell), ..Look::default() };
    let clicked = shell.clone();
    let icon = look.icon();
    let tray = TrayIconBuilder::with_id("tray")
        .temp_dir_path(dir.join("tray"))
        .icon(image(icon)?)
        .tooltip(shell.words.say(icon.word(), &[]))
        .menu(&built(app, &look, &shell)?)
        .on_menu_event(move |app, event| perform(event.id().as_ref(), app, &clicked))
        .build(app)?;
    tauri::async_runtime::spawn(follow(shell, Shown { app: app.clone(), tray, look }));
    Ok(())
}

struct Shown {
    app: AppHandle,
    tray: TrayIcon<Wry>,
    look: Look,
}

impl Shown {
    /// Draws what differs from what is shown.
    fn draw(&mut self, look: Look, shell: &Shell) -> tauri::Result<()> {
        if look == self.look {
            return Ok(());
        }
        self.tray.set_menu(Some(built(&self.app, &look, shell)?))?;
        if look.icon() != self.look.icon() {
            self.tray.set_icon(Some(image(look.icon())?))?;
        }
        self.tray.set_tooltip(Some(shell.words.say(look.icon().word(), &[])))?;
        self.tray.set_title(look.count())?;
        self.look = look;
        Ok(())
    }
}

fn built(app: &AppHandle, look: &Look, shell: &Shell) -> tauri::Result<Menu<Wry>> {
    let menu = Menu::new(app)?;
    for (number, line) in look.menu(&shell.words).into_iter().enumerate() {
        match line {
            Line::Rule => menu.append(&PredefinedMenuItem::separator(app)?)?,
            Line::Said(text) => {
                menu.append(&MenuItem::with_id(app, format!("said {number}"), text, false, None::<&str>)?)?
            }
            Line::Does(act, text) => {
                menu.append(&MenuItem::with_id(app, format!("{} {number}", name(act)), text, true, None::<&str>)?)?;
            }
        }
    }
    Ok(menu)
}

/// An act as the beginning of a line's id.
const fn name(act: Act) -> &'static str {
    match act {
        Act::Page(page) => page,
        Act::Questions => "-questions",
        Act::PauseHour => "-pause-hour",
        Act::PauseOpen => "-pause-open",
        Act::Resume => "-resume",
        Act::Quit => "-quit",
    }
}

fn perform(id: &str, app: &AppHandle, shell: &Arc<Shell>) {
    match id.split(' ').next().unwrap_or_default() {
        "said" => {}
        "-questions" => shell.windows.present(),
        "-pause-hour" => spawn_pause(shell, Some(60)),
        "-pause-open" => spawn_pause(shell, None),
        "" | "-resume" => shell.windows.main(None),
        "-quit" => app.exit(0),
        page => shell.windows.main(Some(page.to_owned())),
    }
}

fn spawn_pause(shell: &Arc<Shell>, minutes: Option<u32>) {
    let desk = shell.desk.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = pause(&desk, minutes).await {
            tracing::error!(%error, "payments could not be paused");
        }
    });
}

async fn follow(shell: Arc<Shell>, mut shown: Shown) {
    let (mut waiting, mut events, mut chosen) =
        (shell.windows.waiting(), shell.desk.events(), shell.preferences.changes());
    let mut questions: Vec<(String, String)> = Vec::new();
    loop {
        let many = *waiting.borrow_and_update();
        let look = look(&shell, many, &questions).await;
        if let Err(error) = shown.draw(look, &shell) {
            tracing::warn!(%error, "the tray could not be drawn");
        }
        tokio::select! {
            changed = waiting.changed() => if changed.is_err() { return },
            event = events.recv() => match event {
                Ok(Event::Asked(question)) => {
                    questions.push((question.payment_id.to_string(), notify::question_text(&shell.words, &question)));
                }
                Ok(Event::Answered { payment, .. }) => questions.retain(|(id, _)| *id != payment.to_string()),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => questions.clear(),
                Err(RecvError::Closed) => return,
            },
            _ = chosen.changed() => {}
            // A pause with an end ends without a word, and so does a day.
            () = tokio::time::sleep(STALE) => {}
        }
        tokio::time::sleep(TOGETHER).await;
    }
}

async fn look(shell: &Arc<Shell>, waiting: usize, questions: &[(String, String)]) -> Look {
    let spent = activity::today(shell, false)
        .await
        .ok()
        .map(|(agents, _)| Micro(agents.values().fold(0, |sum: u128, agent| sum.saturating_add(agent.value))));
    Look {
        waiting,
        questions: questions.iter().map(|(_, text)| text.clone()).collect(),
        paused: paused(shell),
        spent,
        limit: daily(shell),
        reference: shell.desk.registry().reference().to_owned(),
        language: shell.preferences.now().language,
    }
}

fn paused(shell: &Shell) -> bool {
    shell.desk.vault().health() == Health::Paused
}

/// The limit of a day for everything together, if there is one.
fn daily(shell: &Shell) -> Option<Micro> {
    let policy = shell.desk.vault().policy()?;
    policy.budget("limit-day").filter(|budget| budget.scope.is_empty()).and_then(|budget| budget.max_amount)
}

fn image(icon: Icon) -> tauri::Result<Image<'static>> {
    Image::from_bytes(match icon {
        Icon::Idle => include_bytes!("../../../../icons/tray-idle.png"),
        Icon::Asking => include_bytes!("../../../../icons/tray-asking.png"),
        Icon::Paused => include_bytes!("../../../../icons/tray-paused.png"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_click_approves_or_resumes() {
        let source = include_str!("mod.rs");
        let body = source.split_once("fn perform(").and_then(|(_, rest)| rest.split_once("\n}\n")).unwrap().0;
        for word in ["resume(", "decide", "confirm", "approve"] {
            assert!(!body.contains(word), "{word}");
        }
    }

    #[test]
    fn every_icon_is_there() {
        for icon in [Icon::Idle, Icon::Asking, Icon::Paused] {
            assert_eq!(image(icon).unwrap().width(), 64);
        }
    }
}
