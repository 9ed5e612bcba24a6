//! Every crate in the tree may be used under a licence that `deny.toml` allows.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::none;
use crate::place::Place;

/// Reads the list from `deny.toml`, and the licence of every crate, on every platform, from cargo.
pub fn check(place: &Place) -> Result<()> {
    let text = std::fs::read_to_string(place.root.join("deny.toml")).context("deny.toml")?;
    let allowed = allowed(&text)?;
    let metadata = place.metadata(&["--locked"])?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let complaints: Vec<String> = packages
        .filter(|package| !package["license"].as_str().is_some_and(|licence| permits(licence, &allowed)))
        .map(|package| format!("{} {}: licence {}", package["name"], package["version"], package["license"]))
        .collect();
    none(&complaints)
}

fn allowed(text: &str) -> Result<BTreeSet<String>> {
    let table: toml::Table = text.parse().context("deny.toml")?;
    let list = table.get("licenses").and_then(|licences| licences.get("allow")).and_then(toml::Value::as_array);
    let list = list.context("deny.toml has no list licenses.allow")?;
    Ok(list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
}

/// Whether an SPDX expression can be met with allowed licences alone. `/` is the old way to write `OR`.
fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest, allowed) == Some(true) && rest.is_empty()
}

fn any(rest: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = every(rest, allowed)?;
    while let ["OR", after @ ..] = *rest {
        *rest = after;
        met |= every(rest, allowed)?;
    }
    Some(met)
}

fn every(rest: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    let mut met = single(rest, allowed)?;
    while let ["AND", after @ ..] = *rest {
        *rest = after;
        met &= single(rest, allowed)?;
    }
    Some(met)
}

fn single(rest: &mut &[&str], allowed: &BTreeSet<String>) -> Option<bool> {
    match *rest {
        ["(", after @ ..] => {
            *rest = after;
            let met = any(rest, allowed)?;
            let [")", after @ ..] = *rest else { return None };
            *rest = after;
            Some(met)
        }
        [name, "WITH", exception, after @ ..] => {
            *rest = after;
            Some(allowed.contains(&format!("{name} WITH {exception}")))
        }
        [name, after @ ..] => {
            *rest = after;
            Some(allowed.contains(*name))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(expression: &str) -> bool {
        let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        permits(expression, &allowed.into())
    }

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_sum_needs_all() {
        assert!(permitted("MIT OR GPL-3.0-only"));
        assert!(permitted("GPL-3.0-only/MIT"));
        assert!(permitted("(GPL-3.0-only OR MIT) AND Unicode-3.0"));
        assert!(!permitted("MIT AND GPL-3.0-only"));
        assert!(!permitted("(MIT OR Unicode-3.0) AND GPL-3.0-only"));
    }

    #[test]
    fn an_exception_is_part_of_the_licence() {
        assert!(permitted("Apache-2.0 WITH LLVM-exception"));
        assert!(!permitted("Apache-2.0"));
        assert!(!permitted("Apache-2.0 WITH another-exception"));
    }

    #[test]
    fn what_cannot_be_read_permits_nothing() {
        for broken in ["", "(MIT", "MIT)", "MIT OR", "OR MIT", "MIT MIT"] {
            assert!(!permitted(broken), "{broken:?}");
        }
    }
}
