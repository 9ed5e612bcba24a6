//! Build step: a smaller program where the system can load it; for the window, permissions per command and a clear word when the pages
//! are not built yet.

fn main() {
    pack_relocations();
    #[cfg(feature = "gui")]
    gui();
}

/// Packed relocations spare 1.6 MB of program and of memory. glibc reads them from 2.36 on, so only a release for the very system it
/// is built on has them.
fn pack_relocations() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    let here = std::env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    if here && is("PROFILE", "release") && is("CARGO_CFG_TARGET_ENV", "gnu") && glibc().is_some_and(|v| v >= (2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this system's glibc, where it says one.
fn glibc() -> Option<(u32, u32)> {
    let said = std::process::Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?.stdout;
    let (major, minor) = std::str::from_utf8(&said).ok()?.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(feature = "gui")]
fn gui() {
    const COMMANDS: &[&str] = &[
        "activity_overview",
        "activity_list",
        "activity_payment",
        "activity_export",
        "page_code",
        "page_watch",
        "next",
        "decide",
        "raw",
        "open_rule",
        "status",
        "pause",
        "resume",
        "preferences",
        "set_preferences",
        "limits",
        "limits_preview",
        "limits_save",
        "limits_confirm",
        "limits_cancel",
        "limits_versions",
        "payee_forget",
        "payee_label",
        "agents",
        "agent_pause",
        "agent_resume",
        "agent_revoke",
        "clients",
        "client_change",
        "client_go",
        "wallets",
        "wallet_money",
        "wallet_pays",
        "wallet_lock",
        "merchant_check",
        "merchant_remove",
        "secret_open",
        "secret_view",
        "secret_step",
        "secret_end",
        "settings",
        "settings_save",
        "settings_confirm",
        "settings_cancel",
        "settings_autostart",
        "settings_findings",
        "settings_report",
        "settings_backup",
        "settings_backups",
        "settings_restore",
        "settings_restore_seen",
        "settings_logs",
    ];
    for page in ["ui/dist/approve.html", "ui/dist/index.html", "ui/dist/secret.html"] {
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
