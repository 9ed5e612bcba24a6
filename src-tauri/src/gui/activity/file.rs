//! Where an export is written: a new file among the person's downloads, never over one that is there.

use countersign_core::calendar::Day;
use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use super::view::{ActivityFilter, Form};

/// What a file of these payments is called: the days it is about, or the day it was made.
pub fn name(filter: &ActivityFilter, today: Day) -> String {
    let (from, to) = (Day::parse(filter.from.trim()), Day::parse(filter.to.trim()));
    match (from, to) {
        (Some(from), Some(to)) if whole_year(from, to) => {
            format!("countersign-{}", from.to_string().chars().take(4).collect::<String>())
        }
        (Some(from), Some(to)) => format!("countersign-{from}-to-{to}"),
        _ => format!("countersign-{today}"),
    }
}

fn whole_year(from: Day, to: Day) -> bool {
    let year = from.to_string().chars().take(4).collect::<String>();
    from.to_string() == format!("{year}-01-01") && to.to_string() == format!("{year}-12-31")
}

/// The end of a file's name.
pub const fn end(form: Form) -> &'static str {
    match form {
        Form::Csv => "csv",
        Form::Json => "json",
    }
}

/// A file that nobody else may read, under a name that was free.
pub fn fresh(dir: &Path, name: &str, end: &str) -> io::Result<(PathBuf, File)> {
    for number in 1..1000u32 {
        let name = if number == 1 { format!("{name}.{end}") } else { format!("{name}-{number}.{end}") };
        let path = dir.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }
    Err(io::Error::other(format!("{} is full of exports of this name", dir.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_days_and_never_written_over() {
        let today = Day::parse("2026-05-04").unwrap();
        let filter =
            |from: &str, to: &str| ActivityFilter { from: from.into(), to: to.into(), ..ActivityFilter::default() };
        assert_eq!(name(&filter("2025-01-01", "2025-12-31"), today), "countersign-2025");
        assert_eq!(name(&filter("2025-01-02", "2025-01-02"), today), "countersign-2025-01-02-to-2025-01-02");
        assert_eq!(name(&filter("../../etc", ""), today), "countersign-2026-05-04");
        let dir = tempfile::tempdir().unwrap();
        let (first, _) = fresh(dir.path(), "countersign-2025", end(Form::Csv)).unwrap();
        std::fs::write(&first, "mine").unwrap();
        let link = dir.path().join("countersign-2025-2.csv");
        std::os::unix::fs::symlink("/nowhere", &link).unwrap();
        let (second, _) = fresh(dir.path(), "countersign-2025", end(Form::Csv)).unwrap();
        assert_eq!(second.file_name().unwrap(), "countersign-2025-3.csv");
        assert_eq!(std::fs::read_to_string(first).unwrap(), "mine");
    }
}
