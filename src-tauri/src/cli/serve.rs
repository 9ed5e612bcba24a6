//! `countersign serve`: the service without a window; and what happens without a verb.

#[cfg(feature = "gui")]
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use countersign_desk::approver::Approver;
use countersign_vault::{Clock as _, SystemClock};
use serde_json::json;
#[cfg(feature = "gui")]
use std::ffi::OsString;
use std::{io::Write as _, sync::Arc};

use super::Exit;
use crate::{
    app::{self, Place},
    backup::staged,
    config::Config,
    log,
    terminal::{Nobody, Terminal, print_events},
};

/// Who answers questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Who {
    /// Whoever owns stdin.
    Terminal,
    /// Nobody: every question is refused.
    Deny,
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Port on 127.0.0.1; 0 takes any.
    #[arg(long)]
    port: Option<u16>,
    /// Who answers questions.
    #[arg(long, value_enum, default_value = "terminal")]
    approver: Who,
}

/// Runs until told to stop.
pub fn serve(place: &Place, args: ServeArgs, json: bool) -> anyhow::Result<Exit> {
    log::start(place, None::<std::io::Empty>)?;
    staged::carry_out(place, SystemClock.wall())?;
    let config = Config::load(&place.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let vault = app::open_vault(place, &config, Arc::new(SystemClock), true)?;
        let changed = vault.policy_changed();
        let approver: Arc<dyn Approver> = match args.approver {
            Who::Terminal => {
                eprintln!(
                    "countersign: whoever can write to the standard input of this program approves payments with it."
                );
                Terminal::start(json)
            }
            Who::Deny => Arc::new(Nobody),
        };
        let running = app::start(place, &config, vault, approver, args.port).await?;
        staged::forget(place);
        let printing = tokio::spawn(print_events(running.desk.events(), json));
        if changed {
            tracing::warn!(
                "the limits were loosened by a command while Countersign was not running; they are in force"
            );
            say(&json!({"event": "policy_changed"}));
        }
        let stopped = stop_signal();
        say(&ready(&running));
        if !json {
            let text = running.listening.address().map_or_else(
                || "ready; its port is closed by [server] enabled = false".to_owned(),
                |address| format!("ready at {address}"),
            );
            eprintln!("countersign: {text}");
        }
        stopped.await;
        running.stop().await;
        printing.abort();
        Ok(Exit::Done)
    })
}

/// The desktop: window, tray and notifications, until it is quit. The service has its own threads, the toolkit has this one.
#[cfg(feature = "gui")]
pub fn without_verb(place: &Place, show: Option<String>, json: bool) -> anyhow::Result<Exit> {
    use crate::gui::{self, GuiParts, WindowApprover};

    log::start(place, log::file(place))?;
    let restored = staged::carry_out(place, SystemClock.wall())?;
    let config = Config::load(&place.config)?;
    gui::open_display()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let clock = Arc::new(SystemClock);
    let (approver, inputs) = WindowApprover::new();
    let running = runtime.block_on(async {
        // What was loosened while nothing ran waits for the person here: there is a window to ask in.
        let vault = app::open_vault(place, &config, clock.clone(), false)?;
        app::start(place, &config, vault, approver.clone(), None).await
    })?;
    staged::forget(place);
    let stopping = {
        let _inside = runtime.enter();
        stop_signal()
    };
    if json {
        say(&ready(&running));
    }
    let (stopped, stop) = tokio::sync::oneshot::channel();
    runtime.spawn(async move {
        stopping.await;
        let _ = stopped.send(());
    });
    let parts = GuiParts {
        desk: running.desk.clone(),
        alipay: running.alipay.clone(),
        approver,
        inputs,
        clock,
        address: running.listening.address(),
        place: place.clone(),
        config: config.clone(),
        show,
        restored,
        stop,
    };
    let ended = gui::run(parts, runtime.handle());
    runtime.block_on(running.stop());
    match ended? {
        gui::Ended::Quit => Ok(Exit::Done),
        gui::Ended::Again => again(),
    }
}

/// Starts this program once more in the place of this one, on the page where that was asked for.
#[cfg(feature = "gui")]
fn again() -> anyhow::Result<Exit> {
    let mut command = std::process::Command::new(std::env::current_exe().context("where this program is")?);
    command.args(anew(std::env::args_os().skip(1)));
    #[cfg(unix)]
    return Err(std::os::unix::process::CommandExt::exec(&mut command)).context("Countersign ended; start it again");
    #[cfg(not(unix))]
    command.spawn().map(|_| Exit::Done).context("Countersign ended; start it again")
}

/// The arguments of the same program with another page.
#[cfg(feature = "gui")]
fn anew(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let (mut kept, mut page) = (Vec::new(), false);
    for arg in args {
        let shown = arg.to_str().is_some_and(|arg| arg == "--show");
        if !page && !shown && arg.to_str().is_none_or(|arg| !arg.starts_with("--show=") && arg != "--quietly") {
            kept.push(arg);
        }
        page = shown;
    }
    kept.extend(["--show".into(), "settings".into()]);
    kept
}

/// Without a window there is nothing to start silently.
#[cfg(not(feature = "gui"))]
pub fn without_verb() -> anyhow::Result<Exit> {
    anyhow::bail!("this build has no window; run `countersign serve` to answer questions in the terminal")
}

#[cfg(feature = "gui")]
pub(super) fn page(text: &str) -> Result<String, String> {
    if crate::control::is_page(text) {
        Ok(text.to_owned())
    } else {
        Err("a page is a word such as `activity`".to_owned())
    }
}

/// The line that says where connections are accepted.
fn ready(running: &app::Running) -> serde_json::Value {
    let http = running.listening.address();
    json!({"event": "ready", "http": http, "mcp": http.as_ref().map(|h| format!("{h}/mcp"))})
}

/// One line for programs, with or without `--json`; what people read beside it goes to stderr.
fn say(event: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}

/// Interrupt or termination, heard from the call on, not only from the first look.
fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let heard = {
        use tokio::signal::unix::{SignalKind, signal};
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    };
    async move {
        #[cfg(unix)]
        if let (Ok(mut term), Ok(mut interrupt)) = heard {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(all(test, feature = "gui"))]
mod tests {
    use super::*;

    #[test]
    fn it_starts_again_as_it_was_started_but_on_the_page_of_the_settings() {
        let anew = |args: &[&str]| anew(args.iter().map(OsString::from));
        assert_eq!(anew(&["--quietly"]), ["--show", "settings"]);
        let kept = ["--data-dir", "/d", "--json", "--show", "settings"];
        assert_eq!(anew(&["--data-dir", "/d", "--show", "activity", "--json"]), kept);
        assert_eq!(anew(&["--show=limits", "--data-dir", "/d", "--json"]), kept);
    }
}
