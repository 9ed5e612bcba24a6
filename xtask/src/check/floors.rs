//! No dependency is older than the version that mended a known weakness of it.
//!
//! The table is that of the threat model (row C3). A package that is not in the tree at all is fine.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::none;
use crate::place::Place;

const FLOORS: &[(&str, [u64; 3])] = &[
    ("alloy-dyn-abi", [1, 4, 1]),
    ("rmcp", [1, 4, 0]),
    ("ruint", [1, 20, 0]),
    ("tauri", [2, 11, 0]),
    ("zbus_polkit", [5, 1, 0]),
];
const SQLITE: [u64; 3] = [3, 51, 3];

/// Reads the versions off the lock file, and SQLite's off the source that gets compiled in.
pub fn check(place: &Place) -> Result<()> {
    let metadata = place.metadata(&["--locked"])?;
    let mut complaints: Vec<String> = versions(&metadata).filter_map(|(name, version)| below(name, version)).collect();
    if let Some(header) = sqlite_header(&metadata) {
        let text = std::fs::read_to_string(&header).with_context(|| header.display().to_string())?;
        complaints.extend(old_sqlite(&text));
    }
    none(&complaints)
}

fn versions(metadata: &Value) -> impl Iterator<Item = (&str, &str)> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter_map(|one| Some((one["name"].as_str()?, one["version"].as_str()?)))
}

fn below(name: &str, version: &str) -> Option<String> {
    let (_, floor) = FLOORS.iter().find(|(known, _)| *known == name)?;
    (parts(version) < *floor).then(|| format!("{name} {version} is older than {}", words(*floor)))
}

fn sqlite_header(metadata: &Value) -> Option<std::path::PathBuf> {
    let mut packages = metadata["packages"].as_array()?.iter();
    let manifest = packages.find(|one| one["name"] == "libsqlite3-sys")?["manifest_path"].as_str()?;
    Some(Path::new(manifest).parent()?.join("sqlite3/sqlite3.h"))
}

fn old_sqlite(header: &str) -> Option<String> {
    let version =
        header.lines().find_map(|line| line.strip_prefix("#define SQLITE_VERSION "))?.trim().trim_matches('"');
    (parts(version) < SQLITE).then(|| format!("the bundled SQLite {version} is older than {}", words(SQLITE)))
}

fn parts(version: &str) -> [u64; 3] {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    let mut numbers = release.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

fn words([major, minor, patch]: [u64; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_below_its_floor_is_caught_and_the_floor_itself_passes() {
        assert!(below("tauri", "2.10.9").is_some());
        assert!(below("alloy-dyn-abi", "1.4.0-rc.2").is_some());
        assert!(below("alloy-dyn-abi", "1.4.1").is_none());
        assert!(below("rmcp", "3.9.0").is_none());
        assert!(below("anything", "0.0.1").is_none());
    }

    #[test]
    fn the_sqlite_that_gets_compiled_in_is_read_off_its_header() {
        let header = |version| format!("#ifdef X\n#define SQLITE_VERSION        \"{version}\"\n");
        assert!(old_sqlite(&header("3.51.2")).is_some_and(|text| text.contains("3.51.2 is older than 3.51.3")));
        assert!(old_sqlite(&header("3.53.0")).is_none());
    }
}
