//! A combination of keys that brings an open question to the front from anywhere. It answers nothing, and is off until chosen.
//!
//! On Wayland no program hears keys meant for another, so there is none there.

use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tauri::{AppHandle, Manager as _, Wry};
use tauri_plugin_global_shortcut::{
    Builder, GlobalShortcut, GlobalShortcutExt as _, Modifiers, Shortcut, ShortcutState,
};

use super::window::Windows;

/// Why a combination is not taken. The page has a sentence for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind")]
pub enum NoShortcut {
    /// It is none, or one that is needed to type or commonly used.
    #[serde(rename = "no_shortcut")]
    NoKeys,
    /// Another program has it.
    #[serde(rename = "shortcut_taken")]
    Taken,
    /// This display gives no program such keys.
    #[serde(rename = "shortcut_not_here")]
    NotHere,
}

/// Listens for the one combination.
pub struct Raising {
    app: AppHandle,
    windows: Arc<Windows>,
    here: bool,
    taken: Mutex<Option<Shortcut>>,
}

impl Raising {
    /// Listens for none yet. `here` says whether this display has such keys.
    pub fn new(app: AppHandle, windows: Arc<Windows>, here: bool) -> Self {
        Self { app, windows, here, taken: Mutex::default() }
    }

    /// Listens for this combination in the place of the one before; for none if the text is empty. Blocks until the main thread did it.
    ///
    /// # Errors
    /// Then the one before stays.
    pub fn take(&self, text: &str) -> Result<(), NoShortcut> {
        let wanted = read(text)?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if *taken == wanted {
            return Ok(());
        }
        if let Some(wanted) = wanted {
            self.begin()?;
            let windows = self.windows.clone();
            let raise = move |_: &AppHandle, _: &Shortcut, event: tauri_plugin_global_shortcut::ShortcutEvent| {
                if event.state == ShortcutState::Pressed {
                    windows.raise();
                }
            };
            self.app.global_shortcut().on_shortcut(wanted, raise).map_err(not_free)?;
        }
        if let Some(old) = std::mem::replace(&mut *taken, wanted)
            && let Err(error) = self.app.global_shortcut().unregister(old)
        {
            tracing::warn!(%error, "the shortcut before this one still raises the question");
        }
        Ok(())
    }

    /// Has the keys listened to, on the main thread, where two of three systems want it. Nothing of it is there before.
    fn begin(&self) -> Result<(), NoShortcut> {
        if !self.here {
            return Err(NoShortcut::NotHere);
        }
        if self.app.try_state::<GlobalShortcut<Wry>>().is_some() {
            return Ok(());
        }
        let (told, done) = mpsc::channel();
        let app = self.app.clone();
        let begin = move || drop(told.send(app.plugin(Builder::<Wry>::new().build())));
        self.app.run_on_main_thread(begin).map_err(not_here)?;
        done.recv().map_err(not_here)?.map_err(not_here)
    }
}

/// A combination by its names, `Ctrl+Alt+Q`; none if the text is empty. It has a key that types nothing, and takes none away that
/// programs commonly use: one such key alone is enough only with a function key.
pub fn read(text: &str) -> Result<Option<Shortcut>, NoShortcut> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let shortcut: Shortcut = text.trim().parse().map_err(|_| NoShortcut::NoKeys)?;
    let quiet = Modifiers::CONTROL | Modifiers::ALT | Modifiers::SUPER | Modifiers::META;
    let function = shortcut.key.to_string().strip_prefix('F').is_some_and(|number| number.parse::<u8>().is_ok());
    let rare = function || shortcut.mods.bits().count_ones() > 1;
    if rare && shortcut.mods.intersects(quiet) { Ok(Some(shortcut)) } else { Err(NoShortcut::NoKeys) }
}

fn not_free(error: tauri_plugin_global_shortcut::Error) -> NoShortcut {
    tracing::warn!(%error, "the shortcut cannot be had");
    NoShortcut::Taken
}

fn not_here(error: impl std::fmt::Display) -> NoShortcut {
    tracing::warn!(%error, "no shortcut can be had");
    NoShortcut::NotHere
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_combination_has_a_key_that_types_nothing_and_an_empty_text_is_none() {
        assert_eq!(read(" "), Ok(None));
        for good in ["Ctrl+Alt+Q", "alt+F9", "Super+Shift+KeyC", "Ctrl+Shift+Space"] {
            assert!(matches!(read(good), Ok(Some(_))), "{good}");
        }
        for bad in [
            "Q",
            "Shift+Q",
            "Ctrl+C",
            "Super+KeyC",
            "Alt+Tab",
            "F9",
            "Shift+F9",
            "Ctrl",
            "Ctrl+",
            "Ctrl+Ctrl",
            "Ctrl+Q+W",
            "nonsense",
        ] {
            assert_eq!(read(bad), Err(NoShortcut::NoKeys), "{bad}");
        }
    }

    #[test]
    fn each_reason_is_told_by_the_name_the_page_knows() {
        let page = include_str!("../../../ui/messages/en/settings.json");
        for why in [NoShortcut::NoKeys, NoShortcut::Taken, NoShortcut::NotHere] {
            let told = serde_json::to_value(why).unwrap();
            assert!(page.contains(&format!("\"settings.{}\"", told["kind"].as_str().unwrap())), "{told}");
        }
    }

    #[test]
    fn no_window_gets_a_command_of_the_plugin() {
        let files = [
            include_str!("../../capabilities/main.json"),
            include_str!("../../capabilities/approval.json"),
            include_str!("../../capabilities/secret.json"),
        ];
        assert!(files.iter().all(|file| !file.contains("global-shortcut")));
    }
}
