//! The work of others that is in what we give out, with its licence: one file, which the page Settings shows and this check keeps
//! current. With `UPDATE_LICENCES=1` it is written anew.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::place::Place;

const FILE: &str = "ui/src/licences.json";

/// Compares the file with what cargo and npm's lock file say; neither asks the network.
pub fn check(place: &Place) -> Result<()> {
    let mut all = crates(&place.metadata(&["--locked", "--offline"])?)?;
    all.extend(packages(&std::fs::read_to_string(place.root.join("ui/package-lock.json"))?)?);
    let lines: Vec<String> = all.iter().map(|one| json!(one).to_string()).collect();
    let text = format!("[\n  {}\n]\n", lines.join(",\n  "));
    let file = place.root.join(FILE);
    if std::env::var_os("UPDATE_LICENCES").is_some() {
        std::fs::write(&file, &text).with_context(|| format!("writing {FILE}"))?;
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    ensure!(there == text, "{FILE} is not current; run this once with UPDATE_LICENCES=1");
    Ok(())
}

type Others = BTreeSet<[String; 3]>;

/// Crates of others that the app is made of, on any system: name, version, licence.
fn crates(metadata: &Value) -> Result<Others> {
    let packages = metadata["packages"].as_array().context("no packages")?;
    let by_id: BTreeMap<&str, &Value> = packages.iter().filter_map(|one| Some((one["id"].as_str()?, one))).collect();
    let nodes = metadata["resolve"]["nodes"].as_array().context("nothing resolved")?;
    let needs: BTreeMap<&str, &Value> = nodes.iter().filter_map(|one| Some((one["id"].as_str()?, one))).collect();
    let app = packages.iter().find(|one| one["name"] == "countersign").and_then(|one| one["id"].as_str());
    let mut open = vec![app.context("no package countersign")?];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        for need in needs.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten() {
            let built_in = need["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null());
            open.extend(need["pkg"].as_str().filter(|_| built_in));
        }
    }
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let others = seen.iter().filter_map(|id| by_id.get(id)).filter(|package| !package["source"].is_null());
    Ok(others.map(|one| ["name", "version", "license"].map(|key| text(one, key))).collect())
}

/// Packages of others that the windows are made of.
fn packages(lock: &str) -> Result<Others> {
    let lock: Value = serde_json::from_str(lock).context("ui/package-lock.json")?;
    let all = lock["packages"].as_object().context("ui/package-lock.json has no packages")?;
    let ours = all.iter().filter(|(path, package)| !path.is_empty() && package["dev"] != true);
    let row = |(path, package): (&String, &Value)| {
        let name = path.rsplit_once("node_modules/").map_or(path.as_str(), |(_, name)| name);
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        [name.to_owned(), text("version"), text("license")]
    };
    Ok(ours.map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_built_or_tested_with_is_not_in_it() {
        let need = |id: &str, kind: Value| json!({"pkg": id, "dep_kinds": [{"kind": kind, "target": null}]});
        let package =
            |id: &str, source: Value| json!({"id": id, "name": id, "version": "1", "license": "MIT", "source": source});
        let metadata = json!({
            "packages": [
                package("countersign", Value::Null), package("core", Value::Null),
                package("used", json!("registry")), package("tested", json!("registry")), package("built", json!("registry")),
            ],
            "resolve": {"nodes": [
                {"id": "countersign", "deps": [need("core", Value::Null), need("tested", json!("dev")), need("built", json!("build"))]},
                {"id": "core", "deps": [need("used", Value::Null)]},
            ]},
        });
        let row = |name: &str| [name, "1", "MIT"].map(str::to_owned);
        assert_eq!(crates(&metadata).unwrap(), [row("used")].into());
        let lock = r#"{"packages": {"": {}, "node_modules/a/node_modules/@s/b": {"version": "1", "license": "MIT"},
            "node_modules/c": {"version": "1", "license": "MIT", "dev": true}}}"#;
        assert_eq!(packages(lock).unwrap(), [row("@s/b")].into());
    }
}
