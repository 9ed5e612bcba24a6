//! The least that a window of Tauri is, for the figures of the desktop: an app that has none yet opens one when it is told to by a
//! line, with a page of one sentence. It draws as our own windows are drawn.

use std::io::BufRead as _;

use tauri::{WebviewUrl, WebviewWindowBuilder, http::Response};

/// The scheme of the one page.
const SCHEME: &str = "bare";
/// What can be read on it.
const PAGE: &str =
    "<!doctype html><title>Bare</title><body style=\"font: 24px sans-serif\"><p>An agent asks to pay.</p>";

#[expect(clippy::expect_used, reason = "a measurement may stop at the first surprise")]
fn main() {
    let app = tauri::Builder::default()
        .register_uri_scheme_protocol(SCHEME, |_, _| {
            Response::builder().header("content-type", "text/html").body(PAGE.as_bytes()).expect("a page")
        })
        .build(tauri::generate_context!())
        .expect("an app");
    let handle = app.handle().clone();
    std::thread::spawn(move || {
        println!("ready");
        for line in std::io::stdin().lock().lines() {
            line.expect("a line");
            let app = handle.clone();
            let open = move || {
                let url = format!("{SCHEME}://localhost/").parse().expect("an address");
                let window = WebviewWindowBuilder::new(&app, SCHEME, WebviewUrl::CustomProtocol(url));
                window.title("Bare").inner_size(480.0, 720.0).build().expect("a window");
            };
            handle.run_on_main_thread(open).expect("a main thread");
        }
        handle.exit(0);
    });
    app.run(|_, event| {
        if let tauri::RunEvent::ExitRequested { api, code: None, .. } = event {
            api.prevent_exit();
        }
    });
}
