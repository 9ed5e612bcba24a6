//! What can be found out about this Countersign and the computer under it, without asking anybody outside.

use countersign_desk::Desk;
use countersign_vault::{Health, keys::Guarded};
use serde_json::{Value, json};
use std::path::Path;

use super::view::{Finding, FindingId, FindingState};
use crate::config::Config;

/// Everything, in the order of the page.
pub fn findings(desk: &Desk, config: &Config, dir: &Path, address: Option<&str>) -> Vec<Finding> {
    let vault = desk.vault();
    let one = |id, state, detail: &str| Finding { id, state, detail: detail.to_owned() };
    let ledger = match vault.health() {
        Health::Ok | Health::Paused | Health::Locked => one(FindingId::Ledger, FindingState::Good, ""),
        Health::ViewOnly(why) | Health::Storage(why) => one(FindingId::Ledger, FindingState::Bad, &why),
    };
    let kept = vault.keys_kept();
    let keys = if kept == "memory" { FindingState::Bad } else { FindingState::Good };
    let passphrase = match vault.guarded() {
        Guarded::No => FindingState::Weak,
        Guarded::Open | Guarded::Locked => FindingState::Good,
    };
    let policy = vault.doubts().policy.map(|why| why.to_string());
    let nodes = config.chains.values().filter(|chain| !chain.rpc.is_empty()).count();
    vec![
        ledger,
        one(FindingId::Keys, keys, kept),
        one(FindingId::Passphrase, passphrase, ""),
        one(
            FindingId::Policy,
            if policy.is_some() { FindingState::Weak } else { FindingState::Good },
            policy.as_deref().unwrap_or_default(),
        ),
        one(FindingId::Port, FindingState::Good, address.unwrap_or_default()),
        one(FindingId::Nodes, if nodes == 0 { FindingState::Weak } else { FindingState::Good }, &nodes.to_string()),
        display(),
        directory(dir),
        swap(),
    ]
}

/// What the windows are on.
fn display() -> Finding {
    display_of(std::env::var("WAYLAND_DISPLAY").ok().as_deref(), std::env::var("GDK_BACKEND").ok().as_deref())
}

/// Whether this display tells a program of keys that are meant for another. On Wayland none does, on X11 within it neither.
pub fn hears_keys() -> bool {
    std::env::var_os("WAYLAND_DISPLAY").is_none_or(|name| name.is_empty())
}

/// On Wayland a window cannot know whether it is covered or where it is, nor stay above others or away from the pointer.
fn display_of(wayland: Option<&str>, backend: Option<&str>) -> Finding {
    let wayland = wayland.is_some_and(|name| !name.is_empty()) && backend != Some("x11");
    let (state, detail) = if wayland { (FindingState::Weak, "Wayland") } else { (FindingState::Good, "X11") };
    Finding { id: FindingId::Display, state, detail: detail.to_owned() }
}

/// Nobody else may read the data directory.
fn directory(dir: &Path) -> Finding {
    #[cfg(unix)]
    let open = {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(dir).map_or(true, |meta| meta.permissions().mode() & 0o077 != 0)
    };
    #[cfg(not(unix))]
    let open = false;
    let state = if open { FindingState::Bad } else { FindingState::Good };
    Finding { id: FindingId::Directory, state, detail: dir.display().to_string() }
}

/// Keys are kept out of swap where the system allows it; whether the swap is encrypted cannot be seen from here.
fn swap() -> Finding {
    let lines = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    let used = lines.lines().skip(1).any(|line| !line.trim().is_empty());
    Finding {
        id: FindingId::Swap,
        state: if used { FindingState::Weak } else { FindingState::Good },
        detail: String::new(),
    }
}

/// The same for somebody who helps: no address, no name, no host and no path of the person's own.
pub fn report(findings: &[Finding], config: &Config) -> Value {
    let rows = findings.iter().map(|one| {
        let told = !matches!(one.id, FindingId::Directory | FindingId::Port | FindingId::Ledger | FindingId::Policy);
        json!({"what": one.id, "state": one.state, "detail": if told { one.detail.as_str() } else { "" }})
    });
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "system": std::env::consts::OS,
        "machine": std::env::consts::ARCH,
        "findings": rows.collect::<Vec<Value>>(),
        "config": {
            "port_open": config.server.enabled,
            "approval_seconds": config.approval.timeout_seconds,
            "reference": config.currency.reference,
            "rates": config.currency.rates.len(),
            "networks_with_nodes": config.chains.values().filter(|chain| !chain.rpc.is_empty()).count(),
            "own_tokens": config.assets.len(),
            "private_hosts": config.fetch.allow_private_hosts.len(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wayland_lacks_is_named_and_x11_within_it_lacks_nothing() {
        assert_eq!(display_of(Some("wayland-0"), None).state, FindingState::Weak);
        assert_eq!(display_of(Some("wayland-0"), Some("x11")).state, FindingState::Good);
        assert_eq!(display_of(Some(""), None).state, FindingState::Good);
    }

    #[test]
    fn a_report_names_nothing_of_the_persons_own() {
        let config = Config::parse(
            "[fetch]\nallow_private_hosts = [\"canary.host\"]\n[chains.\"eip155:84532\"]\nrpc = [\"https://x.example/canary-key\"]\n\
             [test]\nseller = \"https://canary.example\"\n",
        )
        .unwrap();
        let row = |id, detail: &str| Finding { id, state: FindingState::Bad, detail: detail.to_owned() };
        let rows = [
            row(FindingId::Directory, "/home/canary"),
            row(FindingId::Port, "http://canary"),
            row(FindingId::Ledger, "canary"),
            row(FindingId::Policy, "canary"),
            row(FindingId::Keys, "os-keyring"),
        ];
        let text = report(&rows, &config).to_string();
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("os-keyring") && text.contains("\"networks_with_nodes\":1"), "{text}");
    }
}
