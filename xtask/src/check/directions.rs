//! Imports only point down: what each package may depend on, and what must never be below it.
//!
//! The direct dependencies are an allow-list, so a new one is a decision in this file. What they bring along is a
//! deny-list, read from `cargo tree` for that package alone.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::none;
use crate::place::Place;
use crate::run;

struct Floor {
    package: &'static str,
    direct: &'static [&'static str],
    never_below: &'static [&'static str],
}

const RUNTIME_AND_NETWORK: &[&str] = &["tokio", "mio", "hyper", "reqwest", "axum", "tauri"];

const FLOORS: &[Floor] = &[
    Floor {
        package: "countersign-core",
        direct: &[
            "alloy-primitives",
            "alloy-rlp",
            "idna",
            "jiff",
            "psl",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "toml",
            "unicode-*",
            "url",
        ],
        never_below: &["rusqlite", "libsqlite3-sys", "keyring-core", "zbus", "tracing", "async-std", "smol"],
    },
    Floor {
        package: "countersign-rails",
        direct: &[
            "countersign-core",
            "alloy-primitives",
            "alloy-sol-types",
            "aws-lc-rs",
            "base64",
            "serde",
            "serde_json",
            "thiserror",
            "url",
        ],
        never_below: &[
            "countersign-vault",
            "countersign-desk",
            "rusqlite",
            "libsqlite3-sys",
            "keyring-core",
            "zbus",
            "alloy-signer",
            "alloy-signer-local",
        ],
    },
    Floor {
        package: "countersign-vault",
        direct: &[
            "countersign-core",
            "aes",
            "alloy",
            "alloy-primitives",
            "apple-native-keyring-store",
            "argon2",
            "aws-lc-rs",
            "base64",
            "bip32",
            "bip39",
            "chacha20poly1305",
            "ctr",
            "futures-channel",
            "getrandom",
            "hmac",
            "k256",
            "keyring-core",
            "pbkdf2",
            "region",
            "rusqlite",
            "rustix",
            "scrypt",
            "secret-service",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
            "tracing",
            "windows-native-keyring-store",
            "zbus-secret-service-keyring-store",
            "zeroize",
        ],
        never_below: &["countersign-rails", "countersign-desk"],
    },
    Floor {
        package: "countersign-desk",
        direct: &[
            "countersign-core",
            "countersign-vault",
            "alloy-primitives",
            "async-trait",
            "base64",
            "flate2",
            "futures-channel",
            "getrandom",
            "httpdate",
            "reqwest",
            "schemars",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "tracing",
            "url",
        ],
        never_below: &["countersign-rails", "axum", "tauri"],
    },
];

/// Compares every package with its floor, and looks at what features bring in.
pub fn check(place: &Place) -> Result<()> {
    let metadata = place.metadata(&["--no-deps", "--locked"])?;
    let mut complaints = Vec::new();
    for floor in FLOORS {
        complaints.extend(beside_the_list(floor, &direct(&metadata, floor.package)));
        let below = tree(place, &["--package", floor.package])?;
        complaints.extend(never_below(floor, &below));
    }
    let bare = tree(place, &["--package", "countersign", "--no-default-features"])?;
    complaints.extend(has(&bare, "countersign without the window", &["tauri", "webkit2gtk", "gtk", "wry", "tao"]));
    complaints.extend(zbus_with_tokio(&tree_text(place, &["--workspace"])?));
    none(&complaints)
}

fn direct(metadata: &Value, package: &str) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let dependencies = packages.filter(|one| one["name"] == package).flat_map(|one| one["dependencies"].as_array());
    let normal = dependencies.flatten().filter(|dependency| dependency["kind"].is_null());
    normal.filter_map(|dependency| dependency["name"].as_str()).map(str::to_owned).collect()
}

fn beside_the_list(floor: &Floor, direct: &BTreeSet<String>) -> Vec<String> {
    let allowed = |name: &str| {
        floor.direct.iter().any(|entry| entry.strip_suffix('*').map_or(*entry == name, |start| name.starts_with(start)))
    };
    let others = direct.iter().filter(|name| !allowed(name));
    others.map(|name| format!("{} may not depend on {name} (xtask/src/check/directions.rs)", floor.package)).collect()
}

fn never_below(floor: &Floor, below: &BTreeSet<String>) -> Vec<String> {
    let runtime: &[&str] = if floor.package == "countersign-desk" { &[] } else { RUNTIME_AND_NETWORK };
    has(below, floor.package, &[floor.never_below, runtime].concat())
}

fn has(below: &BTreeSet<String>, what: &str, unwanted: &[&str]) -> Vec<String> {
    let found = unwanted.iter().filter(|name| below.contains(**name));
    found.map(|name| format!("{what} brings in {name}: cargo tree --target all --invert {name}")).collect()
}

/// With `zbus/tokio` the keyring panics on a worker thread of tokio.
fn zbus_with_tokio(tree: &str) -> Vec<String> {
    let tokio = |line: &&str| {
        let features = line.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
        line.starts_with("zbus v") && features.is_some_and(|(list, _)| list.split(',').any(|name| name == "tokio"))
    };
    tree.lines().filter(tokio).map(|line| format!("the feature zbus/tokio is on: {line}")).take(1).collect()
}

fn tree(place: &Place, which: &[&str]) -> Result<BTreeSet<String>> {
    let names = tree_text(place, which)?;
    Ok(names.lines().filter_map(|line| line.split_once(' ')).map(|(name, _)| name.to_owned()).collect())
}

fn tree_text(place: &Place, which: &[&str]) -> Result<String> {
    let words = [
        "tree",
        "--locked",
        "--quiet",
        "--edges",
        "normal",
        "--target",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p} [{f}]",
    ];
    run::output(place.cargo(&words).args(which))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FLOOR: Floor =
        Floor { package: "countersign-core", direct: &["serde", "unicode-*"], never_below: &["rusqlite"] };

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_forbidden_direct_dependency_is_caught_and_its_tests_may_have_it() {
        let metadata = json!({"packages": [{"name": "countersign-core", "dependencies": [
            {"name": "serde", "kind": null},
            {"name": "unicode-security", "kind": null},
            {"name": "tokio", "kind": null},
            {"name": "proptest", "kind": "dev"},
        ]}]});
        let complaints = beside_the_list(&FLOOR, &direct(&metadata, "countersign-core"));
        assert_eq!(complaints.len(), 1);
        assert!(complaints.iter().all(|text| text.contains("countersign-core may not depend on tokio")));
    }

    #[test]
    fn what_comes_along_with_an_allowed_dependency_is_caught_too() {
        assert_eq!(never_below(&FLOOR, &names(&["serde", "rusqlite", "mio"])).len(), 2);
        assert!(never_below(&FLOOR, &names(&["serde", "sha2"])).is_empty());
    }

    #[test]
    fn only_the_desk_may_have_the_async_runtime_below_it() {
        let desk = Floor { package: "countersign-desk", direct: &[], never_below: &["axum"] };
        assert!(never_below(&desk, &names(&["tokio", "hyper"])).is_empty());
        assert_eq!(never_below(&desk, &names(&["axum"])).len(), 1);
    }

    #[test]
    fn the_tokio_feature_of_zbus_is_told_from_its_neighbours() {
        assert_eq!(zbus_with_tokio("zbus v5.9.0 [async-io,tokio]\nzbus v5.9.0 [tokio] (*)\n").len(), 1);
        assert!(zbus_with_tokio("zbus v5.9.0 [async-io,tokio-less]\ntokio v1.54.0 [tokio]\n").is_empty());
    }
}
