//! Where the demo's wallet keeps its key: the desktop's keyring when it is open, else an encrypted file.
//!
//! Looks at an entry's attributes only, never at a secret. Entries of this run are deleted at its end.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::stage::Stage;
use crate::run;

const SERVICE: &str = "org.freedesktop.secrets";
const ITEM: &str = "org.freedesktop.Secret.Item";

/// The `[keys]` table for this machine, and a sentence about it. The passphrase of the file store is made here.
pub fn table(stage: &Stage, data: &Path) -> Result<(String, String)> {
    if keyring_is_open() {
        let prefix = format!("{}/", data.canonicalize()?.display());
        stage.at_the_end(move || forget(&prefix));
        return Ok(("store = \"os\"".into(), "in your desktop's keyring; the entries are deleted at the end".into()));
    }
    let file = passphrase(stage.folder())?;
    let text = toml::Value::from(file.to_string_lossy().as_ref()).to_string();
    Ok((
        format!("store = \"file\"\npassphrase_file = {text}"),
        "in an encrypted file, as no open keyring answers here".into(),
    ))
}

/// Reads one property, so nothing is unlocked and no prompt opens.
fn keyring_is_open() -> bool {
    let path = "/org/freedesktop/secrets/aliases/default";
    cfg!(target_os = "linux")
        && std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
        && property(path, "org.freedesktop.Secret.Collection", "Locked").is_ok_and(|said| said.contains("<false>"))
}

fn forget(prefix: &str) {
    let search =
        call("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.SearchItems", &["{'service': 'countersign'}"]);
    let items = search.unwrap_or_default();
    for item in quoted(&items).filter(|text| text.starts_with('/')) {
        let ours =
            property(item, ITEM, "Attributes").is_ok_and(|said| quoted(&said).any(|text| text.starts_with(prefix)));
        if ours && call(item, "org.freedesktop.Secret.Item.Delete", &[]).is_err() {
            eprintln!("A keyring entry of this demo could not be deleted: {item}");
        }
    }
}

fn property(path: &str, interface: &str, name: &str) -> Result<String> {
    call(path, "org.freedesktop.DBus.Properties.Get", &[interface, name])
}

fn call(path: &str, method: &str, arguments: &[&str]) -> Result<String> {
    let words = ["call", "--session", "--timeout", "5", "--dest", SERVICE, "--object-path", path, "--method", method];
    run::output(std::process::Command::new("gdbus").args(words).args(arguments))
}

/// The texts between single quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('\'').skip(1).step_by(2)
}

/// A new passphrase in a file only this user can read.
fn passphrase(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("passphrase");
    let named = tempfile::Builder::new().prefix("").rand_bytes(32).tempfile_in(folder)?;
    let text = named.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    std::fs::write(named.path(), text)?;
    named.persist(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_attributes_are_read_off_what_gdbus_prints() {
        let said = "([objectpath '/org/freedesktop/secrets/collection/login/1', '/org/x/2'], @ao [])";
        assert_eq!(quoted(said).collect::<Vec<_>>(), ["/org/freedesktop/secrets/collection/login/1", "/org/x/2"]);
        assert_eq!(quoted("(<{'service': 'countersign'}>,)").collect::<Vec<_>>(), ["service", "countersign"]);
    }

    #[test]
    fn every_passphrase_is_new_and_its_file_private() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let first = std::fs::read_to_string(passphrase(folder.path())?)?;
        let path = passphrase(folder.path())?;
        let second = std::fs::read_to_string(&path)?;
        assert!(first.len() == 32 && second.len() == 32 && first != second);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        }
        Ok(())
    }
}
