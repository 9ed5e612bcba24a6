//! Rules about files: their length, no path of this machine in them, shell scripts that parse, claims that have their tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::none;
use crate::place::Place;
use crate::run;

const LONGEST: usize = 500;
const SOURCES: &[&str] = &["rs", "svelte", "ts"];

/// No source file is longer than 500 lines; prints the median.
pub fn sizes(place: &Place) -> Result<()> {
    let mut lines = Vec::new();
    for path in listed(place)? {
        if path.extension().is_some_and(|end| SOURCES.iter().any(|source| end == *source)) {
            lines.push((text(place, &path)?.lines().count(), path));
        }
    }
    lines.sort();
    if let Some((median, _)) = lines.get(lines.len() / 2) {
        println!("{} source files, median {median} lines", lines.len());
    }
    let long = lines.iter().filter(|(count, _)| *count > LONGEST);
    none(&long.map(|(count, path)| format!("{} has {count} lines", path.display())).collect::<Vec<_>>())
}

/// No file names the directory of this checkout or this user's home.
pub fn paths(place: &Place) -> Result<()> {
    // A directory right below the root is no sign of this machine: other systems have `/tmp` and `/src` too.
    let telling = |path: &PathBuf| path.components().count() > 2 || *path == Path::new("/").join("root");
    let places = std::iter::once(place.root.clone()).chain(std::env::home_dir()).filter(telling);
    let needles: Vec<String> = places.map(|path| path.to_string_lossy().into_owned()).collect();
    let mut complaints = Vec::new();
    for path in listed(place)? {
        let text = text(place, &path)?;
        for (number, line) in text.lines().enumerate() {
            if needles.iter().any(|needle| names(line, needle)) {
                complaints.push(format!("{}:{}: {}", path.display(), number.saturating_add(1), line.trim()));
            }
        }
    }
    none(&complaints)
}

/// Bash can read every shell script.
pub fn scripts(place: &Place) -> Result<()> {
    let mut complaints = Vec::new();
    for path in listed(place)? {
        if text(place, &path)?.lines().next().is_some_and(|line| line.starts_with("#!") && line.ends_with("bash")) {
            complaints.extend(
                run::output(place.command("bash").arg("-n").arg(&path)).err().map(|error| format!("{error:#}")),
            );
        }
    }
    none(&complaints)
}

/// Every test that `docs/SECURITY.md` names is in the tree: no sentence there loses its test unnoticed.
pub fn claims(place: &Place) -> Result<()> {
    let page = text(place, &PathBuf::from("docs/SECURITY.md"))?;
    let mut sources = String::new();
    for path in listed(place)?.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        sources.push_str(&text(place, path)?);
    }
    let named: Vec<&str> = tests_named(&page).collect();
    println!("{} tests named in docs/SECURITY.md", named.len());
    let missing = named.iter().filter(|name| !sources.contains(&format!("fn {name}(")));
    let mut complaints: Vec<String> =
        missing.map(|name| format!("docs/SECURITY.md names {name}, which is no test")).collect();
    if named.is_empty() {
        complaints.push("docs/SECURITY.md names no test at all".to_owned());
    }
    none(&complaints)
}

/// The words in backticks that look like a test's name.
fn tests_named(page: &str) -> impl Iterator<Item = &str> {
    let plain = |word: &&str| {
        word.len() > 20 && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    page.split('`').skip(1).step_by(2).filter(plain)
}

/// What git has or would take.
fn listed(place: &Place) -> Result<Vec<PathBuf>> {
    let words = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let names = run::output(place.command("git").args(words)).context("the file rules need git")?;
    let paths = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    Ok(paths.filter(|path| place.root.join(path).is_file()).collect())
}

/// The file's text, with anything that is no UTF-8 replaced.
fn text(place: &Place, path: &PathBuf) -> Result<String> {
    let bytes = std::fs::read(place.root.join(path)).with_context(|| path.display().to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether `line` has `path` as a path of its own and not as the end of a longer name or its beginning.
fn names(line: &str, path: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "._-".contains(c);
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at.saturating_add(path.len())..).and_then(|text| text.chars().next());
        !before.is_some_and(|c| part(c) || c == '/') && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_words_in_backticks_are_tests() {
        let page = "see `a_test_with_a_long_name`, `git grep NAME` and a_test_outside_of_backticks, `short_one`";
        assert_eq!(tests_named(page).collect::<Vec<_>>(), ["a_test_with_a_long_name"]);
    }

    #[test]
    fn a_path_is_found_at_its_borders_only() {
        assert!(names("see /srv/tree/src/lib.rs", "/srv/tree"));
        assert!(names("root = \"/srv/tree\"", "/srv/tree"));
        assert!(!names("see /srv/treehouse", "/srv/tree"));
        assert!(!names("see docs/srv/tree", "/srv/tree"));
    }
}
