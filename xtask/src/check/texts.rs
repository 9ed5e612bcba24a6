//! The texts of licences, as the packages themselves bring them: each kept once, and of all of them each paragraph once.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use spdx::{Expression, LicenseId, Licensee, ParseMode};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// How a file begins that a licence wants to be handed on, in small letters.
const NAMES: [&str; 6] = ["licen", "copying", "copyright", "notice", "unlicen", "patents"];

/// Licences whose standard text may stand in where a package brings no file; where there is a choice, the first of these.
const STANDARD: [&str; 5] = ["MIT", "Apache-2.0", "BSD-3-Clause", "CC0-1.0", "MPL-2.0"];

/// All texts so far.
#[derive(Default)]
pub struct Texts {
    paragraphs: Numbered<String>,
    texts: Numbered<Vec<usize>>,
}

/// The texts of one package.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Their numbers.
    pub texts: Vec<usize>,
    /// The licences whose standard texts stand in, where the package has no file.
    pub standard: Option<String>,
}

impl Texts {
    /// What the package in this directory brings; else the standard text of its licence, with its authors above it.
    pub fn of(&mut self, dir: &Path, licence: &str, authors: &[&str]) -> Result<Found> {
        let mut texts = Vec::new();
        for file in files(dir)? {
            let bytes = std::fs::read(&file).with_context(|| file.display().to_string())?;
            let number = self.number(&String::from_utf8_lossy(&bytes));
            texts.extend(number.filter(|number| !texts.contains(number)));
        }
        if !texts.is_empty() {
            return Ok(Found { texts, standard: None });
        }
        let needed = needed(licence).with_context(|| format!("{} has no text of {licence}", dir.display()))?;
        let texts = needed.iter().filter_map(|id| self.number(&format!("{}\n\n{}", authors.join("\n"), id.text())));
        let texts = texts.collect();
        let names: Vec<&str> = needed.iter().map(|id| id.name).collect();
        Ok(Found { texts, standard: Some(names.join(" and ")) })
    }

    /// Every paragraph, one a line, and what each text is made of.
    pub fn lines(&self) -> [Vec<String>; 2] {
        let line = |value: Value| value.to_string();
        [
            self.paragraphs.all.iter().map(|text| line(json!(text))).collect(),
            self.texts.all.iter().map(|text| line(json!(text))).collect(),
        ]
    }

    /// None for a text without a word in it.
    fn number(&mut self, text: &str) -> Option<usize> {
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let whole = lines.join("\n");
        let paragraphs = whole.split("\n\n").map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty());
        let parts: Vec<usize> = paragraphs.map(|part| self.paragraphs.of(part.to_owned())).collect();
        (!parts.is_empty()).then(|| self.texts.of(parts))
    }
}

/// Which standard texts are enough for a licence.
fn needed(licence: &str) -> Result<Vec<LicenseId>> {
    let expression = Expression::parse_mode(licence, ParseMode::LAX)?;
    let accepted = STANDARD.iter().map(|name| Licensee::parse(name)).collect::<Result<Vec<_>, _>>()?;
    let needed = expression.minimized_requirements(&accepted)?;
    Ok(needed.iter().filter_map(|one| one.license.id()).collect())
}

/// Things by the order in which they first came.
struct Numbered<T> {
    all: Vec<T>,
    places: BTreeMap<T, usize>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Numbered<T> {
    fn of(&mut self, one: T) -> usize {
        let next = self.all.len();
        *self.places.entry(one.clone()).or_insert_with(|| {
            self.all.push(one);
            next
        })
    }
}

/// The files of licences at the top of a package, and in a folder that is called so.
fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in sorted(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if !NAMES.iter().any(|begin| name.trim_start_matches('.').starts_with(begin)) {
            continue;
        }
        if path.is_dir() {
            found.extend(sorted(&path)?.into_iter().filter(|path| path.is_file()));
        } else if path.extension().is_none_or(|end| end != "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_with_its_copyright_and_where_there_is_none_the_standard_stands_in_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let package = |name: &str, file: &str, text: &str| {
            let dir = dir.path().join(name);
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join(file), text).unwrap();
            dir
        };
        let one = package("one", "LICENSE-MIT", "Copyright A\r\n\r\nPermission  \r\n");
        let two = package("two", "license.txt", "Copyright A\n\n\nPermission\n");
        let three = package("three", "COPYING", "Copyright B\n\nPermission\n");
        let none = package("none", "README.md", "MIT");
        let empty = package("empty", "LICENSE", "\n\n");
        let mut texts = Texts::default();
        let mut of = |dir: &Path, licence| texts.of(dir, licence, &["B <b@example>"]);
        let found =
            |number, standard: Option<&str>| Found { texts: vec![number], standard: standard.map(str::to_owned) };
        assert_eq!(of(&one, "MIT").unwrap(), found(0, None));
        assert_eq!(of(&two, "MIT").unwrap(), found(0, None));
        assert_eq!(of(&three, "MIT").unwrap(), found(1, None));
        assert_eq!(of(&none, "Zlib OR Apache-2.0 OR MIT").unwrap(), found(2, Some("MIT")));
        assert_eq!(of(&empty, "MIT/Apache-2.0").unwrap(), found(2, Some("MIT")), "an empty file is no text");
        let both = of(&none, "(MIT OR Zlib) AND BSD-3-Clause").unwrap();
        assert_eq!((both.texts, both.standard.as_deref()), (vec![2, 3], Some("MIT and BSD-3-Clause")));
        assert!(of(&none, "Zlib").unwrap_err().to_string().contains("no text of Zlib"));
        let [paragraphs, all] = texts.lines();
        assert_eq!((&all[0], &all[1]), (&"[0,1]".to_owned(), &"[2,1]".to_owned()));
        assert_eq!(paragraphs[..4], [r#""Copyright A""#, r#""Permission""#, r#""Copyright B""#, r#""B <b@example>""#]);
    }
}
