//! Where the main window was, so that it opens there again: a small file of its own, which may be missing or wrong.

use serde::{Deserialize, Serialize};
use std::path::Path;
use tauri::{PhysicalPosition, PhysicalSize, WebviewWindow};

use super::window::inside;

/// In pixels of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spot {
    x: i32,
    y: i32,
    width: u32,
    height: u32,
}

/// Keeps where a window is. One that fills the screen, or is put away, leaves what was kept before.
pub fn keep(window: &WebviewWindow, file: &Path) {
    let elsewhere = window.is_minimized().unwrap_or(true) || window.is_maximized().unwrap_or(true);
    let (Ok(at), Ok(size)) = (window.outer_position(), window.inner_size()) else { return };
    if elsewhere || window.is_fullscreen().unwrap_or(true) {
        return;
    }
    let spot = Spot { x: at.x, y: at.y, width: size.width, height: size.height };
    let written = serde_json::to_vec(&spot).map_err(std::io::Error::other).and_then(|text| std::fs::write(file, text));
    if let Err(error) = written {
        tracing::debug!(%error, "where the window was is not remembered");
    }
}

/// Puts a new window where it was, if that is still wholly on a screen.
pub fn restore(window: &WebviewWindow, file: &Path) -> tauri::Result<()> {
    let Some(spot) = read(file) else { return Ok(()) };
    let (at, size) = (PhysicalPosition::new(spot.x, spot.y), PhysicalSize::new(spot.width, spot.height));
    if window.available_monitors()?.iter().any(|m| inside(at, size, *m.position(), *m.size())) {
        window.set_size(size)?;
        window.set_position(at)?;
    }
    Ok(())
}

fn read(file: &Path) -> Option<Spot> {
    let spot: Spot = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    (spot.width >= 320 && spot.height >= 320).then_some(spot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_that_cannot_be_read_or_is_too_small_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("spot.json");
        assert_eq!(read(&file), None);
        for (text, counts) in [
            (r#"{"x":10,"y":-20,"width":900,"height":700}"#, true),
            (r#"{"x":10,"y":-20,"width":3,"height":700}"#, false),
            (r#"{"x":10,"y":-20,"width":-3,"height":700}"#, false),
            (r#"{"x":10}"#, false),
            ("", false),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(read(&file).is_some(), counts, "{text}");
        }
    }
}
