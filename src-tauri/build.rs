//! Build step of the window: permissions per command, and a clear word when the pages are not built yet.

fn main() {
    #[cfg(feature = "gui")]
    gui();
}

#[cfg(feature = "gui")]
fn gui() {
    const COMMANDS: &[&str] = &["next", "decide", "raw", "open_rule", "status", "pause", "resume", "recent"];
    for page in ["ui/dist/approve.html", "ui/dist/index.html"] {
        println!("cargo::rerun-if-changed={page}");
        if !std::path::Path::new(page).exists() {
            println!(
                "cargo::error={page} is missing: run `cargo xtask build-ui`, or build without the window: `--no-default-features`"
            );
            return;
        }
    }
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/*.json")
        .app_manifest(tauri_build::AppManifest::new().commands(COMMANDS));
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error=the window's configuration: {error:#}");
    }
}
