//! The desktop under a headless Wayland compositor: it starts, its page runs, a question waits there and nothing is paid unseen.
//!
//! Needs `weston`, as `cargo xtask test` provides it; says so and does nothing without.

use std::process::{Child, Command, Stdio};

use crate::support::{Client, Place, hostile_seller::HostileSeller, until};

/// A compositor without a screen.
struct Weston {
    child: Child,
    dir: tempfile::TempDir,
}

impl Weston {
    async fn start() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let mut command = Command::new("weston");
        command.args([
            "--backend=headless-backend.so",
            "--shell=kiosk-shell.so",
            "--no-config",
            "--socket=countersign",
        ]);
        command.env("XDG_RUNTIME_DIR", dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            println!("skipped: there is no weston; `cargo xtask test` brings one");
            return None;
        };
        let weston = Self { child, dir };
        until("the compositor", async || weston.dir.path().join("countersign").exists().then_some(())).await;
        Some(weston)
    }
}

impl Drop for Weston {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_wayland_the_desktop_opens_its_page_asks_and_ends() {
    let Some(weston) = Weston::start().await else { return };
    let (place, payer) = Place::with_wallet("[server]\nport = 0\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n");
    let token = place.agent("researcher");
    let seller = HostileSeller::start(&payer).await;
    let runtime = weston.dir.path().to_str().expect("a path");
    let service = place.desktop_with(
        "activity",
        &[
            ("XDG_RUNTIME_DIR", runtime),
            ("WAYLAND_DISPLAY", "countersign"),
            ("GDK_BACKEND", "wayland"),
            ("DISPLAY", ""),
        ],
    );
    // Only the page's own call fills the read model.
    until("the page", async || place.path().join("view.sqlite").exists().then_some(())).await;
    let client = Client::new(&service.url, &token);
    let url = seller.case("no-receipt");
    let asking = tokio::spawn({
        let (client, url) = (client.clone(), url.clone());
        async move { client.fetch(&url, "one").await }
    });
    until("the question", async || {
        let (_, list) = client.get("/v1/payments").await;
        (list["payments"][0]["state"] == "waiting").then_some(())
    })
    .await;
    service.stop();
    let refused = asking.await.map(|(_, body)| body).unwrap_or_default();
    assert_ne!(refused["status"], "completed", "{refused}");
    assert_eq!(seller.credentials("no-receipt").len(), 0);
}
