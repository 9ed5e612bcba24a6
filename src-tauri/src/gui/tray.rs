//! The tray: its menu as data, its icon as a state. A click here can open, pause or quit; it can never approve, resume or shorten a pause.

use countersign_desk::event::Event;
use countersign_vault::Health;
use std::{path::Path, sync::Arc};
use tauri::{
    AppHandle, Wry,
    image::Image,
    menu::{Menu, MenuItem},
    tray::{TrayIcon, TrayIconBuilder},
};
use tokio::sync::broadcast::error::RecvError;

use super::{Shell, pause};

/// One thing the menu does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Opens the main window.
    Open,
    /// Brings the question to the front.
    Questions,
    /// Pauses everything for an hour, or leaves a longer pause.
    PauseHour,
    /// Pauses everything until resumed.
    PauseOpen,
    /// Ends the app; what waits is refused.
    Quit,
}

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What a click does.
    pub act: Act,
    /// What it says.
    pub label: String,
    /// Whether it can be clicked.
    pub enabled: bool,
}

/// What the tray shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Items waiting for the person.
    pub waiting: usize,
    /// All payments are stopped.
    pub paused: bool,
}

/// The icon's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Nothing to do.
    Idle,
    /// Somebody waits for an answer.
    Asking,
    /// All payments are stopped.
    Paused,
}

impl Look {
    /// The menu, top to bottom.
    pub fn menu(self) -> Vec<Line> {
        let line = |act, label: String, enabled| Line { act, label, enabled };
        let questions = match self.waiting {
            0 => "No questions waiting".to_owned(),
            1 => "1 question waiting".to_owned(),
            n => format!("{n} questions waiting"),
        };
        vec![
            line(Act::Open, "Open Countersign".to_owned(), true),
            line(Act::Questions, questions, self.waiting > 0),
            line(Act::PauseHour, "Pause for 1 hour".to_owned(), true),
            line(Act::PauseOpen, "Pause until resumed".to_owned(), true),
            line(Act::Quit, "Quit".to_owned(), true),
        ]
    }

    /// The icon. A question is shown before a pause.
    pub const fn icon(self) -> Icon {
        if self.waiting > 0 {
            Icon::Asking
        } else if self.paused {
            Icon::Paused
        } else {
            Icon::Idle
        }
    }
}

impl Icon {
    fn image(self) -> tauri::Result<Image<'static>> {
        Image::from_bytes(match self {
            Self::Idle => include_bytes!("../../../icons/tray-idle.png"),
            Self::Asking => include_bytes!("../../../icons/tray-asking.png"),
            Self::Paused => include_bytes!("../../../icons/tray-paused.png"),
        })
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Idle => "Countersign",
            Self::Asking => "Countersign: a question waits",
            Self::Paused => "Countersign: paused",
        }
    }
}

const ALL: [(Act, &str); 5] = [
    (Act::Open, "open"),
    (Act::Questions, "questions"),
    (Act::PauseHour, "pause-hour"),
    (Act::PauseOpen, "pause-open"),
    (Act::Quit, "quit"),
];

/// Puts the tray up and keeps it current. `dir` is ours alone: the icon is a file there on Linux.
pub fn start(app: &AppHandle, shell: Arc<Shell>, dir: &Path) -> tauri::Result<()> {
    let look = Look { waiting: 0, paused: shell.desk.vault().health() == Health::Paused };
    let menu = Menu::new(app)?;
    let mut lines = Vec::new();
    for (line, (_, id)) in look.menu().into_iter().zip(ALL) {
        let item = MenuItem::with_id(app, id, &line.label, line.enabled, None::<&str>)?;
        menu.append(&item)?;
        lines.push(item);
    }
    let clicked = shell.clone();
    let tray = TrayIconBuilder::with_id("tray")
        .temp_dir_path(dir.join("tray"))
        .icon(look.icon().image()?)
        .tooltip(look.icon().says())
        .menu(&menu)
        .on_menu_event(move |app, event| {
            if let Some((act, _)) = ALL.iter().find(|(_, id)| event.id() == id) {
                act.perform(app, &clicked);
            }
        })
        .build(app)?;
    tauri::async_runtime::spawn(follow(shell, look, Shown { tray, lines }));
    Ok(())
}

struct Shown {
    tray: TrayIcon<Wry>,
    lines: Vec<MenuItem<Wry>>,
}

impl Shown {
    fn draw(&self, look: Look) -> tauri::Result<()> {
        for (line, item) in look.menu().into_iter().zip(&self.lines) {
            item.set_text(&line.label)?;
            item.set_enabled(line.enabled)?;
        }
        self.tray.set_icon(Some(look.icon().image()?))?;
        self.tray.set_tooltip(Some(look.icon().says()))
    }
}

async fn follow(shell: Arc<Shell>, mut look: Look, shown: Shown) {
    let (mut waiting, mut events) = (shell.windows.waiting(), shell.desk.events());
    loop {
        tokio::select! {
            changed = waiting.changed() => if changed.is_err() { return },
            event = events.recv() => match event {
                Ok(Event::Paused(_) | Event::Health(_)) | Err(RecvError::Lagged(_)) => {}
                Ok(_) => continue,
                Err(RecvError::Closed) => return,
            },
            // A pause with an end ends without a word.
            () = tokio::time::sleep(std::time::Duration::from_secs(30)), if look.paused => {}
        }
        let now = Look { waiting: *waiting.borrow_and_update(), paused: shell.desk.vault().health() == Health::Paused };
        if now != look {
            look = now;
            if let Err(error) = shown.draw(look) {
                tracing::warn!(%error, "the tray could not be drawn");
            }
        }
    }
}

impl Act {
    fn perform(self, app: &AppHandle, shell: &Arc<Shell>) {
        match self {
            Self::Open => shell.windows.main(None),
            Self::Questions => shell.windows.present(),
            Self::PauseHour => spawn_pause(shell, Some(60)),
            Self::PauseOpen => spawn_pause(shell, None),
            Self::Quit => app.exit(0),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_says_how_many_wait() {
        let label = |waiting| Look { waiting, paused: false }.menu()[1].clone();
        assert_eq!((label(0).label.as_str(), label(0).enabled), ("No questions waiting", false));
        assert_eq!((label(1).label.as_str(), label(1).enabled), ("1 question waiting", true));
        assert_eq!(label(3).label, "3 questions waiting");
    }

    #[test]
    fn nothing_in_the_menu_approves_or_resumes() {
        for look in [Look::default(), Look { waiting: 2, paused: true }] {
            let acts: Vec<Act> = look.menu().into_iter().map(|line| line.act).collect();
            assert_eq!(acts, ALL.map(|(act, _)| act), "the ids follow the lines");
        }
    }

    #[test]
    fn a_question_is_shown_before_a_pause() {
        assert_eq!(Look { waiting: 1, paused: true }.icon(), Icon::Asking);
        assert_eq!(Look { waiting: 0, paused: true }.icon(), Icon::Paused);
        assert_eq!(Look::default().icon(), Icon::Idle);
        for icon in [Icon::Idle, Icon::Asking, Icon::Paused] {
            assert_eq!(icon.image().unwrap().width(), 64);
        }
    }
}
