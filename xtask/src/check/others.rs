//! The work of others that is in what we give out, with the texts of its licences: one file, which the page Settings shows and
//! this check keeps current. With `UPDATE_LICENCES=1` it is written anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::texts::Texts;
use crate::place::Place;

const FILE: &str = "ui/src/licences.json";

/// Compares the file with what cargo and npm have on this computer; neither asks the network.
pub fn check(place: &Place) -> Result<()> {
    let mut all = crates(&place.metadata(&["--locked", "--offline"])?)?;
    let ui = place.root.join("ui");
    all.extend(packages(&std::fs::read_to_string(ui.join("package-lock.json"))?, &ui)?);
    let text = written(&all)?;
    let file = place.root.join(FILE);
    if std::env::var_os("UPDATE_LICENCES").is_some() {
        std::fs::write(&file, &text).with_context(|| format!("writing {FILE}"))?;
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    ensure!(there == text, "{FILE} is not current; run this once with UPDATE_LICENCES=1");
    Ok(())
}

/// One package of others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Other {
    name: String,
    version: String,
    licence: String,
    /// Where it lies on this computer.
    dir: PathBuf,
    authors: Vec<String>,
}

type Others = BTreeSet<Other>;

fn written(all: &Others) -> Result<String> {
    let mut texts = Texts::default();
    let mut rows = Vec::new();
    for Other { name, version, licence, dir, authors } in all {
        let authors: Vec<&str> = authors.iter().map(String::as_str).collect();
        let found = texts.of(dir, licence, &authors).with_context(|| format!("{name} {version}"))?;
        rows.push(json!([name, version, licence, found.texts, found.standard]).to_string());
    }
    let list = |lines: &[String]| format!("[\n    {}\n  ]", lines.join(",\n    "));
    let [paragraphs, made] = texts.lines();
    let (paragraphs, made, rows) = (list(&paragraphs), list(&made), list(&rows));
    Ok(format!("{{\n  \"paragraphs\": {paragraphs},\n  \"texts\": {made},\n  \"packages\": {rows}\n}}\n"))
}

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
    let other = |one: &&Value| Other {
        name: text(one, "name"),
        version: text(one, "version"),
        licence: text(one, "license"),
        dir: Path::new(one["manifest_path"].as_str().unwrap_or_default()).parent().unwrap_or(Path::new("")).to_owned(),
        authors: one["authors"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    Ok(others.map(other).collect())
}

/// Packages of others that the windows are made of, installed below this folder.
fn packages(lock: &str, ui: &Path) -> Result<Others> {
    let lock: Value = serde_json::from_str(lock).context("ui/package-lock.json")?;
    let all = lock["packages"].as_object().context("ui/package-lock.json has no packages")?;
    let ours = all.iter().filter(|(path, package)| !path.is_empty() && package["dev"] != true);
    let row = |(path, package): (&String, &Value)| {
        let name = path.rsplit_once("node_modules/").map_or(path.as_str(), |(_, name)| name);
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let (version, licence, dir) = (text("version"), text("license"), ui.join(path));
        Other { name: name.to_owned(), version, licence, dir, authors: Vec::new() }
    };
    Ok(ours.map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_built_or_tested_with_is_not_in_it() {
        let need = |id: &str, kind: Value| json!({"pkg": id, "dep_kinds": [{"kind": kind, "target": null}]});
        let package = |id: &str, source: Value| {
            json!({"id": id, "name": id, "version": "1", "license": "MIT", "source": source,
            "manifest_path": format!("/{id}/Cargo.toml"), "authors": ["A"]})
        };
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
        let other = |name: &str, dir: &str, authors: &[&str]| Other {
            name: name.to_owned(),
            version: "1".to_owned(),
            licence: "MIT".to_owned(),
            dir: dir.into(),
            authors: authors.iter().map(|one| (*one).to_owned()).collect(),
        };
        assert_eq!(crates(&metadata).unwrap(), [other("used", "/used", &["A"])].into());
        let lock = r#"{"packages": {"": {}, "node_modules/a/node_modules/@s/b": {"version": "1", "license": "MIT"},
            "node_modules/c": {"version": "1", "license": "MIT", "dev": true}}}"#;
        let there = [other("@s/b", "ui/node_modules/a/node_modules/@s/b", &[])].into();
        assert_eq!(packages(lock, Path::new("ui")).unwrap(), there);
    }

    #[test]
    fn each_package_that_is_listed_has_a_text_and_none_is_empty() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(FILE);
        let told: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let list = |key: &str| told[key].as_array().unwrap().clone();
        let (paragraphs, texts) = (list("paragraphs"), list("texts"));
        let at = |all: &[Value], number: &Value| all[usize::try_from(number.as_u64().unwrap()).unwrap()].clone();
        assert!(paragraphs.iter().all(|part| !part.as_str().unwrap().trim().is_empty()));
        for package in list("packages") {
            let own = package[3].as_array().unwrap();
            assert!(!own.is_empty(), "{package}");
            let whole = |number: &Value| -> String {
                let text = at(&texts, number);
                text.as_array().unwrap().iter().map(|part| at(&paragraphs, part).as_str().unwrap().to_owned()).collect()
            };
            let own: Vec<String> = own.iter().map(whole).collect();
            assert!(own.iter().all(|text| !text.is_empty()), "{package}: a text is empty");
            let licence = |text: &String| text.to_lowercase().contains("warrant");
            assert!(own.iter().any(licence), "{package}: a word about a licence is no licence");
        }
    }
}
