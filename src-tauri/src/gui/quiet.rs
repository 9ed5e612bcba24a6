//! What is let go of once no window is open.
//!
//! WebKit keeps the process that fetches for pages as long as the app lives, and starts another for the next page if it is gone. Our
//! pages fetch nothing through it, so a tray that shows nothing is rid of it. Linux only; elsewhere the system sees to this.

use std::time::Duration;
use tauri::{AppHandle, Manager as _};

/// How long nothing must have been open: a queue shows one question after another.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often it is looked at again while the last page is still on its way out.
const LOOKS: usize = 15;

/// Looks again in a moment, and lets go once nothing is open.
pub fn soon(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        for _ in 0..LOOKS {
            tokio::time::sleep(PATIENCE).await;
            let (tell, told) = tokio::sync::oneshot::channel();
            // Windows are opened on the main thread, so none opens between the look and the end.
            let asked = app.clone();
            let look = app.run_on_main_thread(move || {
                let _ = tell.send(is_over(&asked));
            });
            if look.is_err() || told.await.unwrap_or(true) {
                return;
            }
        }
    });
}

/// Lets go if nothing is open; false if a page is still there that nobody sees.
fn is_over(app: &AppHandle) -> bool {
    let shown = |window: &tauri::WebviewWindow| window.is_visible().unwrap_or(true);
    if app.webview_windows().values().any(shown) {
        return true;
    }
    #[cfg(target_os = "linux")]
    return linux::end_fetcher();
    #[cfg(not(target_os = "linux"))]
    true
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

    /// What the kernel keeps of the names of WebKit's processes: fifteen letters.
    const FETCHER: &str = "WebKitNetworkPr";
    const PAGE: &str = "WebKitWebProces";

    /// Ends the process that fetches, unless there is a page, which may be loading for a window that is not shown yet; false then.
    pub fn end_fetcher() -> bool {
        let children = children();
        if children.iter().any(|(_, name)| name == PAGE) {
            return false;
        }
        for (pid, _) in children.iter().filter(|(_, name)| name == FETCHER) {
            let ended = pidfd_open(*pid, PidfdFlags::empty()).and_then(|fd| pidfd_send_signal(fd, Signal::TERM));
            tracing::debug!(?ended, "window.fetcher_ended");
        }
        true
    }

    /// The processes this one started, with their names.
    fn children() -> Vec<(Pid, String)> {
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", getpid().as_raw_nonzero())).into_iter().flatten().flatten();
        let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        let numbers: Vec<i32> =
            lists.flat_map(|list| list.split_whitespace().filter_map(|n| n.parse().ok()).collect::<Vec<_>>()).collect();
        numbers
            .into_iter()
            .filter_map(|number| {
                let name = std::fs::read_to_string(format!("/proc/{number}/comm")).ok()?;
                Some((Pid::from_raw(number)?, name.trim_end().to_owned()))
            })
            .collect()
    }
}
