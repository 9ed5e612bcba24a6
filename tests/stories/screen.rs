//! The approval window as somebody at the screen finds it: looked for, photographed, pressed with a synthetic pointer.
//!
//! Two kinds of builds use it, each its own part.

#![allow(dead_code, reason = "each kind of build uses its own part")]

use std::{path::Path, process::Command, time::Duration};

use crate::support::until;

/// Where screenshots go; `docs/images/approval.png` is a copy of one.
const SHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/screenshots");
/// How far from the left edge the buttons are, in a window as it opens.
pub const PAY: &str = "400";
/// The same.
pub const DENY: &str = "60";

/// There is one screen, and whoever looks for a window on it must not find another story's.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The screen for one story; none where there is no X display, which is said.
pub async fn turn() -> Option<tokio::sync::MutexGuard<'static, ()>> {
    if std::env::var_os("DISPLAY").is_none() {
        println!("skipped: there is no X display; `cargo xtask test` brings one");
        return None;
    }
    Some(TURN.lock().await)
}

/// The title of the approval window, for a search.
pub const QUESTION: &str = "^Countersign asks$";

/// The window of the next question, painted; its picture is kept under this name.
pub async fn question(name: &str) -> String {
    shown(QUESTION, name).await
}

/// The window of this title, painted; its picture is kept under this name.
pub async fn shown(title: &str, name: &str) -> String {
    let window = until("a window", async || visible(title).await).await;
    std::fs::create_dir_all(SHOTS).unwrap();
    let shot = Path::new(SHOTS).join(name);
    until("a painted window", async || painted(&window, &shot).await).await;
    window
}

/// Presses all over the lower part of the window, that far from its left edge, until it had its effect.
pub async fn press_until(window: &str, x: &str, mut done: impl AsyncFnMut() -> bool) {
    until("the effect of a press", async || {
        for y in (560..716).step_by(12) {
            if done().await {
                return Some(());
            }
            press(window, x, &y.to_string()).await;
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        None
    })
    .await;
}

/// Gives the window the keyboard.
pub async fn focus(window: &str) {
    run("xdotool", &["windowfocus", window]).await;
}

/// Presses keys wherever the keyboard is.
pub async fn key(keys: &str) {
    run("xdotool", &["key", "--clearmodifiers", keys]).await;
}

/// The window that has the keyboard.
pub async fn active() -> Option<String> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    Some(run("xdotool", &["getactivewindow"]).await?.trim().to_owned())
}

/// Whether a window of this title is to be seen.
pub async fn there(title: &str) -> bool {
    visible(title).await.is_some()
}

/// Gives the window another size, in pixels of the screen.
pub async fn size(window: &str, width: &str, height: &str) {
    run("xdotool", &["windowsize", "--sync", window, width, height]).await;
}

/// One press and release of the first button.
pub async fn press(window: &str, x: &str, y: &str) {
    run("xdotool", &["windowfocus", window, "mousemove", "--window", window, x, y, "click", "1"]).await;
}

/// Closes the window as a person does without the mouse, until it had its effect: the window manager takes the keys and asks the
/// window to close.
pub async fn close_until(window: &str, mut done: impl AsyncFnMut() -> bool) {
    until("the effect of closing", async || {
        run("xdotool", &["windowfocus", window, "key", "alt+F4"]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        done().await.then_some(())
    })
    .await;
}

/// A window of this title that can be seen.
pub async fn visible(title: &str) -> Option<String> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    let found = run("xdotool", &["search", "--onlyvisible", "--name", title]).await?;
    found.lines().last().map(str::to_owned)
}

/// How many windows of this title can be seen.
pub async fn count(title: &str) -> usize {
    run("xdotool", &["search", "--onlyvisible", "--name", title]).await.map_or(0, |found| found.lines().count())
}

/// Where a window is on the screen: left, top, width, height.
pub async fn place(window: &str) -> Option<[i32; 4]> {
    let told = run("xdotool", &["getwindowgeometry", "--shell", window]).await?;
    let field = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
    Some([field("X=")?, field("Y=")?, field("WIDTH=")?, field("HEIGHT=")?])
}

/// Keys and presses, as xdotool reads them from a file.
pub async fn script(text: &str) {
    let file = Path::new(SHOTS).join("keys-and-presses.txt");
    std::fs::create_dir_all(SHOTS).unwrap();
    std::fs::write(&file, text).unwrap();
    run("xdotool", &[file.to_str().unwrap()]).await;
}

/// Whether a picture of the window has more on it than a background.
async fn painted(window: &str, shot: &Path) -> Option<()> {
    tokio::time::sleep(Duration::from_millis(200)).await;
    let shot = shot.to_str()?;
    run("import", &["-window", window, shot]).await?;
    let colours: usize = run("identify", &["-format", "%k", shot]).await?.trim().parse().ok()?;
    (colours > 100).then_some(())
}

async fn run(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
