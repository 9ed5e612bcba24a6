//! Every input of the fuzzing corpus keeps the promises of its target: real ones, hostile ones, and all that ever broke one.
//!
//! `good-…` must be accepted and `bad-…` refused; any other name is an input that once was found to break something.

use std::path::{Path, PathBuf};

#[path = "../fuzz/targets/mod.rs"]
mod targets;

#[test]
fn the_whole_corpus_is_accepted_or_refused_as_its_names_say_and_breaks_nothing() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(files(&corpus), names.iter().map(|name| corpus.join(name)).collect::<Vec<_>>());
    for (name, target) in targets::TARGETS {
        let (mut good, mut bad) = (0, 0);
        for file in files(&corpus.join(name)) {
            // Printed before, so that a panic is known by its input.
            println!("{}", file.display());
            let accepted = target(&std::fs::read(&file).unwrap());
            let named = file.file_name().unwrap().to_string_lossy().into_owned();
            match named.split('-').next() {
                Some("good") => good += usize::from(expect(accepted, &named)),
                Some("bad") => bad += usize::from(expect(!accepted, &named)),
                _ => {}
            }
        }
        assert!(good >= 3 && bad >= 3, "{name}: only {good} good and {bad} bad inputs");
    }
}

fn expect(right: bool, named: &str) -> bool {
    assert!(right, "{named} was taken for the opposite");
    right
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
